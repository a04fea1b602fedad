"""The ranking of a sweep as a table for a terminal of 100 columns."""

from collections.abc import Mapping

from rust_expert.metrics.ranking import Ranked, Ranking
from rust_expert.report.summary import metric_name
from rust_expert.report.sweep.findings import evidence, headline, value_word
from rust_expert.report.table import Cell, coloured, laid_out, plain_text, wrapped
from rust_expert.report.wording import decimal, seconds


def sweep_table(
    ranking: Ranking, took: Mapping[str, float], page: str, colour: bool = False, unicode: bool = True
) -> str:
    """The table, the finding, the failed points, and where the page is. `took`: seconds of training by point."""
    keys = ranking.keys()
    heads = [*keys, metric_name(ranking.metric), "against the best", "loss", "val loss", "training"]
    rows = [[Cell(head, "quiet") for head in heads]]
    rows += [_row(point, keys, took.get(point.name)) for point in ranking.points]
    title = f"sweep of {ranking.stage} on {ranking.suite}, ranked by {metric_name(ranking.metric)}"
    parts = [coloured(Cell(title, "head"), colour)]
    parts += laid_out(rows, colour) if ranking.points else []
    parts += ["", *wrapped(f"{headline(ranking)} {evidence(ranking)}")]
    for failed in ranking.failed:
        parts += wrapped(f"Failed: {failed.name}: {failed.reason}")
    parts += [
        "",
        f"{100 * ranking.confidence:g} % intervals; a star marks a difference whose interval leaves zero out.",
        f"Page: {page}",
    ]
    return plain_text("\n".join(parts) + "\n", unicode)


def _row(point: Ranked, keys: list[str], took: float | None) -> list[Cell]:
    one, best = point.estimate, point.against_best
    rate = "–" if one is None else f"{100 * one.value:5.1f} % {100 * one.low:.1f}–{100 * one.high:.1f}"
    told = Cell("best" if point.rank == 1 else "–")
    if best is not None:
        star = "*" if best.significant else " "
        text = f"{100 * best.difference:+5.1f}{star} {100 * best.low:+.1f} … {100 * best.high:+.1f}"
        told = Cell(text.replace("-", "−"), "worse" if best.significant else "")
    return [
        *(Cell(value_word(point.varied[key]) if key in point.varied else "–") for key in keys),
        Cell(rate),
        told,
        Cell(decimal(point.training.train_loss)),
        Cell(decimal(point.training.val_loss)),
        Cell("–" if took is None else seconds(took)),
    ]
