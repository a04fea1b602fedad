"""Which problems of a suite can judge anybody: each one's own solution is judged as a sample would be.

A problem without a test, or whose own solution does not compile or fails its tests, says nothing about a model: its
samples get no verdict and it stands in no figure. A problem that has no solution of its own is used unchecked.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.judge.linked import NO_CRATES, Crates
from rust_expert.judge.suite import Suite, suite_of
from rust_expert.judge.trial import compile_alone
from rust_expert.judge.verdicts import judge

Finding = Literal["passes", "unchecked", "no_test", "does_not_compile", "fails", "judge_error"]
"""What its own solution says of a problem: the first two leave it usable."""


@dataclasses.dataclass(frozen=True)
class Check:
    """One problem: what was found, why it is not usable ("" where it is), whether its own solution compiles without
    the tests (None where there is none), and the crates that it needs."""

    task_id: str
    finding: Finding
    reason: str
    compiles: bool | None
    crates: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether it may judge samples."""
        return self.finding in ("passes", "unchecked")


def check_problems(
    problems: Iterable[Problem],
    options: JudgeOptions,
    *,
    crates: Crates = NO_CRATES,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[Check]:
    """A check of each problem, in their order. `progress` is told of problems done.

    Raises UserError where a task_id stands twice, or the sandbox cannot be set up.
    """
    listed = list(problems)
    known: dict[str, Problem] = {}
    for problem in listed:
        if problem.task_id in known:
            raise UserError(f"task_id {problem.task_id} stands twice among the problems: give each its own")
        known[problem.task_id] = problem
    suites = {problem.task_id: suite_of(problem, crates) for problem in listed}
    answers = [
        Completion(task_id=problem.task_id, completion=problem.canonical_solution)
        for problem in listed
        if problem.canonical_solution.strip() and suites[problem.task_id].tests.cases
    ]
    if progress is not None:
        progress(len(listed) - len(answers))
    # Neither changes whether a solution passes: lints only cost, and a policy is about models.
    plain = options.model_copy(update={"lints": False, "policy": "off"})
    verdicts = judge(answers, known, plain, crates=crates, workers=workers, progress=progress)
    judged = {verdict.task_id: verdict for verdict in verdicts}
    return [
        _check(problem, suites[problem.task_id], judged.get(problem.task_id), plain) for problem in listed
    ]


def usable_problems(
    problems: Sequence[Problem], checks: Sequence[Check]
) -> tuple[dict[str, Problem], dict[str, str]]:
    """The problems that may judge samples, by task_id, and the reasons of the others by theirs."""
    known = {problem.task_id: problem for problem in problems}
    reasons = {each.task_id: each.reason for each in checks if not each.usable}
    return {task_id: known[task_id] for task_id in known if task_id not in reasons}, reasons


def _check(problem: Problem, suite: Suite, verdict: Verdict | None, options: JudgeOptions) -> Check:
    crates = suite.crates.names
    if not suite.tests.cases:
        compiles = compile_alone(suite.solution, options, suite.crates).compiled if suite.solution else None
        seems = "#[test]" in problem.test
        reason = "it has no test" + (": what looks like one stands in a comment or a string" if seems else "")
        return Check(problem.task_id, "no_test", reason, compiles, crates)
    if verdict is None:
        return Check(problem.task_id, "unchecked", "", None, crates)
    return Check(problem.task_id, *_found(verdict), verdict.compiled, crates)


def _found(verdict: Verdict) -> tuple[Finding, str]:
    """What the verdict on its own solution says of a problem, and why that makes it useless."""
    if verdict.status == "passed":
        return "passes", ""
    if verdict.status == "judge_error":
        return "judge_error", f"the judge broke on its own solution: {verdict.message}"
    if verdict.status in ("compile_error", "no_code"):
        what = (
            "its tests do not fit to its own solution"
            if verdict.compiled
            else "its own solution does not compile"
        )
        return "does_not_compile", f"{what}: {verdict.message}"
    return "fails", f"its own solution fails: {verdict.message}"
