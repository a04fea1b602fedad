"""The report reads what the other rooms really write: here their own code makes the files, not a made-up run."""

from pathlib import Path

import pytest

from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.config.report import ReportOptions
from rust_expert.common.contracts import Completion, Problem, Sample, Verdict
from rust_expert.common.files import sha256_text, write_json
from rust_expert.common.tables import read_jsonl, read_parquet, write_jsonl
from rust_expert.crates.manifest import CrateSource, write_manifest
from rust_expert.dataset.clean import clean
from rust_expert.dataset.decontamination import Suite
from rust_expert.dataset.mixing import mix
from rust_expert.metrics.score import score
from rust_expert.metrics.summary import Reports, ScoreFile, TrainingFacts, summarize
from rust_expert.metrics.tally import tally
from rust_expert.models import manifest as manifests
from rust_expert.report.assemble import Material, build
from rust_expert.report.corpus import read_corpus
from rust_expert.report.data import Data
from rust_expert.report.findings import find
from rust_expert.report.journey import (
    CleanFunnel,
    Decontamination,
    Mix,
    cleaning_stops,
    drawing_stops,
    gaps,
    read_part,
)
from rust_expert.report.page.data import data_section
from rust_expert.report.runs import read_run
from rust_expert.report.summary import read_summary
from rust_expert.report.table import render
from rust_expert.syntax import row_code
from scripts.items import LeftOut
from tests.markup import parsed
from tests.synthetic_run import STAGES, write_run


def test_the_summary_of_the_metrics_room(tmp_path: Path) -> None:
    run = write_run(tmp_path, scale=0.2)
    options = ScoreOptions(k=[1, 4], bootstrap=500)
    scores = {}
    for stage in STAGES:
        completions = read_jsonl(run / f"samples/{stage}/curriculum.jsonl", Completion)
        judged = [
            # The judge's verdicts name the text that they are on.
            verdict.model_copy(update={"completion_sha256": sha256_text(row.completion)})
            for verdict, row in zip(
                read_parquet(run / f"verdicts/{stage}/curriculum.parquet", Verdict), completions, strict=True
            )
        ]
        tallies = tally(read_jsonl(run / "suites/curriculum.jsonl", Problem), completions, judged, 0.01)
        scores[stage, "curriculum"] = ScoreFile.model_validate(score(tallies, completions, options))
    training = {stage: TrainingFacts(steps=3, method="sft", rows=9) for stage in STAGES}
    training["rsft1"] = TrainingFacts(
        trained=False, reason="none of 40 samples was fit to be kept", method="rsft"
    )
    path = tmp_path / "summary.json"
    write_json(path, summarize(scores, STAGES, training, Reports(), options))

    summary = read_summary(str(path))
    assert list(summary.stages) == list(STAGES)
    assert (summary.confidence, summary.bootstrap) == (0.95, 500)
    assert find(summary, "curriculum").outcome == "better"
    assert all(one.mcnemar for one in summary.comparisons if one.metric != "pass_at_4")
    page = build(Material(summary=summary), ReportOptions())
    assert "none of 40 samples was fit to be kept" in parsed(page).text
    assert max(map(len, render(summary, "r.html").splitlines())) <= 100


def test_the_reports_of_the_data_rooms(tmp_path: Path) -> None:
    def sample(index: int, source: str) -> Sample:
        body = f"{{ let mut total = x; for step in 0..{index + 3} {{ total += step * {index}; }} total }}"
        named = {"family": "loops", "combination": f"loops/u32/{index}"} if source == "curriculum" else {}
        return Sample.make(
            prompt=f"Write f{index}", gen=f"fn f{index}(x: u32) -> u32 {body}", source=source,
            task_type="code_generation", source_crate="bytes" if source == "crates" else None, **named,
        )  # fmt: skip

    rows = [sample(index, source) for index in range(30) for source in ("crates", "curriculum")]
    problem = Problem(
        task_id="s/0", prompt="fn g(x: u32) -> u32 {\n", canonical_solution="    x * 41 + 7\n}\n", test="",
        combination="loops/u64/99",
    )  # fmt: skip
    cleaned = clean(rows, [Suite("s", [problem])], CleanOptions(val_fraction=0.2))
    write_json(tmp_path / "funnel.json", cleaned.funnel)
    write_json(tmp_path / "decontamination.json", cleaned.decontamination)
    write_json(
        tmp_path / "mix.json",
        mix(
            cleaned.samples,
            "broad",
            DatasetSpec(curriculum_rows=20, crate_rows=20, max_chars=2000, val_rows=5),
            row_code,
        ).report,
    )

    funnel = read_part(str(tmp_path / "funnel.json"), CleanFunnel)
    assert sum(cleaning_stops(funnel)[-1].left.values()) == funnel.rows_out.rows == len(cleaned.samples)
    checks = read_part(str(tmp_path / "decontamination.json"), Decontamination)
    assert checks.suites["s"].combinations is not None
    mixed = read_part(str(tmp_path / "mix.json"), Mix)
    assert mixed.train.rows == mixed.train.curriculum_rows + mixed.train.crate_rows > 0
    way = drawing_stops(mixed)
    assert gaps([cleaning_stops(funnel)[-1], *way]) == [] and len(way) == 3
    assert way[-1].whole == mixed.train.rows + mixed.val.rows
    assert mixed.shortages["train"]["explanations"].asked == 1
    text = parsed(str(data_section(Data(funnel=funnel, mixes=[mixed], decontamination=checks)))).text
    assert "0 in both" in text and "broad" in text


def test_the_files_of_the_corpus(tmp_path: Path) -> None:
    crates = [
        CrateSource(name="bytes", version="1.0.0", sha256="0" * 64, license="MIT", edition="2021"),
        CrateSource(
            name="gone", version="2.0.0", sha256="1" * 64, status="failed", reason="checksum differs"
        ),
    ]
    write_manifest(tmp_path / "0.json", crates)
    lost = [
        LeftOut(crate="gone", version="2.0.0", gate="fetch", reason="checksum differs"),
        LeftOut(
            crate="bytes", version="1.0.0", file="src/a.rs", gate="syntax", reason="does not parse", figure=1
        ),
        LeftOut(crate="bytes", version="1.0.0", gate="path", reason="build script", figure=1),
    ]
    write_jsonl(tmp_path / "0.jsonl", lost)
    corpus = read_corpus([str(tmp_path / "0.json")], [str(tmp_path / "0.jsonl")], [])
    assert [sum(stop.left.values()) for stop in corpus.crates] == [2, 1, 1]
    assert [one.crate for one in corpus.rejected] == ["gone 2.0.0"]


@pytest.mark.parametrize("trained", [True, False])
def test_the_manifests_of_the_models(tmp_path: Path, trained: bool) -> None:
    base = manifests.BaseManifest(
        origin="scratch", files={}, architecture={}, parameters=1000, tokenizer_sha256="0",
        training=manifests.ScratchTraining(rows=5, rows_too_long=0, steps=7, tokens=100, val_loss=1.5),
    )  # fmt: skip
    stage = manifests.StageManifest(
        stage="rsft1", method="rsft", base_sha256="0", parent_sha256="0", trained=trained,
        reason=None if trained else "nothing kept", adapter="adapter", files={}, rows=9, steps=3, val_loss=1.0,
    )  # fmt: skip
    manifests.write_manifest(tmp_path / "base" / "manifest.json", base)
    manifests.write_manifest(tmp_path / "rsft1" / "manifest.json", stage)
    write_json(
        tmp_path / "base" / "history.json",
        [{"step": 1, "loss": 2.0, "val_loss": None, "learning_rate": 0.1}],
    )
    first, second = (read_run(name, str(tmp_path / name / "manifest.json")) for name in ("base", "rsft1"))
    assert (first.rows_trained_on(), first.parameters, first.train_curve()) == (5, 1000, ((1, 2.0),))
    assert (second.trained, second.rows_trained_on(), second.method) == (trained, 9, "rsft")
