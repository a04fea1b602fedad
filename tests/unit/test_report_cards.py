"""The cards say the figures of the report and of the data sets, in forms that other tools read."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import Features, load_dataset
from huggingface_hub import DatasetCard, ModelCard

from rust_expert.common.config.report import CardOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.common.tables import schema_of
from rust_expert.report.assemble import Material
from rust_expert.report.cards.croissant import croissant
from rust_expert.report.cards.data_set import DataSet, read_data_set
from rust_expert.report.cards.dataset import dataset_card
from rust_expert.report.cards.licences import addresses, hub_names, unknown
from rust_expert.report.cards.markdown import front_matter, text
from rust_expert.report.cards.model import model_card
from rust_expert.report.runs import read_run
from rust_expert.report.summary import read_summary
from scripts import card as script
from tests.synthetic_data import LICENCES, TASKS, made_up_rows, write_set
from tests.synthetic_run import STAGES, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"), rsft_trained=False, scale=0.05)


@pytest.fixture(scope="module")
def folder(run: Path) -> Path:
    """A data set with both its cards, as the workflow leaves it."""
    make(run)
    return run / "set"


def make(run: Path, *more: str) -> None:
    words = ["--manifest", f"{run}/set/manifest.json", "--mix", f"{run}/set/mix.json"]
    words += ["--funnel", f"{run}/funnel.json", "--decontamination", f"{run}/decontamination.json"]
    words += ["--readme", f"{run}/set/README.md", "--croissant", f"{run}/set/croissant.json", *more]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["card", *words])
        script.main()


def read(folder: Path, **options: Any) -> DataSet:
    return read_data_set(
        str(folder / "manifest.json"), str(folder / "mix.json"), None, None, CardOptions(**options)
    )


def table_of(card: str, head: str) -> list[list[str]]:
    """The cells of the table whose head begins so, without the escapes."""
    lines = card.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {head} |"))
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(
            [cell.strip().replace("\\", "").strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        )
    return rows


def test_the_model_card(run: Path) -> None:
    material = Material(
        summary=read_summary(str(run / "metrics.json")),
        runs={name: read_run(name, str(run / "models" / name / "manifest.json")) for name in STAGES},
    )
    card = model_card(material)
    told = ModelCard(card, ignore_metadata_errors=False).data.to_dict()
    assert told == {"license": "apache-2.0", "library_name": "peft", "tags": ["rust", "code", "qlora"]}
    with pytest.raises(ValueError, match="YAML|metadata"):  # a positive control
        ModelCard("---\n- a list\n---\n", ignore_metadata_errors=False)
    for word in (*STAGES, "1,412,864 parameters", "not trained: no sample was kept", "pass@4", "## Limits"):
        assert word in card, word
    rows = [line for line in card.splitlines() if line.startswith("| base |")]
    assert len(rows) == 3
    assert "Not recorded." in model_card(Material(summary=material.summary))


def test_the_hub_reads_the_card(folder: Path) -> None:
    card = DatasetCard.load(folder / "README.md")
    told = card.data.to_dict()
    assert told["license"] == ["apache-2.0", "bsd-3-clause", "isc", "mit"]
    assert told["language"] == ["en", "code"] and told["task_categories"] == ["text-generation"]
    assert told["size_categories"] == ["n<1K"]
    assert told["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "train", "path": "train-*.parquet"},
                {"split": "validation", "path": "val-*.parquet"},
            ],
        }
    ]
    assert told["dataset_info"]["features"] == Features.from_arrow_schema(schema_of(Sample))._to_yaml_list()


def test_the_datasets_library_loads_the_folder_by_its_card(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    rows = load_dataset(str(folder), cache_dir=str(tmp_path))
    assert {split: len(part) for split, part in rows.items()} == {"train": 140, "validation": 10}
    assert rows["train"].features == Features.from_arrow_schema(schema_of(Sample))
    assert set(rows["validation"]["split"]) == {"val"}
    info = rows["train"].info
    assert {name: (split.num_examples, split.num_bytes) for name, split in info.splits.items()} == {
        one["name"]: (one["num_examples"], one["num_bytes"])
        for one in DatasetCard.load(folder / "README.md").data.to_dict()["dataset_info"]["splits"]
    }


@pytest.mark.parametrize("validation", [0, 1])
def test_files_without_rows_are_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, validation: int
) -> None:
    """The datasets library stops at a Parquet file without rows; the card leaves out such files and splits."""
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    rows = made_up_rows(12)
    kept = [row for row in rows if row.split == "train"]
    kept += [row for row in rows if row.split == "val"][:validation]
    write_set(tmp_path / "set", kept)
    data = read(tmp_path / "set")
    assert [one.rows for one in data.files("val")].count(0) == 2 - validation
    (tmp_path / "set" / "README.md").write_text(dataset_card(data), encoding="utf-8")
    loaded = load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    found = {split: len(part) for split, part in loaded.items()}
    assert found == {"train": 55, **({"validation": 1} if validation else {})}


def test_the_card_counts_what_the_rows_say(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    rows = made_up_rows()
    kinds = Counter("curriculum" if row.source == "curriculum" else str(row.task_type) for row in rows)
    assert {row[0]: int(row[3]) for row in table_of(card, "kind")} == kinds
    assert kinds == {"curriculum": 30, **dict.fromkeys(TASKS, 30)}
    licences = {row[0]: int(row[1]) for row in table_of(card, "licence of the row")}
    assert licences == Counter(row.license for row in rows) and set(licences) == set(LICENCES)
    crates = {(row[0], row[1], row[2]): int(row[3]) for row in table_of(card, "crate")}
    assert crates == Counter(
        (row.source_crate, row.source_version, row.license) for row in rows if row.source == "crates"
    )
    assert "No crate gives rows to both splits." in card
    claims = {(row[0], row[1]): int(row[2]) for row in table_of(card, "kind | claim")}
    assert claims["error_fixing", "broken form fails in its crate"] == 30
    assert claims["error_fixing", "answer compiles in its crate"] == 30
    assert "the compiler was rustc 1.95.0." in card and "Without any claim: 30 rows" in card
    assert sum(int(row[2]) for row in table_of(card, "kind | code")) == 30
    for word in ("near duplicates: 1,632 rows of 29,783 removed", "0 in both", "## Limits", "load_dataset"):
        assert word in card, word


def test_hashes_are_those_of_the_files(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    told = {row[0]: row[3] for row in table_of(card, "file")}
    machine = read_json(folder / "croissant.json")
    files = {one["@id"]: one["sha256"] for one in machine["distribution"] if one["@type"] == "cr:FileObject"}
    assert told == files and len(told) == 8
    for name, digest in told.items():
        assert sha256_file(folder / name) == digest


def test_nothing_of_this_machine_or_hour_and_the_same_bytes(run: Path, folder: Path) -> None:
    names = ("README.md", "croissant.json")
    before = {name: (folder / name).read_bytes() for name in names}
    make(run)
    assert before == {name: (folder / name).read_bytes() for name in names}
    for content in before.values():
        assert str(run).encode() not in content and b"/tmp" not in content
        assert not re.search(rb"20\d\d-\d\d-\d\d", content)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("train-00000.parquet", b"PAR1", "not the file that the manifest"),
        ("val-00001.jsonl", None, "no such file"),
        ("manifest.json", b"{}", "dataset"),
        ("manifest.json", b"no", "not valid JSON"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(
    folder: Path, tmp_path: Path, name: str, change: bytes | None, told: str
) -> None:
    broken = tmp_path / "set"
    shutil.copytree(folder, broken)
    (broken / name).unlink()
    if change is not None:
        (broken / name).write_bytes(change)
    with pytest.raises(UserError, match=told) as caught:
        read(broken)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_a_data_set_of_other_columns_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "set"
    shutil.copytree(folder, other)
    manifest = read_json(other / "manifest.json")
    manifest["rows"]["columns"]["_mood"] = "string"
    write_json(other / "manifest.json", manifest)
    with pytest.raises(UserError, match="_mood differ"):
        dataset_card(read(other))
    manifest["files"][0]["file"] = "../train-00000.parquet"
    write_json(other / "manifest.json", manifest)
    with pytest.raises(UserError, match="file"):
        read(other)


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    name = "evil|x](https://e.invalid)<script>alert(1)</script>\n# head `*a*` www.e.invalid a@e.invalid"
    rows = [
        row.model_copy(update={"license": name, "source_crate": name, "scale": name})
        for row in made_up_rows(1)
    ]
    write_set(tmp_path, rows)
    data = read(tmp_path)
    card = dataset_card(data)
    assert "\n# head" not in card and "www.e" not in card and "a@e" not in card
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", card)
    for mark in ("<script", "</script", "](https", "|x", "`*a"):
        assert mark not in bare, mark
    assert DatasetCard(card).data.to_dict()["license"] == ["other"]
    machine = json.loads(json.dumps(croissant(data)))
    assert machine["license"] == [{"@type": "sc:CreativeWork", "name": name}]


def test_what_the_publisher_states_is_in_both_cards(tmp_path: Path) -> None:
    write_set(tmp_path, made_up_rows(2))
    data = read(
        tmp_path, creator="Some Lab", url="https://example.org/d", published="2031-02-03", citation="@misc{x}"
    )
    card, machine = dataset_card(data), croissant(data)
    for word in ("Some Lab", "2031-02-03", "@misc{x}", "version: 1.0.0"):
        assert word in card, word
    assert machine["creator"] == {"@type": "sc:Organization", "name": "Some Lab"}
    assert (machine["datePublished"], machine["citeAs"]) == ("2031-02-03", "@misc{x}")


@pytest.mark.parametrize(
    "given", [{"published": "soon"}, {"version": "1"}, {"url": "d.html"}, {"published": "2031-13-01"}]
)
def test_publishers_facts_are_checked(given: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        CardOptions(**given)


def test_licences_of_expressions() -> None:
    assert hub_names(["MIT OR Apache-2.0", "(BSD-3-Clause AND ISC)"]) == [
        "apache-2.0",
        "bsd-3-clause",
        "isc",
        "mit",
    ]
    assert hub_names(["Apache-2.0 WITH LLVM-exception", "MIT-0"]) == ["apache-2.0", "other"]
    assert hub_names(["MIT; rm -rf", "", "not stated"]) == ["other"]
    assert addresses(["Zlib OR MIT", "WHO-KNOWS"]) == [
        "https://spdx.org/licenses/MIT",
        "https://spdx.org/licenses/Zlib",
    ]
    assert unknown(["MIT", "WHO-KNOWS", "MIT é"]) == ["MIT é", "WHO-KNOWS"]


def test_front_matter_is_yaml_whatever_it_holds() -> None:
    values = {
        "a": ["x", {"b": 1, "c": ["é: #", "no"]}, ["1", "2"]], "d": {"e": {"f": None, "g": True}}, "h": [],
        "i": 'q"\n- x',
    }  # fmt: skip
    head, matter, tail = front_matter(values).split("---\n")
    assert (head, yaml.safe_load(matter)) == ("", values) and tail == ""


def test_text_is_one_line_without_marks() -> None:
    assert text("a_b _c_ <d>") == r"a_b \_c\_ \<d\>" and text("x\n\n| y") == r"x \| y"
