"""Each environment's pins install into a fresh Python, and each rule's script runs in just that.

Gigabytes and minutes: `make test-envs` runs it (PYTEST_ARGS="-k 'not vllm'" leaves out the largest one).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.environments import ENVIRONMENTS, ROOT, foreign, imports_of, uses
from tools.indexes import pip_settings, uv_environment
from tools.packages import locked

pytestmark = pytest.mark.skipif(
    not os.environ.get("RUST_EXPERT_TEST_ENVS"), reason="gigabytes of packages: make test-envs"
)

IMPORT = """
import importlib, json, sys
faults = []
for module, name in json.load(sys.stdin):
    try:
        found = importlib.import_module(module)
        if name and not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")
    except Exception as error:
        faults.append(f"{module} {name}: {type(error).__name__}: {error}")
print(json.dumps(faults))
"""
"""Import what standard input names, and tell each fault."""


class Fresh:
    """A virtual environment made from envs/NAME.yaml as conda would make it: its Python, its pip pins, nothing else."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.python = folder / "bin" / "python"
        told = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))["dependencies"]
        (version,) = [one.split("=")[1] for one in told if str(one).startswith("python=")]
        self.uv("venv", "--python", version, str(folder))
        pins = folder / "pins.txt"
        pins.write_text("\n".join(told[-1]["pip"]) + "\n", encoding="utf-8")
        self.uv("pip", "install", "--python", str(self.python), "-r", str(pins))

    def uv(self, *words: str) -> str:
        """What the pinned uv said; the indexes are those of pip."""
        listing = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True
        )
        indexes = uv_environment(pip_settings(listing.stdout), dict(os.environ)) or {}
        ended = subprocess.run(
            [Path(sys.executable).parent / "uv", *words], env=os.environ | indexes,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout[-3000:]
        return ended.stdout

    def run(self, *words: str, given: str = "", root: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Run its Python on the code below `root`; nothing of the Python of the tests is in sight."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        environment |= {"PYTHONPATH": str(root), "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [self.python, *words],
            input=given,
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )

    def import_faults(self, scripts: list[str], root: Path = ROOT) -> list[str]:
        """What of the imports of scripts, those inside functions too, cannot be had here."""
        wanted = set().union(*(imports_of(script, root) for script in scripts))
        ended = self.run("-c", IMPORT, given=json.dumps(list(foreign(wanted))), root=root)
        assert ended.returncode == 0, ended.stderr[-3000:]
        faults: list[str] = json.loads(ended.stdout.splitlines()[-1])
        return faults


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    made = Fresh(request.param, tmp_path_factory.mktemp("env") / request.param)
    yield made
    shutil.rmtree(made.folder)


def test_what_is_installed_is_the_lock(fresh: Fresh) -> None:
    """From the pins of the yaml: no package more, none less, none in another version, and they fit together."""
    lock = ROOT / "envs" / f"{fresh.name}.lock"
    assert "Would make no changes" in fresh.uv(
        "pip", "sync", "--dry-run", "--python", str(fresh.python), str(lock)
    )
    fresh.uv("pip", "check", "--python", str(fresh.python))
    version = fresh.run("-c", "import sys; print('%d.%d' % sys.version_info[:2])").stdout.strip()
    assert f"python={version}" in lock.with_suffix(".yaml").read_text(encoding="utf-8")


def test_all_imports_of_its_rules_are_there(fresh: Fresh) -> None:
    scripts = [script for script, environment in uses() if environment == fresh.name]
    assert scripts
    assert fresh.import_faults(scripts) == []


def test_its_rules_start(fresh: Fresh) -> None:
    for script in [script for script, environment in uses() if environment == fresh.name]:
        ended = fresh.run("-m", f"scripts.{script}", "--help")
        assert ended.returncode == 0 and ended.stdout.startswith("usage:"), (
            f"{script}: {ended.stderr[-3000:]}"
        )
        print(f"{fresh.name}: scripts.{script} starts")


def test_an_import_from_elsewhere_is_found(fresh: Fresh, tmp_path: Path) -> None:
    """A control: what the Python of the tests has, and this environment has not, at the top and inside a function."""
    here = set(locked(ROOT / "envs" / f"{fresh.name}.lock"))
    assert "pydantic" in here and not here & {"pytest", "dvc"}
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/__init__.py").touch()
    (tmp_path / "scripts/outside.py").write_text(
        "import pytest\nfrom pydantic import BaseModel\n\n\ndef late():\n    from dvc.repo import Repo\n",
        encoding="utf-8",
    )
    (tmp_path / "scripts/inside.py").write_text("from pydantic import BaseModel\n", encoding="utf-8")
    assert fresh.import_faults(["inside"], tmp_path) == []
    assert [fault.split(":")[0] for fault in fresh.import_faults(["outside"], tmp_path)] == [
        "dvc.repo Repo", "pytest ",
    ]  # fmt: skip
    assert fresh.run("-m", "scripts.inside", root=tmp_path).returncode == 0
    ended = fresh.run("-m", "scripts.outside", root=tmp_path)
    assert ended.returncode == 1 and "No module named 'pytest'" in ended.stderr
