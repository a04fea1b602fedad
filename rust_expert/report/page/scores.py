"""The first things a reader sees: the finding, and the scores by stage with their intervals."""

from collections.abc import Callable, Sequence

from rust_expert.report.charts import IntervalRow, difference_row, interval_rows, rate_row
from rust_expert.report.findings import Finding, other_suites
from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.parts import card, folded, section, table
from rust_expert.report.scales import Scale, differences, shares
from rust_expert.report.summary import Comparison, Estimate, SuiteScore, Summary, metric_name
from rust_expert.report.wording import count, p_value, percent, plural, points, points_range

_MARKS = {"up": "▲", "down": "▼", "level": "≈", "none": "–"}


def hero(summary: Summary, finding: Finding, tiles: Sequence[tuple[str, str]]) -> Html:
    """The headline with its evidence, what each stage added, the two plots that show it, and some facts at a glance.

    `tiles` are pairs of a figure and what it counts.
    """
    steps = [
        el(
            "li",
            el("span", _MARKS[step.tone], cls="mark", aria_hidden="true"),
            el("span", el("b", step.stage), el("span", f" after {step.parent}: ", cls="quiet"), step.told),
            cls=f"tone-{step.tone}",
        )
        for step in finding.steps
    ]
    others = other_suites(summary, finding.suite)
    what = f"one experiment, {len(summary.seeds.numbers)} seeds" if summary.seeds else "one run"
    return el(
        "header",
        el("p", "Rust Expert", el("span", f" · report of {what}"), cls="eyebrow"),
        el("h1", finding.headline),
        el("p", finding.evidence, cls="evidence"),
        el("ul", steps, cls="steps") if steps else None,
        el("p", others, cls="quiet") if others else None,
        rate_cards(summary.over_seeds(), finding.suite, finding.stage),
        el("ul", (el("li", el("b", figure), el("span", told)) for figure, told in tiles), cls="tiles")
        if tiles
        else None,
        id="top",
    )


def rate_cards(summary: Summary, suite: str, marked: str) -> Html:
    """The headline figure and the compile rate by stage, on one scale; the stage of the headline stands out."""
    metrics = (summary.metric, "compile_rate")
    every = [
        one
        for score in summary.scores(suite).values()
        for metric in metrics
        if (one := score.estimate(metric))
    ]
    scale = shares(
        min(min((one.low, *one.values)) for one in every), max(max((one.high, *one.values)) for one in every)
    )
    return el("div", [_rate_card(summary, suite, metric, marked, scale) for metric in metrics], cls="pair")


def _rate_card(summary: Summary, suite: str, metric: str, marked: str, scale: Scale) -> Html:
    rows: list[IntervalRow] = []
    for name, score in summary.scores(suite).items():
        one = score.estimate(metric)
        if one is None:
            continue
        tone = "tone-base" if name == summary.base else "tone-best" if name == marked else "tone-stage"
        trained = summary.stages[name].training.trained or name == summary.base
        under = "not trained" if not trained else "" if one.sd is None else f"± {100 * one.sd:.1f} by seed"
        rows.append(rate_row(name, under, one.value, one.low, one.high, tone, one.values))
    titles = {"pass_at_1": "Solved at the first try", "compile_rate": "Compiles"}
    title = titles.get(metric, f"Solved within {metric.removeprefix('pass_at_')} tries")
    head = [title, el("span", f" {metric_name(metric)} on {suite}", cls="quiet")]
    return card(head, interval_rows(rows, scale, labels(scale)))


def labels(scale: Scale) -> list[str]:
    """Ticks in per cent, the last one with its sign."""
    return [f"{100 * tick:.0f}" for tick in scale.ticks[:-1]] + [percent(scale.ticks[-1], 0)]


def scores_section(summary: Summary, marked: str, main: str) -> Html:
    """For each suite: scores, paired differences, and all figures in tables. The main suite's scores stand above.

    Of several seeds these are the scores of seed 0, and those that stand above are means.
    """
    suites = [main, *(suite for suite in summary.suites() if suite != main)]
    several = summary.seeds is not None
    return section(
        "scores",
        "Scores of seed 0" if several else "Scores",
        "Every answer counts: one without code or with forbidden code is a failure, never left out. Bars and ranges are"
        f" {summary.sure} intervals over problems. Both stages of a comparison answered the same problems, so their"
        " difference is taken problem by problem.",
        [_suite(summary, suite, marked, suite == main and not several) for suite in suites],
    )


def _suite(summary: Summary, suite: str, marked: str, stands_above: bool) -> list[Html | None]:
    first = next(iter(summary.scores(suite).values()))
    size = f" {plural(first.problems, 'problem')}, {plural(first.samples, 'answer')} from each stage"
    return [
        el("h3", suite, el("span", size, cls="quiet"), cls="suite-name"),
        None if stands_above else rate_cards(summary, suite, marked),
        difference_cards(summary, suite),
        card(
            "All figures",
            _score_table(summary, suite),
            _comparison_table(summary, suite),
        ),
    ]


def _with_range(one: Estimate | None) -> Child:
    if one is None:
        return "–"
    return el("span", percent(one.value), el("small", f" {100 * one.low:.1f}–{100 * one.high:.1f}"))


def _pass_at(k: int) -> Callable[[SuiteScore], Child]:
    return lambda score: _with_range(score.pass_at.get(k))


def _score_table(summary: Summary, suite: str) -> Html:
    scores = summary.scores(suite)
    ks = sorted({k for score in scores.values() for k in score.pass_at})
    columns: list[tuple[str, Callable[[SuiteScore], Child]]] = [(f"pass@{k}", _pass_at(k)) for k in ks]
    if any(score.policy_pass_at_1 for score in scores.values()):
        columns += [
            ("pass@1, policy kept", lambda score: _with_range(score.policy_pass_at_1)),
            (
                "policy findings",
                lambda score: "–" if score.policy_findings is None else count(score.policy_findings),
            ),
        ]
    columns += [
        ("compiles", lambda score: _with_range(score.compile_rate)),
        ("compiles, pre-filtered", lambda score: _with_range(score.prefiltered_compile_rate)),
    ]
    if any(score.judge_errors for score in scores.values()):
        columns.append(("faults of the judge", lambda score: count(score.judge_errors)))
    heads = ["stage", *(head for head, _ in columns)]
    rows = [[name, *(cell(score) for _, cell in columns)] for name, score in scores.items()]
    return table(heads, rows, frozenset(range(1, len(heads))), f"Scores on {suite}")


def _comparison_table(summary: Summary, suite: str) -> Html | None:
    rows = [_compared(one) for one in _ranked(summary) if one.suite == suite]
    if not rows:
        return None
    heads = [
        "stage",
        "metric",
        "points",
        f"{summary.sure} interval",
        "p",
        "only it",
        "only the other",
        "p, exact",
    ]
    return folded(
        "Comparisons in figures",
        table(heads, rows, frozenset(range(2, len(heads))), f"Paired comparisons on {suite}"),
        el(
            "p",
            "“Only it”: problems whose first answer only this stage got right; “only the other”: those that only the"
            " other stage did. The exact p is McNemar's on these.",
            cls="quiet small",
        ),
    )


def _ranked(summary: Summary) -> list[Comparison]:
    order = {name: index for index, name in enumerate(summary.stages)}
    last = len(order)

    def rank(one: Comparison) -> tuple[bool, bool, str, int, int]:
        first = (one.metric != summary.metric, one.metric == "compile_rate", one.metric)
        return *first, order.get(one.stage, last), order.get(one.against, last)

    return sorted(summary.comparisons, key=rank)


def _tone(one: Comparison) -> str:
    return {"better": "tone-up", "worse": "tone-down"}.get(one.verdict(), "tone-level")


def difference_cards(summary: Summary, suite: str) -> Html | None:
    """Each stage against its parent and the base: the difference with its interval, on one scale for both metrics."""
    shown = [
        one
        for one in _ranked(summary)
        if one.suite == suite and one.metric in (summary.metric, "compile_rate")
    ]
    if not shown:
        return None
    scale = differences(
        min(min((one.low, *one.values)) for one in shown), max(max((one.high, *one.values)) for one in shown)
    )
    ticks = [points(tick, 0) for tick in scale.ticks]
    cards: list[Html] = []
    for metric in (summary.metric, "compile_rate"):
        rows = [
            difference_row(
                one.stage,
                f"against {one.against}",
                one.difference,
                one.low,
                one.high,
                _tone(one),
                one.values,
            )
            for one in shown
            if one.metric == metric
        ]
        if rows:
            head = [
                f"Difference in {metric_name(metric)}",
                el("span", f" points, paired, on {suite}", cls="quiet"),
            ]
            cards.append(card(head, interval_rows(rows, scale, ticks, zero=True)))
    return el("div", cards, cls="pair")


def _compared(one: Comparison) -> list[Child]:
    exact = one.mcnemar
    return [
        [one.stage, el("span", f" against {one.against}", cls="quiet plain")],
        metric_name(one.metric),
        el("b", points(one.difference), cls=_tone(one)),
        points_range(one.low, one.high),
        p_value(one.p_value),
        count(exact.only_first) if exact else "–",
        count(exact.only_second) if exact else "–",
        p_value(exact.p_value) if exact else "–",
    ]
