"""The table at the end of a run fits a terminal, with and without colour or Unicode."""

import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.report.summary import read_summary
from rust_expert.report.table import render
from tests.synthetic_run import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"), rsft_trained=False, scale=0.1)


def test_it_fits_and_names_every_stage(run: Path) -> None:
    text = render(read_summary(str(run / "metrics.json")), "results/report.html")
    assert max(map(len, text.splitlines())) <= 100
    for word in (
        "base",
        "phase1",
        "phase2",
        "rsft1",
        "curriculum",
        "core",
        "pass@1",
        "pass@4",
        "results/report.html",
    ):
        assert word in text
    assert "\x1b" not in text and "not trained" in text


def test_ascii_and_colour(run: Path) -> None:
    summary = read_summary(str(run / "metrics.json"))
    plain = render(summary, "report.html", unicode=False)
    assert plain.isascii() and "?" not in plain
    coloured = render(summary, "report.html", colour=True)
    assert "\x1b[32m" in coloured
    assert sum(line.count("\x1b[0m") for line in coloured.splitlines()) * 2 == coloured.count("\x1b[")


def test_the_script_writes_no_colour_into_a_pipe(run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.table", str(run / "metrics.json")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\x1b" not in done.stdout and str(run / "report.html") in done.stdout


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_summary(str(tmp_path / "none.json"))
