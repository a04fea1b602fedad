"""The first things a reader sees: the finding, and the scores by stage with their intervals."""

from rust_expert.report.charts import IntervalRow, difference_row, interval_rows, rate_row
from rust_expert.report.findings import Finding, other_suites
from rust_expert.report.html import Html, el
from rust_expert.report.page.parts import card, section, table
from rust_expert.report.scales import Scale, differences, shares
from rust_expert.report.summary import Estimate, Summary
from rust_expert.report.wording import p_value, percent, plural, points, points_range

_MARKS = {"up": "▲", "down": "▼", "level": "≈", "none": "–"}


def hero(summary: Summary, finding: Finding) -> Html:
    """The headline with its evidence, what each stage added, and the two plots that show it."""
    steps = [
        el(
            "li",
            el("span", _MARKS[step.tone], cls="mark", aria_hidden="true"),
            el("b", step.stage),
            el("span", f" after {step.parent}: ", cls="quiet"),
            step.told,
            cls=f"tone-{step.tone}",
        )
        for step in finding.steps
    ]
    others = other_suites(summary, finding.suite)
    return el(
        "header",
        el("p", "Rust Expert", el("span", " · report of one run"), cls="eyebrow"),
        el("h1", finding.headline),
        el("p", finding.evidence, cls="evidence"),
        el("ul", steps, cls="steps") if steps else None,
        el("p", others, cls="quiet") if others else None,
        el(
            "div",
            rate_card(summary, finding.suite, "Solved at the first try", "pass_at_1", finding.stage),
            rate_card(summary, finding.suite, "Compiles", "compile_rate", finding.stage),
            cls="pair",
        ),
        id="top",
    )


def _estimate(summary: Summary, stage: str, suite: str, metric: str) -> Estimate:
    score = summary.stages[stage].suites[suite]
    return score.compile_rate if metric == "compile_rate" else score.pass_at[int(metric.removeprefix("pass_at_"))]


def rate_card(summary: Summary, suite: str, title: str, metric: str, marked: str) -> Html:
    """One metric by stage; the stage of the headline stands out, the base stays grey."""
    rows: list[IntervalRow] = []
    for name in summary.scores(suite):
        one = _estimate(summary, name, suite, metric)
        tone = "tone-base" if name == summary.base else "tone-best" if name == marked else "tone-stage"
        rows.append(rate_row(name, one.value, one.low, one.high, tone))
    scale = shares(max(row.high for row in rows))
    label = "pass@1" if metric == "pass_at_1" else metric.replace("_", " ").replace("pass at ", "pass@")
    head = [title, el("span", f" {label} · {suite}", cls="quiet")]
    return card(head, interval_rows(rows, scale, [percent(tick, 0) for tick in scale.ticks]))


def scores_section(summary: Summary, marked: str, main: str) -> Html:
    """All scores in one table, plots for the other suites, and every paired comparison."""
    suites = [main, *(suite for suite in summary.suites() if suite != main)]
    others = [
        el(
            "div",
            rate_card(summary, suite, "Solved at the first try", "pass_at_1", marked),
            rate_card(summary, suite, "Compiles", "compile_rate", marked),
            cls="pair",
        )
        for suite in suites[1:]
        if summary.scores(suite)
    ]
    return section(
        "scores",
        "Scores",
        "Every answer counts: one without code or with forbidden code is a failure, never left out. Bars and ranges are"
        " 95 % intervals over problems.",
        others,
        [_score_table(summary, suite) for suite in suites],
        _comparisons(summary),
    )


def _with_range(one: Estimate) -> Html:
    return el("span", percent(one.value), el("small", f" {100 * one.low:.1f}–{100 * one.high:.1f}"))


def _score_table(summary: Summary, suite: str) -> Html:
    scores = summary.scores(suite)
    ks = sorted({k for score in scores.values() for k in score.pass_at})
    heads = ["stage", *(f"pass@{k}" for k in ks), "compiles", "compiles, pre-filtered", "idiomatic", "documented"]
    rows = [
        [
            name,
            *(_with_range(score.pass_at[k]) if k in score.pass_at else "–" for k in ks),
            _with_range(score.compile_rate),
            percent(score.prefiltered_compile_rate),
            "–" if score.idiomatic is None else f"{score.idiomatic:.2f}",
            "–" if score.documented is None else f"{score.documented:.2f}",
        ]
        for name, score in scores.items()
    ]
    first = next(iter(scores.values()))
    return card(
        [suite, el("span", f" {plural(first.problems, 'problem')}, {plural(first.samples, 'sample')}", cls="quiet")],
        table(heads, rows, frozenset(range(1, len(heads))), f"Scores on {suite}"),
        note="“Compiles, pre-filtered” leaves out answers that never reached the compiler, as others publish it; it is"
        " shown for comparison only.",
    )


def _comparisons(summary: Summary) -> Html | None:
    if not summary.comparisons:
        return None
    scale = differences(min(one.low for one in summary.comparisons), max(one.high for one in summary.comparisons))
    order = {name: index for index, name in enumerate(summary.stages)}
    suites = {name: index for index, name in enumerate(summary.suites())}
    ranked = sorted(
        summary.comparisons,
        key=lambda one: (suites.get(one.suite, 99), one.metric != "pass_at_1", one.metric, order.get(one.stage, 99),
                         order.get(one.against, 99)),
    )  # fmt: skip
    rows = []
    for one in ranked:
        tone = {"better": "up", "worse": "down"}.get(one.verdict(), "level")
        rows.append(
            [
                [el("b", one.stage), el("span", f" against {one.against}", cls="quiet")],
                one.suite,
                _metric(one.metric),
                el("b", points(one.difference), cls=f"tone-{tone}"),
                points_range(one.low, one.high),
                _bar(one.stage, one.difference, one.low, one.high, scale),
                p_value(one.p_value),
                el("span", one.verdict(), cls=f"tone-{tone}"),
            ]
        )
    return card(
        "Paired comparisons",
        table(
            ["stage", "suite", "metric", "points", "95 % interval", "", "p", "finding"],
            rows,
            frozenset({3, 4, 6}),
            "Paired comparisons of stages",
        ),
        note="Both stages answered the same problems, so the difference is taken problem by problem. A finding is"
        " “better” or “worse” only where the interval leaves zero out.",
    )


def _metric(name: str) -> str:
    return name.replace("pass_at_", "pass@").replace("_", " ")


def _bar(name: str, value: float, low: float, high: float, scale: Scale) -> Html:
    row = difference_row(name, value, low, high)
    left, right, zero = scale.at(low), scale.at(high), f"{scale.at(0):g}%"
    return el(
        "svg",
        el("line", x1=zero, x2=zero, y1="0", y2="100%", cls="zero"),
        el("rect", x=f"{left:g}%", width=f"{max(right - left, 0.5):g}%", y="6", height="8", rx="4", cls="span"),
        el("circle", cx=f"{scale.at(value):g}%", cy="10", r="4.5", cls="dot"),
        el("title", f"{row.figure} points, {row.detail}"),
        cls=f"track small tone-{row.tone}",
        width="170",
        height="20",
        aria_hidden="true",
    )
