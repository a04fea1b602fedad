"""From mini-crates to samples: what a row claims holds, and every loss is counted."""

import json
import os
import re
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.tables import read_parquet
from rust_expert.judge.rustc import check_many
from rust_expert.syntax.corpus import ItemRow, Origin, rows_of_crate
from rust_expert.syntax.docs import clean
from rust_expert.syntax.item_table import read_items
from rust_expert.tasks import wording
from rust_expert.tasks.building import ShardResult
from rust_expert.tasks.explanations import PROMISES, changed_lines
from rust_expert.tasks.pairs import PairRow
from rust_expert.tasks.production import Production
from rust_expert.tasks.writing import noun_of
from tests.built_crates import CRATES, shard

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = TasksOptions(fixing_rows=6, transformation_rows=12, explanation_rows=15)
BLOCK = re.compile(r"```rust\n(.*?)\n```", re.DOTALL)
RUNTIMES = re.compile(r"\b(tokio|async_std|async-std|smol|futures|embassy)\b")


def by_crate(rows: list[ItemRow]) -> list[list[ItemRow]]:
    return [list(inside) for _, inside in groupby(rows, key=lambda row: row.crate)]


Made = tuple[list[Sample], dict[str, Any]]


def samples_of(
    crates: list[list[ItemRow]], told: ShardResult, pairs: list[PairRow], options: TasksOptions
) -> Made:
    production = Production(told, options)
    forms = [list(inside) for _, inside in groupby(pairs, key=lambda pair: pair.crate)]
    return [row for rows in production.samples(crates, forms) for row in rows], production.counts()


@pytest.fixture(scope="module")
def made() -> Made:
    rows, told, pairs = shard()
    return samples_of(by_crate(rows), told, pairs, OPTIONS)


def of_type(made: Made, task: str, family: str = "") -> list[Sample]:
    found = [
        row
        for row in made[0]
        if row.task_type == task and (row.template or "").startswith(f"{task}/{family}")
    ]
    assert len(found) >= 2, f"hardly any {task} {family}"
    return found


def item_of(row: Sample) -> str:
    source = (CRATES / str(row.source_crate) / str(row.source_file)).read_bytes()
    start, end = row.span or [0, 0]
    return source[start:end].decode()


def test_every_row_says_where_it_comes_from(made: Made) -> None:
    for row in made[0]:
        assert row.source == "crates" and row.license == "MIT OR Apache-2.0" and row.source_version == "0.1.0"
        assert row.id and row.template and row.scale and row.task_type and row.doc is not None
        assert row.template.startswith(row.task_type)
        if row.task_type == "explanations":
            assert row.tokens is None
            continue
        assert row.tokens and len(row.gen.split()) / 4 < row.tokens < len(row.gen)
        assert row.context in ("none", "complete", "partial")
        if row.before != item_of(row):
            assert item_of(row) in row.gen
        if row.scale == "method":
            assert row.gen.startswith("impl")


def test_what_is_said_to_stand_alone_does(made: Made) -> None:
    alone, beside = [], []
    for row in of_type(made, "code_generation"):
        claims = " ".join(row.verified)
        assert "answer compiles in its crate" in claims and "rustc 1." in claims
        assert ("alone" in claims) == (row.context == "none")
        assert ("beside" in claims) == (row.context == "complete")
        if row.context == "none":
            alone.append(row.gen)
        elif row.context == "complete":
            shown = BLOCK.search(row.prompt)
            assert shown and row.prompt.startswith("These definitions are in scope")
            beside.append(f"{shown[1]}\n{row.gen}")
        assert row.gen not in row.prompt
    assert len(alone) >= 3 and len(beside) >= 3
    assert all(result.ok for result in check_many(alone + beside))


def test_larger_pieces_are_asked_for_by_their_outline(made: Made) -> None:
    rows = of_type(made, "code_generation", "block")
    assert {row.scale for row in rows} & {"type", "impl", "file", "module", "trait"}
    for row in rows:
        assert item_of(row) == row.gen
        names = re.findall(r"^    pub fn (\w+)", row.gen, re.MULTILINE)
        assert all(f"fn {name}" in row.prompt for name in names)


def test_requests_name_what_they_ask_for(made: Made) -> None:
    for row in of_type(made, "code_generation", "documented"):
        name = row.gen[row.gen.index("fn ") + 3 :].split("(")[0].split("<")[0]
        assert f"fn {name}" in row.prompt or f"{name}`" in row.prompt
    for row in of_type(made, "code_generation", "trait-impl"):
        assert row.gen.split(" for ")[0].rpartition(" ")[2].split("::")[-1] in row.prompt


def test_broken_code_stands_in_the_prompt_with_its_message(made: Made) -> None:
    for row in of_type(made, "error_fixing"):
        assert row.before and row.before != item_of(row) and row.before in row.prompt
        assert row.error_codes and all(f"error[{code}]" in row.prompt for code in row.error_codes)
        assert any(
            f"broken form fails in its crate: {', '.join(row.error_codes)}" in claim for claim in row.verified
        )
        assert f"--> {row.source_file}:" in row.prompt
        assert "/crate/" not in row.prompt and "/rustc/" not in row.prompt and "rustlib" not in row.prompt
        assert row.gen not in row.prompt


def test_transformations_ask_for_the_idiom_or_what_clippy_suggests(made: Made) -> None:
    rows = of_type(made, "transformations")
    clippy = [row for row in rows if "clippy::" in (row.template or "")]
    assert clippy and len(clippy) < len(rows)
    for row in rows:
        assert row.before and row.before in row.prompt and row.gen not in row.prompt
        kinds = [claim.split(" compiles")[0] for claim in row.verified if " compiles" in claim]
        assert kinds[0] == "answer" and ("original" if row in clippy else "plain form") in kinds
        assert (row.before == item_of(row)) == (row in clippy)


def test_explanations_are_the_documentation(made: Made) -> None:
    docs = {row.key: clean(row.docs) for row in shard()[0]}
    for row in of_type(made, "explanations", "documentation"):
        key = f"{row.source_crate}-{row.source_version}/{row.source_file}:{(row.span or [0])[0]}"
        assert row.gen == docs[key] and row.verified == []
        assert "///" not in row.prompt


def test_a_crate_gives_first_what_compiles_without_it_and_no_more_than_it_may() -> None:
    rows, told, pairs = shard()
    most = OPTIONS.model_copy(update={"generation_rows": 4, "fixing_rows": 2, "transformation_rows": 2})
    few, counts = samples_of(by_crate(rows), told, pairs, most)
    many, _ = samples_of(by_crate(rows), told, pairs, OPTIONS)
    for task, limit in (("code_generation", 4), ("error_fixing", 2), ("transformations", 2)):
        for crate in {row.source_crate for row in few}:
            kept, all_of_them = (
                [row for row in made if row.task_type == task and row.source_crate == crate]
                for made in (few, many)
            )
            assert len(kept) <= limit
            standing = [sum(row.context != "partial" for row in made) for made in (kept, all_of_them)]
            assert standing[0] == min(len(kept), standing[1])
        part = counts["tasks"][task]
        # Broken forms beyond the limit are candidates for explanations.
        assert task == "error_fixing" or part["lost"]["the crate has given enough"] > 0
        assert part["candidates"] == part["kept"] + sum(part["lost"].values())


def test_promises_are_sections_of_the_documentation(made: Made) -> None:
    docs = {row.key: clean(row.docs) for row in shard()[0]}
    for row in of_type(made, "explanations", "promise"):
        key = f"{row.source_crate}-{row.source_version}/{row.source_file}:{(row.span or [0])[0]}"
        for paragraph in row.gen.split("\n\n"):
            assert paragraph in docs[key] or paragraph in PROMISES.values()
        assert "{\n        " not in row.prompt, "the signature alone is shown"


def test_errors_are_explained_by_the_message_and_not_by_the_handbook(made: Made) -> None:
    _, told, pairs = shard()
    texts = {(pair.key, pair.text): pair for pair in pairs if pair.kind == "broken"}
    for row in of_type(made, "explanations", "error"):
        key = f"{row.source_crate}-{row.source_version}/{row.source_file}:{(row.span or [0])[0]}"
        pair = texts[key, str(row.before)]
        [code] = row.error_codes
        assert (
            row.gen.startswith(f"`{code}`: ")
            and pair.notes
            and all(f"- {note}" in row.gen for note in pair.notes)
        )
        assert told.explained[code] in " ".join(row.prompt.split()) and told.explained[code] not in row.gen
        assert str(row.before) in row.prompt
        lines = [line.strip() for line in item_of(row).split("\n")]
        if not row.gen.endswith("these lines have to go."):
            assert all(line.strip() in lines for line in BLOCK.findall(row.gen)[-1].split("\n"))


def test_no_prompt_names_a_runtime_that_the_code_does_not(made: Made) -> None:
    words = " ".join(
        text
        for name, value in vars(wording).items()
        if name.isupper()
        for text in (
            [value] if isinstance(value, str) else value.values() if isinstance(value, dict) else value
        )
        for text in ([text] if isinstance(text, str) else text)
        if isinstance(text, str)
    )
    assert "Rust" in words and not RUNTIMES.search(words)
    assert ItemRow and noun_of(async_row()) == "asynchronous function"


def async_row() -> ItemRow:
    found = items_of_text("pub async fn fetch(from: &str) -> String {\n    from.to_string()\n}\n")
    return next(row for row in found if row.kind == "function")


def items_of_text(text: str) -> list[ItemRow]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "src").mkdir()
        (Path(folder) / "src/lib.rs").write_text(text)
        return rows_of_crate(Path(folder), Origin("x", "1.0.0", "MIT", "2021"))[0]


def test_the_funnel_adds_up(made: Made) -> None:
    samples, counts = made
    assert counts["items"] == len(shard()[0]) == sum(counts["chunks"].values())
    for part in counts["tasks"].values():
        assert part["candidates"] == part["kept"] + sum(part["lost"].values())
    for kind in ("broken", "plain", "suggested"):
        forms = counts["forms"][kind]
        assert sum(forms["tried"].values()) == sum(forms["kept"].values()) + sum(forms["lost"].values())
    assert counts["samples"] == len(samples) == sum(part["kept"] for part in counts["tasks"].values())
    assert json.loads(json.dumps(counts)) == counts


def test_limits_hold_for_what_is_written() -> None:
    rows, told, pairs = shard()
    options = OPTIONS.model_copy(
        update={"max_chars": 600, "max_lines": 20, "generation_rows": 2, "fixing_rows": 1}
    )
    samples, counts = samples_of(by_crate(rows), told, pairs, options)
    per_crate: dict[tuple[str | None, str | None], int] = {}
    for row in samples:
        assert len(row.prompt) + len(row.gen) <= 600
        assert len(row.prompt.split("\n")) + len(row.gen.split("\n")) <= 20
        per_crate[row.task_type, row.source_crate] = per_crate.get((row.task_type, row.source_crate), 0) + 1
    assert all(count <= 2 for (task, _), count in per_crate.items() if task == "code_generation")
    assert all(count <= 1 for (task, _), count in per_crate.items() if task == "error_fixing")
    lost = counts["tasks"]["explanations"]["lost"]
    assert "more characters than max_chars" in lost or "more lines than max_lines" in lost


def test_a_crate_that_did_not_pass_gives_nothing() -> None:
    rows, told, pairs = shard()
    blocked = told.model_copy(
        update={"crates": [told.crates[0].model_copy(update={"outcome": "blocked"}), *told.crates[1:]]}
    )
    samples, _ = samples_of(by_crate(rows), blocked, pairs, OPTIONS)
    assert {row.source_crate for row in samples} == {crate.name for crate in told.crates[1:]}


def test_forms_of_a_crate_without_items_are_a_fault() -> None:
    rows, told, pairs = shard()
    crates = by_crate(rows)
    with pytest.raises(UserError, match="belong to no item"):
        samples_of(crates[:-1], told, pairs, OPTIONS)
    with pytest.raises(UserError, match="belong to no item"):
        samples_of(crates[::-1], told, pairs, OPTIONS)


def test_no_items_give_no_samples() -> None:
    samples, counts = samples_of([], ShardResult(rustc="rustc 1.95.0", crates=[]), [], OPTIONS)
    assert samples == [] and counts["samples"] == 0


def test_the_lines_that_differ() -> None:
    assert changed_lines("a\n  b\nc", "a\n  d\nc") == ("b", "d")
    assert changed_lines("a\nc", "a\n  d\n    e\nc") == ("", "d\n  e")
    assert changed_lines("a", "a") is None


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
    rows = read_items(items)
    assert {row.crate for row in rows} == {"mini-ring"}
    lost = [json.loads(line) for line in losses.read_text().splitlines()]
    assert any(row["crate"] == "mini-ring" and row["file"] == "src/faulty.rs" for row in lost)
    assert any(row["crate"] == "mini-broken" and row["file"] is None for row in lost)
    assert all(row["gate"] and row["reason"] for row in lost)
    built, pairs = str(tmp_path / "builds.json"), str(tmp_path / "pairs.parquet")
    words = [
        "--manifest",
        manifest,
        "--items",
        items,
        "--out",
        built,
        "--pairs",
        pairs,
        "--broken-forms",
        "2",
    ]
    told = script("builds", *words, cache=cache)
    assert told.returncode == 0, told.stderr
    assert [crate["outcome"] for crate in json.loads(Path(built).read_text())["crates"]] == ["passes"]
    first = Path(pairs).read_bytes()
    again = script("builds", *words, cache=cache)
    assert again.returncode == 0 and Path(pairs).read_bytes() == first
    out, counts = str(tmp_path / "tasks.parquet"), tmp_path / "tasks.json"
    told = script(
        "tasks", "--items", items, "--builds", built, "--pairs", pairs, "--out", out, "--counts", str(counts),
        cache=cache,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert len(read_parquet(out, Sample)) == json.loads(counts.read_text())["samples"] > 0


def test_a_wrong_flag_is_one_sentence(tmp_path: Path) -> None:
    told = script(
        "tasks",
        "--items",
        "nowhere",
        "--builds",
        "z",
        "--pairs",
        "w",
        "--out",
        "x",
        "--counts",
        "y",
        "--max-lines",
        "none",
        cache=tmp_path,
    )
    assert told.returncode == 2 and "--max-lines" in told.stderr and "Traceback" not in told.stderr
