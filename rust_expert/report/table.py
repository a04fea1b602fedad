"""The table that stands at the end of a run: stage by suite, in plain characters, at most 100 columns wide."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rust_expert.report.findings import doubts, find
from rust_expert.report.summary import Comparison, Estimate, SuiteScore, Summary, metric_name
from rust_expert.report.wording import THIN

WIDTH = 100
_COLOURS = {"better": "32", "worse": "31", "head": "1", "quiet": "2"}
_PLAIN = str.maketrans(
    {THIN: " ", "±": "+-", "–": "-", "−": "-", "—": "-", "·": "-", "→": "->", "≈": "~", "…": "..."}
)


@dataclass(frozen=True)
class Cell:
    """Text of a cell, and how it is coloured where colours are wanted."""

    text: str
    tone: str = ""


def render(summary: Summary, report: str, colour: bool = False, unicode: bool = True) -> str:
    """The whole table, with the path of the report below it. No line is wider than 100 columns.

    Of several seeds it has the means, with intervals that count seeds and problems.
    """
    summary = summary.over_seeds()
    parts: list[str] = []
    for suite in summary.suites():
        parts += [_suite(summary, suite, colour), ""]
        for doubt in doubts(summary, suite):
            parts += [*wrapped(f"Warning: {doubt}"), ""]
    if summary.suites():
        finding = find(summary, summary.suites()[0])
        parts += [*wrapped(f"{finding.headline} {finding.evidence}"), ""]
    counted = " that count seeds and problems" if summary.seeds else ""
    parts += [
        *wrapped(
            f"{summary.sure} intervals{counted}; a star marks a difference whose interval leaves zero out."
        ),
        f"Report: {report}",
    ]
    return plain_text("\n".join(parts) + "\n", unicode)


def plain_text(text: str, unicode: bool) -> str:
    """What a terminal can show: without narrow spaces, and in ASCII where it knows no more."""
    text = text.replace(THIN, " ")
    return text if unicode else text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def _suite(summary: Summary, suite: str, colour: bool) -> str:
    scores = summary.scores(suite)
    first = next(iter(scores.values()))
    more = sorted(
        {k for score in scores.values() for k in score.pass_at}
        - {int(summary.metric.removeprefix("pass_at_"))}
    )
    # The spread of seeds stands in the place of the other pass@k: there is room for one of them.
    last = [] if summary.seeds else more[-1:]
    spread = ["± by seed"] if summary.seeds else []
    heads = [
        "stage",
        metric_name(summary.metric),
        *spread,
        *(f"pass@{k}" for k in last),
        "compiles",
        "against base",
        "against parent",
    ]
    rows = [[Cell(head, "quiet") for head in heads]]
    for name, score in scores.items():
        rows.append(
            [
                Cell(
                    name
                    if summary.stages[name].training.trained or name == summary.base
                    else f"{name} (untrained)"
                ),
                _rate(score.estimate(summary.metric)),
                *(_deviation(score.estimate(summary.metric)) for _ in spread),
                *(_share(score, k) for k in last),
                _rate(score.compile_rate),
                _difference(summary.compared(name, summary.base, suite, summary.metric)),
                _against_parent(summary, name, suite),
            ]
        )
    each = first.samples / first.problems if first.problems else 0
    means = f", means of {len(summary.seeds.numbers)} seeds" if summary.seeds else ""
    title = f"{suite}: {first.problems} problems, {each:g} answers each{means}"
    return "\n".join([coloured(Cell(title, "head"), colour), *laid_out(rows, colour)])


def _against_parent(summary: Summary, name: str, suite: str) -> Cell:
    stage = summary.stages[name]
    if stage.parent is not None and not stage.training.trained:
        return Cell("not trained", "quiet")
    return _difference(stage.parent and summary.compared(name, stage.parent, suite, summary.metric) or None)


def _rate(one: Estimate | None) -> Cell:
    return Cell("–" if one is None else f"{100 * one.value:5.1f} % {100 * one.low:.1f}–{100 * one.high:.1f}")


def _deviation(one: Estimate | None) -> Cell:
    return Cell("–" if one is None or one.sd is None else f"{100 * one.sd:.1f}")


def _share(score: SuiteScore, k: int) -> Cell:
    one = score.pass_at.get(k)
    return Cell("–" if one is None else f"{100 * one.value:5.1f} %")


def _difference(one: Comparison | None) -> Cell:
    if one is None:
        return Cell("–")
    star = "*" if one.significant else " "
    text = f"{100 * one.difference:+5.1f}{star} {100 * one.low:+.1f} … {100 * one.high:+.1f}"
    return Cell(text.replace("-", "−"), one.verdict())


def laid_out(rows: Sequence[Sequence[Cell]], colour: bool) -> list[str]:
    """Columns as wide as their widest cell; where they would be too wide together, the gaps and then names shrink."""
    widths = [max(len(row[column].text) for row in rows) for column in range(len(rows[0]))]
    gap = 3 if sum(widths) + 3 * (len(widths) - 1) <= WIDTH else 2
    widths[0] = max(4, min(widths[0], WIDTH - sum(widths[1:]) - gap * (len(widths) - 1)))
    lines: list[str] = []
    for row in rows:
        cells: list[str] = []
        for cell, width in zip(row, widths, strict=True):
            text = cell.text if len(cell.text) <= width else cell.text[: width - 1] + "…"
            cells.append(coloured(Cell(text, cell.tone), colour) + " " * (width - len(text)))
        lines.append((" " * gap).join(cells).rstrip())
    return lines


def coloured(cell: Cell, colour: bool) -> str:
    """A cell's text in the colour of its tone, where colours are wanted."""
    code = _COLOURS.get(cell.tone)
    return f"\x1b[{code}m{cell.text}\x1b[0m" if colour and code else cell.text


def wrapped(text: str) -> list[str]:
    """Running text in lines of at most 100 columns."""
    lines = [""]
    for word in text.replace(THIN, " ").split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def shows_colour() -> bool:
    """Whether standard output is a terminal that wants colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def shows_unicode() -> bool:
    """Whether standard output's encoding has the characters that the tables are written with."""
    try:
        "–−→…≈·±".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
