"""Counts, rates and durations of a run: valid for Prometheus, there however the run ends, and in nobody's way."""

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common import exposition, telemetry
from rust_expert.common.closure import OBSERVERS
from rust_expert.common.errors import UserError
from tests.watched import ROOT, figures, lines, of_run, ran, start, written

JOB = ("--job", "probe", "stage=base", "suite=core")
PLACE = "jobs/probe/base/core.prom"


def test_what_a_run_counts_and_costs(tmp_path: Path) -> None:
    script = written(
        tmp_path,
        """
telemetry.count("rows_in", 10)
telemetry.count_by("rows_out", "split", {"train": 5, "val": 2})
telemetry.count("rows_out", 1, split="train")
telemetry.count("rows_lost", 2, reason="too long")
held = bytearray(200_000_000)
sum(range(10_000_000))
subprocess.run([sys.executable, "-c", "bytearray(400_000_000); sum(range(10_000_000))"], check=True)
with Progress(4, "pieces") as bar:
    bar.already(1)
    bar.advance(3)
""",
    )
    assert ran(script, "--telemetry", tmp_path, *JOB)[0] == 0
    found = of_run(tmp_path / PLACE, rule="probe", job="base/core")
    assert len(found) == len(figures(tmp_path / PLACE))
    assert found["rows_in"] == 10 and found["rows_lost reason=too long"] == 2
    assert (found["rows_out split=train"], found["rows_out split=val"]) == (6, 2)
    assert found["exit_code"] == 0
    assert found["cpu_seconds of=own"] > 0.02 and found["cpu_seconds of=children"] > 0.02
    assert found["wall_seconds"] > found["cpu_seconds of=own"] / 2
    assert 200e6 < found["peak_memory_bytes of=own"] < 400e6 < found["peak_memory_bytes of=children"] < 800e6
    assert found["per_second of=rows_out"] == pytest.approx(8 / found["wall_seconds"])
    assert found["work_done work=pieces"] == 3
    assert found["work_per_second work=pieces"] == pytest.approx(3 / found["work_seconds work=pieces"])


def test_imports_are_work_of_the_run(tmp_path: Path) -> None:
    """Its clock begins after them, but the processor time of a job that imports torch is mostly theirs."""
    script = written(tmp_path, "pass")
    text = script.read_text(encoding="utf-8")
    script.write_text(f"import time\nwhile time.process_time() < 1.5:\n    pass\n{text}", encoding="utf-8")
    assert ran(script, "--telemetry", tmp_path)[0] == 0
    assert of_run(tmp_path / "jobs/probe.prom")["cpu_seconds of=own"] > 1.5


def test_memory_of_whoever_started_a_run_is_not_its_own(tmp_path: Path) -> None:
    script = written(tmp_path, "pass")
    large = f"""
import subprocess, sys
held = bytearray(600_000_000)
subprocess.run([sys.executable, {str(script)!r}, "--telemetry", {str(tmp_path)!r}], check=True)
"""
    subprocess.run([sys.executable, "-c", large], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert of_run(tmp_path / "jobs/probe.prom")["peak_memory_bytes of=own"] < 400e6


@pytest.mark.parametrize(
    ("body", "code", "fault"),
    [
        ("raise UserError('no such file: x')", 2, "no such file: x"),
        ("raise KeyboardInterrupt", 130, "interrupted"),
        ("{}['key']", 1, "KeyError: 'key'"),
        ("sys.exit('no')", 1, None),
        ("sys.exit(7)", 7, None),
    ],
)
def test_however_a_run_ends_its_figures_are_there(
    tmp_path: Path, body: str, code: int, fault: str | None
) -> None:
    script = written(tmp_path, f"telemetry.count('rows_in', 3)\n{body}")
    assert ran(script, "--telemetry", tmp_path, "--log", tmp_path / "probe.log")[0] == code
    found = of_run(tmp_path / "jobs/probe.prom", rule="probe", job="")
    assert (found["exit_code"], found["rows_in"]) == (code, 3)
    last = lines(tmp_path / "probe.jsonl")[-1]
    assert (last["event"], last["level"], last["exit_code"]) == ("ended", "error", code)
    assert last.get("fault") == fault
    assert ("Traceback" in last.get("exception", "")) == (body == "{}['key']")


def test_a_judge_that_is_interrupted_tells_its_exit_code(tmp_path: Path) -> None:
    body = """
from rust_expert.judge.interruption import interruptible
with interruptible(lambda: "interrupted: 3 of 9"):
    print("here", flush=True)
    time.sleep(60)
"""
    process = start(written(tmp_path, body), "--telemetry", tmp_path)
    assert process.stdout is not None and process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert of_run(tmp_path / "jobs/probe.prom")["exit_code"] == 143


def test_a_killed_run_leaves_no_figures_of_the_run_before(tmp_path: Path) -> None:
    script = written(tmp_path, "os.environ.get('LAST') and os.kill(os.getpid(), signal.SIGKILL)")
    assert ran(script, "--telemetry", tmp_path)[0] == 0
    assert (tmp_path / "jobs/probe.prom").is_file()
    assert ran(script, "--telemetry", tmp_path, LAST="1")[0] == -signal.SIGKILL
    assert list((tmp_path / "jobs").iterdir()) == []


def test_figures_that_cannot_be_written_fail_no_run(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("in the way")
    code, told = ran(written(tmp_path, "print('done')"), "--telemetry", tmp_path)
    assert code == 0 and "the figures of this run cannot be written" in told
    assert (tmp_path / "jobs").read_text() == "in the way"


def test_without_the_flags_nothing_is_written(tmp_path: Path) -> None:
    script = written(tmp_path, "telemetry.count('rows_in', 3)\nlog.info('said')")
    code, told = ran(script)
    assert code == 0 and re.fullmatch(r"\d\d:\d\d:\d\d said\n", told)
    assert list(tmp_path.iterdir()) == [script]


@pytest.mark.parametrize(
    "text", ['a "b" \\ c', 'x} 1\nrust_expert_rows_in{y="', "é ✓ ,=", "\ud800", "tab\tbell\a", "", "l" * 500]
)
def test_a_label_of_any_text_is_read_back(tmp_path: Path, text: str) -> None:
    telemetry.begin()
    telemetry.identify(telemetry.Job("probe"), tmp_path)
    telemetry.count("rows_lost", 3, reason=text)
    telemetry.end(0)
    found = {
        dict(labels).get("reason"): value
        for (name, labels), value in figures(tmp_path / "jobs/probe.prom").items()
        if name == "rows_lost"
    }
    (label,) = found
    assert found[label] == 3 and label and len(label) <= 120
    plain = "".join(sign if sign.isprintable() else " " for sign in text)[:120] or "unnamed"
    assert label == plain.encode("utf-8", "replace").decode()


def test_labels_without_end_are_counted_together(tmp_path: Path) -> None:
    telemetry.begin()
    telemetry.identify(telemetry.Job("probe"), tmp_path)
    for place in range(1000):
        telemetry.count("rows_lost", 2, reason=f"reason {place}", task="a")
    telemetry.end(0)
    found = of_run(tmp_path / "jobs/probe.prom")
    reasons = {name: value for name, value in found.items() if name.startswith("rows_lost ")}
    assert len(reasons) == 101 and sum(reasons.values()) == 2000
    assert reasons["rows_lost reason=other task=other"] == 1800


def test_a_count_is_explained_and_keeps_its_labels() -> None:
    telemetry.begin()
    with pytest.raises(ValueError, match="rows_outt: explain it"):
        telemetry.count("rows_outt", 1)
    telemetry.count("rows_out", 1, split="train")
    with pytest.raises(ValueError, match="rows_out: labels"):
        telemetry.count("rows_out", 1)


def test_scripts_count_what_is_explained_under_the_same_labels() -> None:
    counting: set[str] = set()
    counted: set[str] = set()
    for path in sorted((ROOT / "scripts").glob("*.py")):
        labels: dict[str, set[str]] = {}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in ("telemetry.count", "telemetry.count_by")
            ):
                continue
            name = ast.literal_eval(node.args[0])
            counted.add(name)
            told = {str(keyword.arg) for keyword in node.keywords}
            if ast.unparse(node.func) == "telemetry.count_by":
                told.add(ast.literal_eval(node.args[1]))
            assert labels.setdefault(name, told) == told, f"{path.name} counts {name} by other labels"
            assert not told & {"rule", "job", "of", "work"}
            counting.add(path.stem)
    assert counted == exposition.COUNTS.keys()
    assert counting >= {
        "fetch", "items", "builds", "tasks", "curriculum", "clean", "mix", "rsft_prompts", "rsft_select", "sample",
        "judge", "score", "train", "base",
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [["a/b"], [".."], [""], ["judge", "stage"], ["judge", "stage="], ["judge", "=x"], ["judge", "stage=../../x"],
     ["judge", "stage=.."], ["judge", "stage=a b"]],
)  # fmt: skip
def test_a_job_that_is_none_is_one_sentence(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"^--job .*write RULE NAME=VALUE"):
        telemetry.Job.parse(words)


def test_a_job_is_named_by_its_wildcards() -> None:
    job = telemetry.Job.parse(["judge", "stage=base", "suite=core-prompts"])
    assert (job.rule, job.name, job.place) == (
        "judge",
        "base/core-prompts",
        Path("jobs/judge/base/core-prompts.prom"),
    )
    assert telemetry.Job.parse(["clean"]).place == Path("jobs/clean.prom")


def made(folder: Path, rule: str, *pairs: str, rows: int = 1) -> None:
    telemetry.begin()
    telemetry.identify(telemetry.Job.parse([rule, *pairs]), folder)
    telemetry.count("rows_out", rows, split="train")
    telemetry.end(0)


def test_runs_are_merged_into_one_valid_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made(tmp_path, "mix", "dataset=broad", rows=3)
    made(tmp_path, "mix", "dataset=sharpened", rows=4)
    made(tmp_path, "clean", rows=5)
    (tmp_path / "jobs/torn.prom").write_text('rust_expert_rows_out{rule="x')
    (tmp_path / "jobs/binary.prom").write_bytes(b"\xff\xfe")
    (tmp_path / "jobs/twice.prom").write_bytes((tmp_path / "jobs/clean.prom").read_bytes())
    merged = exposition.merge(tmp_path)
    assert merged.path == tmp_path / "metrics.prom" and merged.runs == 3
    assert {path.name for path in merged.left_out} == {"torn.prom", "binary.prom", "twice.prom"}
    assert len(caplog.records) == 3
    found = figures(merged.path)
    for path in (tmp_path / "jobs").rglob("*.prom"):
        if path not in merged.left_out:
            assert figures(path).items() <= found.items()
    rows = {
        dict(labels)["rule"] + dict(labels)["job"]: value
        for (name, labels), value in found.items()
        if name == "rows_out"
    }
    assert rows == {"mixbroad": 3, "mixsharpened": 4, "clean": 5}
    text = merged.path.read_text(encoding="utf-8")
    names = re.findall(r"^# TYPE (\S+) gauge$", text, re.M)
    assert len(names) == len(set(names)) and text.endswith("\n")
    assert [line.split("{")[0] for line in text.splitlines() if not line.startswith("#")] == sorted(
        line.split("{")[0] for line in text.splitlines() if not line.startswith("#")
    ), "the values of a metric stand together"


def test_the_command_that_merges(tmp_path: Path) -> None:
    def command() -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "scripts.telemetry", str(tmp_path)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True)

    ended = command()
    assert ended.returncode == 2 and "no run has written its figures there" in ended.stderr
    made(tmp_path, "clean")
    ended = command()
    assert (ended.returncode, ended.stdout) == (0, f"{tmp_path}/metrics.prom: the figures of 1 runs\n")
    assert figures(tmp_path / "metrics.prom") == figures(tmp_path / "jobs/clean.prom")


SAID_OTHERWISE = {
    "train_sft": "train_{params.method} stage={wildcards.stage}",
    "sample_vllm": "sample_vllm {params.job}",  # of one stage and suite, or of all
    "model_card": "model_card stage={wildcards.stage}{wildcards.form}",  # the form may be empty
}


def test_every_rule_says_which_job_it_is() -> None:
    named = []
    for path in (ROOT / "rules").glob("*.smk"):
        for rule in re.split(r"^rule ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            name, log = rule.split(":")[0], re.findall(r'log:\s+"results/logs/([^"]+)\.log"', rule)[0]
            words = "".join(f" {key}={{wildcards.{key}}}" for key in re.findall(r"{(\w+)}", log))
            job = SAID_OTHERWISE.get(name, name + words)
            assert f'--log {{log}}"\n        " --telemetry results/telemetry --job {job}"' in rule, name
            named.append(name)
    assert len(named) >= 18


def test_observers_are_called_and_change_nothing() -> None:
    callers = {"rust_expert.common.cli", "rust_expert.common.progress", "rust_expert.judge.interruption"}
    for path in sorted((ROOT / "rust_expert").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        uses = any(
            name == watching or name.startswith(watching + ".") for name in names for watching in OBSERVERS
        )
        assert not uses or module in callers | OBSERVERS, f"{module} is not to know of telemetry"
    for name in ("begin", "identify", "count", "count_by", "worked", "end"):
        assert getattr(telemetry, name).__annotations__["return"] is None, f"{name} gives something back"
