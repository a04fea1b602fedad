"""Rows, files, seeds and flags: what every room leans on."""

import os
import re
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, ValidationError

from rust_expert.common import cli
from rust_expert.common.completions import read_completions
from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.contracts import Completion, Problem, Sample, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import atomic_path, read_json, write_json
from rust_expert.common.seeds import rng, shard_of, stable_hash
from rust_expert.common.tables import notes_of, read_jsonl, read_parquet, write_jsonl, write_parquet


def sample(number: int) -> Sample:
    return Sample.make(
        prompt=f"Schreibe ½ {number}",
        gen="fn f() {}\r\n",
        task_type="explanations",
        span=[1, 20],
        verified=["compiles"],
    )


def test_rows_survive_both_formats(tmp_path: Path) -> None:
    rows = [sample(number) for number in range(5)]
    write_parquet(tmp_path / "a.parquet", rows, Sample)
    write_jsonl(tmp_path / "a.jsonl", rows)
    assert read_parquet(tmp_path / "a.parquet", Sample) == rows
    assert read_jsonl(tmp_path / "a.jsonl", Sample) == rows


def test_verdict_maps_survive_parquet(tmp_path: Path) -> None:
    row = Verdict(
        task_id="t", sample=1, status="failed", compiled=True, lints={"style": 2, "perf": 1}, idiomatic=0.5
    )
    write_parquet(tmp_path / "v.parquet", [row], Verdict)
    assert read_parquet([tmp_path / "v.parquet"], Verdict) == [row]


def test_notes_travel_in_a_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    write_parquet(path, [sample(1)], Sample, notes={"judge": '{"policy": "½"}'})
    assert notes_of(path) == {"judge": '{"policy": "½"}'}
    assert read_parquet(path, Sample) == [sample(1)]
    write_parquet(path, [sample(1)], Sample)
    assert notes_of(path) == {}
    path.write_text("no columns")
    with pytest.raises(UserError, match="not a Parquet file"):
        notes_of(path)


def test_completions_without_a_number_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(
        "".join(f'{{"task_id": "{task}", "completion": ""{more}}}\n' for task, more in (
            ("a", ""), ("b", ', "sample": 7'), ("a", ""), ("b", ""), ("a", ', "sample": 2'),
        ))
    )  # fmt: skip
    assert [(row.task_id, row.sample) for row in read_completions(path)] == [
        ("a", 0), ("b", 7), ("a", 1), ("b", 1), ("a", 2)
    ]  # fmt: skip
    path.write_text(path.read_text() + '{"task_id": "b", "completion": "", "sample": 1}\n')
    with pytest.raises(UserError, match=r"s\.jsonl: sample 1 of b stands twice"):
        read_completions(path)


def test_the_k_of_a_command_line() -> None:
    for given, ks in (("1,10,100", [1, 10, 100]), ("2", [2]), (4, [4]), ([10, 1], [1, 10]), ("5, 1", [1, 5])):
        assert ScoreOptions.model_validate({"k": given}).k == ks
    for given in ("", "1,x", "0", "1,1", "1;2"):
        with pytest.raises(ValidationError):
            ScoreOptions.model_validate({"k": given})


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_parquet(tmp_path / name, [sample(1)], Sample)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_underscore_names_in_json(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [sample(0)])
    assert '"_task_type":"explanations"' in (tmp_path / "a.jsonl").read_text(encoding="utf-8")


def test_rows_of_prompt_and_gen_alone_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"prompt": "p", "gen": "g"}\n\n', encoding="utf-8")
    assert read_jsonl(tmp_path / "a.jsonl", Sample)[0].gen == "g"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('{"prompt": "p"}', "gen"),
        ('{"prompt": "p", "gen": "g", "_task_typ": "x"}', "_task_typ"),
        ('{"prompt": "p", "gen": 1}', "gen"),
        ('{"prompt": ', "EOF"),
    ],
)
def test_a_broken_row_is_named_by_file_and_line(tmp_path: Path, line: str, word: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "p", "gen": "g"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"rows\.jsonl, line 2: .*" + word):
        read_jsonl(path, Sample)


def test_other_suites_extra_fields_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "suite.jsonl"
    path.write_text(
        '{"task_id":"a","prompt":"p","canonical_solution":"c","test":"t","example_test":"x"}\n',
        encoding="utf-8",
    )
    assert read_jsonl(path, Problem)[0].test == "t"


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_jsonl(tmp_path / "none.jsonl", Completion)
    with pytest.raises(UserError, match="no such file"):
        read_parquet(tmp_path / "none.parquet", Completion)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert read_json(path) == {"old": 1}
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_killed_writer_leaves_no_half_output(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    code = (
        "import sys, time\nfrom rust_expert.common.files import atomic_path\n"
        f"with atomic_path({str(path)!r}) as t:\n"
        "    t.write_text('half'); print('half', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "half\n"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    assert not path.exists()


def test_seeds_depend_on_the_key_alone() -> None:
    assert rng(1, "a", 2).random() == rng(1, "a", 2).random()
    assert rng(1, "a", 2).random() != rng(1, "a2").random()
    assert stable_hash("serde") == stable_hash("serde")
    counts = [0] * 4
    for number in range(4000):
        counts[shard_of(f"crate-{number}", 4)] += 1
    assert min(counts) > 900


class Switches(BaseModel):
    lints: bool = True
    fast: bool = False


def test_a_switch_has_a_flag_for_each_way() -> None:
    parser = ArgumentParser()
    cli.add_options(parser, Switches)
    for words, lints, fast in (
        ([], True, False),
        (["--no-lints", "--fast"], False, True),
        (["--lints", "false", "--fast", "true"], False, True),
        (["--fast", "--no-fast", "--no-lints", "--lints"], True, False),  # the last word counts
    ):
        found = cli.options_from(parser.parse_args(words), Switches)
        assert (found.lints, found.fast) == (lints, fast)


class Keep(BaseModel, extra="forbid"):
    max_clippy: float | None = 2.0
    words: list[str] = Field(default_factory=lambda: ["a b", "-x"])
    mode: str = "off"
    steps: int


def test_flags_spell_a_section_and_back() -> None:
    parser = ArgumentParser()
    cli.add_options(parser, Keep)
    section = Keep(max_clippy=None, words=['"', "$HOME `x` 'y'"], mode="null", steps=-3)
    spoken = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {cli.flags(section)}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert cli.options_from(parser.parse_args(spoken), Keep) == section


def test_a_wrong_flag_value_is_named() -> None:
    parser = ArgumentParser()
    cli.add_options(parser, Keep)
    with pytest.raises(UserError, match="--max-clippy"):
        cli.options_from(parser.parse_args(["--steps", "1", "--max-clippy", "many"]), Keep)
    with pytest.raises(UserError, match="--steps"):
        cli.options_from(parser.parse_args([]), Keep)


def test_a_script_ends_in_one_sentence(tmp_path: Path) -> None:
    code = (
        "from rust_expert.common import cli\nfrom rust_expert.common.errors import NetworkError\n"
        "def main():\n    cli.set_up_log(cli.parser('').parse_args())\n    raise NetworkError('no registry')\n"
        "cli.run(main)\n"
    )
    noted = tmp_path / "faults"
    ended = subprocess.run(
        [sys.executable, "-c", code, "--log", str(tmp_path / "l.log")],
        capture_output=True,
        text=True,
        env={**os.environ, "RUST_EXPERT_FAULTS": str(noted)},
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1 and "no registry" in ended.stderr
    assert "no registry" in (tmp_path / "l.log").read_text(encoding="utf-8")
    assert "no registry" in noted.read_text(encoding="utf-8")


def test_progress_speaks_in_plain_lines(caplog: pytest.LogCaptureFixture) -> None:
    from rust_expert.common.progress import Progress

    with caplog.at_level("INFO"), Progress(10, "rows", every=0.0) as progress:
        progress.advance(4)
        time.sleep(0.01)
        progress.advance(6)
    assert "rows: 4 of 10" in caplog.text and "rows: 10 in" in caplog.text


def test_what_an_earlier_run_did_is_in_the_sum_and_not_in_the_rate(caplog: pytest.LogCaptureFixture) -> None:
    from rust_expert.common.progress import Progress

    with caplog.at_level("INFO"), Progress(1_000_010, "rows", every=0.0) as progress:
        progress.already(1_000_000)
        time.sleep(0.05)
        progress.advance(2)
    rate = float(re.findall(r"1000002 of 1000010, ([\d.]+)/s", caplog.text)[0])
    assert 0 < rate <= 40
