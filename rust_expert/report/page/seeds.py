"""How far the figures differ from seed to seed, where an experiment has several."""

from rust_expert.report.findings import doubts
from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.parts import card, section, table
from rust_expert.report.page.scores import difference_cards, rate_cards
from rust_expert.report.summary import Estimate, Seeds, Summary, metric_name
from rust_expert.report.wording import decimal, listed, percent, percent_range, plural


def seeds_section(summary: Summary, marked: str, main: str) -> Html | None:
    """For each suite: means over all seeds with each run's own figure, and what is within the spread of seeds."""
    if summary.seeds is None:
        return None
    seeds, whole = summary.seeds, summary.over_seeds()
    suites = [main, *(suite for suite in summary.suites() if suite != main)]
    return section(
        "seeds",
        "From seed to seed",
        f"The experiment was run {plural(len(seeds.numbers), 'time')}, with the seeds"
        f" {listed(map(str, seeds.numbers))}: other initial adapters, another order of the rows, other answers drawn;"
        " the same data, problems and base. Large dots are means, small ones the single runs, bars"
        f" {summary.sure} intervals that count that seeds and problems were drawn. ± is one standard deviation from"
        f" seed to seed. {_few(seeds)}",
        [_suite(whole, seeds, suite, marked, suite == main) for suite in suites],
        _untrained(seeds),
    )


def _few(seeds: Seeds) -> str:
    """What so many seeds can show."""
    number = len(seeds.numbers)
    if number > 5:
        return ""
    return f"{number} seeds say little of their own spread, so where it is large the intervals are wide."


def _suite(whole: Summary, seeds: Seeds, suite: str, marked: str, stands_above: bool) -> list[Child]:
    told = doubts(whole, suite)
    return [
        el("h3", suite, cls="suite-name"),
        None if stands_above else rate_cards(whole, suite, marked),
        difference_cards(whole, suite),
        card(
            f"{metric_name(whole.metric)}: what is within the spread of seeds",
            el("ul", (el("li", one) for one in told), cls="doubts")
            if told
            else el("p", "No difference between stages is."),
        ),
        card(
            "Run by run", *(_runs(whole, seeds, suite, metric) for metric in (whole.metric, "compile_rate"))
        ),
    ]


def _runs(whole: Summary, seeds: Seeds, suite: str, metric: str) -> Html:
    rows = [
        [name, *_cells(one, len(seeds.numbers))]
        for name, score in whole.scores(suite).items()
        if (one := score.estimate(metric)) is not None
    ]
    heads = ["stage", *(f"seed {seed}" for seed in seeds.numbers), "mean", "±", f"{whole.sure} interval"]
    title = f"{metric_name(metric)} on {suite}, run by run"
    return el(
        "div",
        el("h4", metric_name(metric)),
        table(heads, rows, frozenset(range(1, len(heads))), title),
    )


def _cells(one: Estimate, runs: int) -> list[Child]:
    values = one.values or (None,) * runs
    spread = "–" if one.sd is None else decimal(100 * one.sd, 1)
    return [*map(percent, values), el("b", percent(one.value)), spread, percent_range(one.low, one.high)]


def _untrained(seeds: Seeds) -> Html | None:
    told = [
        f"{name} was not trained with {listed(f'seed {seed}' for seed in missing)}: it answers there with its parent's"
        " weights."
        for name, stage in seeds.stages.items()
        if (missing := _missing(stage.training.trained, seeds.numbers)) and len(missing) < len(seeds.numbers)
    ]
    return card("Not trained in every run", el("ul", (el("li", one) for one in told))) if told else None


def _missing(trained: list[bool], numbers: list[int]) -> list[int]:
    return [seed for seed, was in zip(numbers, trained, strict=False) if not was]
