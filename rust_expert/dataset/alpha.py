"""The alpha forms of thousands of programs as numbers: what `normal.alpha_tokens` says of one text after the other.

Attributes, restricted visibility, an empty `main` and names inside texts send a program to `normal`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rust_expert.dataset.joined import Hashes, Joined, Places, among, mixed
from rust_expert.dataset.lexing import code_tokens
from rust_expert.dataset.normal import CAPTURE, DEFINE, alpha_tokens
from rust_expert.dataset.rust_words import LANGUAGE, STD_NAMES
from rust_expert.dataset.tokenised import Stream, Tokens, stream_of_parts

_Flags = NDArray[np.bool_]

_DIGIT = np.array([48 <= byte < 58 for byte in range(256)])
_LETTER = np.array([byte < 128 and (chr(byte).isalpha() or byte == 95) for byte in range(256)])
_UPPER = np.array([65 <= byte <= 90 for byte in range(256)])
_QUOTING = np.array([chr(byte) in "\"'#" for byte in range(256)])
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def _numbers(words: Iterable[str]) -> Hashes:
    joined = Joined(sorted(words))
    return np.sort(joined.hashes(joined.starts, joined.ends - joined.starts))


def _number(word: str) -> np.uint64:
    return np.uint64(_numbers([word])[0])


_OF_LANGUAGE, _OF_STD, _DEFINING = _numbers(LANGUAGE), _numbers(STD_NAMES), _numbers(DEFINE)
_FIXED_LIFETIMES = _numbers(["'static", "'_"])
_AFTER_COMMA = _numbers(")]}>")
_NO_VARIABLE_BEFORE = _numbers(["(", "::", "!", "<"])
_BEFORE_USE = _numbers("{};")
_POINT, _PATH, _CALL, _MACRO, _FN, _PUB, _USE, _HASH, _COMMA, _SEMICOLON = map(
    _number, (".", "::", "(", "!", "fn", "pub", "use", "#", ",", ";")
)
_MAIN = _number("main")


def alpha_stream(programs: Sequence[str]) -> Stream:
    """The tokens of the alpha form of each program, comments left out."""
    return stream_of_parts(programs, _alpha, lambda text: alpha_tokens(code_tokens(text)))


def _alpha(tokens: Tokens) -> tuple[Hashes, Places, Places]:
    """The forms' tokens of all texts of a part, how many each has, and which texts need a closer look."""
    counts = tokens.counts()
    texts = np.repeat(np.arange(len(counts)), counts)
    hashes = _plain_numbers(tokens)
    following = _shifted(hashes, texts, 1)
    closer = (hashes == _HASH) | (hashes == _PUB) & ((following == _CALL) | (following == _USE))
    closer |= (hashes == _FN) & (following == _MAIN)
    closer |= _captures(tokens)
    left_out = (hashes == _PUB) | (hashes == _COMMA) & among(following, _AFTER_COMMA)
    kept = np.flatnonzero(~(left_out | _imports(hashes, texts)))
    words = _Words.of(tokens, hashes[kept], texts[kept], kept)
    found = _renamed(hashes[kept], words)
    return found, np.bincount(texts[kept], minlength=len(counts)), np.union1d(tokens.odd, texts[closer])


def _plain_numbers(tokens: Tokens) -> Hashes:
    """The tokens' numbers, those of numbers without the `_` in them."""
    low = np.flatnonzero(tokens.joined.bytes == ord("_"))
    holders = np.unique(np.searchsorted(tokens.starts, low, side="right") - 1) if len(tokens.starts) else low
    holders = holders[(holders >= 0) & _DIGIT[tokens.joined.bytes[tokens.starts[holders]]]]
    if not len(holders):
        return tokens.hashes
    found = tokens.hashes.copy()
    plain = Joined([tokens.text(place).replace("_", "") for place in holders.tolist()])
    found[holders] = plain.hashes(plain.starts, plain.ends - plain.starts)
    return found


def _imports(hashes: Hashes, texts: Places) -> _Flags:
    """Which tokens are those of `use` lines, the semicolon included."""
    before = _shifted(hashes, texts, -1)
    begins = np.flatnonzero((hashes == _USE) & ((before == 0) | among(before, _BEFORE_USE)))
    semicolons = np.append(np.flatnonzero(hashes == _SEMICOLON), len(hashes))
    ends = np.minimum(
        semicolons[np.searchsorted(semicolons, begins)] + 1,
        np.searchsorted(texts, texts[begins], side="right"),
    )
    depth = np.zeros(len(hashes) + 1, dtype=np.int32)
    np.add.at(depth, begins, 1)
    np.add.at(depth, ends, -1)
    inside: _Flags = np.cumsum(depth[:-1]) > 0
    return inside


def _captures(tokens: Tokens) -> _Flags:
    """Which tokens are texts that name a variable, as `{name}` does."""
    found = np.zeros(len(tokens.starts), dtype=np.bool_)
    last = tokens.joined.bytes[tokens.starts + tokens.lengths - 1]
    for place in np.flatnonzero((last == ord('"')) | (last == ord("#"))).tolist():
        found[place] = CAPTURE.search(tokens.text(place)) is not None
    return found


def _shifted(values: Hashes, texts: Places, step: int) -> Hashes:
    """For each token the next one's number (step 1) or the last one's (-1), 0 beyond the text."""
    found = np.zeros_like(values)
    if step > 0:
        found[:-1] = np.where(texts[1:] == texts[:-1], values[1:], 0)
    else:
        found[1:] = np.where(texts[1:] == texts[:-1], values[:-1], 0)
    return found


@dataclass(frozen=True)
class _Words:
    """Those tokens of a form that may be an author's: `places` of names and lifetimes, and what stands around them.

    `keys` tell the same word in two texts apart.
    """

    places: Places
    hashes: Hashes
    texts: Places
    keys: Hashes
    before: Hashes
    after: Hashes
    lifetime: _Flags
    upper: _Flags

    @classmethod
    def of(cls, tokens: Tokens, hashes: Hashes, texts: Places, kept: Places) -> "_Words":
        starts, lengths = tokens.starts[kept], tokens.lengths[kept]
        first, last = tokens.joined.bytes[starts], tokens.joined.bytes[starts + lengths - 1]
        names = _LETTER[first] & ~_QUOTING[last] & ~among(hashes, _OF_LANGUAGE)
        lifetimes = (first == ord("'")) & (last != ord("'")) & (lengths > 1)
        lifetimes &= ~among(hashes, _FIXED_LIFETIMES)
        places = np.flatnonzero(names | lifetimes)
        owners = texts[places]
        return cls(
            places=places,
            hashes=hashes[places],
            texts=owners,
            keys=mixed(hashes[places] ^ mixed((owners.astype(np.uint64) + np.uint64(1)) * _SPREAD)),
            before=_shifted(hashes, texts, -1)[places],
            after=_shifted(hashes, texts, 1)[places],
            lifetime=lifetimes[places],
            upper=_UPPER[first[places]],
        )


def _chosen(words: _Words) -> _Flags:
    """Which words the author of the code chose (`normal._is_authors`)."""
    member = (words.before == _POINT) | (words.before == _PATH)
    called, path = words.after == _CALL, words.after == _PATH
    function = words.before == _FN
    defined = ~function & among(words.before, _DEFINING)
    bare = ~(function | defined | member | words.lifetime) & ~among(words.after, _NO_VARIABLE_BEFORE)
    functions, types, variables = (
        among(words.keys, np.unique(words.keys[flags & ~words.lifetime]))
        for flags in (function, defined, bare)
    )
    std = among(words.hashes, _OF_STD)
    return np.select(
        [
            words.lifetime,
            words.after == _MACRO,
            words.upper,
            (words.before == _POINT) & ~called & ~path,
            member,
            path,
        ],
        [np.ones_like(std), np.zeros_like(std), types | ~std, np.ones_like(std), functions & ~std, types],
        ~called | functions | variables,
    )


def _renamed(hashes: Hashes, words: _Words) -> Hashes:
    """The tokens, the author's words as $0, $1, ... in the order in which they appear in their text."""
    chosen = np.flatnonzero(_chosen(words))
    _, first, number = np.unique(words.keys[chosen], return_index=True, return_inverse=True)
    order = np.sort(first)
    owners = words.texts[chosen[order]]
    ranks = np.arange(len(order)) - np.searchsorted(owners, owners)
    rank = ranks[np.searchsorted(order, first)][number]
    found = hashes.copy()
    most = int(rank.max(initial=-1)) + 1
    for mark, flags in (("", ~words.lifetime[chosen]), ("'", words.lifetime[chosen])):
        table = Joined([f"{mark}${place}" for place in range(most)])
        found[words.places[chosen[flags]]] = table.hashes(table.starts, table.ends - table.starts)[
            rank[flags]
        ]
    return found
