"""The cards say the figures of the report, in Markdown that other tools read."""

from pathlib import Path

import pytest
import yaml

from rust_expert.report.assemble import Material
from rust_expert.report.cards import dataset_card, model_card
from rust_expert.report.journey import CleanFunnel, Decontamination, Mix, read_part
from rust_expert.report.runs import read_run
from rust_expert.report.summary import read_summary
from tests.synthetic_run import STAGES, write_run


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder = write_run(tmp_path_factory.mktemp("run"), rsft_trained=False, scale=0.05)
    return Material(
        summary=read_summary(str(folder / "metrics.json")),
        runs={name: read_run(name, str(folder / "models" / name / "manifest.json")) for name in STAGES},
        funnel=read_part(str(folder / "funnel.json"), CleanFunnel),
        mixes=[read_part(str(path), Mix) for path in sorted(Path(folder, "mix").iterdir())],
        decontamination=read_part(str(folder / "decontamination.json"), Decontamination),
    )


def front(card: str) -> dict[str, object]:
    _, matter, _ = card.split("---\n", 2)
    return dict(yaml.safe_load(matter))


def test_the_model_card(material: Material) -> None:
    card = model_card(material)
    assert front(card)["license"] == "apache-2.0"
    for word in (*STAGES, "1,412,864 parameters", "not trained: no sample was kept", "pass@4", "## Limits"):
        assert word in card, word
    rows = [line for line in card.splitlines() if line.startswith("| base |")]
    assert len(rows) == 3


def test_the_data_card(material: Material) -> None:
    card = dataset_card(material)
    assert front(card)["tags"] == ["rust", "code", "instruction-tuning"]
    for word in ("| broad |", "near duplicates", "0 in both", "MIT OR Apache-2.0", "crate25"):
        assert word in card, word


def test_the_summary_alone_makes_cards(material: Material) -> None:
    bare = Material(summary=material.summary)
    assert "Not recorded." in model_card(bare) and "No account" in dataset_card(bare)
