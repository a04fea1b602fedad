"""Another task mix from the rows of a file, by leaving rows out or laying them out again."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError
from rust_expert.common.seeds import stable_hash
from rust_expert.dataset.quotas import quotas
from rust_expert.dataset.streams import Row, rows_of, write_lines


def rebalance(
    sources: Sequence[Path],
    target: Path,
    mix: Mapping[str, float],
    rows: int | None,
    most_repeats: int,
    seed: int,
    key: str,
) -> dict[str, Any]:
    """Write rows with the shares of `mix` among their `key` to one JSONL file; returns the account.

    Without `rows` as many as the scarcest type allows, none twice. With `rows` just so many, a row at most
    `most_repeats` times, in rounds through the files. Which rows stay hangs on the hash of (seed, row) alone. The
    sources are read once for the draw and once for each round.
    Raises UserError where a type of the mix has no row, or too few for `rows`.
    """
    marks: dict[str, list[tuple[int, int]]] = defaultdict(list)
    left_out: Counter[str] = Counter()
    for place, row in enumerate(_rows(sources)):
        kind = row.fields.get(key)
        if isinstance(kind, str) and mix.get(kind, 0) > 0:
            marks[kind].append((_mark(row, seed), place))
        else:
            left_out[str(kind)] += 1
    sizes = {kind: len(marks[kind]) for kind, share in mix.items() if share > 0}
    counts = _counts(sizes, mix, rows, most_repeats)
    times: dict[int, int] = {}
    for kind, count in counts.items():
        again, rest = divmod(count, sizes[kind])
        for number, (_, place) in enumerate(sorted(marks[kind])):
            times[place] = again + (number < rest)
    written = write_lines(target, _laid_out(sources, times))
    return {
        "rows": written,
        "there": dict(sorted(sizes.items())),
        "written": dict(sorted(counts.items())),
        "left_out_of_other_types": dict(sorted(left_out.items())),
    }


def _rows(sources: Sequence[Path]) -> Iterator[Row]:
    for path in sources:
        yield from rows_of(path)


def _mark(row: Row, seed: int) -> int:
    """Where a row stands in the draw: by its texts, not by its place."""
    return stable_hash(seed, "rebalance", row.fields.get("prompt"), row.fields.get("gen"))


def _counts(
    sizes: Mapping[str, int], mix: Mapping[str, float], rows: int | None, most_repeats: int
) -> dict[str, int]:
    empty = sorted(kind for kind, size in sizes.items() if not size)
    if empty:
        raise UserError(
            f"no row is of type {empty[0]}, which the mix asks for; leave it out or give its rows"
        )
    if rows is None:
        rows = int(min(size / mix[kind] for kind, size in sizes.items()) + 1e-9)
        while any(count > sizes[kind] for kind, count in quotas(rows, _wanted(mix)).items()):
            rows -= 1  # rounding may ask for one row more than there is
        most_repeats = 1
    counts = quotas(rows, _wanted(mix))
    for kind, count in counts.items():
        if count > sizes[kind] * most_repeats:
            raise UserError(
                f"{count} rows of {kind} are asked for, and {sizes[kind]} are there, at most {most_repeats} times "
                "each; ask for fewer --rows or more --max-repeats"
            )
    return counts


def _wanted(mix: Mapping[str, float]) -> dict[str, float]:
    return {kind: share for kind, share in mix.items() if share > 0}


def _laid_out(sources: Sequence[Path], times: Mapping[int, int]) -> Iterator[Row]:
    for number in range(max(times.values(), default=0)):
        for place, row in enumerate(_rows(sources)):
            if times.get(place, 0) > number:
                yield row
