"""Why samples fail: statuses, compiler errors and their messages, whole and by family of problems."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rust_expert.common.contracts import LEFT_OUT, Problem, Verdict

_QUOTED = re.compile(r"`[^`]*`")
_NUMBER = re.compile(r"\b\d+\b")


def shape_of(message: str) -> str:
    """A message without its names and numbers: what two samples with the same fault have in common."""
    return _NUMBER.sub("N", _QUOTED.sub("`…`", message))


def family_of(task_id: str, problem: Problem | None) -> str:
    """The family of a problem: its category, else the start of its combination, else of its name."""
    if problem is not None and problem.category:
        return problem.category
    if problem is not None and problem.combination:
        return re.split(r"[|/]", problem.combination)[0]
    head, _, rest = task_id.partition("/")
    return rest.partition("/")[0] if "/" in rest else head


@dataclass
class Tally:
    """What became of some samples."""

    samples: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count one sample. Each code counts once a sample."""
        self.samples += 1
        self.statuses[verdict.status] += 1
        if verdict.status == "passed":
            return
        if verdict.status == "compile_error":
            self.codes.update(set(verdict.error_codes) or {"without a code"})
        if verdict.message:
            self.messages[shape_of(verdict.message)] += 1

    def report(self, most: int) -> dict[str, Any]:
        """The counts, the most frequent first, of messages at most `most`."""
        return {
            "samples": self.samples,
            "failed": self.samples - self.statuses["passed"],
            "statuses": _ordered(self.statuses),
            "error_codes": _ordered(self.codes),
            "messages": _ordered(self.messages, most),
        }


def _ordered(counts: Counter[str], most: int | None = None) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])


def analyze(verdicts: Iterable[Verdict], problems: Mapping[str, Problem], most: int = 20) -> dict[str, Any]:
    """An account of failures over all verdicts and by family, the families with the most failures first.

    Problems that the judge left out, since their own solution fails, and faults of the judge say nothing about a
    model: they are counted apart.
    """
    whole = Tally()
    families: defaultdict[str, Tally] = defaultdict(Tally)
    apart: Counter[str] = Counter()
    for verdict in verdicts:
        if verdict.status == "judge_error":
            apart["problem left out" if verdict.message.startswith(LEFT_OUT) else "fault of the judge"] += 1
            continue
        for tally in (whole, families[family_of(verdict.task_id, problems.get(verdict.task_id))]):
            tally.add(verdict)
    by_family = {name: tally.report(most) for name, tally in families.items()}
    ordered = sorted(by_family.items(), key=lambda item: (-item[1]["failed"], item[0]))
    return {"schema": 1, **whole.report(most), "not_judged": dict(apart), "families": dict(ordered)}
