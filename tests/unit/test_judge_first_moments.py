"""A judge killed while a room is being made leaves no room, in whatever moment of the making it was."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MAKES_ROOMS = """
import sys, threading
from rust_expert.judge.rooms import mark_of_rooms
from rust_expert.judge.sandbox import Limits, Sandbox

print(mark_of_rooms(), flush=True)

def make() -> None:
    while True:
        Sandbox(Limits()).run(["/usr/bin/sleep", sys.argv[1]])

for _ in range(2):
    threading.Thread(target=make).start()
"""

STAYS_IN_THE_MAKING = """
import os, subprocess
from rust_expert.judge.rooms import mark_of_rooms

mark = mark_of_rooms()
ends = os.pipe()
words = ["bwrap", "--setenv", "ROOM", {word}, "--unshare-pid", "--die-with-parent", "--new-session"]
words += ["--ro-bind", "/", "/", "--block-fd", str(ends[0]), "true"]
process = subprocess.Popen(words, pass_fds=ends)
print(mark, process.pid, flush=True)
process.wait()
"""


def marked(mark: str) -> list[Path]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent)
        except OSError:
            continue
    return found


def soon(mark: str, there: bool, seconds: float = 10) -> bool:
    """Whether a process with the mark is there, or none is, within some seconds."""
    deadline = time.monotonic() + seconds
    while bool(marked(mark)) != there:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def judge(script: str, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.parametrize("milliseconds", [*range(0, 16, 2), *range(20, 60, 10)])
def test_killed_at_any_moment_it_leaves_no_room(milliseconds: int) -> None:
    with judge(MAKES_ROOMS, "0.003" if milliseconds % 4 else "1000000") as process:
        assert process.stdout
        mark = process.stdout.readline().strip()
        time.sleep(milliseconds / 1000)
        process.kill()
    assert soon(mark, there=False)
    time.sleep(0.1)
    assert not marked(mark)


@pytest.mark.parametrize("word", ["mark", "'no mark'"])
def test_a_room_that_does_not_yet_die_with_its_parent(word: str) -> None:
    """bwrap is held where its inner process has not yet asked to die with the outer one. Without the mark it stays,
    so that this test could fail."""
    with judge(STAYS_IN_THE_MAKING.replace("{word}", word)) as process:
        assert process.stdout
        mark, outer = process.stdout.readline().split()
        children = Path("/proc", outer, "task", outer, "children")
        deadline = time.monotonic() + 10
        while not (inner := children.read_text().split()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.3)
        process.kill()
    if word == "mark":
        assert soon(mark, there=False)
    time.sleep(2.5)
    left = [number for number in inner if Path("/proc", number).exists()]
    for number in left:
        os.kill(int(number), 9)
    assert bool(left) == (word != "mark")
