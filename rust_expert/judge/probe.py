"""Tries the sandbox's promises on this machine, in about a second, before anything untrusted runs."""

import dataclasses
import os
import shlex
from collections.abc import Callable
from pathlib import Path

from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox
from rust_expert.judge.testroom import run_once


@dataclasses.dataclass(frozen=True)
class Promise:
    """One promise of the sandbox: what it says, whether it held here, what was seen where it did not."""

    text: str
    kept: bool
    seen: str = ""


def _shell(script: str, limits: Limits | None = None) -> Outcome:
    return Sandbox(limits or Limits(wall_seconds=10)).run(["/bin/sh", "-c", script])


def _works() -> tuple[bool, Outcome]:
    outcome = _shell("/rust/bin/rustc --version && echo out > /work/file && cat /work/file")
    return outcome.returncode == 0 and outcome.stdout.endswith("out\n"), outcome


def _hides_the_host() -> tuple[bool, Outcome]:
    home = shlex.quote(str(Path.home()))
    here = shlex.quote(os.getcwd())
    outcome = _shell(
        f"for it in /etc/passwd {home} {here} /var /sys; do [ -e $it ] && echo $it; done; ps -e; true"
    )
    found = [line for line in outcome.stdout.splitlines() if line.startswith("/")]
    processes = len(outcome.stdout.splitlines()) - len(found)
    return not found and processes < 10, outcome


def _has_no_network() -> tuple[bool, Outcome]:
    outcome = _shell("tail -n +3 /proc/net/dev; cat /proc/net/route")
    interfaces = [line.split(":")[0].strip() for line in outcome.stdout.splitlines() if ":" in line]
    return interfaces in ([], ["lo"]), outcome


def _is_read_only() -> tuple[bool, Outcome]:
    script = "for it in / /usr /usr/bin /in /dev /dev/shm /rust; do touch $it/probe 2>/dev/null && echo $it; done; true"
    outcome = _shell(script)
    return outcome.returncode == 0 and outcome.stdout == "", outcome


def _limits_files() -> tuple[bool, Outcome]:
    script = "for it in 1 2 3 4; do head -c 600000 /dev/zero > /work/$it || exit 9; done"
    outcome = _shell(script, Limits(work_mb=1, wall_seconds=10))
    return outcome.returncode == 9, outcome


def _limits_memory() -> tuple[bool, Outcome]:
    outcome = _shell(
        "head -c 200000000 /dev/zero | tail -c 190000000 | wc -c", Limits(memory_mb=32, wall_seconds=10)
    )
    return outcome.stdout.strip() != "190000000", outcome


def _limits_processes() -> tuple[bool, Outcome]:
    script = "for it in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; echo all"
    outcome = _shell(script, Limits(processes=6, wall_seconds=10))
    return "all" not in outcome.stdout, outcome


def _stops_in_time() -> tuple[bool, Outcome]:
    outcome = _shell("sleep 30 & sleep 30", Limits(wall_seconds=0.1))
    return outcome.killed_by == "wall", outcome


def _refuses_processes() -> tuple[bool, Outcome]:
    outcome = run_once(Limits(wall_seconds=10), ["/bin/sh", "-c", "ls & echo started"])
    return "started" not in outcome.stdout, outcome


_PROMISES: dict[str, Callable[[], tuple[bool, Outcome]]] = {
    "rustc runs in the sandbox": _works,
    "the host's files and processes cannot be seen": _hides_the_host,
    "there is no network": _has_no_network,
    "the system is read-only": _is_read_only,
    "the work folder is limited": _limits_files,
    "memory is limited": _limits_memory,
    "processes are limited": _limits_processes,
    "time is limited": _stops_in_time,
    "a sample starts no process": _refuses_processes,
}


def probe() -> list[Promise]:
    """Try each promise. Raises UserError where the sandbox cannot be set up at all."""
    promises = []
    for text, check in _PROMISES.items():
        try:
            kept, outcome = check()
            seen = "" if kept else f"exit {outcome.returncode}: {outcome.stdout[:200]}{outcome.stderr[:200]}"
        except JudgeFault as fault:
            kept, seen = False, str(fault)
        promises.append(Promise(text, kept, seen))
    return promises


def require_sandbox() -> None:
    """Raise UserError, naming the promises, where the sandbox does not hold here: no sandbox, no run."""
    broken = [f"{promise.text} ({promise.seen})" for promise in probe() if not promise.kept]
    if broken:
        raise UserError(
            "the sandbox does not keep what it promises on this machine, nothing was judged: "
            + "; ".join(broken)
            + "; see docs/judge.md"
        )
