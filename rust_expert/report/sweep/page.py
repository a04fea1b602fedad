"""The page of a sweep: the ranking with intervals, all figures, what failed, and how it was measured."""

from collections.abc import Mapping

from rust_expert.metrics.ranking import Ranked, Ranking
from rust_expert.report.charts import IntervalRow, interval_rows, rate_row
from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.document import document
from rust_expert.report.page.parts import card, code_word, facts, section, table
from rust_expert.report.page.scores import labels
from rust_expert.report.scales import shares
from rust_expert.report.summary import metric_name
from rust_expert.report.sweep.findings import distance, evidence, headline, value_word, values
from rust_expert.report.wording import count, decimal, p_value, percent, percent_range, seconds


def sweep_page(ranking: Ranking, took: Mapping[str, float]) -> str:
    """The page as one HTML file. `took` is seconds of training by point, where they are known."""
    return document(
        f"Rust Expert: sweep of {ranking.stage}",
        [
            el(
                "header",
                el("p", "Rust Expert", el("span", f" · sweep of {ranking.stage}"), cls="eyebrow"),
                el("h1", headline(ranking)),
                el("p", evidence(ranking), cls="evidence"),
                _plot(ranking),
                id="top",
            ),
            section("scores", "Points", _lead(ranking), _table(ranking, took), _failed(ranking)),
            section("method", "Method", None, card(None, _facts(ranking))),
        ],
    )


def _plot(ranking: Ranking) -> Html | None:
    rows: list[IntervalRow] = []
    for point in ranking.points:
        one = point.estimate
        if one is not None:
            tone = "tone-best" if point.rank == 1 else "tone-stage"
            rows.append(rate_row(values(point.varied), "", one.value, one.low, one.high, tone))
    if not rows:
        return None
    scale = shares(min(row.low for row in rows), max(row.high for row in rows))
    head = [metric_name(ranking.metric), el("span", f" on {ranking.suite}", cls="quiet")]
    return card(head, interval_rows(rows, scale, labels(scale)))


def _lead(ranking: Ranking) -> str:
    return (
        "All points answered the same problems, so each is compared with the best problem by problem. The best was"
        f" chosen by the figures shown here, among {count(len(ranking.points))}: its own is flattered. Measure it anew"
        " with a full budget and another seed before relying on it."
    )


def _table(ranking: Ranking, took: Mapping[str, float]) -> Html | None:
    if not ranking.points:
        return None
    keys = ranking.keys()
    heads = [
        "place", *keys, metric_name(ranking.metric), "against the best, points", "p", "steps", "rows", "loss",
        "validation loss", "training",
    ]  # fmt: skip
    rows = [_row(point, keys, took.get(point.name)) for point in ranking.points]
    return card(None, table(heads, rows, frozenset(range(len(heads))), "Points, the best first"))


def _row(point: Ranked, keys: list[str], took: float | None) -> list[Child]:
    one, facts_of = point.estimate, point.training
    return [
        count(point.rank),
        *(value_word(point.varied[key]) if key in point.varied else "–" for key in keys),
        "–"
        if one is None
        else el("span", percent(one.value), el("small", f" {percent_range(one.low, one.high)}")),
        distance(point),
        p_value(point.against_best.p_value) if point.against_best else "–",
        "–" if facts_of.steps is None else count(facts_of.steps),
        "–" if facts_of.rows is None else count(facts_of.rows),
        decimal(facts_of.train_loss),
        decimal(facts_of.val_loss),
        "–" if took is None else seconds(took),
    ]


def _failed(ranking: Ranking) -> Html | None:
    if not ranking.failed:
        return None
    rows = [[values(point.varied), code_word(point.name), point.reason] for point in ranking.failed]
    return card("Failed", table(["point", "stage", "reason"], rows, caption="Points that failed"))


def _facts(ranking: Ranking) -> Html:
    first = ranking.points[0] if ranking.points else None
    return facts(
        [
            ("stage", ranking.stage),
            ("suite", ranking.suite),
            ("ranked by", metric_name(ranking.metric)),
            ("problems", count(first.problems) if first else None),
            ("answers of each point", count(first.samples) if first else None),
            ("intervals", f"{100 * ranking.confidence:g} %, bootstrap over problems"),
            ("budget of every point", values(ranking.budget)),
            ("sampling of every point", values(ranking.sampling)),
            ("all figures", el("a", "sweep.json", href="sweep.json")),
            ("the plot alone", el("a", "sweep.svg", href="sweep.svg")),
        ]
    )
