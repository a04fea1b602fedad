""".venv: the user's pip configuration in uv's words, the stamp, and nothing half-done after a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import packages
from tools.indexes import pip_settings, uv_environment
from tools.packages import SetupFault

ROOT = Path(__file__).resolve().parents[2]

LISTING = """\
:env:.find-links='/nowhere/at/all /tmp'
:env:.timeout='60'
global.index-url='https://mirror.example/simple'
global.extra-index-url='\\nhttps://one.example/simple\\nhttps://two.example/simple'
install.index-url='https://other.example/simple'
global.trusted-host='mirror.example'
freeze.timeout='10'
"""


def test_pip_settings_are_read_and_ranked() -> None:
    settings = pip_settings(LISTING)
    assert settings["index-url"] == "https://other.example/simple", "install. is stronger than global."
    assert settings["timeout"] == "60"


def test_uv_is_told_what_pip_knows() -> None:
    told = uv_environment(pip_settings(LISTING), {})
    assert told is not None
    assert told["UV_DEFAULT_INDEX"] == "https://other.example/simple"
    assert told["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert told["UV_FIND_LINKS"] == "/tmp"
    assert told["UV_INSECURE_HOST"] == "mirror.example"


def test_what_the_user_told_uv_stays() -> None:
    told = uv_environment({"index-url": "https://a.example"}, {"UV_DEFAULT_INDEX": "https://b.example"})
    assert told is not None
    assert "UV_DEFAULT_INDEX" not in told


def test_pip_does_what_uv_cannot() -> None:
    assert uv_environment({"client-cert": "/x.pem"}, {}) is None
    assert uv_environment({"disable-pip-version-check": "1"}, {}) is not None


def repository(folder: Path, lock: str = "uv==0.0.1\n") -> Path:
    (folder / packages.LOCK).write_text(lock)
    return folder


def test_a_failed_set_up_leaves_no_venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    root = repository(tmp_path)
    with pytest.raises(SetupFault, match=r"requirements\.lock could not be installed"):
        packages.ensure(root)
    assert not (root / ".venv").exists()
    assert not packages.is_ready(root)


def test_a_finished_venv_is_left_alone_until_the_lock_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    create = packages.venv.create
    monkeypatch.setattr(
        packages.venv, "create", lambda folder, with_pip, symlinks: create(folder, symlinks=symlinks)
    )
    monkeypatch.setattr(packages, "_install", lambda root, folder: calls.append(folder))
    monkeypatch.setattr(packages, "_check_disk", lambda root: None)
    root = repository(tmp_path)
    packages.ensure(root)
    packages.ensure(root)
    assert len(calls) == 1
    (root / packages.LOCK).write_text("uv==0.0.2\n")
    keepsake = root / ".venv" / "keepsake"
    keepsake.touch()
    packages.ensure(root)
    assert len(calls) == 2
    assert keepsake.exists(), "another lock changes packages, it does not start over"
    # Killed in the middle: the mark stays, and the next set-up starts over.
    (root / ".venv" / packages.UNFINISHED).touch()
    assert not packages.is_ready(root)
    packages.ensure(root)
    assert len(calls) == 3
    assert not keepsake.exists()
    assert packages.is_ready(root)


def test_a_network_fault_has_its_own_exit_code() -> None:
    with pytest.raises(SetupFault) as caught:
        packages._raise_if_network("error: client error (Connect)\n dns error: failed to lookup address")
    assert caught.value.code == 1


def test_the_difference_to_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    lock.write_text("a-b==1.0\nc==2.0 ; python_full_version < '3.0'\nd==3.0\n")
    assert packages.difference(lock, {"A_b": "1.0", "d": "3.1"}) == ["d is 3.1, the lock says 3.0"]
    assert packages.difference(lock, {"d": "3.0"}) == ["a-b 1.0 is missing"]


def test_the_scripts_read_no_package() -> None:
    """The set-up and the doctor start with a bare interpreter: no site-packages."""
    for module in ("tools.setup", "scripts.doctor"):
        done = subprocess.run(
            [sys.executable, "-S", "-c", f"import {module}"], cwd=ROOT, capture_output=True, text=True,
            env=dict(os.environ, PYTHONPATH=""),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
