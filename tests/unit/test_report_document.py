"""The page as a file: whole, self-contained, deterministic, and harmless whatever the model wrote."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.config.report import ReportOptions
from rust_expert.common.errors import UserError
from rust_expert.report.assemble import Material, build
from rust_expert.report.evidence import read_answers
from rust_expert.report.html import visible
from rust_expert.report.page.measures import length_card, style_cards
from rust_expert.report.summary import JudgedWith, SizeRow, read_summary
from scripts import report
from tests.markup import parsed
from tests.synthetic_run import HOSTILE, STAGES, report_words, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_run(tmp_path_factory.mktemp("run"), scale=0.15)
    make(folder, "--examples", "60")
    return folder


def make(folder: Path, *more: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["report", *report_words(folder), *more])
        report.main()


def test_it_is_whole_and_asks_nothing_of_the_network(run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    told = parsed(page)
    assert (
        told.seen.get("script") is None and told.seen.get("img") is None and told.seen.get("iframe") is None
    )
    assert told.seen["style"] == 1 and "@import" not in told.sheet and "url(" not in told.sheet
    assert all(re.match(r"#[a-z]+$|data:,$|[\w./-]+$", address) for address in told.addresses), told.addresses
    assert len(told.ids) == len(set(told.ids))
    for address in told.addresses:
        if address.startswith("#"):
            assert address[1:] in told.ids
    digest = base64.b64encode(hashlib.sha256(told.sheet.encode()).digest()).decode()
    assert told.policy.startswith("default-src 'none';") and f"style-src 'sha256-{digest}'" in told.policy
    assert "unsafe" not in told.policy


def test_every_part_is_there(run: Path) -> None:
    text = parsed((run / "report.html").read_text(encoding="utf-8")).text
    for word in (
        "Solved at the first try", "Compiles", "Difference in pass@1", "Verdicts", "does not compile", "Loss",
        "From crates to rows", "past the quality gates", "What each data set is made of",
        "No problem is in the training data", "0 in both", "Learned: ", "Still unsolved", "How it was measured",
        "What each rule cost", "metrics.json", "E0308", "Rejection sampling", "Settings that took effect",
        "pass@1, policy kept", "compiles, pre-filtered", "Idiomatic from 0 to 1", "Documented from 0 to 1",
        "Answers by length", "5-49", "inside bubblewrap without network", "6,612", "waits for data",
        "MFU and GPU memory are not measured",
    ):  # fmt: skip
        assert word in text, word
    for stage in STAGES:
        assert stage in text


def test_lengths_stand_in_order_whoever_has_them(run: Path) -> None:
    summary = read_summary(str(run / "metrics.json"))
    rows = [
        {"lines": name, "samples": 1, "compile_rate": 1, "pass_rate": 0.5}
        for name in ("1-4", "50-99", "1000+")
    ]
    made = summary.model_copy(deep=True)
    made.stages["base"].suites["curriculum"].sizes = [
        SizeRow.model_validate(rows[0]),
        SizeRow.model_validate(rows[2]),
    ]
    made.stages["phase1"].suites["curriculum"].sizes = [SizeRow.model_validate(row) for row in rows]
    text = parsed(str(length_card(made, "curriculum"))).text
    places = [text.index(name) for name in ("no code", "1-4", "5-49", "50-99", "1000+")]
    assert places == sorted(places)
    for stage in made.stages.values():
        for score in stage.suites.values():
            score.sizes, score.idiomatic, score.documented = [], None, None
    assert length_card(made, "curriculum") is None and style_cards(made, "curriculum") is None


def test_a_run_without_a_sandbox_says_so(run: Path) -> None:
    summary = read_summary(str(run / "metrics.json"))
    bare = summary.model_copy(update={"judge": JudgedWith(sandbox=["bubblewrap", "none"])})
    assert "judged without a sandbox" in parsed(build(Material(summary=bare), ReportOptions())).text
    assert "without a sandbox" not in parsed(build(Material(summary=summary), ReportOptions())).text


def test_what_the_model_wrote_is_text(run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<img" not in page and 'onload="x' not in page
    text = parsed(page).text
    assert visible(HOSTILE).rstrip("\n") in text
    assert 'cannot find value `<b onload="x">` in this scope' in text
    assert "\u202e" not in page and "\x00" not in page and "\x1b" not in page


def test_the_same_run_gives_the_same_bytes(run: Path) -> None:
    before = {
        name: (run / name).read_bytes() for name in ("report.html", "plots/rates.csv", "plots/training.csv")
    }
    make(run, "--examples", "60")
    assert before == {name: (run / name).read_bytes() for name in before}


def test_the_script_says_what_is_wrong_in_one_sentence(tmp_path: Path) -> None:
    words = ["--summary", f"{tmp_path}/none.json", "--out", f"{tmp_path}/a.html", "--plots", f"{tmp_path}"]
    done = subprocess.run([sys.executable, "-m", "scripts.report", *words], capture_output=True, text=True)
    assert (
        done.returncode == 2 and "none.json: no such file" in done.stderr and "Traceback" not in done.stderr
    )


def test_plots_data(run: Path) -> None:
    rates = (run / "plots/rates.csv").read_text().splitlines()
    assert rates[0] == "suite,order,stage,metric,value,low,high"
    assert len(rates) == 1 + 2 * 4 * 3
    losses = (run / "plots/training.csv").read_text().splitlines()
    assert losses[0] == "stage,step,loss,val_loss,learning_rate"
    assert {line.split(",")[0] for line in losses[1:]} == set(STAGES)


def test_a_stage_that_was_not_trained_says_so(tmp_path: Path) -> None:
    folder = write_run(tmp_path, rsft_trained=False, scale=0.1)
    make(folder)
    text = parsed((folder / "report.html").read_text(encoding="utf-8")).text
    assert "not trained: no sample was kept; it answers with the weights of phase2" in text
    assert "same weights as phase2" in text


def test_the_summary_alone_makes_a_page(run: Path) -> None:
    summary = read_summary(str(run / "metrics.json"))
    text = parsed(build(Material(summary=summary), ReportOptions())).text
    assert "held-out Rust problems" in text and "Answers, side by side" not in text


def test_the_draw_of_problems_hangs_on_the_seed_alone(run: Path) -> None:
    def drawn(seed: int) -> list[str]:
        make(run, "--seed", str(seed), "--examples", "2")
        text = parsed((run / "report.html").read_text(encoding="utf-8")).text
        return re.findall(r"curriculum/\d+", text)

    assert drawn(1) == drawn(1) != drawn(2)


def test_verdicts_of_other_samples_are_refused(run: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    rows = (run / "samples/base/core.jsonl").read_text(encoding="utf-8").splitlines()
    samples.write_text("\n".join(rows[5:]) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="judge those samples again"):
        read_answers(str(samples), str(run / "verdicts/base/core.parquet"))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("funnel.json", "{}", "rows_in"),
        ("mix/broad.json", "[]", "make it again"),
        ("models/phase1/manifest.json", '{"steps": "many"}', "steps"),
        ("models/phase1/history.json", '[{"loss": 1}]', "step"),
        ("decontamination.json", "no", "not valid JSON"),
        ("counts/0.json", '{"items": 1}', "crates"),
        ("builds/0.json", '{"rustc": "rustc 1.95.0"}', "crates"),
        ("clean.parquet", "no", "not a Parquet file"),
    ],
)
def test_a_broken_file_is_one_sentence_and_the_old_page_stays(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    folder = write_run(tmp_path, scale=0.03)
    (folder / "report.html").write_text("the old page")
    (folder / name).write_text(content)
    with pytest.raises(UserError, match=told) as caught:
        make(folder)
    assert name.removesuffix("history.json") in str(caught.value) and "\n" not in str(caught.value)
    assert (folder / "report.html").read_text() == "the old page"


def test_no_path_of_this_machine_is_in_the_page(run: Path) -> None:
    assert str(run) not in (run / "report.html").read_text(encoding="utf-8")
    assert json.loads((run / "metrics.json").read_text())["schema"] == 1
