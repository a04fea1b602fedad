"""Processes that a sandbox leaves behind: their CPU time is counted, and no other child is taken from its owner."""

from pathlib import Path

import pytest

from tests.watched import of_run, ran, written

ROOM = """
from concurrent.futures import ThreadPoolExecutor
from rust_expert.common import orphans
words = ["bwrap", "--unshare-pid", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
def room(code):
    subprocess.run([*words, sys.executable, "-c", code], check=True)
def zombies():
    told = subprocess.run(["ps", "-o", "stat=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    return told.count("Z")
"""


@pytest.mark.parametrize(
    "before", ["pass", "signal.signal(signal.SIGCHLD, signal.SIG_DFL)"], ids=["heard", "unheard"]
)
def test_what_runs_in_a_room_is_counted(tmp_path: Path, before: str) -> None:
    heavy = "for _ in range(3):\n    room('held = bytearray(300_000_000); sum(range(20_000_000))')"
    assert ran(written(tmp_path, ROOM + before + "\n" + heavy), "--telemetry", tmp_path) == (0, "")
    found = of_run(tmp_path / "jobs/probe.prom")
    assert found["cpu_seconds of=children"] > 3 * 0.1
    assert found["peak_memory_bytes of=children"] > 300e6


def test_rooms_leave_no_zombies_behind(tmp_path: Path) -> None:
    body = """
for _ in range(10):
    room("pass")
time.sleep(0.6)
room("pass")
time.sleep(0.1)
print(zombies(), file=sys.stderr)
orphans.reap()
print(zombies(), file=sys.stderr)
"""
    code, told = ran(written(tmp_path, ROOM + body))
    now_and_then, at_last = map(int, told.split())
    assert code == 0 and now_and_then <= 2 and at_last == 0


def test_every_other_child_keeps_its_exit_code(tmp_path: Path) -> None:
    body = """
def others(place):
    if place % 10 == 0:
        room("pass")
    orphans.reap()
    return subprocess.run(["sh", "-c", f"exit {place % 7}"]).returncode == place % 7
with ThreadPoolExecutor(8) as pool:
    assert all(pool.map(others, range(400)))
"""
    assert ran(written(tmp_path, ROOM + body)) == (0, "")
