"""Where a second judging differs from the released one, and why."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rust_expert.common.contracts import Verdict
from rust_expert.release.contents import samples_of, suite_of, verdicts_of
from rust_expert.release.opening import Change

NO_CAUSE = "no cause is known: the judge drifted, please report it"


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same: of what, what was released, what came out here, and the cause."""

    of: str
    released: Any
    here: Any
    cause: str

    def __str__(self) -> str:
        return f"{self.of}: released {_short(self.released)}, here {_short(self.here)}; {self.cause}"


@dataclass(frozen=True)
class Rows:
    """What was changed in a release, as seen from a stage and suite, and on which line each problem stands."""

    stage: str
    suite: str
    changed: Sequence[Change]
    problem_lines: Mapping[str, int]

    def cause(self, task_id: str, number: int) -> str | None:
        """Why a verdict on a sample may differ, as far as files were changed; `number` is its line (from 1)."""
        places = (
            (verdicts_of(self.stage, self.suite), number, "the released verdict"),
            (samples_of(self.stage, self.suite), number, "the sample"),
            (suite_of(self.suite), self.problem_lines.get(task_id), "the problem"),
        )
        for name, line, what in places:
            for change in self.changed:
                if change.file == name and change.line in (None, line):
                    return f"{what} was changed after the release ({change})"
        return None


def verdict_differences(
    released: Sequence[Verdict], here: Sequence[Verdict], rows: Rows, conditions: Sequence[str]
) -> Iterator[Difference]:
    """The verdicts that are not the same, in the order of the samples.

    `conditions` tell in what the judging itself differed (see condition_differences).
    """
    of = f"{rows.stage} on {rows.suite}"
    if len(released) != len(here):
        name = verdicts_of(rows.stage, rows.suite)
        told = (
            "; ".join(str(one) for one in rows.changed if one.file == name) or "files of two runs were mixed"
        )
        yield Difference(f"{of}: number of verdicts", len(released), len(here), told)
        return
    for number, (one, other) in enumerate(zip(released, here, strict=True), start=1):
        if one == other:
            continue
        before, now = one.model_dump(mode="json"), other.model_dump(mode="json")
        unlike = [key for key in before if before[key] != now[key]]
        cause = rows.cause(one.task_id, number) or "; ".join(conditions) or NO_CAUSE
        yield Difference(
            f"{of}: {one.task_id}, sample {one.sample}",
            {key: before[key] for key in unlike},
            {key: now[key] for key in unlike},
            cause,
        )


def condition_differences(released: Any, here: Any, released_code: str, code: str) -> list[str]:
    """In what two judgings differed: the compiler, the sandbox and its limits, options, the judge's own code."""
    told = [
        f"{path.replace('.', ' ')} was {_short(before)}, is {_short(now)}"
        for path, before, now in leaf_differences(released, here)
    ]
    if released_code != code:
        told.append(f"the judge's code was {released_code}, is {code}")
    return told


def figure_differences(name: str, released: Any, here: Any, causes: Sequence[str]) -> Iterator[Difference]:
    """The figures of a file that are not the same."""
    for path, before, now in leaf_differences(released, here):
        yield Difference(f"{name}: {path}", before, now, "; ".join(causes) or NO_CAUSE)


def leaf_differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ: the path with dots, and both values (None where there is none)."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from leaf_differences(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from leaf_differences(left, right, f"{path}.{number}")
    elif one != other or type(one) is not type(other):
        yield path, one, other


def count_leaves(value: Any) -> int:
    """How many figures and texts a JSON value holds."""
    if isinstance(value, dict):
        return sum(map(count_leaves, value.values()))
    if isinstance(value, list):
        return sum(map(count_leaves, value))
    return 1


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:157] + "..."
