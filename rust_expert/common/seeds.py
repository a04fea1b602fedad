"""Random choices that depend on a seed and a stable key alone."""

import hashlib
import random


def stable_hash(*key: object) -> int:
    """A 64-bit number from the text of each part of `key`; the same on every machine and in every run."""
    text = "\x1f".join(map(str, key))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def rng(seed: int, *key: object) -> random.Random:
    """A generator of its own for one row: `seed` from the config, `key` what names the row."""
    return random.Random(stable_hash(seed, *key))


def shard_of(name: str, shards: int) -> int:
    """The shard, 0 to `shards` - 1, that `name` belongs to, whatever other names there are."""
    return stable_hash("shard", name) % shards
