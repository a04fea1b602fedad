"""A release beside what came out when it was judged again."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.contracts import Verdict
from rust_expert.common.files import read_json
from rust_expert.common.problems import read_problems
from rust_expert.common.tables import read_jsonl, read_parquet
from rust_expert.release.contents import METRICS, Release, scores_of, suite_of, verdicts_of
from rust_expert.release.differences import (
    Difference,
    Rows,
    condition_differences,
    count_leaves,
    figure_differences,
    verdict_differences,
)
from rust_expert.release.opening import Change

SHOWN = 20
"""How many lines of a kind are told."""


@dataclasses.dataclass
class Outcome:
    """What the comparison found: differences, in what the judging itself differed, and how much was compared."""

    changed: Sequence[Change]
    conditions: list[str] = dataclasses.field(default_factory=list)
    differences: list[Difference] = dataclasses.field(default_factory=list)
    verdicts: int = 0
    figures: int = 0

    @property
    def identical(self) -> bool:
        """Whether the release is whole and everything came out as it stands there."""
        return not self.changed and not self.differences

    def told(self) -> str:
        """The outcome in a few lines, the last one the result."""
        lines: list[str] = []
        for title, each in (
            ("not as it was released", list(map(str, self.changed))),
            ("judged otherwise than the release", self.conditions),
            ("different", list(map(str, self.differences))),
        ):
            lines += [f"{title}:", *(f"  {one}" for one in each[:SHOWN])] if each else []
            lines += [f"  and {len(each) - SHOWN} more, see differences.json"] if len(each) > SHOWN else []
        if self.identical:
            lines.append(f"identical: {self.verdicts:,} verdicts and {self.figures:,} figures")
        else:
            lines.append(
                f"NOT identical: {len(self.changed)} changes of files, {len(self.differences)} differences"
            )
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """All of it, in full."""
        return {
            "changed": [str(change) for change in self.changed],
            "conditions": self.conditions,
            "differences": [dataclasses.asdict(one) for one in self.differences],
            "verdicts": self.verdicts,
            "figures": self.figures,
        }


def compare(folder: Path, here: Path, release: Release, code: str, outcome: Outcome) -> None:
    """Add to `outcome` where the verdicts, scores and metrics.json below `here` differ from the release in `folder`.

    `code` is the fingerprint of the judge's code that made them.
    """
    unlike = False
    for stage, suite in release.pairs:
        name = scores_of(stage, suite)
        before, now = read_json(folder / name), read_json(here / name)
        conditions = condition_differences(before.get("judge"), now.get("judge"), release.judge_code, code)
        outcome.conditions += [one for one in conditions if one not in outcome.conditions]
        found = _verdicts(folder, here, (stage, suite), conditions, outcome)
        outcome.differences += found
        unlike = unlike or bool(found)
        _figures(name, before, now, unlike, outcome)
    _figures(METRICS, read_json(folder / METRICS), read_json(here / METRICS), unlike, outcome)


def _verdicts(
    folder: Path, here: Path, pair: tuple[str, str], conditions: Sequence[str], outcome: Outcome
) -> list[Difference]:
    stage, suite = pair
    problems = read_problems(folder / suite_of(suite))
    lines = {problem.task_id: line for line, problem in enumerate(problems, start=1)}
    released = read_jsonl(folder / verdicts_of(stage, suite), Verdict)
    again = read_parquet(here / "verdicts" / stage / f"{suite}.parquet", Verdict)
    outcome.verdicts += len(again)
    return list(verdict_differences(released, again, Rows(stage, suite, outcome.changed, lines), conditions))


def _figures(name: str, before: Any, now: Any, unlike: bool, outcome: Outcome) -> None:
    """A figure differs since its file was changed, or one that it is drawn from, or since verdicts differ."""
    sources = (name, "samples/", "suites/", "models/", "data/")
    causes = [str(change) for change in outcome.changed if change.file.startswith(sources)]
    causes += ["it follows from the verdicts"] if unlike else []
    outcome.figures += count_leaves(now)
    outcome.differences += figure_differences(name, before, now, causes or outcome.conditions)
