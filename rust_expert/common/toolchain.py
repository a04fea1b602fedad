"""The tools outside Python: whether they are there, and which version speaks."""

import functools
import shutil
import subprocess

from rust_expert.common.errors import UserError

OLDEST_RUSTC = (1, 85)
"""The first rustc that knows edition 2024."""


def require_tool(name: str, fix: str) -> str:
    """The path of a program on PATH.

    Raises UserError with `fix`, the command that installs it, where it is missing.
    """
    found = shutil.which(name)
    if found is None:
        raise UserError(f"{name} is not installed: {fix}")
    return found


@functools.cache
def rustc_version() -> str:
    """What `rustc --version` says, such as `rustc 1.95.0 (59807616e 2026-04-14)`.

    Raises UserError where rustc is missing or too old for edition 2024.
    """
    program = require_tool("rustc", "install Rust with rustup (rustup default stable)")
    told = subprocess.run([program, "--version"], capture_output=True, text=True)
    if told.returncode != 0:
        raise UserError(f"rustc does not start ({told.stderr.strip()[:200]}): run `rustup default stable`")
    version = told.stdout.strip()
    if parse_version(version) < OLDEST_RUSTC:
        raise UserError(
            f"{version} is too old: edition 2024 needs rustc {'.'.join(map(str, OLDEST_RUSTC))} or newer; "
            "run `rustup update stable`"
        )
    return version


def parse_version(text: str) -> tuple[int, int]:
    """Major and minor of `rustc 1.95.0 (...)`; (0, 0) where there is none."""
    parts = text.split()
    numbers = parts[1].split(".") if len(parts) > 1 else []
    try:
        return int(numbers[0]), int(numbers[1])
    except (IndexError, ValueError):
        return 0, 0
