"""Thousands of texts as one array of bytes: what is asked of all of them is asked at once."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Hashes = NDArray[np.uint64]

PART = 1 << 19
"""Bytes that are worked on at once: few enough for the processor's cache, so that memory stays flat."""

_BLOCK = 8
BEYOND = 512
"""Blank bytes after the last text, for who looks a little further."""
_LONG = 64
"""Bytes from which a piece is hashed by itself rather than block by block with the others."""

_MANY = 4_096
"""Numbers from which it is worth it to set up a table for them."""
_BUCKET = np.uint64(48)

_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xBF58476D1CE4E5B9)
_MASKS = np.array([(1 << (8 * size)) - 1 for size in range(_BLOCK + 1)], dtype=np.uint64)

SPACE, WORD, MARK, FOREIGN = range(4)
"""Classes of bytes: white space; ASCII letters, digits and underscores; other ASCII; parts of other characters."""

_SPACES = b" \t\n\r\f\v\x1c\x1d\x1e\x1f"
_CLASSES = bytes(
    FOREIGN if byte > 127 else SPACE if byte in _SPACES else WORD if chr(byte).isalnum() or byte == 95 else MARK
    for byte in range(256)
)  # fmt: skip


class Joined:
    """Texts in UTF-8 one after the other, each followed by one NUL.

    Text i is `data[starts[i]:ends[i]]`. Lone surrogates pass through as they are.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        whole = "\0".join(texts)
        data = whole.encode("utf-8", "surrogatepass")
        plain = len(data) == len(whole)  # else a text has more bytes than characters
        sizes = map(len, texts if plain else [text.encode("utf-8", "surrogatepass") for text in texts])
        lengths = np.fromiter(sizes, dtype=np.int64, count=len(texts))
        self.data = data + bytes(BEYOND)
        self.ends: Places = np.cumsum(lengths + 1) - 1
        self.starts: Places = self.ends - lengths
        self.bytes = np.frombuffer(self.data, dtype=np.uint8)
        self._blocks = np.ndarray(len(self.data) - _BLOCK + 1, dtype="<u8", buffer=self.data, strides=(1,))

    def classes(self) -> NDArray[np.uint8]:
        """The class of each byte; what stands between two texts is white space."""
        found = np.frombuffer(bytearray(self.data.translate(_CLASSES)), dtype=np.uint8)
        found[self.ends] = SPACE
        found[-BEYOND:] = SPACE
        return found

    def hashes(self, starts: Places, lengths: Places) -> Hashes:
        """A 64-bit number for each piece of the data, the same for the same bytes wherever they stand."""
        found = mixed(lengths.astype(np.uint64) * _FIRST ^ self._block(starts, np.minimum(lengths, _BLOCK)))
        rest = np.flatnonzero(lengths > _BLOCK)
        for done in range(_BLOCK, _LONG, _BLOCK):
            if not len(rest):
                return found
            left = lengths[rest] - done
            found[rest] = mixed(found[rest] ^ self._block(starts[rest] + done, np.minimum(left, _BLOCK)))
            rest = rest[left > _BLOCK]
        for place in rest.tolist():
            piece = self.data[starts[place] : starts[place] + lengths[place]]
            found[place] = int.from_bytes(hashlib.blake2b(piece, digest_size=8).digest(), "little")
        return found

    def _block(self, starts: Places, sizes: Places) -> Hashes:
        block: Hashes = self._blocks[starts] & _MASKS[sizes]
        return block


def among(numbers: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Whether each number is in `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(numbers), dtype=np.bool_)
    if len(numbers) < _MANY:
        return _found(numbers, known)
    # Most are in no bucket with a known one, and that is told fast.
    buckets = np.zeros(1 << 16, dtype=np.bool_)
    buckets[known >> _BUCKET] = True
    answer: NDArray[np.bool_] = buckets[numbers >> _BUCKET]
    places = np.flatnonzero(answer)
    answer[places] = _found(numbers[places], known)
    return answer


def _found(numbers: Hashes, known: Hashes) -> NDArray[np.bool_]:
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    same: NDArray[np.bool_] = known[places] == numbers
    return same


def parts_of(texts: Sequence[str]) -> Iterator[tuple[int, Joined]]:
    """The texts in parts of about PART bytes, each with the number of its first text."""
    first = size = 0
    for place, text in enumerate(texts):
        size += len(text)
        if size >= PART:
            yield first, Joined(texts[first : place + 1])
            first, size = place + 1, 0
    if first < len(texts):
        yield first, Joined(texts[first:])


def mixed(value: Hashes) -> Hashes:
    """Spread the bits (as splitmix64 does)."""
    value = (value ^ (value >> np.uint64(32))) * _SECOND
    return value ^ (value >> np.uint64(29))
