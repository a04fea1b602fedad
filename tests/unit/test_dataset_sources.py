"""Data sets that draw from other sources too: what is read, let in, weighed, and in which order it stands."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from rust_expert.common.cli import flags
from rust_expert.common.config.dataset import CleanOptions, DatasetSpec, SourceSpec
from rust_expert.common.contracts import Problem, Sample
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import write_jsonl, write_parquet
from rust_expert.dataset.admission import Others
from rust_expert.dataset.decontamination import Suite
from rust_expert.dataset.interleaving import interleaved
from rust_expert.dataset.mixing import Mixed, mix
from rust_expert.dataset.sources import files_of, sample_from, samples_of
from rust_expert.models.rows import read_pairs
from rust_expert.syntax import row_code

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CLEANING = CleanOptions(val_fraction=0.1)


def code(place: int, word: str = "step") -> str:
    """A function unlike all others: near duplicates are not what is tested here."""
    noise = hashlib.sha256(f"{word}{place}".encode()).hexdigest()
    lines = "".join(f"    let {word}_{noise[i : i + 6]} = {int(noise[i], 16)};\n" for i in range(0, 60, 6))
    return f"fn {word}_{place}() -> u32 {{\n{lines}    {place}\n}}"


def own_row(place: int, **metadata: object) -> Sample:
    given = {
        "prompt": f"Own {place}.", "gen": code(place, "own"), "task_type": "code_generation", "source": "crates",
        "source_crate": f"crate{place % 7}", "verified": ["original compiles"], "doc": True, "license": "MIT",
        "split": "val" if place % 7 == 0 else "train",
    }  # fmt: skip
    return Sample.make(**{**given, **metadata})  # type: ignore[arg-type]


OWN = [own_row(place) for place in range(210)]
BARE = [{"prompt": f"Theirs {place}.", "gen": code(place, "theirs")} for place in range(300)]


def spec(**given: Any) -> DatasetSpec:
    told = {"curriculum_rows": 0, "crate_rows": 100, "max_chars": 4000, "val_rows": 20}
    return DatasetSpec.model_validate({"task_mix": {"code_generation": 1.0}, **told, **given})


def taken_in(rows: Iterable[dict[str, Any]], name: str, source: SourceSpec) -> list[Sample | None]:
    return [sample_from(row, f"row {number}", name, source) for number, row in enumerate(rows)]


def mixed(
    told: DatasetSpec, rows: dict[str, list[dict[str, Any]]], suites: list[Suite] | None = None
) -> Mixed:
    read = {name: taken_in(given, name, told.sources[name]) for name, given in rows.items()}
    return mix(OWN, "d", told, row_code, Others(read, suites or [], CLEANING))


THEIRS = {"theirs": {"from": "local:theirs.jsonl"}}


def names(made: Mixed) -> Counter[str | None]:
    return Counter(sample.source for sample in made.train)


def test_rows_with_prompt_and_gen_alone_load_and_filter_and_can_be_trained_on(tmp_path: Path) -> None:
    write_parquet(tmp_path / "clean.parquet", OWN, Sample)
    rows = [*BARE, {"prompt": "", "gen": "fn a() {}"}, {"prompt": "Long", "gen": "x" * 5000}, dict(BARE[3])]
    (tmp_path / "theirs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(
        pa.Table.from_pylist([{**row, "stars": 3} for row in rows[:50]]), tmp_path / "more.parquet"
    )
    problem = Problem(task_id="p", prompt="Theirs 5.", canonical_solution="fn z() {}", test="")
    write_jsonl(tmp_path / "suite.jsonl", [problem])
    told = spec(
        sources={
            "theirs": {"from": f"local:{tmp_path}/theirs.jsonl", "rows": 60, "license": "MIT"},
            "more": {"from": f"parquet:{tmp_path}/more.parquet"},
        }
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "scripts.mix", "--clean", f"{tmp_path}/clean.parquet", "--name", "d",
            "--report", f"{tmp_path}/d/mix.json", "--suites", f"s={tmp_path}/suite.jsonl",
            "--cleaning", CLEANING.model_dump_json(), *_words(flags(told)),
        ],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = read_json(tmp_path / "d" / "mix.json")
    theirs = report["sources"]["theirs"]
    assert theirs["filtered"] == {"duplicate": 1, "empty": 1, "gives a problem away": 1, "too long": 1}
    assert theirs["read"] == 303 and theirs["passed"] == 299 and theirs["drawn"]["train"] == 60
    # The second source is made of rows of the first: all are known but the one that gives the problem away.
    assert report["sources"]["more"]["filtered"] == {"duplicate": 49, "gives a problem away": 1}
    assert report["train"]["sources"] == {"crates": 100, "theirs": 60}
    assert report["train"]["licenses"] == {"MIT": 160}
    assert report["shares"]["sources"]["theirs"] == {"asked": None, "achieved": 0.375}
    pairs = read_pairs([f"{tmp_path}/d/train-00000.parquet"])
    assert len(pairs) == 160 and sum(prompt.startswith("Theirs") for prompt, _ in pairs) == 60


def _words(text: str) -> list[str]:
    import shlex

    return shlex.split(text)


@pytest.mark.parametrize("rows", [None, 40])
def test_a_streamed_source_gives_the_same_rows_in_the_same_order(rows: int | None) -> None:
    many = [{"prompt": f"Theirs {p}.", "gen": code(p, "theirs")} for p in range(3000)]
    shuffled = list(many)
    random.Random(4).shuffle(shuffled)
    made = [
        mixed(
            spec(sources={"theirs": {"from": "local:x.jsonl", "rows": rows, "streaming": streaming}}),
            {"theirs": given},
        )
        for given in (many, shuffled)
        for streaming in (False, True)
    ]
    assert names(made[0])["theirs"] == (
        rows or made[0].report["sources"]["theirs"]["there"]["train"]["unnamed"]
    )
    for other in made[1:]:
        assert (other.train, other.val) == (made[0].train, made[0].val)
        assert other.report["sources"] == made[0].report["sources"]
    for sample in made[0].train + made[0].val:
        assert sample.split in ("train", "val")


def test_one_more_row_changes_one_row_of_a_source() -> None:
    told = spec(sources={"theirs": {"from": "local:x.jsonl", "rows": 40}})
    before = {s.id for s in mixed(told, {"theirs": BARE}).train}
    after = {s.id for s in mixed(told, {"theirs": [*BARE, {"prompt": "P", "gen": code(1, "new")}]}).train}
    assert len(after) == len(before) and len(after - before) <= 1
    assert {s.id for s in mix(OWN, "d", spec(), row_code).train} == {
        i for i in before if i in {s.id for s in OWN}
    }


def test_what_a_stranger_says_was_checked_or_held_out_is_not_believed() -> None:
    claims = {
        "_verified": ["original compiles"], "_combination": "c", "_tests": "fn t() {}", "_doc": True,
        "_source": "curriculum", "_license": "MIT", "_task_type": "poetry", "split": "validation",
    }  # fmt: skip
    row = {**BARE[0], **claims}
    told = {
        flag: SourceSpec.model_validate({"from": "local:x.jsonl", "trusted": flag}) for flag in (False, True)
    }
    doubted, believed = (sample_from(row, "here", "theirs", told[flag]) for flag in (False, True))
    assert doubted is not None and believed is not None
    assert (doubted.verified, doubted.combination, doubted.tests, doubted.doc) == ([], None, None, None)
    assert (believed.verified, believed.combination) == (["original compiles"], "c")
    for sample in (doubted, believed):
        assert (sample.source, sample.license, sample.split) == ("theirs", "MIT", "val")
        assert sample.task_type is None


def test_a_false_combination_does_not_slip_past_the_decontamination() -> None:
    given = code(9, "secret")
    problem = Problem(
        task_id="p", prompt="Q", canonical_solution=given, test="", combination="real", entry_point="f"
    )
    text = given.replace("secret_9", "other_9")
    rows = [{"prompt": "Write it.", "gen": f"{text}\nfn more() {{}}", "_combination": "made up"}]
    made = mixed(spec(sources=THEIRS), {"theirs": rows}, [Suite("s", [problem])])
    assert made.report["sources"]["theirs"]["filtered"] == {"gives a problem away": 1}


def test_rows_go_where_their_crate_is_and_nothing_alike_crosses_the_split() -> None:
    crates = [{**BARE[place], "_source_crate": f"crate{place % 9}", "split": "train"} for place in range(90)]
    leak = {"prompt": "Leak", "gen": next(s.gen for s in OWN if s.split == "val")}
    made = mixed(spec(sources=THEIRS, val_rows=1000), {"theirs": [*crates, {**leak, "split": "train"}]})
    sides: dict[str, set[str]] = {}
    for sample in made.train + made.val:
        if sample.source_crate:
            sides.setdefault(sample.source_crate, set()).add(sample.split or "")
    assert sides["crate0"] == {"val"} and all(len(side) == 1 for side in sides.values())
    assert {f"crate{i}" for i in range(9)} == set(sides)
    assert made.report["duplicates_across_split"] == 1
    assert leak["gen"] in {s.gen for s in made.train} and leak["gen"] not in {s.gen for s in made.val}


def test_the_accounts_add_up() -> None:
    rows = [*BARE, *BARE[:20], {"prompt": " ", "gen": "x"}, {"prompt": "p", "gen": "y" * 5000}]
    made = mixed(spec(sources=THEIRS, max_chars=600), {"theirs": rows})
    for name, count in (("own", len(OWN)), ("theirs", len(rows))):
        told = made.report["sources"][name]
        assert told["read"] == count == told["passed"] + sum(told["filtered"].values())
        assert told["passed"] == sum(sum(kinds.values()) for kinds in told["there"].values())
    assert made.report["sources"]["theirs"]["filtered"]["duplicate"] == 20


def test_dataset_weights_are_kept_by_more_and_by_fewer_rows() -> None:
    for weight, rows in ((0.25, 33), (0.5, 100), (0.9, 900)):
        told = spec(sources=THEIRS, dataset_weights={"own": 1 - weight, "theirs": weight})
        made = mixed(told, {"theirs": BARE})
        assert names(made) == {"crates": 100, "theirs": rows}
        assert made.report["shares"]["sources"]["theirs"]["asked"] == weight
        assert abs(made.report["shares"]["sources"]["theirs"]["achieved"] - weight) < 0.005
        times = Counter(s.id for s in made.train if s.source == "theirs")
        assert max(times.values()) - min(times.values()) <= 1, "no row is repeated before all were taken"
    there = made.report["sources"]["theirs"]["there"]["train"]["unnamed"]
    assert made.report["sources"]["theirs"]["repeated"] == 900 - there


def test_a_weight_that_rows_do_not_fill_is_a_shortage() -> None:
    told = spec(sources=THEIRS, dataset_weights={"own": 0.01, "theirs": 0.99}, max_repeats=2, max_chars=4000)
    made = mixed(told, {"theirs": BARE})
    there = made.report["sources"]["theirs"]["there"]["train"]["unnamed"]
    lack = made.report["sources"]["theirs"]["shortages"]["train"]["theirs"]
    assert lack == {"asked": 9900, "found": 2 * there} and names(made)["theirs"] == 2 * there


def test_task_weights_draw_more_of_one_and_less_of_another() -> None:
    kinds = ["code_generation", "explanations", "transformations"]
    rows = [{**row, "_task_type": kinds[place % 3]} for place, row in enumerate(BARE)]
    plain = mixed(spec(sources=THEIRS), {"theirs": rows}).report["sources"]["theirs"]["there"]["train"]
    weights = {"explanations": 2.5, "transformations": 0.5, "code_generation": 0}
    told = spec(
        sources=THEIRS, task_weights=weights, task_mix={"explanations": 0.5, "code_generation": 0.5},
        crate_rows=0, curriculum_rows=0,
    )  # fmt: skip
    made = mixed(told, {"theirs": rows})
    counts = Counter(s.task_type for s in made.train)
    assert counts == {
        "explanations": int(plain["explanations"] * 2.5 + 0.5),
        "transformations": int(plain["transformations"] * 0.5 + 0.5),
    }
    assert made.report["sources"]["theirs"]["filtered"] == {"task type weighs nothing": 100}
    times = Counter(Counter(s.id for s in made.train if s.task_type == "explanations").values())
    assert set(times) == {2, 3}


def test_task_weights_move_the_shares_of_the_own_rows() -> None:
    types = ["code_generation", "error_fixing"]
    own = [own_row(place, task_type=types[place % 2], split="train") for place in range(200)]
    even = {"code_generation": 0.5, "error_fixing": 0.5}
    told = spec(task_mix=even, task_weights={"error_fixing": 3}, crate_rows=80)
    assert Counter(s.task_type for s in mix(own, "d", told, row_code).train) == {
        "code_generation": 20,
        "error_fixing": 60,
    }
    # 100 rows of it are there; the weight lets each stand up to three times.
    wide = mix(own, "d", told.model_copy(update={"crate_rows": 400}), row_code)
    assert Counter(s.task_type for s in wide.train) == {"code_generation": 100, "error_fixing": 300}
    assert wide.report["sources"]["own"]["repeated"] == 200 and not wide.report["shortages"]["train"]
    wider = mix(own, "d", told.model_copy(update={"crate_rows": 800}), row_code)
    assert wider.report["shortages"]["train"]["error_fixing"] == {"asked": 600, "found": 300}


def test_interleaving() -> None:
    parts = [["a"] * 12, ["b"] * 4, ["c"] * 2]
    assert interleaved(parts, "sequential") == ["a"] * 12 + ["b"] * 4 + ["c"] * 2
    assert "".join(interleaved(parts, "round_robin")) == "abcabcabab" + "a" * 8
    even = interleaved(parts, "weighted")
    assert Counter(even) == {"a": 12, "b": 4, "c": 2}
    for end in range(1, len(even) + 1):
        for name, size in (("a", 12), ("b", 4), ("c", 2)):
            assert abs(even[:end].count(name) - end * size / 18) <= 1
    assert interleaved([[], ["b"]], "weighted") == ["b"]


@pytest.mark.parametrize("manner", ["sequential", "round_robin", "round-robin", "weighted"])
def test_the_order_of_sources_is_as_asked(manner: str) -> None:
    told = spec(sources={"theirs": {"from": "local:x.jsonl", "rows": 50}}, interleave=manner)
    order = [sample.source for sample in mixed(told, {"theirs": BARE}).train]
    found = "".join("t" if name == "theirs" else "o" for name in order)
    expected = {"sequential": "o" * 100 + "t" * 50, "round_robin": "ot" * 50 + "o" * 50}
    if manner == "weighted":
        assert all(found[at : at + 30].count("t") in (9, 10, 11) for at in range(120))
    else:
        assert found == expected[manner.replace("-", "_")]


def test_a_data_set_of_other_sources_alone() -> None:
    told = spec(sources=THEIRS, crate_rows=0)
    made = mixed(told, {"theirs": BARE})
    assert set(names(made)) == {"theirs"} and 0 < len(made.val) <= 20
    assert not {s.id for s in made.train} & {s.id for s in made.val}


def test_the_hub_is_read_with_its_own_library_and_the_same_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library takes a folder of that name for the data set: its real reading, without a network.
    (tmp_path / "some" / "rows").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(BARE[:7]), tmp_path / "some" / "rows" / "data.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    whole, streamed = (
        list(samples_of("h", SourceSpec(origin=f"hub:some/rows@{COMMIT}", streaming=flag)))
        for flag in (False, True)
    )
    assert whole == streamed and [s.prompt for s in whole if s] == [row["prompt"] for row in BARE[:7]]
    with pytest.raises(UserError, match="cannot be read .*Unknown split"):
        list(samples_of("h", SourceSpec(origin=f"hub:some/rows@{COMMIT}", hub_split="tast")))


@pytest.mark.parametrize("streaming", [True, False])
def test_without_a_network_the_hub_is_one_sentence(tmp_path: Path, streaming: bool) -> None:
    told = spec(sources={"h": {"from": f"hub:nobody/nothing@{COMMIT}", "streaming": streaming}})
    done = subprocess.run(
        [sys.executable, "-m", "scripts.mix", "--name", "d", "--report", f"{tmp_path}/d/mix.json",
         *_words(flags(told))],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        "nobody/nothing at 0123456789ab is not in the local cache and the hub cannot be reached"
        in done.stderr
    )
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"prompt": "p", "gen": "g"}\n{"prompt": "p"}\n', "line 2: no text in gen .*the row has prompt"),
        ('{"prompt": "p", "gen": "g"}\n\n{"prompt"\n', "line 3: not JSON"),
        ('["prompt"]\n', "line 1: a row is a JSON object in braces, not list"),
        ('{"prompt": "p", "gen": "\\ud800"}\n', "line 1: a .u escape spells half a character"),
        ("[" * 100_000 + "\n", "line 1: nested too deep"),
        ('{"prompt": "p", "gen": NaN}\n', "line 1: not JSON"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(UserError, match=told):
        list(samples_of("x", SourceSpec(origin=f"local:{tmp_path}/x.jsonl")))


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "\xe9"}\n')
    with pytest.raises(UserError, match=r"latin.jsonl, line 1: not UTF-8"):
        list(samples_of("x", SourceSpec(origin=f"local:{tmp_path}/latin.jsonl")))
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="cut.parquet: not a whole Parquet file"):
        list(samples_of("x", SourceSpec(origin=f"parquet:{tmp_path}/cut.parquet")))
    for origin, told in (
        ("local:nowhere.jsonl", "nowhere.jsonl is no file and no folder"),
        (f"local:{tmp_path}/cut.parquet", "local: reads .jsonl files"),
        (f"parquet:{ROOT}/docs", "holds no .parquet file"),
    ):
        with pytest.raises(UserError, match=told):
            files_of("x", SourceSpec(origin=origin))
    assert [path.name for path in files_of("x", SourceSpec(origin=f"local:{tmp_path}"))] == ["latin.jsonl"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sources": {"a": {"from": "theirs.jsonl"}}}, "a source is local:"),
        ({"sources": {"a": {"from": "hub:some/rows@main"}}}, "all 40 digits"),
        ({"sources": {"curriculum": {"from": "local:x"}}}, "may not be called curriculum"),
        ({"sources": {"A b": {"from": "local:x"}}}, "small letters"),
        ({"sources": THEIRS, "dataset_weights": {"theirs": 1}}, "must name just own, theirs"),
        ({"sources": THEIRS, "dataset_weights": {"own": 0, "theirs": 1}}, "above 0"),
        ({"task_weights": {"code_generation": -1}}, "a weight is a number from 0"),
        ({"task_weights": {"code_generation": 0}}, "leave no task type"),
        ({"interleave": "shuffled"}, "weighted"),
        ({"min_chars": 5000}, "min_chars .5000. is above max_chars"),
        ({"min_lines": 3, "max_lines": 2}, "min_lines .3. is above max_lines"),
        ({"idiomatic_quality_ratio": 2}, "less than or equal to 1"),
    ],
)
def test_bad_keys_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        spec(**given)
