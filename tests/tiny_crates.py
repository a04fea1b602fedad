"""Crates of a few lines, made here, and built in the judge's sandbox as those of other people are."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from rust_expert.common.config.corpus import BuildOptions
from rust_expert.judge.third_party import Build, ThirdParty, build

LIB = "//! Tiny.\n\n/// The same number.\n#[must_use]\npub const fn same(x: u8) -> u8 {\n    x\n}\n"
OPTIONS = BuildOptions(cpu_seconds=60, wall_seconds=240, memory_mb=1024, work_mb=256)


def crate(
    root: Path,
    files: Mapping[str, str | bytes] | None = None,
    manifest: str = "",
    name: str = "tiny",
    version: str = "1.0.0",
) -> Path:
    """Write a crate; `manifest` is what its Cargo.toml holds below [package]."""
    head = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\nlicense = "MIT"\n'
    usual = {"Cargo.toml": head + manifest} | ({} if "src/main.rs" in (files or {}) else {"src/lib.rs": LIB})
    for path, content in {**usual, **(files or {})}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def need(
    root: Path,
    name: str,
    files: Mapping[str, str | bytes] | None = None,
    manifest: str = "",
    version: str = "1.0.0",
) -> Path:
    """Write a crate as cargo wants to find one of the registry."""
    note = json.dumps({"files": {}, "package": hashlib.sha256(name.encode()).hexdigest()})
    return crate(root, {".cargo-checksum.json": note, **(files or {})}, manifest, name, version)


def script(body: str) -> str:
    """A build script."""
    return f"fn main() {{\n{body}\n}}\n"


def built(
    folder: Path,
    files: Mapping[str, str | bytes] | None = None,
    manifest: str = "",
    needs: Mapping[str, Path] | None = None,
    options: BuildOptions = OPTIONS,
    name: str = "tiny",
) -> Build:
    """Build a crate made of `files`, in `folder`/crate; what it left lies in `folder`/left."""
    root = crate(folder / "crate", files, manifest, name)
    (folder / "left").mkdir()
    return build(ThirdParty(name, root, needs or {}), options, folder / "left")
