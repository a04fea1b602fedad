"""Which rows are for training and which for validation: by crate and by combination, never row by row."""

from collections.abc import Iterable, Sequence

from rust_expert.common.contracts import Sample
from rust_expert.common.rows import changed
from rust_expert.common.seeds import stable_hash


def group_of(sample: Sample) -> tuple[str, str]:
    """What a row may not be parted from: its combination, else its crate, else its own text."""
    if sample.combination is not None:
        return "combination", sample.combination
    if sample.source_crate is not None:
        return "crate", sample.source_crate
    return "row", sample.id


def val_groups(groups: Iterable[tuple[str, str]], fraction: float, seed: int) -> set[tuple[str, str]]:
    """The groups that are held back.

    Each group's fate hangs on the hash of its own name, so that another group changes nothing; but where a
    kind with two groups or more would hold none back, its group of the lowest hash is.
    """
    if fraction == 0:
        return set()
    bound = int(fraction * 2**64)
    by_kind: dict[str, dict[tuple[str, str], int]] = {}
    for group in set(groups):
        by_kind.setdefault(group[0], {})[group] = stable_hash(seed, "split", *group)
    held: set[tuple[str, str]] = set()
    for marks in by_kind.values():
        below = {group for group, mark in marks.items() if mark < bound}
        if not below and len(marks) >= 2:
            below = {min(marks, key=lambda group: (marks[group], group))}
        held |= below
    return held


def assign_split(samples: Sequence[Sample], fraction: float, seed: int) -> list[Sample]:
    """The rows with `split` set, in their order."""
    groups = [group_of(sample) for sample in samples]
    held = val_groups(groups, fraction, seed)
    return [
        changed(sample, split="val" if group in held else "train")
        for sample, group in zip(samples, groups, strict=True)
    ]
