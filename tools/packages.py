"""The Python packages of .venv: made from requirements.lock, made anew when the lock changed, whole or not at all.

Standard library only. uv installs (it is twenty times faster), pip where uv cannot.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tools.indexes import pip_settings, uv_environment

LOCK = "requirements.lock"
STAMP = "rust-expert-lock"
UNFINISHED = "rust-expert-unfinished"
DISK_NEEDED = 8 * 2**30
"""Bytes that a new .venv takes (torch brings its CUDA libraries), with room for what is unpacked on the way."""

NETWORK_SIGNS = (
    "could not resolve", "couldn't resolve", "dns error", "temporary failure", "name or service not known",
    "network is unreachable", "connection refused", "connection reset", "connection error", "timed out",
    "client error (connect)", "newconnectionerror", "error sending request", "failed to establish",
)  # fmt: skip


class SetupFault(Exception):
    """Set-up cannot go on; the message names the fix, `code` is the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def locked(lock: Path) -> dict[str, list[tuple[str, str]]]:
    """Package names of a lock, each with its (version, marker) rows; an empty marker holds everywhere."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        row = re.match(r"([A-Za-z0-9._-]+)==([^ ;]+)(?: *; *(.*))?$", line)
        if row:
            found.setdefault(row[1].lower(), []).append((row[2], row[3] or ""))
    return found


def fingerprint(root: Path, python: Path) -> str:
    """What a finished .venv is stamped with: the lock's hash and the interpreter's version."""
    version = interpreter_version(python)
    digest = hashlib.sha256((root / LOCK).read_bytes()).hexdigest()
    return f"{digest} python{version}\n"


def interpreter_version(python: Path) -> str:
    """Such as `3.11`; empty where the interpreter does not start."""
    if python.resolve() == Path(sys.executable).resolve():
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        told = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except OSError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def is_ready(root: Path) -> bool:
    """Whether .venv is whole and made from the lock as it is now."""
    folder = root / ".venv"
    try:
        stamp = (folder / STAMP).read_text(encoding="ascii")
    except OSError:
        return False
    return not (folder / UNFINISHED).exists() and stamp == fingerprint(root, folder / "bin" / "python")


def ensure(root: Path, wanted: str = "") -> None:
    """Bring .venv to what the lock says; does nothing where it is there already.

    `wanted` is the Python version (`3.12`) that the user asked for, empty for any.
    Raises SetupFault; a .venv that could not be finished is removed again.
    """
    folder = root / ".venv"
    python = folder / "bin" / "python"
    version = interpreter_version(python) if python.exists() else ""
    if is_ready(root) and wanted in ("", version):
        return
    new = not folder.exists() or (folder / UNFINISHED).exists() or not version or wanted not in ("", version)
    if new:
        _check_disk(root)
        print("set-up: Python packages into .venv (about 3 GB to fetch, once)", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    else:
        print(f"set-up: .venv follows {LOCK}", flush=True)
    (folder / UNFINISHED).touch()
    finished = False
    try:
        if new:
            venv.create(folder, with_pip=True, symlinks=True)
        _install(root, folder)
        (folder / STAMP).write_text(fingerprint(root, python), encoding="ascii")
        (folder / UNFINISHED).unlink()
        finished = True
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupFault(f".venv could not be made ({error}); mend that and start again") from None
    finally:
        if not finished and new:
            shutil.rmtree(folder, ignore_errors=True)


def _check_disk(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < DISK_NEEDED and not (root / ".venv").exists():
        raise SetupFault(
            f"{free / 2**30:.1f} GB free on this disk, {DISK_NEEDED / 2**30:.0f} GB are needed: free some"
        )


def _install(root: Path, folder: Path) -> None:
    python = folder / "bin" / "python"
    listing = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    additions = uv_environment(pip_settings(listing), dict(os.environ))
    if additions is not None and _fetch_uv(root, folder):
        command = [
            str(folder / "bin" / "uv"), "pip", "sync", "--python", str(python), "--compile-bytecode", str(root / LOCK),
        ]  # fmt: skip
        code, told = _watched(command, additions)
        if code == 0:
            return
        _raise_if_network(told)
        print("set-up: uv could not do it; trying pip, which takes some minutes", flush=True)
    # Every version is pinned, so there is nothing to resolve.
    command = [str(python), "-m", "pip", "install", "--no-deps", "-r", str(root / LOCK)]
    code, told = _watched(command, {})
    if code != 0:
        _raise_if_network(told)
        raise SetupFault(f"the packages of {LOCK} could not be installed; pip's message stands above")


def _fetch_uv(root: Path, folder: Path) -> bool:
    """Put the pinned uv into .venv; False where the index has none for this machine."""
    python = folder / "bin" / "python"
    version = locked(root / LOCK)["uv"][0][0]
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", f"uv=={version}"]
    code, told = _watched(command, {})
    if code != 0:
        _raise_if_network(told)
    return code == 0


def _raise_if_network(told: str) -> None:
    if any(sign in told.lower() for sign in NETWORK_SIGNS):
        raise SetupFault("the package index cannot be reached; check the network and start again", code=1)


def _watched(command: list[str], additions: dict[str, str]) -> tuple[int, str]:
    """Run a command so that the user sees its progress; returns its status and, where it failed, what it said."""
    environment = os.environ | additions
    # Bars need the terminal itself; a second try, without them, tells why it failed (and may well succeed).
    if sys.stderr.isatty() and subprocess.run(command, env=environment).returncode == 0:
        return 0, ""
    said: list[str] = []
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as child:
        assert child.stderr is not None
        try:
            for line in child.stderr:
                said.append(line)
                if not line.startswith((" + ", " - ", " ~ ")):
                    sys.stderr.write(line)
        except BaseException:
            child.terminate()
            raise
    return child.returncode, "".join(said)


def difference(lock: Path, installed: dict[str, str]) -> list[str]:
    """How the packages of this interpreter differ from the lock, one phrase each; empty where they agree.

    `installed` maps package names to versions. Must run in .venv: markers are judged for this interpreter.
    """
    from pip._vendor.packaging.markers import Marker

    have = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in installed.items()}
    found: list[str] = []
    for name, rows in sorted(locked(lock).items()):
        for version, marker in rows:
            if marker and not Marker(marker).evaluate():
                continue
            present = have.get(re.sub(r"[-_.]+", "-", name))
            if present is None:
                found.append(f"{name} {version} is missing")
            elif present != version:
                found.append(f"{name} is {present}, the lock says {version}")
    return found
