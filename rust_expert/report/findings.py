"""The findings in plain words, computed from the summary: the page never claims what an interval does not carry."""

from dataclasses import dataclass

from rust_expert.report.summary import Comparison, Summary, value_of
from rust_expert.report.wording import THIN, listed, p_value, percent, plural, points, points_range


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
    base, metric = summary.base, summary.metric
    scores = summary.scores(suite)
    best = summary.best(suite)
    steps = tuple(_step(summary, name, suite) for name in scores if summary.stages[name].parent is not None)
    if base not in scores or best is None:
        only = best or next(iter(scores))
        headline = f"{only} solves {percent(value_of(scores[only], metric))} of held-out Rust problems."
        return Finding(
            headline, "No trained stage was compared with a base.", steps, only, base, suite, "level"
        )
    before, after = value_of(scores[base], metric), value_of(scores[best], metric)
    paired = summary.compared(best, base, suite, metric)
    outcome = paired.verdict() if paired else "not compared"
    if outcome == "better":
        headline = (
            f"{best} solves {percent(after)} of held-out Rust problems. Before training: {percent(before)}."
        )
    elif outcome == "worse":
        headline = f"Training made it worse: {best} solves {percent(after)}, {base} {percent(before)}."
    else:
        headline = (
            f"No stage is measurably better than {base}: {percent(before)} before, {percent(after)} after."
        )
    return Finding(headline, _evidence(summary, paired, best, suite), steps, best, base, suite, outcome)


def _evidence(summary: Summary, paired: Comparison | None, best: str, suite: str) -> str:
    score = summary.scores(suite)[best]
    trained = [
        name for name, stage in summary.stages.items() if name != summary.base and stage.training.trained
    ]
    asked = f"{plural(score.problems, 'problem')} of the suite {suite}"
    if paired is None:
        return f"Measured on {asked}; {best} and {summary.base} were not compared pairwise."
    chosen = f" {best} is the best of {len(trained)} trained stages." if len(trained) > 1 else ""
    way = "ahead of" if paired.difference >= 0 else "behind"
    return (
        f"On the same {asked}, {best} is {points(abs(paired.difference)).lstrip('+')} percentage points {way}"
        f" {summary.base}; the paired {summary.sure} interval is {points_range(paired.low, paired.high)}"
        f" (p{THIN}{_told_p(paired.p_value)}).{chosen}"
    )


def _told_p(value: float | None) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"={THIN}{text}"


def _step(summary: Summary, name: str, suite: str) -> Step:
    stage = summary.stages[name]
    parent = stage.parent or summary.base
    if not stage.training.trained:
        why = stage.training.reason or "no reason was recorded"
        return Step(name, parent, f"not trained: {why}; it answers with the weights of {parent}", "none")
    paired = summary.compared(name, parent, suite, summary.metric)
    if paired is None:
        return Step(name, parent, f"not compared with {parent}", "none")
    tone = {"better": "up", "worse": "down"}.get(paired.verdict(), "level")
    told = f"{points(paired.difference)} points ({points_range(paired.low, paired.high)}), {paired.verdict()}"
    return Step(name, parent, told, tone)


def other_suites(summary: Summary, main: str) -> str:
    """One sentence about the other suites' results, empty where there are none."""
    told = []
    for suite in summary.suites():
        best, scores = summary.best(suite), summary.scores(suite)
        if suite == main or best is None or summary.base not in scores:
            continue
        before, after = (value_of(scores[name], summary.metric) for name in (summary.base, best))
        told.append(f"{suite} ({percent(before)} → {percent(after)} with {best})")
    return f"Other suites: {listed(told)}." if told else ""
