"""From mini-crates to samples: what a row claims holds, and every loss is counted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.tables import read_parquet
from rust_expert.judge.rustc import check_many
from rust_expert.syntax.corpus import ItemRow, Origin, rows_of_crate
from rust_expert.syntax.docs import clean
from rust_expert.tasks.production import samples_of

ROOT = Path(__file__).resolve().parents[2]
CRATES = ROOT / "tests/fixtures/crates"
OPTIONS = TasksOptions(items_per_crate=20, fixing_rows=6, transformation_rows=8)
BLOCK = re.compile(r"```rust\n(.*?)\n```", re.DOTALL)


@pytest.fixture(scope="module")
def rows() -> list[ItemRow]:
    found: list[ItemRow] = []
    for root in sorted(CRATES.iterdir()):
        found += rows_of_crate(root, Origin(root.name, "0.1.0", "MIT OR Apache-2.0", "2021"))[0]
    return found


@pytest.fixture(scope="module")
def made(rows: list[ItemRow]) -> tuple[list[Sample], dict[str, Any]]:
    return samples_of(rows, OPTIONS, workers=2)


def of_type(made: tuple[list[Sample], dict[str, Any]], task: str) -> list[Sample]:
    found = [row for row in made[0] if row.task_type == task]
    assert len(found) >= 5, f"hardly any {task}"
    return found


def test_another_number_of_workers_gives_the_same(
    rows: list[ItemRow], made: tuple[list[Sample], dict[str, Any]]
) -> None:
    assert samples_of(rows, OPTIONS, workers=1) == made


def test_every_row_says_where_it_comes_from(made: tuple[list[Sample], dict[str, Any]]) -> None:
    for row in made[0]:
        assert row.source == "crates" and row.license == "MIT OR Apache-2.0" and row.source_version == "0.1.0"
        assert row.id and row.template and row.scale and row.task_type and row.doc is not None
        assert row.template.startswith(row.task_type)
        source = (CRATES / str(row.source_crate) / str(row.source_file)).read_bytes()
        start, end = row.span or [0, 0]
        if row.task_type == "explanations":
            assert row.verified == []
        elif row.scale == "method":
            assert source[start:end].decode() in row.gen and row.gen.startswith("impl")
        else:
            assert source[start:end].decode() == row.gen


def test_requests_give_docs_and_signature_and_the_answer_compiles(
    made: tuple[list[Sample], dict[str, Any]],
) -> None:
    found = of_type(made, "code_generation")
    files = []
    for row in found:
        assert (
            row.verified and row.verified[0].startswith("original compiles") and "rustc 1." in row.verified[0]
        )
        beside = BLOCK.search(row.prompt) if "in scope" in row.prompt else None
        assert (beside is not None) == ("beside the prompt's definitions" in row.verified[0])
        files.append((beside[1] + "\n" if beside else "") + row.gen)
        name = row.gen[row.gen.index("fn ") + 3 :].split("(")[0].split("<")[0]
        assert f"fn {name}" in row.prompt or f"{name}`" in row.prompt
        assert row.gen not in row.prompt
    assert all(result.ok for result in check_many(files))


def test_broken_code_stands_in_the_prompt_and_fails_as_told(
    made: tuple[list[Sample], dict[str, Any]],
) -> None:
    found = of_type(made, "error_fixing")
    blocks = [BLOCK.search(row.prompt) for row in found]
    results = check_many([block[1] for block in blocks if block])
    for row, result in zip(found, results, strict=True):
        claim = next(text for text in row.verified if text.startswith("broken form fails: "))
        codes = re.findall(r"E\d{4}", claim)
        assert not result.ok and result.codes == codes
        assert all(f"error[{code}]" in row.prompt for code in codes)
        assert "--> src/lib.rs:" in row.prompt
        assert "snippet.rs" not in row.prompt and "/rustc/" not in row.prompt and "rustlib" not in row.prompt
        assert row.verified[0].startswith("original compiles")
        assert row.gen not in row.prompt


def test_answers_compile_where_the_broken_item_stood(made: tuple[list[Sample], dict[str, Any]]) -> None:
    alone = [row for row in of_type(made, "error_fixing") if "beside" not in row.verified[0]]
    assert alone and all(result.ok for result in check_many([row.gen for row in alone]))


def test_both_sides_of_a_transformation_compile(made: tuple[list[Sample], dict[str, Any]]) -> None:
    found = of_type(made, "transformations")
    befores, afters = [], []
    for row in found:
        blocks = BLOCK.findall(row.prompt)
        assert len(blocks) == (2 if "in scope" in row.prompt else 1)
        beside = "".join(block + "\n" for block in blocks[:-1])
        befores.append(beside + blocks[-1])
        afters.append(beside + row.gen)
        assert blocks[-1] != row.gen
        assert [claim.split(" compiles")[0] for claim in row.verified] == ["original", "plain form"]
    assert all(result.ok for result in check_many(befores + afters))


def test_explanations_are_the_documentation(
    rows: list[ItemRow], made: tuple[list[Sample], dict[str, Any]]
) -> None:
    docs = {(row.crate, row.file, row.start): clean(row.docs) for row in rows}
    for row in of_type(made, "explanations"):
        assert row.gen == docs[str(row.source_crate), str(row.source_file), (row.span or [0])[0]]
        assert "///" not in row.prompt


def test_the_funnel_adds_up(rows: list[ItemRow], made: tuple[list[Sample], dict[str, Any]]) -> None:
    samples, counts = made
    units = counts["units"]
    assert counts["items"] == len(rows) == units["made"] + sum(units["not_made"].values())
    assert units["checked"] <= units["made"] and units["compile"] <= units["checked"]
    for part in counts["tasks"].values():
        assert part["candidates"] == part["kept"] + sum(part["lost"].values())
    for forms in counts["forms"].values():
        assert sum(forms["tried"].values()) == sum(forms["kept"].values()) + sum(forms["lost"].values())
    assert counts["samples"] == len(samples) == sum(part["kept"] for part in counts["tasks"].values())
    assert json.loads(json.dumps(counts)) == counts


def test_limits_hold_for_what_is_written(rows: list[ItemRow]) -> None:
    options = OPTIONS.model_copy(
        update={"max_chars": 600, "max_lines": 20, "generation_rows": 2, "fixing_rows": 1}
    )
    samples, counts = samples_of(rows, options, workers=2)
    per_crate: dict[tuple[str | None, str | None], int] = {}
    for row in samples:
        assert len(row.prompt) + len(row.gen) <= 600
        assert len(row.prompt.split("\n")) + len(row.gen.split("\n")) <= 20
        per_crate[row.task_type, row.source_crate] = per_crate.get((row.task_type, row.source_crate), 0) + 1
    assert all(count <= 2 for (task, _), count in per_crate.items() if task == "code_generation")
    assert all(count <= 1 for (task, _), count in per_crate.items() if task == "error_fixing")
    lost = counts["tasks"]["explanations"]["lost"]
    assert "more characters than max_chars" in lost or "more lines than max_lines" in lost


def test_unchecked_rows_come_only_when_asked_for(
    rows: list[ItemRow], made: tuple[list[Sample], dict[str, Any]]
) -> None:
    assert all(row.verified for row in made[0] if row.task_type != "explanations")
    options = OPTIONS.model_copy(
        update={
            "unchecked_generation": True,
            "items_per_crate": 1,
            "fixing_rows": 0,
            "transformation_rows": 0,
        }
    )
    samples, _ = samples_of(rows, options, workers=2)
    assert any(not row.verified for row in samples if row.task_type == "code_generation")


def test_no_items_give_no_samples() -> None:
    samples, counts = samples_of([], OPTIONS, workers=2)
    assert samples == [] and counts["samples"] == 0


def script(name: str, *arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"scripts.{name}", *arguments],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "RUST_EXPERT_CACHE": str(cache)},
    )  # fmt: skip


def test_the_scripts_from_folder_to_samples(tmp_path: Path) -> None:
    manifest, cache = str(tmp_path / "fetch.json"), tmp_path / "cache"
    folder = tmp_path / "crates"
    for name in ("mini-ring", "mini-broken"):
        (folder / name).parent.mkdir(exist_ok=True)
        subprocess.run(["cp", "-r", str(CRATES / name), str(folder / name)], check=True)
    (folder / "mini-ring/src/faulty.rs").write_text("fn broken( {\n")
    told = script("fetch", "--source", "path", "--path", str(folder), "--out", manifest, cache=cache)
    assert told.returncode == 0, told.stderr
    items, losses = str(tmp_path / "items.parquet"), tmp_path / "losses.jsonl"
    told = script(
        "items", "--manifest", manifest, "--out", items, "--rejections", str(losses), "--minimum-documented", "0",
        cache=cache,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    rows = read_parquet(items, ItemRow)
    assert {row.crate for row in rows} == {"mini-ring"}
    lost = [json.loads(line) for line in losses.read_text().splitlines()]
    assert any(row["crate"] == "mini-ring" and row["file"] == "src/faulty.rs" for row in lost)
    assert any(row["crate"] == "mini-broken" and row["file"] is None for row in lost)
    assert all(row["gate"] and row["reason"] for row in lost)
    out, counts = str(tmp_path / "tasks.parquet"), tmp_path / "tasks.json"
    told = script(
        "tasks", "--items", items, "--out", out, "--counts", str(counts), "--workers", "2", "--items-per-crate", "5",
        "--fixing-rows", "2", cache=cache,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert len(read_parquet(out, Sample)) == json.loads(counts.read_text())["samples"] > 0


def test_a_wrong_flag_is_one_sentence(tmp_path: Path) -> None:
    told = script(
        "tasks", "--items", "nowhere", "--out", "x", "--counts", "y", "--max-lines", "none", cache=tmp_path
    )
    assert told.returncode == 2 and "--max-lines" in told.stderr and "Traceback" not in told.stderr
