"""The judge under load: it says what is right, in bounded time, goes on with the next sample, and leaves nothing."""

import contextlib
import ctypes
import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rust_expert.common.contracts import Verdict
from rust_expert.judge.sandbox import Limits, Sandbox
from tests.attacks.attack import ADD, OPTIONS, Attack, judged
from tests.attacks.bombs import BOMBS
from tests.attacks.leftovers import below, read

RIGHT = "fn add(a: i32, b: i32) -> i32 { a + b }"
BYTES = (
    "std::io::Write::write_all(&mut std::io::stdout(), &[255, 254, 0, 10, 237, 160, 128, 10, 27, 91, 50, 74])"
)
STRESSES = {
    "prints what is no text": ("passed", f"fn add(a: i32, b: i32) -> i32 {{ {BYTES}.unwrap(); a + b }}"),
    "prints what is no text and is wrong": ("failed", f"fn add(a: i32, b: i32) -> i32 {{ {BYTES}.unwrap(); a - b }}"),
    "panics with control characters": (
        "failed",
        'fn add(a: i32, b: i32) -> i32 { panic!("\\u{1b}[2J\\u{202e}\\r\\n\\0") }',
    ),
    "prints a gigabyte": (
        "resource_limit",
        "fn add(a: i32, b: i32) -> i32 { let all = vec![b'x'; 1 << 20];\n"
        "for _ in 0..1024 { std::io::Write::write_all(&mut std::io::stdout(), &all).unwrap(); } a + b }",
    ),
    "prints a line of a gigabyte to its errors": (
        "resource_limit",
        "fn add(a: i32, b: i32) -> i32 { let all = vec![b'x'; 1 << 20];\n"
        "for _ in 0..1024 { std::io::Write::write_all(&mut std::io::stderr(), &all).unwrap(); } a + b }",
    ),
    "fills the compiler's folder": (
        "resource_limit",
        "mod m { core::arch::global_asm!(\".section .rodata\", \".fill 90000000, 1, 1\"); }\n" + RIGHT,
    ),
    "starts 20,000 threads": next(("failed", bomb.code) for bomb in BOMBS if bomb.name == "starts threads without end"),
    "crashes rustc": next(("compile_error", bomb.code) for bomb in BOMBS if bomb.name == "nests parentheses"),
    "makes rustc run for ever": next(("timeout", bomb.code) for bomb in BOMBS if bomb.name == "chains closures"),
}  # fmt: skip
"""Samples, and the verdicts that they get."""


@functools.cache
def verdicts(batch: int) -> tuple[dict[str, Verdict], float]:
    """All of them, each followed by a right answer in words of its own."""
    rows = []
    for number, (name, (_, code)) in enumerate(STRESSES.items()):
        rows += [Attack(name, code), Attack(f"after {name}", f"{RIGHT}\n// {number}")]
    begun = time.monotonic()
    return judged(rows, OPTIONS.model_copy(update={"batch": batch})), time.monotonic() - begun


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("name", STRESSES)
def test_the_verdict_is_right_and_the_judge_goes_on(name: str, batch: int) -> None:
    found, seconds = verdicts(batch)
    assert found[name].status == STRESSES[name][0], found[name]
    assert found[f"after {name}"].status == "passed"
    assert found[name].message.isprintable(), found[name].message
    assert seconds < 90


def test_400_orphans_end_with_their_room() -> None:
    script = "i=0; while [ $i -lt 400 ]; do (sleep 91235 &) ; i=$((i+1)); done; ls /proc | grep -c '^[0-9]'"
    outcome = Sandbox(Limits(processes=1000, wall_seconds=60, memory_mb=256)).run(["/bin/sh", "-c", script])
    assert int(outcome.stdout) > 400  # they did start
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\0" + b"91235" in read(path)]


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Meanwhile what has lost its parent becomes a child of this process, so that none is overlooked."""
    library = ctypes.CDLL(None)
    assert library.prctl(36, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        library.prctl(36, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples that keep the judge at it for a while: compilers that run on, programs that sleep, and plain ones."""
    folder = tmp_path_factory.mktemp("killed")
    slow = [bomb.code for bomb in BOMBS if bomb.name in ("chains closures", "sleeps", "spins")]
    rows = [
        {
            "task_id": "add",
            "sample": number,
            "completion": f"{slow[number % 4] if number % 4 < 3 else RIGHT} // {number}",
        }
        for number in range(60)
    ]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "problems.jsonl").write_text(ADD.model_dump_json() + "\n")
    return folder


@pytest.mark.parametrize("nth", range(3))
def test_kill_9_leaves_no_process_and_no_mount_and_the_next_judge_no_file(
    nth: int, inputs: Path, tmp_path: Path
) -> None:
    moment = random.uniform(0.5 + nth * 1.5, 2 + nth * 1.5)
    command = [
        sys.executable,
        "-m",
        "scripts.judge",
        inputs / "samples.jsonl",
        "--suite",
        inputs / "problems.jsonl",
    ]
    command += ["--out", tmp_path / "out.jsonl", "--workers", "2", "--no-lints"]
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    mounts = Path("/proc/self/mounts").read_text()
    before = below(os.getpid())
    with adopting():
        judge = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moment)
        assert judge.poll() is None, "it was over before it was killed"
        judge.send_signal(signal.SIGKILL)
        judge.wait()
        deadline = time.monotonic() + 10
        while (left := below(os.getpid()) - before) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, (moment, [read(Path(f"/proc/{process}/cmdline")) for process in left])
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    assert Path("/proc/self/mounts").read_text() == mounts
    start = "from rust_expert.judge.interruption import interruptible\nwith interruptible(str): pass"
    subprocess.run(
        [sys.executable, "-c", start], env={**os.environ, "TMPDIR": str(scratch)}, check=True, timeout=60
    )
    assert not list(scratch.iterdir()), (moment, list(scratch.iterdir()))  # the next judge has swept
