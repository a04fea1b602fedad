"""The report in a real browser: readable at every width, in light and dark, with no script, complaint or request."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser, program
from tests.synthetic_run import report_words, write_run

pytestmark = pytest.mark.skipif(
    program() is None, reason="no Chromium on this machine (apt-get install chromium)"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_run(tmp_path_factory.mktemp("run"), scale=0.2)
    words = [*report_words(folder), "--examples", "60"]
    subprocess.run([sys.executable, "-m", "scripts.report", *words], check=True, capture_output=True)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [320, 1280])
def test_several_seeds_fit_too(browser: Browser, tmp_path: Path, width: int) -> None:
    folder = write_run(tmp_path, scale=0.05, seeds=(0, 1, 2))
    subprocess.run([sys.executable, "-m", "scripts.report", *report_words(folder)], check=True)
    browser.events.clear()
    browser.look(width)
    browser.open(folder / "report.html")
    assert browser.complaints() == []
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("document.querySelectorAll('#seeds .mark').length") > 50


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_it_renders_quietly(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.events.clear()
    browser.look(width, dark=dark)
    browser.open(page)
    assert browser.complaints() == []
    assert browser.requests() == [page.resolve().as_uri()]
    assert browser.value("document.title").startswith("Rust Expert")
    # Nothing sticks out: the page itself never scrolls sideways, only tables and code do.
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("document.querySelectorAll('h2').length") == 9
    background = browser.value("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(22, 19, 17)" if dark else "rgb(250, 248, 245)")


def test_it_can_be_looked_at(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.look(1280)
    browser.open(page)
    assert browser.picture(tmp_path / "page.png", whole=False).stat().st_size > 20_000


def test_it_needs_no_script(browser: Browser, page: Path) -> None:
    browser.look(1280, script=False)
    browser.events.clear()
    browser.open(page)
    assert browser.complaints() == []
    assert browser.value("document.querySelectorAll('svg').length") > 20
    browser.look(1280)


def test_hostile_answers_change_nothing(browser: Browser, page: Path) -> None:
    """The answers hold script and image tags; opened, they make no element, no request and no change."""
    browser.look(1280)
    browser.events.clear()
    browser.open(page)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.value("document.querySelectorAll('script, img, iframe, object, form').length") == 0
    assert "<script>" in browser.value("document.body.innerText")
    assert browser.value("document.title") != "owned"
    assert browser.requests() == [page.resolve().as_uri()] and browser.complaints() == []


def test_the_policy_holds(browser: Browser, page: Path) -> None:
    """A positive control: what the page must never hold is refused by its policy when it is put there."""
    browser.look(1280)
    browser.open(page)
    browser.events.clear()
    browser.value(
        "{const image = new Image(); image.src = 'http://127.0.0.1:9/pixel.png'; document.body.append(image);"
        " const code = document.createElement('script'); code.textContent = 'document.title = \"owned\"';"
        " document.body.append(code); document.body.setAttribute('style', 'display: none'); true}"
    )
    browser.value("new Promise(done => setTimeout(done, 300))")
    assert browser.value("document.title") != "owned"
    assert browser.value("getComputedStyle(document.body).display") == "block"
    assert len(browser.complaints()) >= 3
    assert not any(one["method"] == "Network.responseReceived" for one in browser.events)


def test_plots_are_drawn(browser: Browser, page: Path) -> None:
    """Marks have a size and stand inside their plots."""
    browser.look(390)
    browser.open(page)
    outside = browser.value(
        "[...document.querySelectorAll('.track .dot, .stack rect, .columns rect')].filter(mark => {"
        " const box = mark.getBoundingClientRect(), plot = mark.ownerSVGElement.getBoundingClientRect();"
        " return box.width <= 0 || box.left < plot.left - 8 || box.right > plot.right + 8}).length"
    )
    assert outside == 0
    assert browser.value("document.querySelectorAll('polyline').length") >= 12


def test_words_can_be_read(browser: Browser, page: Path) -> None:
    """Text against its ground has the contrast that WCAG 2.1 asks for (4.5 to 1) in light and dark."""
    for dark in (False, True):
        browser.look(1280, dark=dark)
        browser.open(page)
        faint = browser.value(CONTRAST)
        assert faint == [], faint


CONTRAST = """
(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = node => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const node of document.body.querySelectorAll('*:not(svg, svg *)')) {
    if (![...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim())) continue;
    if (node.closest('.heat')) continue;
    const front = light(parse(getComputedStyle(node).color)), back = light(ground(node));
    const ratio = (Math.max(front, back) + .05) / (Math.min(front, back) + .05);
    if (ratio < 4.5) found.add(node.tagName + '.' + node.className + ' ' + ratio.toFixed(2));
  }
  return [...found];
})()
"""
