"""Verdicts about the completions of a model: extraction, policy, trial, lints, style.

A verdict depends on the completion, the problem and the options alone: not on the other samples, their order or the
number of workers. Completions with the same code for the same problem are judged once.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.common.files import sha256_text
from rust_expert.judge.diagnostics import one_line
from rust_expert.judge.harness import own_solution
from rust_expert.judge.lints import lint, lint_groups
from rust_expert.judge.parallel import spread
from rust_expert.judge.policy import policy_findings
from rust_expert.judge.rustc import run_tests_many
from rust_expert.judge.sharing import may_share, suite_may_share
from rust_expert.judge.suite import Suite, suite_of
from rust_expert.judge.together import Together, judge_together
from rust_expert.judge.trial import Trial, compile_alone, compile_limits, put_to_test
from rust_expert.syntax.extraction import Extraction, extract
from rust_expert.syntax.style import documented, idiomatic

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a sample is tried where the judge itself breaks."""


Key = tuple[str, str]
"""The problem's id and the code: what is judged once."""


@dataclasses.dataclass(frozen=True)
class Excluded:
    """A problem that cannot judge anybody, and why."""

    task_id: str
    reason: str


def usable_problems(
    problems: Iterable[Problem],
    options: JudgeOptions,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, Problem], list[Excluded]]:
    """The problems whose own solution passes their tests, by task_id, and the others with the reason.

    Raises UserError where a task_id stands twice.
    """
    listed = list(problems)
    known: dict[str, Problem] = {}
    for problem in listed:
        if problem.task_id in known:
            raise UserError(f"task_id {problem.task_id} stands twice among the problems: give each its own")
        known[problem.task_id] = problem
    suites = [suite_of(problem) for problem in listed]
    programs = [own_solution(problem.test, suite) for problem, suite in zip(listed, suites, strict=True)]
    runs = run_tests_many(
        programs, edition=options.edition, workers=workers, run_seconds=options.run_timeout, progress=progress
    )
    excluded = []
    for problem, suite, run in zip(listed, suites, runs, strict=True):
        if not suite.tests.cases:
            excluded.append(Excluded(problem.task_id, "it has no test"))
        elif not run.ok:
            excluded.append(Excluded(problem.task_id, f"its own solution fails: {run.message}"))
    for each in excluded:
        del known[each.task_id]
    return known, excluded


def judge(
    samples: Iterable[Completion],
    problems: Mapping[str, Problem],
    options: JudgeOptions,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[Verdict]:
    """A verdict for each sample, in the order of the samples. `progress` is told of samples done.

    Raises UserError where a sample answers no known problem, or the sandbox cannot be set up.
    """
    listed = list(samples)
    for sample in listed:
        if sample.task_id not in problems:
            raise UserError(f"sample {sample.sample} answers {sample.task_id}, which is not in the suite")
    suites = {
        task_id: suite_of(problems[task_id]) for task_id in dict.fromkeys(each.task_id for each in listed)
    }
    extractions = [extract(sample.completion, problems[sample.task_id]) for sample in listed]
    groups: dict[Key, list[int]] = {}
    for index, (sample, found) in enumerate(zip(listed, extractions, strict=True)):
        groups.setdefault((sample.task_id, found.code), []).append(index)
    if options.lints and groups:
        lint_groups()  # once, before the workers ask for it together

    def settle(unit: list[Key]) -> list[Verdict]:
        return _verdicts_of(unit, suites, options)

    units = _units(list(groups), suites, options, workers)
    verdicts: dict[int, Verdict] = {}
    for unit, judged in zip(units, spread(settle, units, workers), strict=True):
        for key, verdict in zip(unit, judged, strict=True):
            for index in groups[key]:
                verdicts[index] = _told_of(verdict, listed[index], extractions[index])
            if progress is not None:
                progress(len(groups[key]))
    return [verdicts[index] for index in range(len(listed))]


def unjudged(sample: Completion, reason: str) -> Verdict:
    """The row of a sample that could not be judged, through no fault of its own."""
    return Verdict(
        task_id=sample.task_id,
        sample=sample.sample,
        status="judge_error",
        compiled=False,
        message=one_line(reason),
        completion_sha256=_digest(sample),
    )


def _told_of(verdict: Verdict, sample: Completion, found: Extraction) -> Verdict:
    """The verdict about some code as the verdict about one sample."""
    return verdict.model_copy(
        update={"sample": sample.sample, "extraction": found.rule, "completion_sha256": _digest(sample)}
    )


def _digest(sample: Completion) -> str:
    """The sha256 of the raw answer; what is no Unicode counts as a question mark."""
    return sha256_text(sample.completion.encode("utf-8", "replace").decode())


def _units(
    keys: Sequence[Key], suites: Mapping[str, Suite], options: JudgeOptions, workers: int
) -> list[list[Key]]:
    """What is judged together: batches of what may share a crate, and the rest one by one."""
    sharing = {task_id: suite_may_share(suite) for task_id, suite in suites.items()}
    shared = [key for key in keys if options.batch > 1 and _may_share(key, suites[key[0]], sharing, options)]
    size = max(min(options.batch, -(-len(shared) // max(workers, 1))), 1)
    alone = set(keys) - set(shared)
    batches = [shared[start : start + size] for start in range(0, len(shared), size)]
    return batches + [[key] for key in keys if key in alone]


def _may_share(key: Key, suite: Suite, sharing: Mapping[str, bool], options: JudgeOptions) -> bool:
    task_id, code = key
    if not (code and suite.tests.cases and sharing[task_id] and may_share(code)):
        return False
    return options.policy != "enforce" or not policy_findings(code)


def _verdicts_of(unit: Sequence[Key], suites: Mapping[str, Suite], options: JudgeOptions) -> list[Verdict]:
    """Judge some pieces of code together; whatever that cannot tell is judged alone."""
    told = Together({}, {})
    if len(unit) > 1:
        try:
            told = judge_together([(code, suites[task_id]) for task_id, code in unit], options)
        except (JudgeFault, OSError) as fault:
            log.warning("judging %d samples together broke, they are judged alone: %s", len(unit), fault)
    return [
        _verdict_of(task_id, code, suites[task_id], options, told.trials.get(number), told.lints.get(number))
        for number, (task_id, code) in enumerate(unit)
    ]


def _verdict_of(
    task_id: str,
    code: str,
    suite: Suite,
    options: JudgeOptions,
    trial: Trial | None,
    lints: dict[str, int] | None,
) -> Verdict:
    """Judge one piece of code; a fault of the judge is tried again, and then told as what it is."""
    for attempt in range(ATTEMPTS):
        try:
            return _judge_code(task_id, code, suite, options, trial, lints)
        except (JudgeFault, OSError) as fault:
            log.warning("judging %s broke (attempt %d of %d): %s", task_id, attempt + 1, ATTEMPTS, fault)
            message = one_line(str(fault))
    return Verdict(
        task_id=task_id, sample=0, status="judge_error", compiled=False, message=message, code=code
    )


def _judge_code(
    task_id: str,
    code: str,
    suite: Suite,
    options: JudgeOptions,
    trial: Trial | None = None,
    lints: dict[str, int] | None = None,
) -> Verdict:
    """The verdict on a sample; `trial` and `lints` where a batch has told them."""
    total = len(suite.tests.cases)
    if not total:
        raise JudgeFault("the problem has no test")
    if not code:
        message = "the answer holds no code"
        return Verdict(
            task_id=task_id, sample=0, status="no_code", compiled=False, tests_total=total, message=message
        )
    findings = policy_findings(code) if options.policy != "off" else []
    if findings and options.policy == "enforce":
        trial = _refused(code, findings, total, options)
    elif trial is None:
        trial = put_to_test(code, suite, options)
    if not trial.compiled:
        lints = None
    elif options.lints and lints is None:
        lints = lint(code, edition=options.edition, limits=compile_limits(options))
    return Verdict(
        task_id=task_id,
        sample=0,
        status=trial.status,
        compiled=trial.compiled,
        tests_passed=trial.passed,
        tests_total=trial.total,
        error_codes=list(trial.codes),
        message=trial.message,
        lints=lints or {},
        clippy_warnings=None if lints is None else sum(lints.values()),
        idiomatic=idiomatic(code) if trial.compiled else None,
        documented=documented(code) if trial.compiled else None,
        policy_findings=findings,
        code=code,
    )


def _refused(code: str, findings: Sequence[str], total: int, options: JudgeOptions) -> Trial:
    """A sample against the policy: not run, but compiled, so that the compile rate is that of the other modes."""
    alone = compile_alone(code, options)
    message = one_line("against the policy: " + ", ".join(findings))
    return dataclasses.replace(alone, status="policy_violation", total=total, message=message)
