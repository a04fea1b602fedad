"""Snakemake's own report of a finished chain: it needs no network, and holds what people want with its captions."""

import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.workplace import ROOT, TARGET, Workplace

MARK = re.compile(r'report\(\s*("[^"]+"),\s*caption="\.\./report/(\w+)\.rst",[^)]*\)')
"""A marked output: its file as it is written, and its caption."""

CATEGORIES = {
    "Findings": {"results/headline.json", "results/metrics.json", "results/report.html"},
    "Plots": {"results/plots/rates.csv", "results/plots/training.csv"},
    "Provenance": {"results/provenance.json"},
    "Cards": {
        "results/cards/checklist.md",
        "results/cards/model.md",
        *(f"results/dataset/{name}/README.md" for name in ("foundation", "broad", "sharpened")),
        *(f"results/dataset/{name}/croissant.json" for name in ("foundation", "broad", "sharpened")),
    },
}


def marks() -> dict[str, str]:
    """The caption of each marked output of all rules."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*.smk")))
    found = {file.strip('"'): caption for file, caption in MARK.findall(text)}
    assert len(found) == text.count("report(")
    return found


def report_of(place: Workplace, path: Path) -> None:
    """Write the report without a network, and without saying how many cores: as the catalog has people do it."""
    words = [word for word in place.command(f"--report={path}", TARGET) if word not in ("--cores", "2")]
    ended = subprocess.run(
        ["bwrap", "--dev-bind", "/", "/", "--unshare-net", *words],
        cwd=place.folder, env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-4000:]


def told(page: str, name: str) -> Any:
    """What the page says of itself to its own script."""
    return json.JSONDecoder().raw_decode(page.split(f"var {name} = ")[-1])[0]


@pytest.fixture(scope="module")
def archive(built: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.zip"
    report_of(built, path)
    return path


def test_each_marked_file_is_in_it_with_its_caption(built: Workplace, archive: Path) -> None:
    captions = marks()
    with zipfile.ZipFile(archive) as files:
        results = told(files.read("report/report.html").decode(), "results")
        assert set(results) == set().union(*CATEGORIES.values())
        for name, one in results.items():
            assert files.read(f"report/{one['data_uri']}") == (built.folder / name).read_bytes()
            (mark,) = (
                mark
                for mark in captions
                if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(mark)), name)
            )
            caption = (ROOT / f"report/{captions[mark]}.rst").read_text(encoding="utf-8")
            assert one["caption"].startswith(f"<p>{caption.split('{')[0].splitlines()[0].rstrip()}")
            assert one["labels"]["what"]
    assert "data set broad" in results["results/dataset/broad/README.md"]["caption"]


def test_it_is_sorted_and_introduced(archive: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        page = files.read("report/report.html").decode()
    found = {name: set().union(*parts.values()) for name, parts in told(page, "categories").items()}
    assert found == CATEGORIES
    assert "This run trained phase1, phase2, rsft1" in told(page, "workflow_desc")


def test_one_page_holds_all(built: Workplace, tmp_path: Path) -> None:
    report_of(built, tmp_path / "report.html")
    results = told((tmp_path / "report.html").read_text(encoding="utf-8"), "results")
    assert set(results) == set().union(*CATEGORIES.values())
    assert all(one["data_uri"].startswith("data:") for one in results.values())


def test_captions_and_marks_agree() -> None:
    there = {path.stem for path in (ROOT / "report").glob("*.rst")}
    assert there == {"workflow", *marks().values()}


def test_marks_make_nothing_again(copied: Callable[[], Workplace]) -> None:
    """A chain that was built with the marks is up to date for rules without them."""
    place = copied()
    for path in (place.folder / "rules").glob("*.smk"):
        path.write_text(MARK.sub(r"\1", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert "report(" not in (place.folder / "rules/report.smk").read_text(encoding="utf-8")
    assert place.plan() == {}
