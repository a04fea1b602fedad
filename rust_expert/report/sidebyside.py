"""Two runs side by side as a table for a terminal of 100 columns."""

from rust_expert.metrics.measures import UNBOUNDED
from rust_expert.metrics.sidebyside import Row, SideBySide
from rust_expert.metrics.summary import ScoreFile, Share, SizeBucket
from rust_expert.report.table import Cell, coloured, laid_out, plain_text, wrapped

_NAMES = {
    "compile_rate": "compiles",
    "prefiltered_compile_rate": "pre-filtered",
    "clippy_warnings": "warnings",
}
_SCORES = UNBOUNDED | {"idiomatic"}
"""Figures that are no percentages."""


def side_by_side_table(
    found: SideBySide, names: tuple[str, str], colour: bool = False, unicode: bool = True
) -> str:
    """The whole table with its legend; `names` are those of the two files."""
    confidence = f"{100 * found.first.intervals['confidence']:g} %"
    runs = [_run(mark, name, score) for mark, name, score in zip("AB", names, _both(found), strict=True)]
    heads = ["figure", "A", "B", "B − A", "p", "exact p (A:B)"]
    rows = [[Cell(head, "quiet") for head in heads], *(_row(row) for row in found.rows)]
    parts = [coloured(Cell(_title(found), "head"), colour), *runs, "", *laid_out(rows, colour), ""]
    parts += [*_sizes(found, colour), ""] if found.sizes else []
    parts += wrapped(
        f"{confidence} intervals over problems; B − A is paired by problem, a star marks an interval that leaves zero"
        " out, p is that of the paired bootstrap. exact p: McNemar's test on the first sample of each problem, with"
        " the problems that only A and only B got right. Policy: what breaks the policy counts as not passed."
        " Warnings: clippy's, for each sample that it looked at. Pre-filtered: without samples that hold no code or"
        " were stopped; compiles counts them all."
    )
    if found.judged_differently:
        parts += ["", *wrapped("Not judged alike: " + "; ".join(found.judged_differently) + ".")]
    return plain_text("\n".join(parts) + "\n", unicode)


def _both(found: SideBySide) -> tuple[ScoreFile, ScoreFile]:
    return found.first, found.second


def _title(found: SideBySide) -> str:
    excluded = len(found.first.problems_excluded)
    told = f", {excluded} more are left out" if excluded else ""
    return f"{found.first.problems} problems{told} (suite {found.first.suite_sha256[:12]})"


def _run(mark: str, name: str, score: ScoreFile) -> str:
    faults = f", {score.judge_errors.count} not judged" if score.judge_errors.count else ""
    return f"{mark}: {name}, {score.samples} samples{faults}"


def _row(row: Row) -> list[Cell]:
    score = row.name in _SCORES
    paired = row.paired
    exact = (paired or {}).get("mcnemar")
    return [
        Cell(_name(row.name)),
        Cell(_estimate(row.first, score)),
        Cell(_estimate(row.second, score)),
        _difference(paired, row.name) if paired else Cell("–"),
        Cell(_p(paired["p_value"]) if paired else "–"),
        Cell(f"{_p(exact['p_value'])} ({exact['only_second']}:{exact['only_first']})" if exact else "–"),
    ]


def _name(name: str) -> str:
    if "pass_at_" in name:
        kind, _, k = name.rpartition("_")
        return f"pass@{k}" + (" policy" if kind.startswith("policy") else "")
    return _NAMES.get(name, name)


def _estimate(one: Share | None, score: bool) -> str:
    if one is None:
        return "–"
    if score:
        return f"{one.value:.3f} {one.low:.3f}–{one.high:.3f}"
    return f"{100 * one.value:.1f} % {100 * one.low:.1f}–{100 * one.high:.1f}"


def _difference(paired: dict[str, float], name: str) -> Cell:
    factor, digits = (1, 3) if name in _SCORES else (100, 1)
    values = [f"{factor * paired[key]:+.{digits}f}" for key in ("difference", "low", "high")]
    star = "*" if paired["significant"] else " "
    better = (paired["difference"] > 0) != (name in UNBOUNDED)
    tone = ("better" if better else "worse") if paired["significant"] else ""
    return Cell(f"{values[0]}{star} {values[1]} … {values[2]}".replace("-", "−"), tone)


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _sizes(found: SideBySide, colour: bool) -> list[str]:
    heads = ["lines of code", "A samples", "compile", "pass", "B samples", "compile", "pass"]
    rows = [[Cell(head, "quiet") for head in heads]]
    rows += [[Cell(name), *_bucket(mine), *_bucket(theirs)] for name, mine, theirs in found.sizes]
    return laid_out(rows, colour)


def _bucket(one: SizeBucket | None) -> list[Cell]:
    if one is None:
        return [Cell("0"), Cell("–"), Cell("–")]
    shares = (one.compile_rate, one.pass_rate)
    return [Cell(str(one.samples)), *(Cell(f"{100 * share.value:.1f} %") for share in shares)]
