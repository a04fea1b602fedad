"""What a run did not do as its configuration declares it, in a sentence each: nothing of it may hide in a file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rust_expert.report.journey import Mix, Shortage
from rust_expert.report.runs import TrainingRun
from rust_expert.report.summary import Summary
from rust_expert.report.wording import count, plural


def deviations(
    summary: Summary,
    runs: Mapping[str, TrainingRun],
    mixes: Sequence[Mix],
    excluded: Mapping[str, Mapping[str, str]],
    provenance: Mapping[str, Any],
) -> list[str]:
    """Where the run differs from what was declared; empty where it does not.

    `excluded` has, by suite, the problems that judge nobody and why; `provenance` is that of the run.
    """
    return [
        *_code(provenance),
        *(f"{name}: {told}" for mix in mixes for name, told in _shortages(mix)),
        *_trainings(summary, runs, provenance.get("config") or {}),
        *_judging(summary, excluded),
    ]


def _code(provenance: Mapping[str, Any]) -> Iterator[str]:
    git = provenance.get("git") or {}
    if git.get("dirty"):
        yield "The code had changes that are in no commit, so the commit alone does not tell what ran."
    elif provenance and not git.get("commit"):
        yield "The code did not lie in git, so no commit tells what ran."


def _shortages(mix: Mix) -> Iterator[tuple[str, str]]:
    """A data set with fewer rows of a kind than its quotas ask for."""
    short: dict[str, dict[str, Shortage]] = {}
    for source, account in mix.sources.items():
        for split, kinds in account.shortages.items():
            for kind, one in kinds.items():
                short.setdefault(f"Data set {mix.dataset}, {split}", {})[f"{kind} from {source}"] = one
    for place, kinds in short.items():
        told = (f"{kind} {count(one.found)} of {count(one.asked)}" for kind, one in sorted(kinds.items()))
        yield place, f"fewer rows than asked for: {', '.join(told)}."


def _trainings(summary: Summary, runs: Mapping[str, TrainingRun], config: Mapping[str, Any]) -> Iterator[str]:
    """Stages that were not trained, not for all their steps, or not on all their rows."""
    declared = config.get("stages") or {}
    for name, stage in summary.stages.items():
        if not stage.training.trained:
            yield f"{name} was not trained: {stage.training.reason or 'no reason is given'}."
            continue
        run = runs.get(name)
        asked = (declared.get(name) or {}).get("steps")
        if run and asked and run.steps is not None and run.steps != asked:
            yield f"{name} was trained for {count(run.steps)} of {plural(asked, 'step')}."
        if run and run.rows_too_long:
            yield f"{name} left out {plural(run.rows_too_long, 'row')} longer than its greatest length."


def _judging(summary: Summary, excluded: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Problems that judge nobody, answers that the judge itself failed on, judging without walls."""
    for suite, problems in sorted(excluded.items()):
        if problems:
            yield (
                f"{suite}: {plural(len(problems), 'problem')} left out, for all stages alike, since their own"
                " answer fails or they have no test."
            )
    for name, stage in summary.stages.items():
        for suite, score in sorted(stage.suites.items()):
            if score.judge_errors:
                yield (
                    f"{name} on {suite}: the judge itself failed on {plural(score.judge_errors, 'answer')} of"
                    f" {count(score.samples)}; no verdict on the model."
                )
    if "none" in summary.judge.sandbox:
        yield "The answers were judged without a sandbox."
