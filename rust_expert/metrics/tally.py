"""From verdicts to counts per problem: what every figure is computed from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rust_expert.common.contracts import LEFT_OUT, Completion, Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_text

PREFILTERED = frozenset(("no_code", "policy_violation"))
"""Verdicts on samples that others drop before they count what compiles."""


@dataclass
class Tally:
    """The samples of one problem. Those that the judge failed on are in no count but their own."""

    task_id: str
    category: str | None = None
    samples: int = 0
    passed: int = 0
    passed_under_policy: int = 0
    compiled: int = 0
    prefiltered: int = 0
    """Samples that others drop before they count what compiles."""
    prefiltered_compiled: int = 0
    """Those that compile among the others."""
    styled: int = 0
    """Samples with an idiomatic score; `idiomatic` is the sum of their scores."""
    idiomatic: float = 0.0
    public_items: int = 0
    documented_items: int = 0
    linted: int = 0
    """Samples that clippy looked at; `clippy_warnings` is the sum of what it said."""
    clippy_warnings: int = 0
    judge_errors: int = 0
    first: str = ""
    """Status of the sample with the lowest number."""
    first_compiled: bool = False
    first_policy: bool = False
    """Whether it breaks the policy."""
    verdicts: list[Verdict] = field(default_factory=list, repr=False)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        self.verdicts.append(verdict)
        if verdict.status == "judge_error":
            self.judge_errors += 1
            return
        self.samples += 1
        self.passed += verdict.status == "passed"
        self.passed_under_policy += verdict.status == "passed" and not verdict.policy_findings
        self.compiled += verdict.compiled
        dropped = verdict.status in PREFILTERED
        self.prefiltered += dropped
        self.prefiltered_compiled += verdict.compiled and not dropped
        if verdict.idiomatic is not None:
            self.styled += 1
            self.idiomatic = round(self.idiomatic + verdict.idiomatic, 4)
        if verdict.documented is not None and verdict.public_items:
            self.public_items += verdict.public_items
            self.documented_items += round(verdict.documented * verdict.public_items)
        if verdict.clippy_warnings is not None:
            self.linted += 1
            self.clippy_warnings += verdict.clippy_warnings

    def as_json(self) -> dict[str, Any]:
        """The counts, as a comparison with another run needs them."""
        left_out = ("task_id", "category", "verdicts")
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in left_out}


@dataclass(frozen=True)
class Tallies:
    """One stage on one suite: a tally per problem in the suite's order; the samples the judge failed on."""

    problems: list[Tally]
    unjudged: list[tuple[str, int]]
    excluded: dict[str, str]
    """Problems that judge nobody, with the reason; in no figure of any stage."""

    @property
    def samples(self) -> int:
        """Samples in the denominator."""
        return sum(tally.samples for tally in self.problems)

    def statuses(self) -> dict[str, int]:
        """Samples by status, faults of the judge included."""
        return dict(sorted(Counter(v.status for tally in self.problems for v in tally.verdicts).items()))


def tally(
    problems: Sequence[Problem],
    completions: Sequence[Completion],
    verdicts: Sequence[Verdict],
    max_judge_errors: float,
) -> Tallies:
    """Count the verdicts of each problem of the suite.

    Every problem has to have samples and every sample its verdict: nothing falls out of a denominator unseen.
    A fault of the judge is no verdict about the model: such samples are counted apart and listed, and above
    the share `max_judge_errors` there are no figures at all.

    Raises UserError where problems, completions and verdicts do not belong together, and above that share.
    """
    by_task = {problem.task_id: Tally(problem.task_id, problem.category) for problem in problems}
    texts: dict[tuple[str, int], str] = {}
    for completion in completions:
        key = completion.task_id, completion.sample
        if completion.task_id not in by_task:
            raise UserError(f"the completions name {key[0]}, which is no problem of the suite; sample again")
        if key in texts:
            raise UserError(f"sample {key[1]} of {key[0]} stands twice in the completions; sample again")
        texts[key] = completion.completion
    judged: set[tuple[str, int]] = set()
    unjudged: list[tuple[str, int]] = []
    for verdict in sorted(verdicts, key=lambda one: (one.task_id, one.sample)):
        key = verdict.task_id, verdict.sample
        if key not in texts or key in judged:
            how = "was judged twice" if key in judged else "has a verdict but no completion"
            raise UserError(f"sample {key[1]} of {key[0]} {how}; judge again")
        if verdict.completion_sha256 and verdict.completion_sha256 != _digest(texts[key]):
            raise UserError(f"the verdict on sample {key[1]} of {key[0]} is on another text; judge again")
        judged.add(key)
        if verdict.status == "judge_error":
            unjudged.append(key)
        by_task[key[0]].add(verdict)
    if missing := sorted(texts.keys() - judged):
        raise UserError(f"sample {missing[0][1]} of {missing[0][0]} has no verdict; judge again")
    excluded: dict[str, str] = {}
    for one in by_task.values():
        if not one.verdicts:
            raise UserError(f"problem {one.task_id} has no sample; sample again")
        one.first, one.first_compiled = one.verdicts[0].status, one.verdicts[0].compiled
        one.first_policy = bool(one.verdicts[0].policy_findings)
        if all(v.status == "judge_error" and v.message.startswith(LEFT_OUT) for v in one.verdicts):
            excluded[one.task_id] = one.verdicts[0].message.removeprefix(LEFT_OUT)
    unjudged = [key for key in unjudged if key[0] not in excluded]
    counted = [one for one in by_task.values() if one.task_id not in excluded]
    samples = sum(len(one.verdicts) for one in counted)
    if len(unjudged) > max_judge_errors * samples:
        task, sample = unjudged[0]
        raise UserError(
            f"the judge failed on {len(unjudged)} of {samples} samples (one: sample {sample} of {task}): "
            f"more than max_judge_errors ({max_judge_errors:g}) allows; judge again"
        )
    return Tallies(counted, unjudged, excluded)


def _digest(completion: str) -> str:
    """As the judge takes it: what is no Unicode counts as a question mark."""
    return sha256_text(completion.encode("utf-8", "replace").decode())
