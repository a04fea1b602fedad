"""What a run was made with: versions, toolchain, machine. Only here may a result know the machine it was made on."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil


def machine() -> dict[str, Any]:
    """Processor, cores, memory in MB, system and kernel, and the GPUs if there are any. No host or user name."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "cores_usable": _usable_cores(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "system": _system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "gpus": gpus(),
    }


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or "unknown"
    found = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or "unknown"


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def gpus() -> list[dict[str, str]]:
    """Name, memory and driver of each NVIDIA GPU that nvidia-smi shows; none where it is missing or fails."""
    told = answer("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    rows = [[cell.strip() for cell in line.split(",")] for line in (told or "").splitlines()]
    return [{"name": row[0], "memory": row[1], "driver": row[2]} for row in rows if len(row) == 3]


def tools() -> dict[str, str | None]:
    """The first line that each tool outside Python says of its version; None for one that is not there."""
    return {
        "rustc": answer("rustc", "--version"),
        "cargo": answer("cargo", "--version"),
        "clippy": answer("clippy-driver", "--version"),
        "bubblewrap": answer("bwrap", "--version"),
        "git": answer("git", "--version"),
    }


def packages() -> dict[str, str]:
    """Every installed Python package and its version, by normalised name."""
    found = {
        re.sub(r"[-_.]+", "-", name).lower(): distribution.version
        for distribution in importlib.metadata.distributions()
        if (name := distribution.metadata["Name"])
    }
    return dict(sorted(found.items()))


def git_state(root: Path) -> dict[str, Any]:
    """The commit that is checked out and whether tracked or new files differ from it; None where there is no git."""
    commit = answer("git", "-C", str(root), "rev-parse", "HEAD")
    if commit is None or not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return {"commit": None, "dirty": None}
    changed = answer("git", "-C", str(root), "status", "--porcelain", "--untracked-files=normal")
    return {"commit": commit, "dirty": None if changed is None else bool(changed)}


def answer(*command: str) -> str | None:
    """What a command says on stdout; None where it is not installed, fails or takes more than 20 seconds."""
    if shutil.which(command[0]) is None:
        return None
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, env=environment, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
