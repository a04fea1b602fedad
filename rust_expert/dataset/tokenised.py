"""The tokens of thousands of texts as numbers: what `lexing` reads one text after the other, at fifty times its speed.

Equal tokens have equal numbers, others differ (64 bits, so by all odds). What plain arrays cannot tell apart, such as
letters of other scripts or exponents, sends that one text to `lexing`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rust_expert.dataset.joined import FOREIGN, MARK, WORD, Hashes, Joined, Places, parts_of
from rust_expert.dataset.lexing import REGION, code_tokens

_Flags = NDArray[np.bool_]

_PAIRS = np.zeros(1 << 16, dtype=np.bool_)
_PAIR = (b"::", b"->", b"=>", b"==", b"!=", b"<=", b">=", b"&&", b"||", b"..")
_PAIRS[[first << 8 | second for first, second in _PAIR]] = True
_DIGIT = np.array([48 <= byte < 58 for byte in range(256)])
_SLASH, _POINT, _EQUALS = b"/.="


@dataclass(frozen=True)
class Stream:
    """The numbers of the tokens of each text: `hashes[offsets[i]:offsets[i + 1]]` are those of text i."""

    hashes: Hashes
    offsets: Places

    def of(self, text: int) -> Hashes:
        """The numbers of one text's tokens in order."""
        return self.hashes[self.offsets[text] : self.offsets[text + 1]]

    def counts(self) -> Places:
        """How many tokens each text has."""
        return np.diff(self.offsets)

    def take(self, texts: Places) -> "Stream":
        """The tokens of some of the texts, in the order they are named."""
        lengths = self.counts()[texts]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        places = np.arange(int(offsets[-1])) + np.repeat(self.offsets[:-1][texts] - offsets[:-1], lengths)
        return Stream(self.hashes[places], offsets)

    def beside(self, other: "Stream") -> "Stream":
        """The texts of both, those of the other last."""
        offsets = np.concatenate((self.offsets, other.offsets[1:] + self.offsets[-1]))
        return Stream(np.concatenate((self.hashes, other.hashes)), offsets)

    def sums(self, numbers: Hashes) -> Hashes:
        """For each text the sum of its share of `numbers`, of which there is one for each token."""
        whole = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(numbers, dtype=np.uint64)))
        found: Hashes = whole[self.offsets[1:]] - whole[self.offsets[:-1]]
        return found

    def places(self) -> Places:
        """For each token its place in its text."""
        return np.arange(len(self.hashes)) - np.repeat(self.offsets[:-1], self.counts())


def edges_of(inside: _Flags) -> tuple[Places, Places]:
    """Where runs of True begin, and where they end."""
    changes = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    if len(inside) and inside[0]:
        changes = np.concatenate(([0], changes))
    if len(changes) % 2:
        changes = np.concatenate((changes, [len(inside)]))
    return changes[0::2], changes[1::2]


def word_stream(texts: Sequence[str]) -> Stream:
    """The words of each text, as `lexing.words` has them."""
    hashes: list[Hashes] = []
    counts: list[Places] = []
    for _, joined in parts_of(texts):
        starts, ends = edges_of(joined.classes() == WORD)
        hashes.append(joined.hashes(starts, ends - starts))
        counts.append(_counts(starts, joined))
    return _stream(hashes, counts)


def code_stream(texts: Sequence[str]) -> Stream:
    """The tokens of each text without its comments, as `lexing.code_tokens` has them."""
    return stream_of_parts(
        texts,
        lambda tokens: (tokens.hashes, tokens.counts(), tokens.odd),
        lambda text: [word for _, word in code_tokens(text)],
    )


@dataclass(frozen=True)
class Tokens:
    """The tokens of the texts of one part, in order.

    `odd`: the numbers of texts whose tokens must be read one by one.
    """

    joined: Joined
    starts: Places
    lengths: Places
    hashes: Hashes
    odd: Places

    def counts(self) -> Places:
        """How many of the tokens each text has."""
        return _counts(self.starts, self.joined)

    def text(self, place: int) -> str:
        """One token as it stands."""
        start = int(self.starts[place])
        return self.joined.data[start : start + int(self.lengths[place])].decode("utf-8", "surrogatepass")


def stream_of_parts(
    texts: Sequence[str],
    read: Callable[[Tokens], tuple[Hashes, Places, Places]],
    read_one: Callable[[str], Sequence[str]],
) -> Stream:
    """What `read` makes of the tokens of many texts, and `read_one` of each text that has to be read by itself.

    `read` gives the numbers of all texts of a part, how many each text has, and which texts are to be read alone.
    """
    hashes: list[Hashes] = []
    counts: list[Places] = []
    for first, joined in parts_of(texts):
        starts, lengths, odd = _tokens(joined)
        tokens = Tokens(joined, starts, lengths, joined.hashes(starts, lengths), odd)
        found, count, odd = read(tokens)
        if len(odd):
            lists = [read_one(texts[first + place]) for place in odd.tolist()]
            own = Joined([word for words in lists for word in words])
            alone = np.split(
                own.hashes(own.starts, own.ends - own.starts), np.cumsum([len(words) for words in lists])[:-1]
            )
            pieces = np.split(found, np.cumsum(count)[:-1])
            for place, piece in zip(odd.tolist(), alone, strict=True):
                pieces[place] = piece
            found, count = np.concatenate(pieces), np.array([len(piece) for piece in pieces])
        hashes.append(found)
        counts.append(count)
    return _stream(hashes, counts)


def _stream(hashes: Sequence[Hashes], counts: Sequence[Places]) -> Stream:
    if not hashes:
        return Stream(np.zeros(0, dtype=np.uint64), np.zeros(1, dtype=np.int64))
    return Stream(np.concatenate(hashes), np.concatenate(([0], np.cumsum(np.concatenate(counts)))))


def _counts(starts: Places, joined: Joined) -> Places:
    """How many of the tokens that begin at `starts` each text has."""
    first = np.searchsorted(starts, joined.starts)
    return np.diff(np.concatenate((first, [len(starts)])))


def _tokens(joined: Joined) -> tuple[Places, Places, Places]:
    """Where each token begins and how long it is, in order; and the texts for which that is not so."""
    begins, ends = _regions(joined)
    classes = joined.classes()
    _blank(classes, begins, ends)
    odd = [np.flatnonzero(classes == FOREIGN)]
    lengths = np.zeros(len(classes), dtype=np.int32)
    told = joined.bytes[begins] != _SLASH  # what begins with a slash is a comment
    lengths[begins[told]] = (ends - begins)[told]
    odd += [_words(joined, classes, lengths), _marks(joined, classes, lengths)]
    starts = np.flatnonzero(lengths)
    texts = np.searchsorted(joined.ends, np.concatenate(odd))
    return starts, lengths[starts].astype(np.int64), np.unique(texts)


def _regions(joined: Joined) -> tuple[Places, Places]:
    """Where comments, strings, characters, lifetimes and raw names begin and end."""
    spans = [
        found.span()
        for begin, end in zip(joined.starts.tolist(), joined.ends.tolist(), strict=True)
        for found in REGION.finditer(joined.data, begin, end)
    ]
    both = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _blank(classes: NDArray[np.uint8], begins: Places, ends: Places) -> None:
    """Make white space of the regions."""
    steps = np.zeros(len(classes), dtype=np.int8)
    steps[begins] += 1
    steps[ends] -= 1
    classes[np.cumsum(steps, dtype=np.int8).view(np.bool_)] = 0


def _words(joined: Joined, classes: NDArray[np.uint8], lengths: NDArray[np.int32]) -> Places:
    """Note words and numbers; a number goes on behind its point. Returns where exponents with a sign stand."""
    starts, ends = edges_of(classes == WORD)
    lengths[starts] = ends - starts
    numbers = _DIGIT[joined.bytes[starts]]
    goes_on = numbers[:-1] & numbers[1:] & (joined.bytes[ends[:-1]] == _POINT) & (starts[1:] == ends[:-1] + 1)
    goes_on &= classes[ends[:-1]] == MARK
    first = np.flatnonzero(_alternate(goes_on))
    lengths[starts[first]] = ends[first + 1] - starts[first]
    lengths[starts[first + 1]] = 0
    classes[ends[first]] = 0
    last = joined.bytes[ends - 1] | 0x20
    sign, after = joined.bytes[ends], joined.bytes[np.minimum(ends + 1, len(classes) - 1)]
    signed: Places = ends[(last == ord("e")) & ((sign == ord("+")) | (sign == ord("-"))) & _DIGIT[after]]
    return signed


def _marks(joined: Joined, classes: NDArray[np.uint8], lengths: NDArray[np.int32]) -> Places:
    """Note what is neither word nor white space, one by one or in pairs. Returns where `..=` runs into a pair."""
    places = np.flatnonzero(classes == MARK)
    if not len(places):
        return places
    lengths[places] = 1
    marks = joined.bytes[places].astype(np.uint16)
    beside = places[1:] == places[:-1] + 1
    paired = beside & _PAIRS[marks[:-1] << np.uint16(8) | marks[1:]]
    first = np.flatnonzero(_alternate(paired))
    lengths[places[first]] = 2
    lengths[places[first + 1]] = 0
    # `..` and `=` are one token
    ranges = first[marks[first] == _POINT]
    ranges = ranges[ranges + 2 < len(places)]
    ranges = ranges[beside[ranges + 1] & (marks[ranges + 2] == _EQUALS)]
    clash = np.append(paired, False)[ranges + 2]
    lengths[places[ranges]] = 3
    lengths[places[ranges + 2]] = 0
    clashes: Places = places[ranges[clash]]
    return clashes


def _alternate(flags: _Flags) -> _Flags:
    """Of each run of True the first, third, fifth: what is taken together with its neighbour is taken once."""
    places = np.arange(len(flags))
    before = np.maximum.accumulate(np.where(flags, -1, places)) if len(flags) else places
    alternating: _Flags = flags & ((places - before) % 2 == 1)
    return alternating
