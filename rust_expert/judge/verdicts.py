"""Verdicts about the completions of a model: extraction, policy, trial, lints, style.

A verdict depends on the completion, the problem and the options alone: not on the other samples, their order or the
number of workers. Completions with the same code for the same problem are judged once.
"""

import dataclasses
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.common.files import sha256_text
from rust_expert.common.parallel import spread
from rust_expert.judge.diagnostics import one_line
from rust_expert.judge.journal import Journal
from rust_expert.judge.linked import NO_CRATES, Crates
from rust_expert.judge.lints import lint, lint_groups
from rust_expert.judge.policy import policy_findings
from rust_expert.judge.sharing import may_share, suite_may_share
from rust_expert.judge.suite import Suite, suite_of
from rust_expert.judge.together import Together, judge_together
from rust_expert.judge.trial import Trial, compile_alone, compile_limits, put_to_test
from rust_expert.syntax.extraction import Extraction, extract
from rust_expert.syntax.style import documentation, idiomatic

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a sample is tried where the judge itself breaks."""


Key = tuple[str, str]
"""The problem's id and the code: what is judged once."""


def judge(
    samples: Iterable[Completion],
    problems: Mapping[str, Problem],
    options: JudgeOptions,
    *,
    crates: Crates = NO_CRATES,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    journal: Journal | None = None,
    already: Callable[[int], None] | None = None,
) -> list[Verdict]:
    """A verdict for each sample, in the order of the samples. `progress` is told of samples done, from any thread.

    With a journal, what it knows is not judged again (`already` is told of how many samples), and every verdict is
    kept in it as soon as it stands.

    Of `crates`, each sample may use those that its problem needs (rust_expert.judge.dependencies builds them).

    Raises UserError where a sample answers no known problem, or the sandbox cannot be set up.
    """
    listed = list(samples)
    for sample in listed:
        if sample.task_id not in problems:
            raise UserError(f"sample {sample.sample} answers {sample.task_id}, which is not in the suite")
    suites = {
        task_id: suite_of(problems[task_id], crates)
        for task_id in dict.fromkeys(each.task_id for each in listed)
    }
    extractions = [extract(sample.completion, problems[sample.task_id]) for sample in listed]
    groups: dict[Key, list[int]] = {}
    for index, (sample, found) in enumerate(zip(listed, extractions, strict=True)):
        groups.setdefault((sample.task_id, found.code), []).append(index)
    told = {key: journal.known[key] for key in groups if key in journal.known} if journal else {}
    if already is not None:
        already(sum(len(groups[key]) for key in told))
    left = [key for key in groups if key not in told]
    if options.lints and left:
        lint_groups(options.sandbox)  # once, before the workers ask for it together
    one_at_a_time = threading.Lock()

    def settle(unit: list[Key]) -> list[Verdict]:
        judged = _verdicts_of(unit, suites, options)
        with one_at_a_time:
            if journal is not None:
                journal.add(judged)
            if progress is not None:
                progress(sum(len(groups[key]) for key in unit))
        return judged

    units = _units(left, suites, options, workers)
    for unit, judged in zip(units, spread(settle, units, workers), strict=True):
        told.update(zip(unit, judged, strict=True))
    return [
        _told_of(told[sample.task_id, found.code], sample, found)
        for sample, found in zip(listed, extractions, strict=True)
    ]


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
    """What is judged together: batches of what may share a crate and needs the same crates, and the rest one by one."""
    sharing = {task_id: suite_may_share(suite) for task_id, suite in suites.items()}
    shared = [key for key in keys if options.batch > 1 and _may_share(key, suites[key[0]], sharing, options)]
    size = max(min(options.batch, -(-len(shared) // max(workers, 1))), 1)
    alone = set(keys) - set(shared)
    companies: dict[Crates, list[Key]] = {}
    for key in shared:
        companies.setdefault(suites[key[0]].crates, []).append(key)
    batches = [
        company[start : start + size]
        for company in companies.values()
        for start in range(0, len(company), size)
    ]
    return batches + [[key] for key in keys if key in alone]


def _may_share(key: Key, suite: Suite, sharing: Mapping[str, bool], options: JudgeOptions) -> bool:
    task_id, code = key
    if not (code and suite.tests.cases and sharing[task_id] and may_share(code)):
        return False
    return options.policy != "enforce" or not _findings(code, suite, options)


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
    findings = _findings(code, suite, options) if options.policy != "off" else []
    if findings and options.policy == "enforce":
        trial = _refused(code, findings, suite, options)
    elif trial is None:
        trial = put_to_test(code, suite, options)
    if not trial.compiled:
        lints = None
    elif options.lints and lints is None:
        limits = compile_limits(options)
        lints = lint(code, edition=options.edition, limits=limits, crates=suite.crates)
    told = documentation(code) if trial.compiled else None
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
        documented=told.share if told else None,
        public_items=told.public if told else None,
        policy_findings=findings,
        code=code,
    )


def _findings(code: str, suite: Suite, options: JudgeOptions) -> list[str]:
    return policy_findings(code, threads=not options.forbid_threads, crates=suite.crates.names)


def _refused(code: str, findings: Sequence[str], suite: Suite, options: JudgeOptions) -> Trial:
    """A sample against the policy: not run, but compiled, so that the compile rate is that of the other modes."""
    alone = compile_alone(code, options, suite.crates)
    total = len(suite.tests.cases)
    message = one_line("against the policy: " + ", ".join(findings))
    return dataclasses.replace(alone, status="policy_violation", total=total, message=message)
