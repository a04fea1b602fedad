"""Which texts can hold a function of a known program at all, so that few of them are looked at closer.

The outline of a function is what follows `fn`, up to the first place that a normal form may see otherwise than the
bytes stand: texts, comments, attributes, `pub`, `use`, another `fn`, other scripts. Names that are no keywords of the
language all count as one, so do numbers; commas are left out. Two functions of equal alpha form (`normal`) agree as
far as both outlines go; the reverse does not hold.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rust_expert.dataset.joined import FOREIGN, MARK, SPACE, WORD, Hashes, Joined, Places, among, mixed
from rust_expert.dataset.rust_words import LANGUAGE
from rust_expert.dataset.tokenised import edges_of

LONGEST = 24
"""Pieces of an outline."""
_GLANCES = ((40, 7), (160, LONGEST))
"""How many bytes after `fn` are looked at for how many pieces: most functions are told apart at the first glance."""

_NAME, _NUMBER = "name", "number"
_PIECE = re.compile(r"[A-Za-z0-9_$]+|[^\w\s]", re.ASCII)
_ENDS = re.compile(r"[\"#]|.'|[^\x00-\x7f]", re.DOTALL)
_STOPPING = frozenset({"fn", "pub", "use"})

_MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
_DIGIT = np.array([48 <= byte < 58 for byte in range(256)])
_STOP = FOREIGN
_CLASSES = np.full(256, MARK, dtype=np.uint8)
_CLASSES[[byte for byte in range(128) if chr(byte).isspace()]] = SPACE
_CLASSES[[byte for byte in range(128) if chr(byte).isalnum() or chr(byte) == "_"]] = WORD
_CLASSES[list(b'"#')] = _STOP
_CLASSES[128:] = _STOP
_CLASSES[ord(",")] = SPACE
_MARKED = np.uint64(512)
"""Added to the number of a mark, so that it is none of the others."""
_SLASH, _STAR, _QUOTE, _STOPS_BYTE = b"/*'#"


def _hashes_of(words: Sequence[str]) -> Hashes:
    joined = Joined(words)
    return joined.hashes(joined.starts, joined.ends - joined.starts)


FN = _hashes_of(["fn"])[0]
_KEPT = np.sort(_hashes_of(sorted(LANGUAGE - _STOPPING)))
_STOPS = np.sort(_hashes_of(sorted(_STOPPING)))
_NAMES, _NUMBERS, _ENDED = np.array([256, 257, 258], dtype=np.uint64)


def outline_of(tokens: Sequence[str]) -> list[str]:
    """The longest outline of a function among the tokens of an alpha form; each piece as it is, `name` or `number`."""
    found = [_outline(tokens[place + 1 :]) for place, token in enumerate(tokens) if token == "fn"]
    return max(found, key=len, default=[])


def _outline(tokens: Iterable[str]) -> list[str]:
    pieces: list[str] = []
    for token in tokens:
        if token in _STOPPING or _ENDS.search(token) or len(pieces) >= LONGEST:
            break
        for piece in [token] if token == "$" else _PIECE.findall(token):
            if piece[0].isdigit():
                pieces.append(_NUMBER)
            elif piece[0].isalpha() or piece[0] == "_" or len(piece) > 1:
                pieces.append(piece if piece in LANGUAGE else _NAME)
            elif piece != ",":
                pieces.append(piece)
    return pieces[:LONGEST]


class Outlines:
    """The outlines of known functions, ready to be looked for."""

    def __init__(self, outlines: Iterable[Sequence[str]]) -> None:
        whole: list[set[int]] = [set() for _ in range(LONGEST + 1)]
        begun: list[set[int]] = [set() for _ in range(LONGEST + 1)]
        for outline in outlines:
            steps = _begun(np.array([[_symbol(piece) for piece in outline]], dtype=np.uint64).reshape(1, -1))
            numbers = [0, *(int(step[0]) for step in steps)]
            whole[len(outline)].add(numbers[-1])
            for size, number in enumerate(numbers[:-1]):
                begun[size].add(number)
        self._whole, self._begun = ([_sorted(numbers) for numbers in sets] for sets in (whole, begun))

    def found_in(self, joined: Joined, starts: Places) -> NDArray[np.bool_]:
        """For each `fn` at one of `starts`, whether what follows may be a known function."""
        left = np.arange(len(starts))
        for size, pieces in _GLANCES:
            left = left[self._agree(*_symbols_after(joined, starts[left], size, pieces))]
        found = np.zeros(len(starts), dtype=np.bool_)
        found[left] = True
        return found

    def _agree(self, symbols: Hashes, lengths: Places) -> NDArray[np.bool_]:
        """Which rows of symbols, of which `lengths` are sure, agree with a known outline as far as both go."""
        found = np.zeros(len(symbols), dtype=np.bool_)
        steps = [np.zeros(len(symbols), dtype=np.uint64), *_begun(symbols)]
        for size, numbers in enumerate(steps):
            if len(self._whole[size]):
                found |= (lengths >= size) & among(numbers, self._whole[size])
            ended = np.flatnonzero(lengths == size)
            if len(ended):
                found[ended] |= among(numbers[ended], self._begun[size])
        return found


def _symbol(piece: str) -> int:
    """The number of a piece of an outline, as `_symbols_after` has it."""
    if piece in (_NAME, _NUMBER):
        return int(_NAMES if piece == _NAME else _NUMBERS)
    return int(_hashes_of([piece])[0]) if piece[0].isalpha() or piece[0] == "_" else ord(piece) + int(_MARKED)


def _sorted(numbers: Iterable[int]) -> Hashes:
    return np.array(sorted(numbers), dtype=np.uint64)


def _begun(symbols: Hashes) -> list[Hashes]:
    """For each number of columns the number of each row's symbols so far."""
    numbers = np.zeros(len(symbols), dtype=np.uint64)
    steps: list[Hashes] = []
    for column in symbols.T:
        numbers = mixed(numbers * _MULTIPLIER + column)
        steps.append(numbers)
    return steps


def _symbols_after(joined: Joined, starts: Places, size: int, pieces: int) -> tuple[Hashes, Places]:
    """The symbols of the outline that begins behind each `fn`, a row for each, and how many of them are sure."""
    width = size + 2
    first = np.minimum(starts + 2, len(joined.bytes) - width)
    text = np.lib.stride_tricks.sliding_window_view(joined.bytes, width)[first]
    text[first < starts + 2] = _STOPS_BYTE
    classes = _CLASSES[text]
    after, later = text[:, 1:-1], text[:, 2:]
    comments = (text[:, :-2] == _SLASH) & ((after == _SLASH) | (after == _STAR))
    lifetimes = (classes[:, 1:-1] == WORD) & ~_DIGIT[after] & (later != _QUOTE)
    classes[:, :-2][comments | (text[:, :-2] == _QUOTE) & ~lifetimes] = _STOP
    classes[:, -2:] = _STOP
    stops = np.argmax(classes == _STOP, axis=1)
    begins, ends = edges_of(classes.ravel() == WORD)
    rows = begins // width
    # A word that a stop ends may go on in another way, as `b"` or `naï` do.
    sure = ends - rows * width < stops[rows]
    begins, ends, rows = begins[sure], ends[sure], rows[sure]
    symbols = np.where(
        (classes == MARK) & (np.arange(width) < stops[:, None]), text.astype(np.uint64) + _MARKED, 0
    )
    symbols.ravel()[begins] = _word_symbols(joined, first[rows] + begins - rows * width, ends - begins)
    return _rows(symbols, pieces)


def _rows(symbols: Hashes, pieces: int) -> tuple[Hashes, Places]:
    """The first symbols of each row without the gaps, up to one that ends it, and how many they are."""
    rows, columns = np.nonzero(symbols)
    counts = np.bincount(rows, minlength=len(symbols))
    ranks = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    near = ranks < pieces
    found = np.full((len(symbols), pieces + 1), _ENDED, dtype=np.uint64)
    found[rows[near], ranks[near]] = symbols[rows[near], columns[near]]
    return found[:, :pieces], np.argmax(found == _ENDED, axis=1)


def _word_symbols(joined: Joined, starts: Places, lengths: Places) -> Hashes:
    """Words of the language as they are; names, numbers, and words that end an outline as one each."""
    numbers = joined.hashes(starts, lengths)
    found = np.where(among(numbers, _KEPT), numbers, _NAMES)
    found[among(numbers, _STOPS)] = _ENDED
    found[_DIGIT[joined.bytes[starts]]] = _NUMBERS
    return found
