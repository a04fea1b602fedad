"""How many tokens stretches of files have, counted for all of them at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rust_expert.common.rust_lexing import DOC, TEXT

_BLANK, _WORD, _SIGN, _QUOTE = range(4)
_BLANKS = b" \t\n\r\f\v" + DOC
_WORDS = b"_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + bytes(range(0x80, 0x100))
assert TEXT in _WORDS  # so that the prefix of a text is one word with it
_CLASSES = bytes(
    _BLANK if byte in _BLANKS else _WORD if byte in _WORDS else _QUOTE if byte == ord("'") else _SIGN
    for byte in range(256)
)


def token_counts(files: Sequence[bytes], spans: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
    """The number of lexical tokens in each span (first byte, byte after the last) of each file, in one list.

    The files are lexed (rust_expert.common.rust_lexing.Lexed.marked). A token is a text or character with the prefix
    right before it, a lifetime, a word (letters, digits, `_` and whatever is beyond ASCII), or any other sign by
    itself: `::` is two, `1.5` three, `r#type` three. Comments are none.
    """
    offsets = np.cumsum([0, *(len(file) + 1 for file in files)])
    places = np.array([place for inside in spans for place in inside], dtype=np.int64).reshape(-1, 2)
    places += np.repeat(offsets[:-1], [len(inside) for inside in spans])[:, np.newaxis]
    begins = _begins(b"\n".join(files))
    counts = _before(begins, places[:, 1]) - _before(begins, places[:, 0])
    return [int(count) for count in counts]


def _begins(marked: bytes) -> npt.NDArray[np.bool_]:
    """Whether a token begins, for each byte."""
    classes = np.frombuffer(b"\n" + marked.translate(_CLASSES), dtype=np.uint8)
    # The low bit is set where a word may go on: after a word, and after the quote of a lifetime.
    return classes[1:] > (classes[:-1] & 1)


def _before(begins: npt.NDArray[np.bool_], places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many are set before each place; bits are counted 64 at a time."""
    bits = np.packbits(begins, bitorder="little")
    words = np.zeros(len(bits) // 8 + 1, dtype="<u8")
    words.view(np.uint8)[: len(bits)] = bits
    sums = np.concatenate([[0], np.cumsum(np.bitwise_count(words), dtype=np.int64)])
    word, bit = places >> 6, (places & 63).astype(np.uint64)
    counts: npt.NDArray[np.int64] = sums[word] + np.bitwise_count(
        words[word] & ((np.uint64(1) << bit) - np.uint64(1))
    )
    return counts
