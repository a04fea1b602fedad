"""The ranking of a sweep and what is shown of it: `python -m scripts.sweep` on the figures of its points."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.metrics.comparison import compare
from rust_expert.metrics.ranking import read_ranking
from rust_expert.metrics.summary import read_score
from rust_expert.report.sweep.findings import evidence, headline
from rust_expert.report.sweep.table import sweep_table
from rust_expert.report.table import WIDTH
from scripts import sweep
from tests.markup import parsed
from tests.synthetic_sweep import OPTIONS, RATES, judged, ranked

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script>"


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Three points: 10, 20 and 21 of 40 problems; the last two solve nearly the same ones."""
    judged(tmp_path, "low", range(10))
    judged(tmp_path, "middle", range(21))
    judged(tmp_path, "high", range(20))
    return tmp_path


def test_the_best_stands_first_and_each_is_compared_with_it(three: Path) -> None:
    found = ranked(three, RATES)
    assert [(point.rank, point.name) for point in found.points] == [(1, "middle"), (2, "high"), (3, "low")]
    assert [point.estimate.value for point in found.points if point.estimate] == [21 / 40, 0.5, 0.25]
    best, close, far = found.points
    assert best.against_best is None and close.against_best is not None and far.against_best is not None
    expected = compare(
        read_score(str(three / "low.json")).per_problem, read_score(str(three / "middle.json")).per_problem, OPTIONS
    )["pass_at_1"]  # fmt: skip
    assert far.against_best.model_dump() == {key: expected[key] for key in far.against_best.model_dump()}
    assert far.against_best.significant and not close.against_best.significant
    assert best.training.val_loss == 1.5 and found.confidence == 0.95
    assert headline(found) == (
        "No point of phase2 is measurably the best; the highest: learning_rate 0.002, pass@1 52.5\u202f%."
    )
    assert "learning_rate 0.004 cannot be told from it" in evidence(found)


def test_a_best_that_stands_out_is_called_so(three: Path) -> None:
    found = ranked(three, {name: RATES[name] for name in ("low", "middle")})
    assert headline(found).startswith("Best of phase2: learning_rate 0.002") and "every other" in evidence(
        found
    )


def test_the_order_of_the_list_changes_no_byte_and_no_duration_is_in_it(three: Path) -> None:
    ranked(three, RATES)
    before = {name: (three / name).read_bytes() for name in ("sweep.json", "sweep.svg", "sweep.html")}
    ranked(three, dict(reversed(RATES.items())))
    assert before == {name: (three / name).read_bytes() for name in before}
    assert "seconds" not in before["sweep.json"].decode() and str(three) not in before["sweep.json"].decode()


def test_another_metric_ranks_by_itself(three: Path) -> None:
    found = ranked(three, RATES, metric="compile_rate")
    assert found.points[1].against_best is not None
    assert found.points[1].against_best.difference == pytest.approx(-1 / 40)
    nothing = ranked(three, RATES, metric="idiomatic")
    assert [point.estimate for point in nothing.points] == [None] * 3
    assert "has a figure for idiomatic" in headline(nothing)
    assert ElementTree.parse(three / "sweep.svg").findall(f".//{SVG}circle") == []


def test_a_failed_point_is_listed_and_the_others_are_ranked(three: Path) -> None:
    found = ranked(three, RATES, failed={"high": HOSTILE})
    assert [point.name for point in found.points] == ["middle", "low"]
    assert [(one.name, one.reason) for one in found.failed] == [("high", HOSTILE)]
    page = (three / "sweep.html").read_text(encoding="utf-8")
    assert "<script" not in page and HOSTILE in parsed(page).text
    assert "1 point failed and is not ranked" in evidence(found)
    told = sweep_table(found, {}, "results/sweep.html")
    assert "Failed: high: " + HOSTILE in told.replace("\n", " ")
    none = ranked(three, RATES, failed=dict.fromkeys(RATES, "out of memory"))
    assert none.points == [] and headline(none) == "No point of the sweep of phase2 was finished."


def test_one_key_with_numbers_is_a_line_in_the_order_of_its_values(three: Path) -> None:
    ranked(three, RATES)
    root = ElementTree.parse(three / "sweep.svg").getroot()
    line = root.find(f".//{SVG}polyline")
    assert line is not None
    across, up = zip(*(map(float, point.split(",")) for point in line.get("points", "").split()), strict=True)
    assert list(across) == sorted(across)
    assert up[0] > up[2] > up[1], "y goes down: 25 %, 52.5 %, 50 %"
    names = [one.text for one in root.iter(f"{SVG}text")]
    assert [name for name in names if name in ("0.001", "0.002", "0.004")] == ["0.001", "0.002", "0.004"]
    best = [group for group in root.iter(f"{SVG}g") if group.get("class") == "best"]
    assert len(best) == 1 and "learning_rate 0.002" in "".join(best[0].itertext())


def test_several_keys_are_rows_the_best_first(three: Path) -> None:
    points = {
        "low": {"learning_rate": 0.001, "seed": 1},
        "middle": {"learning_rate": 0.002, "seed": 1},
        "high": {"seed": 2},
    }
    found = ranked(three, points)
    root = ElementTree.parse(three / "sweep.svg").getroot()
    assert root.find(f".//{SVG}polyline") is None
    rows = [group for group in root.iter(f"{SVG}g") if group.get("class") in ("best", "point")]
    heights = [float(row.find(f"{SVG}circle").get("cy", "")) for row in rows]  # type: ignore[union-attr]
    assert heights == sorted(heights) and len(rows) == 3
    for row in rows:
        span, dot = row.find(f"{SVG}line"), row.find(f"{SVG}circle")
        assert span is not None and dot is not None
        assert float(span.get("x1", "")) < float(dot.get("cx", "")) < float(span.get("x2", ""))
    table = sweep_table(found, {"low": 41.2}, "results/sweep.html")
    assert max(len(line) for line in table.splitlines()) <= WIDTH
    assert re.search(r"^0\.001 +1 .*−.*\* .*1\.250 +1\.500 +41 s$", table, re.M)


def test_the_pictures_need_nothing_from_elsewhere(three: Path) -> None:
    ranked(three, {**RATES, "high": {"learning_rate": HOSTILE}})
    told = (three / "sweep.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(told)
    assert "<script" not in told and "url(" not in told and "@import" not in told and "href" not in told
    page = parsed((three / "sweep.html").read_text(encoding="utf-8"))
    assert page.seen.get("script") is None and page.policy.startswith("default-src 'none';")
    assert set(page.addresses) <= {"#top", "#scores", "#method", "data:,", "sweep.json", "sweep.svg"}


def test_what_cannot_be_ranked_is_one_sentence(three: Path) -> None:
    with pytest.raises(UserError, match="the profile has no section sweep"):
        sweep.read_plan({})
    judged(three, "high", range(3), problems=30)
    with pytest.raises(UserError, match="different suites"):
        ranked(three, RATES)
    write_json(three / "high.json", {"problems": 1})
    with pytest.raises(UserError, match="high.json: not the figures of a stage"):
        ranked(three, RATES)
    write_json(three / "sweep.json", [])
    with pytest.raises(UserError, match="sweep.json: not the ranking of a sweep"):
        read_ranking(str(three / "sweep.json"))
