"""The data section: figures that add up are shown, those that do not are said; rows are text, never markup."""

import shutil
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, write_json
from rust_expert.report.corpus import Corpus, read_corpus
from rust_expert.report.data import Data
from rust_expert.report.html import visible
from rust_expert.report.journey import (
    CleanFunnel,
    Decontamination,
    Mix,
    Stop,
    cleaning_stops,
    drawing_stops,
    gaps,
    read_part,
)
from rust_expert.report.page.data import data_section
from rust_expert.report.page.reading import fenced
from rust_expert.report.rows import read_rows
from tests.markup import parsed
from tests.synthetic_data import HOSTILE_ROW, TASKS, write_data


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_data(folder)
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def corpus(run: Path) -> Corpus:
    parts = (sorted(map(str, (run / name).iterdir())) for name in ("fetch", "rejections", "counts", "builds"))
    return read_corpus(*parts)


def whole(run: Path) -> Data:
    return Data(
        corpus=corpus(run),
        funnel=read_part(f"{run}/funnel.json", CleanFunnel),
        mixes=[read_part(str(path), Mix) for path in sorted((run / "mix").iterdir())],
        decontamination=read_part(f"{run}/decontamination.json", Decontamination),
        rows=read_rows([run / "clean.parquet"], 10, 17),
    )


def text_of(data: Data) -> str:
    return parsed(str(data_section(data))).text


def test_each_step_adds_up_from_crates_to_data_sets(run: Path) -> None:
    data = whole(run)
    assert data.corpus and data.funnel
    crates = data.corpus.crates
    assert [stop.whole for stop in crates] == [28, 27, 25, 23, 19]
    assert crates[4].reasons == {
        "blocked: clippy::correctness: eq_op": 2,
        "cannot build: a native library is missing: z": 2,
    }
    assert sum(data.corpus.chunks.values()) == data.corpus.items == 18240
    for told in data.corpus.tasks.values():
        assert told.candidates == told.kept + told.lost.total()
    made = cleaning_stops(data.funnel)
    assert data.corpus.samples == made[0].left["crates"]
    for mix in data.mixes:
        stops = drawing_stops(mix)
        assert stops[0].whole == made[-1].whole == data.funnel.rows_out.rows
        assert stops[-1].whole == mix.train.rows + mix.val.rows
        assert gaps(stops) == []
    assert gaps(crates) == gaps(made) == []
    assert "do not add up" not in text_of(data)


def test_the_section_tells_of_everything(run: Path) -> None:
    text = text_of(whole(run))
    for word in (
        "From crates to rows", "built, past clippy",
        "2 are blocked by clippy and 2 cannot be built (by rustc 1.95.0)", "a native library is missing: z",
        "18,240 items by scale", "impl part", "does not parse, first at byte …",
        "7,040 rows of all tasks, 40 of them", "more than the data set asks for",
        "broad lacks 17 of crates: mend an error", "413", "by 14 operators", "clippy::redundant_closure",
        "E0382 used after a move", "pedantic", "Characters of the prompt", "Tokens of the answer",
        "Compiled outside their crate", "context none", "Lines of the answer", "BSD-3-Clause",
        "No problem is in the training data", "10 of 30 rows", "This doesn't compile",
        "Checked: answer compiles in its crate (rustc 1.95.0, edition 2021); plain form compiles in",
    ):  # fmt: skip
        assert word in text, word


def test_ten_rows_of_each_task_are_folded_and_in_colour(run: Path) -> None:
    page = str(data_section(whole(run)))
    assert page.count('<details class="row">') == 50
    told = parsed(page)
    assert "<script" not in page and "<img" not in page and "\u202e" not in page
    assert told.seen["details"] > 55 and '<span class="k-keyword">fn</span>' in page
    rows = read_rows([run / "clean.parquet"], 30, 17)
    everything = parsed(str(data_section(Data(rows=rows)))).text
    assert visible(HOSTILE_ROW).splitlines()[0] in everything


def test_what_is_missing_is_left_out(run: Path) -> None:
    assert data_section(Data()) is None
    data = whole(run)
    for part in ("corpus", "funnel", "mixes", "decontamination", "rows"):
        alone = Data(**{part: getattr(data, part)})
        assert data_section(alone) is not None, part
        without = Data(**{name: value for name, value in vars(data).items() if name != part})
        assert "do not add up" not in text_of(without), part


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("counts/0.json", {"crates": 30}, "-17 between “past the quality gates” and “give items”"),
        ("counts/0.json", {"samples": 1}, "3,501 samples from crates, cleaning was given 7,000"),
        (
            "counts/0.json",
            {"tasks": {"explanations": {"candidates": 9, "kept": 2, "lost": {}}}},
            "+7 candidates",
        ),
        (
            "mix/broad.json",
            {"sources": {"own": {"read": 10, "passed": 7, "filtered": {"long": 1}}}},
            "+2 between",
        ),
    ],
)
def test_figures_that_do_not_add_up_are_said(
    run: Path, name: str, change: dict[str, object], told: str
) -> None:
    write_json(run / name, {**read_json(run / name), **change})
    text = text_of(whole(run))
    assert "The figures do not add up" in text and told in text


def test_a_crate_without_account_of_its_build_is_missed(run: Path) -> None:
    path = run / "builds/1.json"
    told = read_json(path)
    write_json(path, {**told, "crates": told["crates"][:-2]})
    assert "+2 between “give items” and “built, past clippy” are in no account" in text_of(whole(run))


def test_gaps_of_a_way() -> None:
    stops = [Stop("a", {"x": 5, "y": 5}), Stop("b", {"x": 7}, 2, {"why": 1}), Stop("c", {"x": 8})]
    assert gaps(stops) == [
        "+1 between “a” and “b” are in no account.",
        "Of the 2 lost at “b”, +1 have no reason.",
        "-1 between “b” and “c” are in no account.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("builds/0.json", {"crates": [{"name": "a", "version": "1", "outcome": "melts"}]}, "outcome"),
        ("counts/1.json", {"items": 1}, "crates"),
        ("mix/broad.json", {"dataset": "broad"}, "train"),
    ],
)
def test_an_account_that_is_none_is_refused(
    run: Path, name: str, content: dict[str, object], told: str
) -> None:
    write_json(run / name, content)
    with pytest.raises(UserError, match=told) as caught:
        whole(run)
    assert name in str(caught.value)


def test_every_task_has_its_bar_and_its_reasons(run: Path) -> None:
    page = parsed(str(data_section(Data(corpus=corpus(run)))))
    for number in TASKS.values():
        assert f"{number:,} rows" in page.text
    assert page.text.count("no rewrite fits") == 4


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain", [(None, "plain")]),
        ("", [(None, "")]),
        ("a\n```rust\nfn b() {}\n```\nc", [(None, "a"), ("rust", "fn b() {}"), (None, "c")]),
        ("```\nx\n```", [(None, ""), ("", "x"), (None, "")]),
        ("````rust\n```\n````", [(None, ""), ("rust", "```"), (None, "")]),
        ("a\n```text\nnever closed", [(None, "a"), ("text", "never closed")]),
        ("`` ` ``` inline", [(None, "`` ` ``` inline")]),
        ("```a`b", [(None, "```a`b")]),
    ],
)
def test_fences_part_a_text_and_lose_nothing(text: str, parts: list[tuple[str | None, str]]) -> None:
    assert fenced(text) == parts
