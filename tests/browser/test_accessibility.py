"""The pages pass axe-core at WCAG 2.2, A and AA: narrow and wide, in light and dark, on paper, with all unfolded."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Browser, program
from tests.synthetic_run import report_words, write_run
from tests.synthetic_sweep import RATES, judged, ranked

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
PAGES = ["report", "sweep"]
VIEWS = {
    f"{medium}-{colours}-{width}": {"width": width, "dark": colours == "dark", "printed": medium == "paper"}
    for medium in ("screen", "paper")
    for colours in ("light", "dark")
    for width in (390, 1280)
}

pytestmark = pytest.mark.skipif(
    program() is None or not AXE.is_file(),
    reason="no Chromium or no axe-core on this machine: make test-browser",
)


def report_page(folder: Path) -> Path:
    write_run(folder, scale=0.2, seeds=(0, 1, 2))
    words = [*report_words(folder), "--examples", "12"]
    subprocess.run([sys.executable, "-m", "scripts.report", *words], check=True, capture_output=True)
    return folder / "report.html"


def sweep_page(folder: Path) -> Path:
    for name, solved in zip(RATES, (range(10), range(21), range(20)), strict=True):
        judged(folder, name, solved)
    ranked(folder, RATES)
    return folder / "sweep.html"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        "report": report_page(tmp_path_factory.mktemp("run")),
        "sweep": sweep_page(tmp_path_factory.mktemp("sweep")),
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


def violations(browser: Browser, page: Path) -> dict[str, list[str]]:
    """What axe objects to in a page with everything unfolded: by rule, the first places."""
    browser.open(page)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    # What the debugger evaluates is not bound by the policy of the page.
    browser.value(AXE.read_text(encoding="utf-8") + "; true")
    options = {
        "runOnly": {"type": "tag", "values": TAGS},
        "rules": {"target-size": {"enabled": True}},
        "resultTypes": ["violations"],
    }
    told: dict[str, Any] = json.loads(
        browser.value(f"axe.run(document, {json.dumps(options)}).then(told => JSON.stringify(told))")
    )
    assert len(told["passes"]) > 5
    return {one["id"]: [node["html"][:150] for node in one["nodes"][:5]] for one in told["violations"]}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_no_violation(browser: Browser, pages: dict[str, Path], name: str, view: dict[str, Any]) -> None:
    browser.look(**view)
    assert violations(browser, pages[name]) == {}


def test_faults_are_found(browser: Browser, tmp_path: Path) -> None:
    """A control: a fault of each kind, those behind a fold and those of dark alone among them."""
    page = tmp_path / "faults.html"
    page.write_text(
        "<!doctype html><html><head><style>@media (prefers-color-scheme: dark) {body {background: #111}}</style></head>"
        "<body><img src='data:,'><details><summary>more</summary><p style='color: #aaa; background: #fff'>faint</p>"
        "</details><p>words</p><button style='width: 8px; height: 8px; padding: 0'>a</button><button"
        " style='width: 8px; height: 8px; padding: 0'>b</button></body></html>",
        encoding="utf-8",
    )
    browser.look(1280)
    found = violations(browser, page)
    assert {"document-title", "html-has-lang", "image-alt", "color-contrast", "target-size"} <= set(found)
    assert not any("words" in place for place in found["color-contrast"])
    browser.look(1280, dark=True)
    assert any("words" in place for place in violations(browser, page)["color-contrast"])


@pytest.mark.parametrize("name", PAGES)
def test_paper_is_light(browser: Browser, pages: dict[str, Path], name: str) -> None:
    """Whoever prefers dark prints dark words, for browsers leave the ground out on paper."""
    browser.look(1280, dark=True, printed=True)
    browser.open(pages[name])
    assert browser.value("getComputedStyle(document.body).color") == "rgb(33, 28, 24)"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_words_in_plots_can_be_read(
    browser: Browser, pages: dict[str, Path], name: str, view: dict[str, Any]
) -> None:
    """Axe cannot tell the ground of words in a picture: they too have 4.5 to 1 against the bar or page behind them."""
    browser.look(**view)
    browser.open(pages[name])
    told = json.loads(browser.value(PLOT_CONTRASTS))
    assert told["words"] >= 3
    assert told["faint"] == []


def test_faint_words_in_a_plot_are_found(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "plot.html"
    page.write_text(
        "<!doctype html><body style='background: #fff'><svg width='200' height='40'>"
        "<rect width='100' height='40' fill='#777'/><rect width='100' height='40' fill='#000'/>"
        "<text x='10' y='20' fill='#fff'>on black</text><text x='110' y='20' fill='#fff'>on white</text></svg>",
        encoding="utf-8",
    )
    browser.look(1280)
    browser.open(page)
    assert json.loads(browser.value(PLOT_CONTRASTS)) == {"words": 2, "faint": ["on white 1.00"]}


PLOT_CONTRASTS = """
(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const page = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const ground = text => {
    const box = text.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
    const behind = [...text.ownerSVGElement.querySelectorAll('rect')].filter(one => {
      const bar = one.getBoundingClientRect();
      return bar.left <= x && x <= bar.right && bar.top <= y && y <= bar.bottom
        && one.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING
        && getComputedStyle(one).fill !== 'none';
    }).at(-1);
    return behind ? parse(getComputedStyle(behind).fill) : page(text.ownerSVGElement);
  };
  const words = [...document.querySelectorAll('svg text')].filter(one => one.getBoundingClientRect().width > 0);
  const faint = [];
  for (const text of words) {
    const [front, back] = [parse(getComputedStyle(text).fill), ground(text)].map(light);
    const ratio = (Math.max(front, back) + .05) / (Math.min(front, back) + .05);
    if (ratio < 4.5) faint.push(text.textContent + ' ' + ratio.toFixed(2));
  }
  return JSON.stringify({words: words.length, faint});
})()
"""
