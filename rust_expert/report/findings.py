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
    """The headline of `suite`: the best trained stage against the base, or that there is none; over all seeds."""
    summary = summary.over_seeds()
    base, metric = summary.base, summary.metric
    scores = summary.scores(suite)
    best = summary.best(suite)
    steps = tuple(_step(summary, name, suite) for name in scores if summary.stages[name].parent is not None)
    if base not in scores or best is None:
        only = best or next(iter(scores))
        solved = percent(value_of(scores[only], metric))
        headline = f"{only} solves {solved} of held-out Rust problems{_averaged(summary)}."
        return Finding(
            headline, "No trained stage was compared with a base.", steps, only, base, suite, "level"
        )
    before, after = value_of(scores[base], metric), value_of(scores[best], metric)
    paired = summary.compared(best, base, suite, metric)
    outcome = paired.verdict() if paired else "not compared"
    if outcome == "better":
        headline = (
            f"{best} solves {percent(after)} of held-out Rust problems{_averaged(summary)}. Before training:"
            f" {percent(before)}."
        )
    elif outcome == "worse":
        both = f"{best} solves {percent(after)}, {base} {percent(before)}"
        headline = f"Training made it worse{_averaged(summary)}: {both}."
    else:
        headline = (
            f"No stage is measurably better than {base}{_averaged(summary)}: {percent(before)} before,"
            f" {percent(after)} after."
        )
    return Finding(headline, _evidence(summary, paired, best, suite), steps, best, base, suite, outcome)


def _averaged(summary: Summary) -> str:
    return f", averaged over {len(summary.seeds.numbers)} seeds" if summary.seeds else ""


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
    runs = f" (in the single runs {single_runs(paired)})" if paired.values else ""
    counts = ", which counts seeds and problems," if paired.values else ""
    return (
        f"On the same {asked}, {best} is {points(abs(paired.difference)).lstrip('+')} percentage points {way}"
        f" {summary.base}{runs}; the paired {summary.sure} interval{counts} is"
        f" {points_range(paired.low, paired.high)} (p{THIN}{_told_p(paired.p_value)}).{chosen}"
    )


def single_runs(paired: Comparison) -> str:
    """`+1.2, −0.4 and +2.0`: a difference in the run of each seed, in points."""
    return listed(points(value) for value in paired.values)


def doubts(summary: Summary, suite: str) -> list[str]:
    """A sentence for each difference of the headline figure that is within the spread of seeds."""
    return [
        f"{one.stage} against {one.against}: {points(one.difference)} points on average, but {single_runs(one)} in the"
        " single runs. The difference is within the spread of seeds: another seed may well show the contrary."
        for one in summary.over_seeds().comparisons
        if (one.suite, one.metric) == (suite, summary.metric) and one.within_seed_spread
    ]


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
    told += f"; within the spread of seeds ({single_runs(paired)})" if paired.within_seed_spread else ""
    return Step(name, parent, told, tone)


def other_suites(summary: Summary, main: str) -> str:
    """One sentence about the other suites' results, empty where there are none."""
    summary = summary.over_seeds()
    told = []
    for suite in summary.suites():
        best, scores = summary.best(suite), summary.scores(suite)
        if suite == main or best is None or summary.base not in scores:
            continue
        before, after = (value_of(scores[name], summary.metric) for name in (summary.base, best))
        told.append(f"{suite} ({percent(before)} → {percent(after)} with {best})")
    return f"Other suites: {listed(told)}." if told else ""
