"""The tools for files of rows: what they write, that they stream, and what bad input gets."""

import importlib
import json
import pkgutil
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import scripts.tools
from rust_expert.common.contracts import Sample, Verdict
from rust_expert.common.files import read_json
from rust_expert.common.tables import read_jsonl, read_parquet, write_jsonl, write_parquet
from rust_expert.dataset.shards import write_manifest, write_shards

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(module.name for module in pkgutil.iter_modules(scripts.tools.__path__))
TYPES = ["code_generation", "transformations", "error_fixing", "explanations"]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a tool in this process; returns its exit code, what it printed, and what it said on stderr."""

    def run(name: str, *words: object) -> tuple[int, str, str]:
        from rust_expert.common import cli

        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.run(importlib.import_module(f"scripts.tools.{name}").main)
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def sample(place: int, **metadata: object) -> Sample:
    given = {
        "prompt": f"Prompt {place} with \u2028 and é.", "gen": f"fn f{place}() -> u32 {{ {place} }}",
        "task_type": TYPES[place % 4], "source": "crates", "source_crate": f"crate{place % 13}",
        "license": "MIT", "verified": ["original compiles"], "span": [place, place + 9],
    }  # fmt: skip
    return Sample.make(**{**given, **metadata})  # type: ignore[arg-type]


ROWS = [sample(place) for place in range(300)]


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_tools_of_the_readme() -> None:
    assert NAMES == [
        "analyze_failures", "jsonl_to_parquet", "parquet_to_jsonl", "rebalance_task_mix", "split_jsonl",
        "split_train_val", "verify_format",
    ]  # fmt: skip
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"scripts.tools.{name}" not in readme] == []


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_it_does_with_an_example(name: str, tool: Any) -> None:
    code, out, _ = tool(name, "--help")
    assert code == 0 and f"python -m scripts.tools.{name} " in out and len(out) > 600


def test_they_run_by_hand(tmp_path: Path) -> None:
    given = lines(tmp_path / "a.jsonl", {"prompt": "p"})
    done = subprocess.run(
        [sys.executable, "-m", "scripts.tools.verify_format", given], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "a.jsonl, line 1: not a sample (gen: Field required)" in done.stdout
    assert "1 faults in 1 files" in done.stderr and "Traceback" not in done.stderr


def test_there_and_back_gives_the_same_bytes(tmp_path: Path, tool: Any) -> None:
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    write_parquet(tmp_path / "a.parquet", ROWS, Sample)
    assert (
        tool(
            "jsonl_to_parquet", tmp_path / "a.jsonl", "--out", tmp_path / "b.parquet", "--contract", "sample"
        )[0]
        == 0
    )
    made, written = (pq.read_table(tmp_path / name) for name in ("b.parquet", "a.parquet"))
    assert made.schema.equals(written.schema) and made.equals(written)
    code, out, _ = tool("parquet_to_jsonl", tmp_path / "b.parquet", "--out", tmp_path / "b.jsonl")
    assert code == 0 and "300 rows" in out
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()


def test_rows_of_any_kind_become_columns(tmp_path: Path, tool: Any) -> None:
    first = lines(tmp_path / "a.jsonl", {"n": 1, "who": {"a": 1}}, {"n": 2.5, "tags": ["x"]})
    second = lines(tmp_path / "b.jsonl", {"n": None, "who": {"b": "y"}, "tags": []})
    assert tool("jsonl_to_parquet", first, second, "--out", tmp_path / "c.parquet")[0] == 0
    assert pq.read_table(tmp_path / "c.parquet").to_pylist() == [
        {"n": 1.0, "who": {"a": 1, "b": None}, "tags": None},
        {"n": 2.5, "who": None, "tags": ["x"]},
        {"n": None, "who": {"a": None, "b": "y"}, "tags": []},
    ]


def test_maps_of_verdicts_come_back(tmp_path: Path, tool: Any) -> None:
    verdicts = [Verdict(task_id="a", sample=0, status="passed", compiled=True, lints={"style": 2, "perf": 1})]
    write_parquet(tmp_path / "v.parquet", verdicts, Verdict)
    tool("parquet_to_jsonl", tmp_path / "v.parquet", "--out", tmp_path / "v.jsonl")
    assert read_jsonl(tmp_path / "v.jsonl", Verdict) == verdicts
    tool("jsonl_to_parquet", tmp_path / "v.jsonl", "--out", tmp_path / "w.parquet", "--contract", "verdict")
    assert read_parquet(tmp_path / "w.parquet", Verdict) == verdicts


def test_a_cut_file_put_together_is_the_file(tmp_path: Path, tool: Any) -> None:
    given = tmp_path / "a.jsonl"
    given.write_bytes(
        b'{"b" : 1,  "a":2}\n{}\n{"x":"\xc3\xa9"}'
    )  # as odd as it comes, no line end at the end
    code, out, _ = tool("split_jsonl", given, "--out", tmp_path / "parts", "--rows", 2)
    assert code == 0 and "a-00001.jsonl: 1 rows" in out
    assert (
        b"".join(p.read_bytes() for p in sorted((tmp_path / "parts").iterdir())) == given.read_bytes() + b"\n"
    )
    code, _, err = tool("split_jsonl", given, "--out", tmp_path / "parts", "--rows", 3)
    assert code == 2 and "parts of an earlier cut lie there" in err


def test_parts_by_hash_keep_a_key_together_and_one_more_row_changes_one(tmp_path: Path, tool: Any) -> None:
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    write_jsonl(tmp_path / "more" / "a.jsonl", [sample(999), *ROWS])
    for given, out, key in (
        ("a.jsonl", "crate", ["--key", "_source_crate"]), ("a.jsonl", "one", []), ("more/a.jsonl", "two", []),
    ):  # fmt: skip
        assert tool("split_jsonl", tmp_path / given, "--out", tmp_path / out, "--parts", 4, *key)[0] == 0
    crates: Counter[str | None] = Counter()
    for path in sorted((tmp_path / "crate").iterdir()):
        crates.update({row.source_crate for row in read_jsonl(path, Sample)})
    assert set(crates.values()) == {1} and len(crates) == 13
    changed = [
        path.name
        for path in sorted((tmp_path / "one").iterdir())
        if path.read_bytes() != (tmp_path / "two" / path.name).read_bytes()
    ]
    assert len(changed) == 1
    assert (
        tool("split_jsonl", tmp_path / "a.jsonl", "--out", tmp_path / "x", "--parts", 2, "--key", "none")[0]
        == 2
    )
    assert list((tmp_path / "x").iterdir()) == []


def test_no_crate_is_on_both_sides(tmp_path: Path, tool: Any) -> None:
    write_jsonl(tmp_path / "a.jsonl", ROWS[:150])
    write_parquet(tmp_path / "b.parquet", ROWS[150:], Sample)
    sides = [tmp_path / "train.jsonl", tmp_path / "val.jsonl"]

    def part(*words: object) -> dict[str, Any]:
        code, out, err = tool(
            "split_train_val", tmp_path / "a.jsonl", tmp_path / "b.parquet",
            "--train", sides[0], "--val", sides[1], "--fraction", 0.3, *words,
        )  # fmt: skip
        assert code == 0, err
        return dict(json.loads(out))

    account = part()
    train, val = (read_jsonl(path, Sample) for path in sides)
    assert account["rows"] == {"train": len(train), "val": len(val)} and len(train) + len(val) == 300
    assert not {s.source_crate for s in train} & {s.source_crate for s in val}
    assert {s.split for s in train} == {"train"} and {s.split for s in val} == {"val"}
    before = [path.read_bytes() for path in sides]
    part()
    assert [path.read_bytes() for path in sides] == before
    part("--seed", 18)
    assert [path.read_bytes() for path in sides] != before


def test_rows_without_a_crate_go_by_their_text(tmp_path: Path, tool: Any) -> None:
    given = lines(tmp_path / "a.jsonl", *({"prompt": f"p{i}", "gen": "g"} for i in range(400)))
    words = ["--train", tmp_path / "t.jsonl", "--val", tmp_path / "v.jsonl", "--fraction", 0.2]
    code, out, _ = tool("split_train_val", given, *words)
    assert code == 0 and 50 <= json.loads(out)["rows"]["val"] <= 110
    one = lines(tmp_path / "one.jsonl", {"prompt": "p", "gen": "g"})
    code, _, err = tool("split_train_val", one, *words)
    assert code == 2 and "a side would be empty" in err


def test_the_mix_is_exact(tmp_path: Path, tool: Any) -> None:
    rows = [sample(place, task_type=TYPES[min(place % 10, 3)]) for place in range(500)]
    random.Random(5).shuffle(rows)
    write_jsonl(tmp_path / "a.jsonl", rows)
    mix = json.dumps({"code_generation": 0.6, "error_fixing": 0.4})

    def mixed(*words: object) -> list[Sample]:
        code, _, err = tool(
            "rebalance_task_mix", tmp_path / "a.jsonl", "--out", tmp_path / "m.jsonl", "--mix", mix, *words
        )
        assert code == 0, err
        return read_jsonl(tmp_path / "m.jsonl", Sample)

    # 50 rows of each of the two are there: 50 / 0.6 allow 83.
    plain = mixed()
    assert Counter(s.task_type for s in plain) == {"code_generation": 50, "error_fixing": 33}
    assert len({s.id for s in plain}) == 83
    places = [rows.index(s) for s in plain]
    assert places == sorted(places)
    many = mixed("--rows", 300)
    assert Counter(s.task_type for s in many) == {"code_generation": 180, "error_fixing": 120}
    times = Counter(s.id for s in many if s.task_type == "error_fixing")
    assert set(times.values()) == {2, 3}
    random.Random(6).shuffle(rows)
    write_jsonl(tmp_path / "a.jsonl", rows)
    assert {s.id for s in mixed()} == {s.id for s in plain}
    words = ["rebalance_task_mix", tmp_path / "a.jsonl", "--out", tmp_path / "m.jsonl", "--mix"]
    for given, told in (
        ([mix, "--rows", 9000], "5400 rows of code_generation are asked for"),
        (['{"poetry": 1}'], "no row is of type poetry"),
        (['{"code_generation": 0.5}'], "add up to 1"),
        (["half"], "not JSON"),
    ):
        code, _, err = tool(*words, *given)
        assert code == 2 and told in err


def verdict(task: str, status: str, message: str = "", *codes: str) -> Verdict:
    return Verdict(
        task_id=task, sample=0, status=status, compiled=False, message=message, error_codes=list(codes)
    )  # type: ignore[arg-type]


def test_failures_by_code_message_and_family(tmp_path: Path, tool: Any) -> None:
    found = [
        verdict("core/a", "passed"),
        verdict("core/a", "compile_error", "error[E0425]: cannot find value `x`", "E0425", "E0308"),
        verdict("core/b", "compile_error", "error[E0425]: cannot find value `y`", "E0425"),
        verdict("gen/loops/7", "compile_error", "error: expected `;`, found `}` in line 3"),
        verdict("gen/loops/8", "failed"),
        verdict("core/c", "judge_error", "the problem is left out: it has no test"),
        verdict("core/d", "judge_error", "rustc crashed"),
    ]
    write_parquet(tmp_path / "v.parquet", found[:3], Verdict)
    write_jsonl(tmp_path / "v.jsonl", found[3:])
    suite = lines(
        tmp_path / "s.jsonl",
        {"task_id": "core/a", "prompt": "p", "canonical_solution": "", "test": "", "category": "names"},
        {"task_id": "core/b", "prompt": "p", "canonical_solution": "", "test": "", "combination": "sums|x"},
    )
    code, out, _ = tool(
        "analyze_failures", tmp_path / "v.parquet", tmp_path / "v.jsonl", "--suite", suite,
        "--out", tmp_path / "f.json",
    )  # fmt: skip
    account = read_json(tmp_path / "f.json")
    assert code == 0 and (account["samples"], account["failed"]) == (5, 4)
    assert account["not_judged"] == {"problem left out": 1, "fault of the judge": 1}
    assert account["error_codes"] == {"E0425": 2, "E0308": 1, "without a code": 1}
    assert account["messages"] == {
        "error[E0425]: cannot find value `…`": 2, "error: expected `…`, found `…` in line N": 1
    }  # fmt: skip
    assert {name: one["failed"] for name, one in account["families"].items()} == {
        "loops": 2,
        "names": 1,
        "sums": 1,
    }
    assert account["families"]["names"]["samples"] == 2
    assert "4 of 5 samples fail" in out and "  50.0 %  E0425" in out
    code, _, err = tool("analyze_failures", lines(tmp_path / "none.jsonl"))
    assert code == 2 and "no verdicts" in err


def test_a_data_set_is_checked_against_its_manifest(tmp_path: Path, tool: Any) -> None:
    folder = tmp_path / "d"
    parted = {"train": [s for s in ROWS if s.source_crate != "crate3"]}
    parted["val"] = [s for s in ROWS if s.source_crate == "crate3"]
    files = [entry for split, rows in parted.items() for entry in write_shards(folder, split, rows, 2)]
    write_manifest(folder, "d", files)
    code, out, _ = tool("verify_format", folder)
    assert code == 0 and "8 files, 600 rows" in out

    def faults(*words: object) -> list[str]:
        code, out, err = tool("verify_format", *(words or (folder,)))
        assert code == 2 and "Traceback" not in err
        return out.splitlines()

    shard = folder / "train-00001.jsonl"
    whole = shard.read_bytes()
    shard.write_bytes(whole.replace(b"fn f", b"fn g", 1))
    assert faults() == [f"{shard}: its sha256 is not that of manifest.json"]
    assert "its _id is not the sha256" in faults(shard)[0]
    shard.unlink()
    (folder / "train-00007.parquet").write_bytes(b"")
    assert faults() == [
        f"{folder}/train-00007.parquet: not in manifest.json",
        f"{shard}: in manifest.json, but not there",
    ]
    leak = write_leak(tmp_path)
    assert any(
        "crate crate3 is on both sides of the split" in line
        for line in faults(folder / "val-00000.jsonl", leak)
    )
    (folder / "manifest.json").write_text('{"files": "all"}')
    assert tool("verify_format", folder)[0] == 2


def write_leak(folder: Path) -> Path:
    write_jsonl(folder / "leak.jsonl", [sample(3, split="train")])
    return folder / "leak.jsonl"


def test_every_fault_of_a_file_is_listed_and_repeats_are_none(tmp_path: Path, tool: Any) -> None:
    good = json.loads(ROWS[0].model_dump_json(by_alias=True))
    given = lines(
        tmp_path / "a.jsonl",
        good,
        good,
        {**good, "gen": " "},
        {**good, "stars": 3},
        {"prompt": "p", "gen": 3},
    )
    code, out, err = tool("verify_format", given, "--out", tmp_path / "f.json", "--most", 2)
    assert code == 2 and out.count("\n") == 3 and "... and 2 more" in out
    told = read_json(tmp_path / "f.json")
    assert told["repeated"] == 1 and told["rows"] == {str(given): 5}
    assert [fault.split(": ", 1)[0][-6:] for fault in told["faults"]] == [
        "line 3",
        "line 3",
        "line 4",
        "line 5",
    ]
    assert tool("verify_format", lines(tmp_path / "b.jsonl", good, good))[0] == 0


BAD: list[tuple[str, bytes, str]] = [
    ("cut.jsonl", b'{"prompt": "p", "gen": "g"}\n{"prompt"', "cut.jsonl, line 2: not JSON"),
    ("latin.jsonl", b'{"prompt": "\xe9", "gen": ""}\n', "latin.jsonl, line 1: not UTF-8"),
    ("deep.jsonl", b"[" * 100_000 + b"\n", "deep.jsonl, line 1: nested too deep"),
    ("list.jsonl", b"[1]\n", "list.jsonl, line 1: a row is a JSON object in braces, not list"),
    ("half.jsonl", b'{"prompt": "\\ud83d", "gen": "g"}\n', "half.jsonl, line 1: a \\u escape spells half"),
    ("cut.parquet", b"PAR1 and no more", "cut.parquet: not a whole Parquet file"),
    ("rows.csv", b"prompt,gen\n", "rows.csv"),
]


@pytest.mark.parametrize(("name", "content", "told"), BAD, ids=[name for name, _, _ in BAD])
@pytest.mark.parametrize("command", NAMES)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    command: str, name: str, content: bytes, told: str, tmp_path: Path, tool: Any
) -> None:
    given, out = tmp_path / name, tmp_path / "out"
    given.write_bytes(content)
    words: dict[str, list[object]] = {
        "jsonl_to_parquet": ["--out", out / "x.parquet"],
        "parquet_to_jsonl": ["--out", out / "x.jsonl"],
        "split_jsonl": ["--out", out, "--rows", 1],
        "split_train_val": ["--train", out / "t.jsonl", "--val", out / "v.jsonl"],
        "rebalance_task_mix": ["--out", out / "x.jsonl", "--mix", '{"code_generation": 1}'],
    }
    for path in (given, tmp_path / "nowhere.jsonl"):
        code, printed, err = tool(command, path, *words.get(command, []))
        assert code == 2 and "Traceback" not in err and len(err.splitlines()) == 1, err
        assert path.name in err + printed
    if command == "verify_format":
        _, printed, _ = tool(command, given)
        assert told in printed
    elif command != "analyze_failures" and (given.suffix == ".parquet") == (command == "parquet_to_jsonl"):
        _, _, err = tool(command, given, *words.get(command, []))
        assert told in err
    assert [path for path in out.rglob("*") if path.is_file()] == []


def test_values_that_do_not_fit_are_named(tmp_path: Path, tool: Any) -> None:
    for rows, told in (
        ([{"n": 1}] * 3 + [{"n": "one"}], "line 4: its values are of other types"),
        ([{"n": 2**70}], "line 1: its values"),
        ([{"n": {}}], "column n: objects without a key"),
        ([], "no row has a column"),
    ):
        code, _, err = tool(
            "jsonl_to_parquet", lines(tmp_path / "a.jsonl", *rows), "--out", tmp_path / "x.parquet"
        )
        assert code == 2 and told in err
    table = pa.table({"when": pa.array([0], pa.timestamp("s")), "bytes": pa.array([b"x"])})
    pq.write_table(table, tmp_path / "t.parquet")
    code, _, err = tool("parquet_to_jsonl", tmp_path / "t.parquet", "--out", tmp_path / "x.jsonl")
    assert code == 2 and "t.parquet, row 1: no JSON can be made of it" in err
    code, _, err = tool("parquet_to_jsonl", tmp_path / "t.parquet", "--out", tmp_path / "t.parquet")
    assert code == 2 and "that file is read; write to another one" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "t.parquet"]
