"""Pin every package: requirements.lock for .venv, and for each environment in envs/ a NAME.lock and a NAME.yaml.

Versions that the locks already hold stay, so running this twice changes nothing; `--upgrade` takes the newest that fit.
The environments take their versions from requirements.lock, so a package has one version everywhere. One that cannot
(APART) does so for the packages that it states itself.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.indexes import pip_settings, uv_environment
from tools.packages import LOCK, SetupFault, locked

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
HEADER = "# Made by `make lock`; do not edit.\n"
APART = {
    "sample-vllm": "vLLM pins numpy, setuptools and CUDA packages lower than the newest that the rest has"
}
"""Environments of which only what their .in file states has the versions of requirements.lock, and why."""

FREED = {
    "rich": "roc-validator, which tests alone use, asks for one below 14; training and sampling have had newer ones"
}
"""Packages whose version no other package may hold down, and why."""


def main() -> int:
    """Write the locks; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions instead of those locked"
    )
    arguments = parser.parse_args()
    try:
        upgrade = ["--upgrade"] if arguments.upgrade else []
        compile_lock(ROOT / "requirements.in", ROOT / LOCK, upgrade)
        for source in sorted((ROOT / "envs").glob("*.in")):
            lock = source.with_suffix(".lock")
            with tempfile.TemporaryDirectory() as folder:
                compile_lock(source, lock, [*upgrade, "--constraint", str(constraint(source, Path(folder)))])
            source.with_suffix(".yaml").write_text(environment(lock), encoding="utf-8")
    except SetupFault as fault:
        print(f"lock: {fault}", file=sys.stderr)
        return fault.code
    return 0


def compile_lock(source: Path, lock: Path, words: list[str]) -> None:
    """Resolve `source` into `lock` for every Python from 3.11 on.

    Raises SetupFault where uv finds no solution or no network.
    """
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True
    ).stdout
    made = lock.with_suffix(".lock.new")
    freed = lock.with_suffix(".lock.freed")
    freed.write_text("".join(f"{name}\n" for name in FREED), encoding="utf-8")
    if lock.exists():
        made.write_bytes(lock.read_bytes())
    try:
        done = subprocess.run(
            [Path(sys.executable).parent / "uv", "pip", "compile", "--quiet", "--universal", "--no-annotate",
             "--no-header", "--python-version", OLDEST_PYTHON, "--override", freed, *words, source,
             "--output-file", made],
            env=os.environ | (uv_environment(pip_settings(listing), dict(os.environ)) or {}),
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            raise SetupFault(f"{source.relative_to(ROOT)} has no solution; uv says:\n{done.stderr.strip()}")
        lock.write_text(HEADER + made.read_text(encoding="utf-8"), encoding="utf-8")
    finally:
        made.unlink(missing_ok=True)
        freed.unlink(missing_ok=True)
    print(f"{lock.relative_to(ROOT)}: {len(locked(lock))} packages")


def constraint(source: Path, folder: Path) -> Path:
    """The versions that an environment has to keep to: a file, in `folder` where it is not requirements.lock itself."""
    if source.stem not in APART:
        return ROOT / LOCK
    made = folder / "constraint.txt"
    rows = (ROOT / LOCK).read_text(encoding="utf-8").splitlines(keepends=True)
    stated = set(direct(source))
    made.write_text("".join(row for row in rows if row.split("==")[0].lower() in stated), encoding="utf-8")
    return made


def direct(source: Path) -> list[str]:
    """The package names that an .in file states itself."""
    lines = (line.split("#")[0].strip() for line in source.read_text(encoding="utf-8").splitlines())
    return [re.split(r"[<>=!~ ;\[]", line)[0].lower() for line in lines if line and not line.startswith("-")]


def environment(lock: Path) -> str:
    """The conda environment of a lock: a Python, pip, and the lock's rows, for conda itself reads no lock."""
    rows = [row for row in lock.read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    head = [
        HEADER.rstrip(),
        f"name: rust-expert-{lock.stem}",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={OLDEST_PYTHON}",
        "  - pip",
        "  - pip:",
    ]
    return "\n".join(head + [f"      - {row}" for row in rows]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
