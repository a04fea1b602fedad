"""The findings in plain words, computed from the summary: the page never claims what an interval does not carry."""

from dataclasses import dataclass

from rust_expert.report.summary import Comparison, Summary
from rust_expert.report.wording import listed, p_value, percent, plural, points, points_range


@dataclass(frozen=True)
class Finding:
    """The headline, one sentence of evidence for it, and one line for each step of the chain."""

    headline: str
    evidence: str
    steps: tuple["Step", ...]
    stage: str
    base: str
    suite: str
    outcome: str


@dataclass(frozen=True)
class Step:
    """What one stage added to its parent; `tone` is up, down, level or none (not trained)."""

    stage: str
    parent: str
    told: str
    tone: str


def find(summary: Summary, suite: str) -> Finding:
    """The headline of `suite`: the best trained stage against the base, or that there is none."""
    base = summary.base
    scores = summary.scores(suite)
    best = summary.best(suite)
    steps = tuple(_step(summary, name, suite) for name in scores if summary.stages[name].parent in scores)
    if base not in scores or best is None:
        only = next(iter(scores))
        headline = f"{only} solves {percent(scores[only].pass_at_1.value)} of the problems at the first try."
        return Finding(headline, "No trained stage was compared with a base.", steps, only, base, suite, "level")
    before, after = scores[base].pass_at_1.value, scores[best].pass_at_1.value
    paired = summary.compared(best, base, suite, "pass_at_1")
    outcome = paired.verdict() if paired else "not compared"
    if outcome == "better":
        headline = (
            f"{best} solves {percent(after)} of problems it never trained on."
            f" Before training: {percent(before)}."
        )
    elif outcome == "worse":
        headline = f"Training made it worse: {best} solves {percent(after)}, {base} {percent(before)}."
    else:
        headline = f"No stage is measurably better than {base}: {percent(before)} before, {percent(after)} after."
    return Finding(headline, _evidence(summary, paired, best, suite), steps, best, base, suite, outcome)


def _evidence(summary: Summary, paired: Comparison | None, best: str, suite: str) -> str:
    score = summary.scores(suite)[best]
    trained = [name for name, stage in summary.stages.items() if name != summary.base and stage.training.trained]
    asked = f"{plural(score.problems, 'problem')} of the suite {suite}"
    if paired is None:
        return f"Measured on {asked}; {best} and {summary.base} were not compared pairwise."
    chosen = f" {best} is the best of {len(trained)} trained stages." if len(trained) > 1 else ""
    return (
        f"On the same {asked}, {best} is {points(paired.difference)} percentage points from {summary.base},"
        f" 95 % interval {points_range(paired.low, paired.high)}, p {_told_p(paired.p_value)}.{chosen}"
    )


def _told_p(value: float | None) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"


def _step(summary: Summary, name: str, suite: str) -> Step:
    stage = summary.stages[name]
    parent = stage.parent or summary.base
    if not stage.training.trained:
        why = stage.training.reason or "no reason was recorded"
        return Step(name, parent, f"not trained: {why}; it answers with the weights of {parent}", "none")
    paired = summary.compared(name, parent, suite, "pass_at_1")
    if paired is None:
        return Step(name, parent, f"not compared with {parent}", "none")
    tone = {"better": "up", "worse": "down"}.get(paired.verdict(), "level")
    told = f"{points(paired.difference)} points ({points_range(paired.low, paired.high)}), {paired.verdict()}"
    return Step(name, parent, told, tone)


def other_suites(summary: Summary, main: str) -> str:
    """One sentence about the other suites' results, empty where there are none."""
    told = []
    for suite in summary.suites():
        best = summary.best(suite)
        if suite == main or best is None or summary.base not in summary.scores(suite):
            continue
        scores = summary.scores(suite)
        before, after = scores[summary.base].pass_at_1.value, scores[best].pass_at_1.value
        told.append(f"{suite} ({percent(before)} → {percent(after)} with {best})")
    return f"Other suites: {listed(told)}." if told else ""
