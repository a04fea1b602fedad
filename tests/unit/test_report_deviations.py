"""Whatever a run did not do as declared is said, and only that."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rust_expert.report.deviations import deviations
from rust_expert.report.journey import Mix
from rust_expert.report.runs import TrainingRun
from rust_expert.report.summary import Summary
from tests.synthetic_run import report_words, write_run


def score(**more: Any) -> dict[str, Any]:
    share = {"value": 0.5, "low": 0.4, "high": 0.6}
    return {"problems": 10, "samples": 20, "pass_at_1": share, "compile_rate": share, **more}


def said(
    excluded: dict[str, dict[str, str]] | None = None,
    *,
    git: dict[str, Any] | None = None,
    account: dict[str, Any] | None = None,
    run: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    sandbox: str = "bubblewrap",
    **figures: Any,
) -> list[str]:
    part = {"rows": 9}
    return deviations(
        Summary.model_validate(
            {
                "judge": {"sandbox": [sandbox], "policy": ["report"]},
                "stages": {
                    "base": {"suites": {"core": score()}},
                    "one": {"parent": "base", "training": training or {}, "suites": {"core": score(**figures)}},
                },
            }
        ),
        {"one": TrainingRun.model_validate({"steps": 40, **(run or {})})},
        [Mix.model_validate({"dataset": "broad", "train": part, "val": part,
                             "sources": {"own": {"read": 9, "passed": 9, **(account or {})}}})],
        excluded or {"core": {}},
        {"git": {"commit": "abc", "dirty": False, **(git or {})}, "config": {"stages": {"one": {"steps": 40}}}},
    )  # fmt: skip


def test_nothing_where_all_went_as_declared() -> None:
    assert said() == []


SHORT = {"shortages": {"train": {"error_fixing": {"asked": 40, "found": 11}}}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"git": {"dirty": True}}, "changes that are in no commit"),
        ({"git": {"commit": None}}, "did not lie in git"),
        (
            {"account": SHORT},
            "Data set broad, train: fewer rows than asked for: error_fixing from own 11 of 40.",
        ),
        (
            {"training": {"trained": False, "reason": "no sample was kept"}},
            "one was not trained: no sample was kept.",
        ),
        ({"run": {"steps": 31}}, "one was trained for 31 of 40 steps."),
        ({"run": {"rows_too_long": 1}}, "one left out 1 row longer"),
        ({"excluded": {"core": {"core/3": "it has no test"}}}, "core: 1 problem left out"),
        ({"judge_errors": 2}, "one on core: the judge itself failed on 2 answers of 20"),
        ({"sandbox": "none"}, "without a sandbox"),
    ],
)
def test_each_deviation_is_said(given: dict[str, Any], words: str) -> None:
    (told,) = said(**given)
    assert words in told


def test_the_page_has_them_and_the_way_to_rerun(tmp_path: Path) -> None:
    run = write_run(tmp_path, scale=0.1)
    figures = tmp_path / "score.json"
    figures.write_text(json.dumps({"problems_excluded": {"core/3": "<b>has</b> no test"}}), encoding="utf-8")
    command = [sys.executable, "-m", "scripts.report", *report_words(run), "--score", "core", str(figures)]
    assert subprocess.run(command, capture_output=True).returncode == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    section = page[page.index('id="rerun"') :]
    assert "git checkout 0123456789ab" in section and "make verify" in section
    assert "changes that are in no commit" in section
    assert "&lt;b&gt;has&lt;/b&gt; no test" in section
    assert re.search(r"core: 1 problem left out", section)

    figures.write_text("[]", encoding="utf-8")
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 2 and "not the figures of a stage on a suite" in told.stderr
