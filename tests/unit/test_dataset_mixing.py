"""Cleaning as a whole, the split, quotas, data sets and their shards."""

import json
import random
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from rust_expert.common.cli import flags
from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.common.contracts import Problem, Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, sha256_json
from rust_expert.common.tables import read_jsonl, read_parquet, write_jsonl, write_parquet
from rust_expert.dataset.clean import clean, read_samples
from rust_expert.dataset.decontamination import Suite
from rust_expert.dataset.mixing import mix
from rust_expert.dataset.quotas import quotas
from rust_expert.dataset.shards import write_shards
from rust_expert.dataset.split import assign_split, val_groups
from rust_expert.syntax import row_code

ROOT = Path(__file__).resolve().parents[2]
TYPES = ["code_generation", "transformations", "error_fixing", "explanations"]


def crate_row(place: int, **metadata: object) -> Sample:
    given = {
        "prompt": f"Prompt {place}.",
        "gen": f"fn item_{place}() -> u32 {{ {place} }}",
        "task_type": TYPES[place % 4],
        "source": "crates",
        "source_crate": f"crate{place % 11}",
        "license": "MIT",
        "verified": ["original compiles"],
        "doc": place % 2 == 0,
    }
    return Sample.make(**{**given, **metadata})  # type: ignore[arg-type]


def task_row(place: int, **metadata: object) -> Sample:
    given = {
        "prompt": f"/// Task {place}.\nfn task_{place}() -> u32 {{\n",
        "gen": f"fn task_{place}() -> u32 {{ {place} * 2 }}",
        "task_type": "code_generation",
        "source": "curriculum",
        "family": f"family{place % 6}",
        "combination": f"family{place % 6}|{place % 40}",
        "entry_point": f"task_{place}",
        "tests": "fn t() {}",
        "verified": ["tests pass"],
    }
    return Sample.make(**{**given, **metadata})  # type: ignore[arg-type]


def rows(crates: int, tasks: int) -> list[Sample]:
    return [crate_row(place) for place in range(crates)] + [task_row(place) for place in range(tasks)]


def spec(**given: object) -> DatasetSpec:
    return DatasetSpec.model_validate(
        {"curriculum_rows": 60, "crate_rows": 40, "max_chars": 500, "val_rows": 20, **given}
    )


def test_quotas_against_exact_arithmetic() -> None:
    rnd = random.Random(1)
    for _ in range(300):
        parts = [rnd.randrange(0, 20) for _ in range(rnd.randrange(1, 6))]
        if not sum(parts):
            continue
        shares = {f"n{i}": part / sum(parts) for i, part in enumerate(parts)}
        exact = {f"n{i}": Fraction(part, sum(parts)) for i, part in enumerate(parts)}
        total = rnd.randrange(0, 500)
        dealt = quotas(total, shares)
        assert sum(dealt.values()) == total
        rests = {name: total * exact[name] - int(total * exact[name]) for name in shares}
        up = [name for name in shares if dealt[name] == int(total * exact[name]) + 1]
        assert all(dealt[name] - int(total * exact[name]) in (0, 1) for name in shares)
        down = [name for name in shares if name not in up]
        assert all(rests[a] >= rests[b] for a in up for b in down)
    assert quotas(20, {"a": 0.7, "b": 0.15, "c": 0.1, "d": 0.05}) == {"a": 14, "b": 3, "c": 2, "d": 1}


def test_the_split_parts_groups_and_hangs_on_names_alone() -> None:
    many = [crate_row(place, source_crate=f"crate{place % 400}") for place in range(2000)]
    parted = assign_split(many, 0.1, 17)
    by_crate: dict[str, set[str | None]] = {}
    for sample in parted:
        by_crate.setdefault(sample.source_crate or "", set()).add(sample.split)
    assert all(len(splits) == 1 for splits in by_crate.values())
    held = {name for name, splits in by_crate.items() if splits == {"val"}}
    assert 20 <= len(held) <= 60
    fewer = assign_split([sample for sample in many if sample.source_crate != "crate7"], 0.1, 17)
    assert {s.id: s.split for s in fewer}.items() <= {s.id: s.split for s in parted}.items()
    assert {s.id: s.split for s in assign_split(many, 0.1, 18)} != {s.id: s.split for s in parted}


def test_a_small_kind_still_holds_one_group_back() -> None:
    groups = [("crate", "a"), ("crate", "b"), ("combination", "x")]
    held = val_groups(groups, 0.001, 17)
    assert len([group for group in held if group[0] == "crate"]) == 1
    assert ("combination", "x") not in held  # the only one of its kind is trained on
    assert val_groups(groups, 0, 17) == set()


def test_the_sums_of_the_funnel_are_right() -> None:
    given = rows(60, 200)
    copies = [sample.model_copy(update={"id": sample.id[:-1] + "x"}) for sample in given[:13]]
    problem = Problem(
        task_id="p", prompt="x", canonical_solution="fn any() -> u32 { 5 }", test="", combination="family3|39"
    )
    cleaned = clean(
        [*given, *copies, crate_row(999, gen=" \n")], [Suite("s", [problem])], CleanOptions(val_fraction=0.2)
    )
    funnel = cleaned.funnel
    before = funnel["rows_in"]["rows"]
    assert before == len(given) + 14
    for step in funnel["steps"]:
        assert step["in"] == before
        assert step["in"] - step["removed"] == step["out"]
        assert sum(step["removed_by_task_type"].values()) == step["removed"]
        assert sum(step["removed_by_source"].values()) == step["removed"]
        before = step["out"]
    assert before == funnel["rows_out"]["rows"] == len(cleaned.samples)
    told = {step["step"]: step["removed"] for step in funnel["steps"]}
    assert told["empty answers"] == 1
    assert told["exact duplicates"] == 13
    assert told["decontamination"] == 3  # two rows of the held-out combination, and `fn item_5`
    assert sum(funnel["rows_out"]["by_split"].values()) == before
    assert set(funnel["rows_out"]["by_split"]) == {"train", "val"}
    combinations = {
        split: {s.combination for s in cleaned.samples if s.split == split} for split in ("train", "val")
    }
    assert not (combinations["train"] & combinations["val"]) - {None}


def test_cleaning_does_not_depend_on_the_order_of_its_input() -> None:
    given = rows(80, 150)
    shuffled = list(given)
    random.Random(3).shuffle(shuffled)
    assert clean(given, [], CleanOptions()) == clean(shuffled, [], CleanOptions())


def cleaned_rows() -> list[Sample]:
    return clean(rows(400, 600), [], CleanOptions(val_fraction=0.15)).samples


def test_a_mix_keeps_to_its_quotas() -> None:
    made = mix(cleaned_rows(), "broad", spec(), row_code)
    counts = Counter("curriculum" if s.source == "curriculum" else s.task_type for s in made.train)
    assert counts == {
        "curriculum": 60, "code_generation": 28, "transformations": 6, "error_fixing": 4, "explanations": 2
    }  # fmt: skip
    assert made.report["shortages"] == {"train": {}, "val": {}}
    assert len(made.val) == 20
    assert Counter(s.source for s in made.val) == {"curriculum": 12, "crates": 8}
    assert {s.split for s in made.train} == {"train"} and {s.split for s in made.val} == {"val"}
    for split in ("train", "val"):
        total = sum(1 for s in cleaned_rows() if s.split == split)
        assert sum(made.report["filters"][split].values()) == total
    # The sources are interleaved: no half holds nearly all rows of one source.
    half = Counter(s.source for s in made.train[:50])
    assert 20 <= half["curriculum"] <= 40


def test_a_shortage_is_told_and_not_made_up() -> None:
    made = mix(cleaned_rows(), "broad", spec(crate_rows=400), row_code)
    explanations = made.report["shortages"]["train"]
    there = sum(
        1
        for s in cleaned_rows()
        if s.split == "train" and s.task_type == "code_generation" and s.source == "crates"
    )
    assert explanations["code_generation"] == {"asked": 280, "found": there}
    assert sum(1 for s in made.train if s.source == "crates") == there + 60 + 40 + 20


def test_filters() -> None:
    long = crate_row(5001, gen="x" * 600)
    bare = crate_row(5002, doc=None, verified=[])
    given = [*rows(40, 60), long, bare, Sample.make(prompt="p", gen="g")]
    made = mix(given, "d", spec(strict=True, families=["family1", "family2"], crate_rows=8), row_code)
    assert {s.family for s in made.train if s.source == "curriculum"} == {"family1", "family2"}
    assert all(s.doc for s in made.train if s.source == "crates")
    told = made.report["filters"]["train"]
    assert told["too long"] == 1
    assert told["not checked by the compiler"] == 1
    assert told["task type not in the mix"] == 1
    assert told["not documented"] == 20
    assert told["other family"] == 40
    with pytest.raises(UserError, match="no row is of family familly; choose among family0"):
        mix(given, "d", spec(families=["familly"]), row_code)
    with pytest.raises(UserError, match="no row is left to train on"):
        mix(given, "d", spec(max_chars=1), row_code)


def test_one_more_row_changes_one_row_of_a_draw() -> None:
    given = cleaned_rows()
    before = {s.id for s in mix(given, "broad", spec(), row_code).train}
    for extra in (crate_row(7000), crate_row(7004), task_row(7000)):
        after = {
            s.id
            for s in mix(
                [*given, extra.model_copy(update={"split": "train"})], "broad", spec(), row_code
            ).train
        }
        assert len(after - before) <= 1 and len(after) == len(before)
    assert {s.id for s in mix(given, "sharpened", spec(), row_code).train} != before
    assert {s.id for s in mix(given, "broad", spec(seed=18), row_code).train} != before


def test_shards_hang_on_the_row_alone(tmp_path: Path) -> None:
    made = mix(cleaned_rows(), "broad", spec(), row_code)
    (tmp_path / "train-7.parquet").write_text("of an earlier run")
    (tmp_path / "train-note.txt").write_text("not ours")
    told = write_shards(tmp_path, "train", made.train, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"train-0000{i}.{kind}" for i in range(3) for kind in ("parquet", "jsonl")] + ["train-note.txt"]
    )
    assert all(entry["sha256"] == sha256_file(tmp_path / entry["file"]) for entry in told)
    parts = [read_parquet(tmp_path / f"train-0000{i}.parquet", Sample) for i in range(3)]
    assert sorted(s.id for part in parts for s in part) == sorted(s.id for s in made.train)
    assert parts == [read_jsonl(tmp_path / f"train-0000{i}.jsonl", Sample) for i in range(3)]
    write_shards(tmp_path, "train", made.train[:-1], 3)
    again = [read_parquet(tmp_path / f"train-0000{i}.parquet", Sample) for i in range(3)]
    assert sum(a != b for a, b in zip(parts, again, strict=True)) == 1
    with pytest.raises(UserError, match="ask for 1 or more"):
        write_shards(tmp_path, "train", made.train, 0)
    write_shards(tmp_path, "train", [], 3)
    assert read_parquet(tmp_path / "train-00000.parquet", Sample) == []


def test_bad_specs_are_refused() -> None:
    for given in (
        {"task_mix": {"code_generation": 0.5}},
        {"task_mix": {"poetry": 1.0}},
        {"task_mix": {"code_generation": 1.5, "explanations": -0.5}},
        {"rows": 3},
        {"shards": 3},
    ):
        with pytest.raises(ValueError):
            spec(**given)
    with pytest.raises(ValueError, match="must divide"):
        CleanOptions(permutations=100)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True)


def test_the_commands_give_the_same_bytes_twice(tmp_path: Path) -> None:
    write_parquet(tmp_path / "tasks.parquet", rows(120, 0), Sample)
    write_parquet(tmp_path / "curriculum.parquet", rows(0, 150), Sample)
    others = [json.dumps({"prompt": f"P{i}", "gen": f"fn o{i}() {{ {i} }}"}) for i in range(5)]
    (tmp_path / "others.jsonl").write_text("\n".join(others) + "\n")
    write_jsonl(
        tmp_path / "s.jsonl", [Problem(task_id="p", prompt="x", canonical_solution="fn f() {}", test="")]
    )
    made = []
    for name in ("one", "two"):
        out = tmp_path / name
        done = run(
            "scripts.clean", "--tasks", f"{tmp_path}/tasks.parquet", f"{tmp_path}/others.jsonl",
            "--curriculum", f"{tmp_path}/curriculum.parquet", "--suites", f"held={tmp_path}/s.jsonl",
            "--out", f"{out}/clean.parquet", "--decontamination", f"{out}/decontamination.json",
            "--privacy", f"{out}/privacy.json", "--funnel", f"{out}/funnel.json",
            *flags(CleanOptions(val_fraction=0.2)).split(),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        task_mix = '{"code_generation": 0.5, "transformations": 0.5}'
        done = run(
            "scripts.mix", "--clean", f"{out}/clean.parquet",
            "--name", "broad", "--report", f"{out}/b/mix.json",
            "--curriculum-rows", "50", "--crate-rows", "20", "--max-chars", "300", "--val-rows", "10",
            "--shards", "2", "--task-mix", task_mix,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        made.append(
            {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
        )
    assert made[0] == made[1]
    assert set(made[0]) == {
        "clean.parquet", "privacy.json", "decontamination.json", "funnel.json", "b/mix.json",
        "b/manifest.json",
        *(f"b/{split}-0000{i}.{kind}" for split in ("train", "val") for i in "01" for kind in ("parquet", "jsonl")),
    }  # fmt: skip
    report = read_json(tmp_path / "one" / "b" / "mix.json")
    manifest = read_json(tmp_path / "one" / "b" / "manifest.json")
    assert manifest["files"] == report["files"] and sum(f["rows"] for f in manifest["files"]) == 2 * 80
    assert manifest["rows"]["columns"]["_verified"] == "list<item: string>"
    assert manifest["rows"]["version"] == sha256_json(manifest["rows"]["columns"])[:12]
    assert report["train"]["rows"] == 70
    assert read_json(tmp_path / "one" / "decontamination.json")["suites"].keys() == {"held"}
    assert sum(1 for s in read_samples([f"{tmp_path}/one/clean.parquet"]) if s.source is None) == 5


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    outputs = ("--out", "o", "--privacy", "p", "--decontamination", "d", "--funnel", "f")
    missing = run("scripts.clean", "--tasks", "nowhere.parquet", *outputs)
    assert missing.returncode == 2
    assert "nowhere.parquet: no such file" in missing.stderr and "Traceback" not in missing.stderr
    (tmp_path / "bad.jsonl").write_text('{"prompt": "p", "gen": "g"}\n{"prompt": "p"}\n')
    broken = run("scripts.clean", "--tasks", f"{tmp_path}/bad.jsonl", *outputs)
    assert broken.returncode == 2 and "bad.jsonl, line 2" in broken.stderr
