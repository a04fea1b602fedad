"""Names that look like other names, and marks that make text read in another order than it is compiled."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from rust_expert.judge.tokens import MARKS, Token

_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides, isolates and their ends: what the compiler's own lint refuses too."""
_ALIKE = str.maketrans(
    # Cyrillic and Armenian letters, Latin letters of other alphabets
    "аеорсухіјѕһԁԛԝѵӏкɡАВЕКМНОРСТХІЈЅԌԚԜѴҮՍօոսհ"
    # Greek letters of the same form
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "aeopcyxijshdqwvlkgABEKMHOPCTXIJSGQWVYUonuh" + "ABEZHIKMNOPTYXo",
)
_SIMILAR = str.maketrans("αγηικνρυχωɩı", "aynikvpuxwii")
"""Letters that are only similar, and usual beside Latin ones in formulas or in Turkish: they count only where the name
that they would make is another one's."""
_DECEIVING = frozenset("ǀǁǂǃ\u115f\u1160\u3164\uffa0")
"""Letters that look like signs of the language, or like nothing."""


def misleading(code: str, tokens: Sequence[Token], known: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each rule that a text breaks, with the line. `known`: names that matter beside those of the code itself."""
    for number, line in enumerate(code.split("\n"), start=1):
        if not line.isascii() and _DIRECTION.search(line):
            yield "control of text direction", number
    plain = {token.text for token in tokens if token.text.isascii()} | set(known)
    for token in tokens:
        if token.text in MARKS:
            yield "control of text direction", token.line
        elif not token.text.isascii() and _pretends(token.text.removeprefix("$"), plain):
            yield "look-alike name", token.line


def _pretends(name: str, plain: set[str]) -> bool:
    """Whether a name that is not ASCII could be read as one that is."""
    if not _DECEIVING.isdisjoint(name):
        return True
    folded = "".join(each if each in "ªº" else unicodedata.normalize("NFKC", each) for each in name)
    if folded != name and folded.isascii():  # full width, mathematical alphabets, ligatures; `nº` is usual
        return True
    alike = folded.translate(_ALIKE)
    if alike.isascii() and any(letter.isascii() and letter.isalpha() for letter in folded):
        return True
    return alike.translate(_SIMILAR) in plain
