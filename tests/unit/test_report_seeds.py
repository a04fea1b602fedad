"""Several seeds in report, table and cards: means with their spread, and a warning where the spread is larger."""

import sys
from pathlib import Path

import pytest

from rust_expert.report.findings import doubts, find
from rust_expert.report.summary import Summary, read_summary
from rust_expert.report.table import render
from rust_expert.report.wording import THIN
from scripts import report
from tests.markup import parsed
from tests.synthetic_run import report_words, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_run(tmp_path_factory.mktemp("run"), scale=0.1, seeds=(0, 1, 2))
    make(folder, "--card", f"{folder}/card.md")
    return folder


def make(folder: Path, *more: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["report", *report_words(folder), *more])
        report.main()


@pytest.fixture(scope="module")
def summary(run: Path) -> Summary:
    return read_summary(str(run / "metrics.json"))


def test_means_take_the_place_of_seed_0(summary: Summary) -> None:
    assert summary.seeds is not None
    whole = summary.over_seeds()
    found = summary.seeds.stages["phase1"].suites["curriculum"]["pass_at_1"]
    one = whole.stages["phase1"].suites["curriculum"].pass_at[1]
    assert (one.value, one.low, one.high, one.sd) == (found.mean, found.low, found.high, found.sd)
    assert one.value != summary.stages["phase1"].suites["curriculum"].pass_at[1].value
    assert whole.comparisons == summary.seeds.comparisons and whole.over_seeds() == whole
    alone = summary.model_copy(update={"seeds": None})
    assert alone.over_seeds() is alone


def test_the_headline_is_of_all_seeds(summary: Summary) -> None:
    found = find(summary, "curriculum")
    paired = summary.over_seeds().compared(found.stage, "base", "curriculum", "pass_at_1")
    assert paired is not None and ", averaged over 3 seeds" in found.headline
    assert "in the single runs" in found.evidence and "which counts seeds and problems" in found.evidence
    assert f"{100 * paired.difference:.1f} percentage points" in found.evidence


def test_what_is_within_the_spread_is_a_warning_and_nothing_else_is(summary: Summary) -> None:
    assert summary.seeds is not None
    within = {
        (one.stage, one.against)
        for one in summary.seeds.comparisons
        if (one.suite, one.metric) == ("curriculum", "pass_at_1") and one.within_seed_spread
    }
    assert within and len(within) < 5
    told = doubts(summary, "curriculum")
    assert {tuple(line.split(":")[0].split(" against ")) for line in told} == within
    assert all("within the spread of seeds" in line for line in told)
    steps = {(step.stage, step.parent): step.told for step in find(summary, "curriculum").steps}
    assert {pair for pair, line in steps.items() if "within the spread of seeds" in line} == {
        pair for pair in steps if pair in within
    }
    assert doubts(summary.model_copy(update={"seeds": None}), "curriculum") == []


def test_the_table_fits_and_says_so(summary: Summary) -> None:
    text = render(summary, "results/report.html")
    assert max(map(len, text.splitlines())) <= 100 and "…" not in text.replace(" … ", "")
    for words in ("means of 3 seeds", "± by seed", "Warning: rsft1", "that count seeds and problems"):
        assert words in " ".join(text.split())
    plain = render(summary, "results/report.html", unicode=False)
    assert plain.isascii() and "+- by seed" in plain
    assert "seed" not in render(summary.model_copy(update={"seeds": None}), "results/report.html")


def test_the_page_shows_every_run(run: Path, summary: Summary) -> None:
    assert summary.seeds is not None
    page = (run / "report.html").read_text(encoding="utf-8")
    told = parsed(page)
    assert "seeds" in told.ids and "From seed to seed" in told.text and "Scores of seed 0" in told.text
    for value in summary.seeds.stages["phase2"].suites["curriculum"]["pass_at_1"].values:
        assert value is not None and f"{100 * value:.1f}{THIN}%" in page
    # A small dot for each run of four stages and five comparisons, with two figures on two suites.
    assert page.count('r="3" class="mark"') == 3 * (4 + 5) * 2 * 2


def test_one_seed_has_no_section(tmp_path: Path) -> None:
    folder = write_run(tmp_path, scale=0.05)
    make(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="seeds"' not in page and "seed to seed" not in page and "Scores of seed 0" not in page


def test_the_card_has_means_and_doubts(run: Path, summary: Summary) -> None:
    card = (run / "card.md").read_text(encoding="utf-8")
    assert summary.seeds is not None
    mean = summary.seeds.stages["phase2"].suites["curriculum"]["pass_at_1"].mean or 0
    assert f"| {100 * mean:.1f} %" in card.replace(THIN, " ") and "within the spread of seeds" in card
    assert "means of the runs with the seeds 0, 1 and 2" in card
