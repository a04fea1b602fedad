"""What the machine lacks: the fix is named, nothing is half-done, and a second set-up changes nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import system

ROOT = Path(__file__).resolve().parents[2]


def path_without(folder: Path, *missing: str) -> str:
    """A PATH with every program of this machine but some, and without what could install them."""
    programs = folder / "bin"
    programs.mkdir()
    left_out = {*missing, "apt-get", "sudo"}
    for place in os.environ["PATH"].split(os.pathsep):
        if not Path(place).is_dir():
            continue
        for program in Path(place).iterdir():
            if program.name not in left_out and not (programs / program.name).is_symlink():
                (programs / program.name).symlink_to(program)
    return str(programs)


def start(script: str, path: str, *words: str) -> tuple[int, str]:
    environment = dict(os.environ, PATH=path)
    done = subprocess.run(
        ["/bin/sh", f"tools/{script}.sh", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def fake(folder: Path, name: str, text: str) -> None:
    """Put a program of our own before the others."""
    program = folder / "bin" / name
    program.unlink(missing_ok=True)
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


@pytest.mark.parametrize("script", ["setup", "doctor"])
def test_without_bubblewrap(tmp_path: Path, script: str) -> None:
    words = ["--offline"] if script == "doctor" else []
    code, told = start(script, path_without(tmp_path, "bwrap"), *words)
    assert code == 2
    assert "sudo apt-get install bubblewrap" in told


def test_without_namespaces(tmp_path: Path) -> None:
    path = path_without(tmp_path)
    fake(tmp_path, "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    for script in ("setup", "doctor"):
        code, told = start(script, path)
        assert code == 2
        assert "bubblewrap cannot make a sandbox here (bwrap: No permissions to create new namespace)" in told


@pytest.mark.parametrize("script", ["setup", "doctor"])
def test_a_rustc_too_old(tmp_path: Path, script: str) -> None:
    path = path_without(tmp_path, "rustup", "apt-cache")
    fake(tmp_path, "rustc", "echo 'rustc 1.63.0 (4b91a6ea7 2022-08-08)'")
    words = ["--offline"] if script == "doctor" else []
    code, told = start(script, path, *words)
    assert code == 2
    assert "rustc 1.63.0 (4b91a6ea7 2022-08-08) is too old for edition 2024" in told
    assert "rustup" in told
    assert "--component clippy" in told


def needs_with(path: str, monkeypatch: pytest.MonkeyPatch) -> list[system.Need]:
    monkeypatch.setenv("PATH", path)
    return system.needs()


def test_the_source_of_a_missing_rust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_without(tmp_path, "rustup", *system.RUST_PROGRAMS)

    def offer(**candidates: str) -> None:
        rows = "".join(f"{name}) echo '  Candidate: {version}';; " for name, version in candidates.items())
        fake(tmp_path, "apt-cache", f"case $2 in {rows} *) echo '  Candidate: (none)';; esac")

    offer(rustc="1.85.0+dfsg3-1", rustup="1.27.1-3")
    assert needs_with(path, monkeypatch)[0].apt == system.DISTRIBUTION_RUST
    offer(rustc="1.75.0+dfsg0ubuntu1", rustup="1.26.0-3")
    assert needs_with(path, monkeypatch)[0].apt == ("rustup",)
    offer(rustc="1.63.0+dfsg1-2")
    assert needs_with(path, monkeypatch)[0].fix == system.RUSTUP_COMMAND
    fake(tmp_path, "rustup", "exit 0")
    assert needs_with(path, monkeypatch)[0].fix == system.TOOLCHAIN_COMMAND


def test_apt_installs_where_it_may(tmp_path: Path) -> None:
    """A stand-in for apt-get notes what it was asked for, and brings bubblewrap."""
    path = path_without(tmp_path, "bwrap")
    bwrap, noted = shutil.which("bwrap"), tmp_path / "noted"
    fake(
        tmp_path,
        "apt-get",
        f'echo "$@" >> {noted}; case "$*" in *install*) ln -sf {bwrap} {tmp_path}/bin/bwrap;; esac',
    )
    fake(tmp_path, "sudo", 'test "$1" = -n && shift; exec "$@"')
    code, told = start("setup", path)
    assert code == 0, told
    assert noted.read_text().splitlines()[-1].endswith("--no-install-recommends bubblewrap")


def test_no_python_in_range(tmp_path: Path) -> None:
    path = path_without(tmp_path, "python3.11", "python3.12", "python3.13")
    environment = dict(os.environ, PATH=path, PYTHON="python3.6")
    done = subprocess.run(
        ["/bin/sh", "tools/setup.sh"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "PYTHON=python3.6 is no Python from 3.11 to 3.13" in done.stderr


def installed() -> dict[str, int]:
    """When each package, program and stamp of .venv was last changed, in nanoseconds."""
    venv = Path(sys.prefix)
    folders = (venv, venv / "bin", *venv.glob("lib/python*/site-packages"))
    inside = (path for folder in folders for path in folder.iterdir() if path.name != "__pycache__")
    return {str(path): path.lstat().st_ctime_ns for path in inside}


def test_where_all_is_there_nothing_is_installed_or_said() -> None:
    before = installed()
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "setup"], cwd=ROOT, env=outside, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "" and len(before) > 100
    assert installed() == before


def test_the_doctor_is_content_here() -> None:
    code, told = start("doctor", os.environ["PATH"], "--offline")
    assert code == 0, told
    for name in (
        "python",
        "packages",
        "rustc",
        "cargo",
        "clippy-driver",
        "rustfmt",
        "sandbox",
        "disk",
        "memory",
        "cache",
    ):
        assert f"\nok    {name} " in f"\n{told}", told
