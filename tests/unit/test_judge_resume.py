"""The judge interrupted for real, at moments in the middle: what is judged stays, the same command goes on from it."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import psutil
import pytest

from rust_expert.common.contracts import Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.tables import read_jsonl
from rust_expert.judge.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "suites/core.jsonl"
SLOW = "    let mut x = 1u64;\n    while std::hint::black_box(x) != 0 { x = x.wrapping_add(2); }\n    todo!()\n}\n"


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """60 answers to the problems of our own suite: right, wrong, not compiling, one that never ends."""
    lines = SUITE.read_text(encoding="utf-8").splitlines(keepends=True)[:10]
    (tmp_path / "suite.jsonl").write_text("".join(lines), encoding="utf-8")
    problems = [json.loads(line) for line in lines]
    rows = []
    for number, problem in enumerate(problems):
        right = problem["canonical_solution"]
        for text in (
            right,
            "    todo!()\n}\n",
            "    y\n}\n",
            right + "// again\n",
            f"    {number}\n}}\n",
            right,
        ):
            rows.append({"task_id": problem["task_id"], "completion": text})
    rows[31]["completion"] = SLOW
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def start(samples: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    folder = out.parent / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "scripts.judge", samples, "--suite", samples.with_name("suite.jsonl")]
    command += ["--out", out, "--no-lints"]
    command += ["--run-timeout", "1", "--workers", "2", "--batch", "3", *words]
    return subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)}
    )  # fmt: skip


def finish(samples: Path, out: Path, *words: str) -> str:
    process = start(samples, out, *words)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    assert not list((out.parent / "tmp").iterdir()) and not journal_of(out).exists()
    return said


def journal_of(out: Path) -> Path:
    return out.with_name(out.name + ".journal")


def rows_in(journal: Path) -> int:
    return max(journal.read_bytes().count(b"\n") - 1, 0) if journal.exists() else 0


def head_of(journal: Path) -> bytes:
    return journal.read_bytes().partition(b"\n")[0] if journal.exists() else b""


def end_in_the_middle(
    process: subprocess.Popen[str], journal: Path, rows: int, how: signal.Signals, not_head: bytes = b""
) -> str:
    """Send a signal once so many rows are on disk; returns what was said. No process of it may be left.

    `not_head` is the first line of the journal that the run is to replace.
    """
    while rows_in(journal) < rows or head_of(journal) == not_head:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    rooms = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    began = time.monotonic()
    said = process.communicate(timeout=20)[1]
    assert process.returncode == (-how if how == signal.SIGKILL else 128 + how)
    assert time.monotonic() - began < 10, "it waited for the samples at work"
    _, alive = psutil.wait_procs(rooms, timeout=10)
    assert not alive
    return said


def test_killed_again_and_again_it_ends_with_the_bytes_of_one_run(samples: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole" / "v.jsonl"
    said = finish(samples, whole, "--metrics", str(tmp_path / "whole.json"))
    assert "judged before" not in said
    out = tmp_path / "parts" / "v.jsonl"
    kept = 0
    for step, how in ((3, signal.SIGKILL), (4, signal.SIGINT), (5, signal.SIGKILL), (6, signal.SIGTERM)):
        said = end_in_the_middle(
            start(samples, out, "--metrics", str(tmp_path / "parts.json")), journal_of(out), kept + step, how
        )
        assert not out.exists() and not (tmp_path / "parts.json").exists()
        now = rows_in(journal_of(out))
        assert now >= kept + step
        if how != signal.SIGKILL:
            told = re.findall(
                r"interrupted: (\d+) of 60 samples are judged; the same command continues from there", said
            )
            assert len(told) == 1 and int(told[0]) >= now  # copies are in one row
            assert "Traceback" not in said and not list((out.parent / "tmp").iterdir())
        if kept:
            assert (
                re.search(r"\d+ samples were judged before, continuing from there", said)
                or how == signal.SIGKILL
            )
        kept = now
    said = finish(samples, out, "--metrics", str(tmp_path / "parts.json"))
    before = int(re.findall(r"(\d+) samples were judged before", said)[0])
    assert kept <= before < 60
    assert out.read_bytes() == whole.read_bytes()
    assert (tmp_path / "parts.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert {row.status for row in read_jsonl(out, Verdict)} == {
        "passed",
        "failed",
        "compile_error",
        "timeout",
    }


def test_other_options_or_samples_start_anew_and_a_batch_size_does_not(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "o" / "v.jsonl"
    end_in_the_middle(start(samples, out), journal_of(out), 4, signal.SIGKILL)
    said = end_in_the_middle(start(samples, out, "--batch", "7"), journal_of(out), 8, signal.SIGINT)
    assert "samples were judged before" in said
    old = head_of(journal_of(out))
    other = start(samples, out, "--policy", "off")
    said = end_in_the_middle(other, journal_of(out), 3, signal.SIGINT, not_head=old)
    assert "of other samples, problems, options or code: judging from the start" in said
    assert "judged before" not in said
    lines = samples.read_text(encoding="utf-8").splitlines(keepends=True)
    samples.write_text("".join(lines[:6]), encoding="utf-8")
    said = finish(samples, out, "--policy", "off")
    assert "judging from the start" in said and "judged before" not in said
    assert len(read_jsonl(out, Verdict)) == 6


def test_ctrl_c_on_a_terminal_is_one_sentence_below_the_bar(samples: Path, tmp_path: Path) -> None:
    """A terminal sends it to the whole foreground, the sandboxes as well: no word of theirs comes through."""
    out = tmp_path / "o" / "v.jsonl"
    command = [
        sys.executable,
        "-m",
        "scripts.judge",
        str(samples),
        "--suite",
        str(samples.with_name("suite.jsonl")),
    ]
    command += ["--out", str(out), "--no-lints", "--run-timeout", "1", "--batch", "3", "--workers", "2"]
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execv(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    shown, sent = b"", False
    with contextlib.suppress(OSError):  # the end of the other side
        while True:
            if select.select([terminal], [], [], 0.02)[0]:
                shown += os.read(terminal, 65536)
            if not sent and rows_in(journal_of(out)) >= 6:
                sent = os.write(terminal, b"\x03") == 1
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 130
    before, _, after = shown.decode().partition("^C")
    assert re.search(r"samples: +\d+%\|.*\d+/60 \[\d\d:\d\d<\d\d:\d\d, +[\d.]+/s\]", before)
    said = [line.strip() for line in after.splitlines() if line.strip() and "/60 [" not in line]
    assert len(said) == 1 and "of 60 samples are judged; the same command continues from there" in said[0]


def test_two_judges_do_not_write_one_file(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "o" / "v.jsonl"
    with Journal(out, "of another run") as held:
        process = start(samples, out)
        said = process.communicate()[1]
        assert process.returncode == 2 and "another judge is writing it" in said and "Traceback" not in said
        assert head_of(held.path) == b'{"fingerprint": "of another run"}'


def verdict(number: int, **given: object) -> Verdict:
    return Verdict.model_validate(
        {
            "task_id": "t",
            "sample": 0,
            "status": "passed",
            "compiled": True,
            "code": f"// {number} ½\ud800",
            **given,
        }
    )


def test_a_row_that_is_not_whole_is_dropped_and_faults_are_not_kept(tmp_path: Path) -> None:
    out = tmp_path / "v.jsonl"
    with Journal(out, "a") as journal:
        journal.add([verdict(1), verdict(2, status="judge_error")])
        journal.add([verdict(3)])
    whole = journal.path.read_bytes()
    for torn in (b'{"task_id": "t", "sam', b"\xff\x00\n", b"{}\n", whole.splitlines()[1][:-1]):
        journal.path.write_bytes(whole + torn)
        with Journal(out, "a") as again:
            assert sorted(row.code for row in again.known.values()) == [verdict(1).code, verdict(3).code]
            assert again.known["t", verdict(3).code] == verdict(3)
        assert journal.path.read_bytes() == whole
    with Journal(out, "a") as again:
        again.add([verdict(4)])
    with Journal(out, "a") as again:
        assert len(again.known) == 3 and not again.discarded
        with pytest.raises(UserError, match="another judge is writing it"), Journal(out, "a"):
            pass


def test_a_journal_of_something_else_is_not_gone_on_from(tmp_path: Path) -> None:
    out = tmp_path / "v.jsonl"
    with Journal(out, "a") as journal:
        journal.add([verdict(1)])
    with Journal(out, "b") as other:
        assert other.discarded and not other.known
    assert not journal.path.exists()  # nothing in it
    for text in ("", "{", '{"fingerprint": "a"}', "[]\n"):
        journal.path.write_text(text)
        with Journal(out, "a") as other:
            assert not other.known
