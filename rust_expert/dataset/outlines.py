"""Which texts can hold a function of a known program at all, so that few of them are looked at closer.

The outline of a function is what follows `fn`, up to the first place that a normal form may see otherwise than the
bytes stand: texts, comments, attributes, `pub`, `use`, another `fn`, other scripts. Names that are no keywords of the
language all count as one, so do numbers; commas are left out. Two functions of equal alpha form (`normal`) agree as
far as both outlines go; the reverse does not hold.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rust_expert.dataset.joined import (
    BEYOND,
    FOREIGN,
    MARK,
    SPACE,
    WORD,
    Hashes,
    Joined,
    Places,
    among,
    mixed,
)
from rust_expert.dataset.rust_words import LANGUAGE
from rust_expert.dataset.tokenised import edges_of

_Symbols = NDArray[np.uint16]

LONGEST = 72
"""Pieces of an outline."""
_GLANCES = ((48, 9), (200, 32), (420, LONGEST))
"""How many bytes after `fn` are looked at for how many pieces: most functions are told apart at the first glance."""
assert all(size + 4 <= BEYOND for size, _ in _GLANCES)

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
_SLASH, _STAR, _QUOTE = b"/*'"


def _hashes_of(words: Sequence[str]) -> Hashes:
    joined = Joined(words)
    return joined.hashes(joined.starts, joined.ends - joined.starts)


FN = _hashes_of(["fn"])[0]
_KEPT = np.sort(_hashes_of(sorted(LANGUAGE - _STOPPING)))
_STOPS = np.sort(_hashes_of(sorted(_STOPPING)))
_NAMES, _NUMBERS, _ENDED, _MARKED, _WORDED = (np.uint16(number) for number in (256, 257, 258, 512, 1024))
"""Symbols of outlines; to the last two a mark's byte or the place of a word of the language is added."""


@dataclass(frozen=True)
class Outline:
    """One function's outline: `kinds` are words of the language and marks as they stand, `name` or `number`.

    `words`: the name or number itself where the normal form keeps it, "" where any will do.
    """

    kinds: tuple[str, ...]
    words: tuple[str, ...]


def outline_of(tokens: Sequence[str]) -> Outline:
    """The longest outline of a function among the tokens of an alpha form."""
    found = [_outline(tokens[place + 1 :]) for place, token in enumerate(tokens) if token == "fn"]
    return max(found, key=lambda outline: len(outline.kinds), default=Outline((), ()))


def _outline(tokens: Iterable[str]) -> Outline:
    pieces: list[tuple[str, str]] = []
    for token in tokens:
        if token in _STOPPING or _ENDS.search(token) or len(pieces) >= LONGEST:
            break
        for piece in [token] if token == "$" else _PIECE.findall(token):
            if piece[0].isdigit():
                pieces.append((_NUMBER, piece))
            elif piece in LANGUAGE:
                pieces.append((piece, ""))
            elif piece[0].isalpha() or piece[0] == "_":
                pieces.append((_NAME, piece))
            elif len(piece) > 1:
                pieces.append((_NAME, ""))
            elif piece != ",":
                pieces.append((piece, ""))
    kinds, words = zip(*pieces[:LONGEST], strict=True) if pieces else ((), ())
    return Outline(kinds, words)


class Outlines:
    """The outlines of known functions, ready to be looked for."""

    def __init__(self, outlines: Iterable[Outline]) -> None:
        known = sorted(set(outlines), key=lambda outline: (outline.kinds, outline.words))
        kinds = {kind for outline in known for kind in outline.kinds}
        words = {word for outline in known for word in outline.words}
        symbols = {**_symbols_of(kinds), "": 0}
        numbers = dict(zip(sorted(words), _hashes_of(sorted(words)).tolist(), strict=True)) | {"": 0}
        padded = [
            [symbols[kind] for kind in outline.kinds] + [0] * (LONGEST - len(outline.kinds))
            for outline in known
        ]
        steps = _begun(np.array(padded, dtype=np.uint16).reshape(-1, LONGEST))
        begun_with = np.array([np.zeros(len(known), dtype=np.uint64), *steps], dtype=np.uint64).T.tolist()
        self._words: dict[tuple[int, int], list[Hashes]] = defaultdict(list)
        whole: list[set[int]] = [set() for _ in range(LONGEST + 1)]
        begun: list[set[int]] = [set() for _ in range(LONGEST + 1)]
        for outline, beginnings in zip(known, begun_with, strict=True):
            wanted = np.array([numbers[word] for word in outline.words], dtype=np.uint64)
            last = len(outline.kinds)
            whole[last].add(beginnings[last])
            for size, number in enumerate(beginnings[: last + 1]):
                self._words[size, number].append(wanted[:size])
                if size < last:
                    begun[size].add(number)
        self._whole, self._begun = ([_sorted(numbers) for numbers in sets] for sets in (whole, begun))

    def found_in(self, joined: Joined, starts: Places) -> NDArray[np.bool_]:
        """For each `fn` at one of `starts`, whether what follows may be a known function."""
        found = np.zeros(len(starts), dtype=np.bool_)
        left = np.arange(len(starts))
        for glance, (size, pieces) in enumerate(_GLANCES, start=1):
            if len(left):
                closely = glance > 1
                left = left[self._agree(_seen_after(joined, starts[left], size, pieces, closely), closely)]
        found[left] = True
        return found

    def _agree(self, seen: "_Seen", closely: bool) -> NDArray[np.bool_]:
        """Which rows agree with a known outline as far as both go; `closely`: its kept names and numbers too."""
        found = np.zeros(len(seen.lengths), dtype=np.bool_)
        steps = [np.zeros(len(seen.lengths), dtype=np.uint64), *_begun(seen.symbols)]
        for size, numbers in enumerate(steps):
            same = np.zeros(len(found), dtype=np.bool_)
            if len(self._whole[size]):
                same = (seen.lengths >= size) & among(numbers, self._whole[size])
            ended = np.flatnonzero(seen.lengths == size)
            same[ended] |= among(numbers[ended], self._begun[size])
            if closely:
                rows = np.flatnonzero(same & ~found)
                same[rows] = [
                    any(_fits(words, seen.words[row, :size]) for words in self._words[size, number])
                    for row, number in zip(rows.tolist(), numbers[rows].tolist(), strict=True)
                ]
            found |= same
        return found


def _fits(wanted: Hashes, there: Hashes) -> bool:
    """Whether the words there are those wanted; 0 is any."""
    return bool(((wanted == there) | (wanted == 0) | (there == 0)).all())


@dataclass(frozen=True)
class _Seen:
    """What follows each of some `fn`, a row for each: `lengths` symbols; names and numbers as words beside them."""

    symbols: _Symbols
    words: Hashes
    lengths: Places


def _symbols_of(kinds: Iterable[str]) -> dict[str, int]:
    """The numbers of the pieces of outlines, as `_seen_after` has them."""
    words = sorted(kind for kind in kinds if len(kind) > 1 and kind not in (_NAME, _NUMBER))
    places = np.searchsorted(_KEPT, _hashes_of(words))
    found = {word: int(_WORDED) + place for word, place in zip(words, places.tolist(), strict=True)}
    found |= {kind: ord(kind) + int(_MARKED) for kind in kinds if len(kind) == 1}
    return found | {_NAME: int(_NAMES), _NUMBER: int(_NUMBERS)}


def _sorted(numbers: Iterable[int]) -> Hashes:
    return np.array(sorted(numbers), dtype=np.uint64)


def _begun(symbols: _Symbols) -> list[Hashes]:
    """For each number of columns the number of each row's symbols so far."""
    numbers = np.zeros(len(symbols), dtype=np.uint64)
    steps: list[Hashes] = []
    for column in symbols.T:
        numbers = mixed(numbers * _MULTIPLIER + column)
        steps.append(numbers)
    return steps


def _seen_after(joined: Joined, starts: Places, size: int, pieces: int, closely: bool) -> _Seen:
    """The outline that begins behind each `fn`, from so many bytes at most and of so many pieces at most.

    There are `words` where they are looked at closely.
    """
    width = size + 2
    first = starts + 2
    text = np.lib.stride_tricks.sliding_window_view(joined.bytes, width)[first]
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
    symbols = np.where((classes == MARK) & (np.arange(width) < stops[:, None]), text + _MARKED, np.uint16(0))
    places = first[rows] + begins - rows * width
    words = joined.hashes(places, ends - begins)
    symbols.ravel()[begins] = _word_symbols(joined, places, words)
    packed, there = _without_gaps(symbols, pieces)
    kept = np.zeros(packed.shape, dtype=np.uint64)
    if closely:
        whole = np.zeros(symbols.shape, dtype=np.uint64)
        whole.ravel()[begins] = _told(joined, places, ends - begins, words)
        kept[there[0], there[1]] = whole[there[0], there[2]]
    return _Seen(packed[:, :pieces], kept, np.argmax(packed == _ENDED, axis=1))


def _without_gaps(symbols: _Symbols, pieces: int) -> tuple[_Symbols, tuple[Places, Places, Places]]:
    """The first symbols of each row, an end behind them; and the row, new and old column of each."""
    rows, columns = np.nonzero(symbols)
    counts = np.bincount(rows, minlength=len(symbols))
    ranks = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    near = ranks < pieces
    rows, columns, ranks = rows[near], columns[near], ranks[near]
    packed = np.full((len(symbols), pieces + 1), _ENDED, dtype=np.uint16)
    packed[rows, ranks] = symbols[rows, columns]
    return packed, (rows, ranks, columns)


def _word_symbols(joined: Joined, starts: Places, words: Hashes) -> _Symbols:
    """Words of the language by their places among them; names, numbers, and words that end an outline as one each."""
    places = np.minimum(np.searchsorted(_KEPT, words), len(_KEPT) - 1)
    kinds = np.where(_KEPT[places] == words, places.astype(np.uint16) + _WORDED, _NAMES)
    kinds[among(words, _STOPS)] = _ENDED
    kinds[_DIGIT[joined.bytes[starts]]] = _NUMBERS
    return kinds


def _told(joined: Joined, starts: Places, lengths: Places, words: Hashes) -> Hashes:
    """The words; any for a number with a `_` in it, which the normal form leaves out."""
    found = words.copy()
    for place in np.flatnonzero(_DIGIT[joined.bytes[starts]]).tolist():
        if b"_" in joined.data[starts[place] : starts[place] + lengths[place]]:
            found[place] = 0
    return found
