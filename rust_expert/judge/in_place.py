"""rustc on a crate that was built before (rust_expert.judge.third_party), with some of its files changed.

One compilation to metadata tells of many changes at once: rustc reports the errors of each function by itself.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rust_expert.judge.diagnostics import Diagnostic, read_diagnostics
from rust_expert.judge.left_behind import DEPENDENCIES, GENERATED
from rust_expert.judge.sandbox import Limits, Sandbox
from rust_expert.judge.third_party import CRATE, Build

_RUSTC = "/rust/bin/rustc"
_CLIPPY = "/rust/bin/clippy-driver"
_OUT = "/work"

MOST_TIMEOUTS = 3
"""Compilations of one crate that may run out of time: a macro that never ends would take as long each time."""


@dataclass(frozen=True)
class Compiled:
    """How a compilation ended: `ok`, or with what rustc said; `gave_up` where it crashed or met a limit."""

    ok: bool
    diagnostics: tuple[Diagnostic, ...]
    gave_up: bool = False


class InPlace:
    """A built crate, ready to be compiled with changed files. Its sources are a private copy.

    `timeouts`: how many compilations ran out of time; after MOST_TIMEOUTS all others are given up unseen.
    `succeeded`: whether one went well, so that the crate does compile here.
    """

    def __init__(self, build: Build, sources: Path, limits: Limits) -> None:
        if build.left is None:
            raise ValueError("the crate was not built")
        self._build, self._sources, self._sandbox = build, sources, Sandbox(limits)
        self._left = build.left
        self.timeouts, self.succeeded = 0, False

    def compile(self, changes: Mapping[str, bytes], lints: bool = False) -> Compiled:
        """Compile the crate with the bytes of some files, by their paths in it, in place of their own.

        With `lints` clippy's default and pedantic warnings are among the diagnostics, else errors alone are.
        Raises UserError and JudgeFault as Sandbox.run does.
        """
        if self.timeouts >= MOST_TIMEOUTS:
            return Compiled(ok=False, diagnostics=(), gave_up=True)
        before = {name: (self._sources / name).read_bytes() for name in changes}
        try:
            for name, content in changes.items():
                (self._sources / name).write_bytes(content)
            return self._compiled(lints)
        finally:
            for name, content in before.items():
                (self._sources / name).write_bytes(content)

    def _compiled(self, lints: bool) -> Compiled:
        program = (
            [_CLIPPY, "-Wclippy::pedantic", "--cap-lints=warn"] if lints else [_RUSTC, "--cap-lints=allow"]
        )
        done = self._sandbox.run(
            [
                "/usr/bin/env", f"--chdir={CRATE}", *self._build.environment, *program, *self._build.arguments,
                "--emit=metadata", "--error-format=json", "--out-dir", _OUT,
            ],
            mounts={
                CRATE: self._sources,
                DEPENDENCIES: self._left / "dependencies",
                GENERATED: self._left / "generated",
            },
        )  # fmt: skip
        self.timeouts += done.timed_out
        self.succeeded |= done.returncode == 0
        return Compiled(
            ok=done.returncode == 0,
            diagnostics=tuple(read_diagnostics(done.stderr)),
            gave_up=bool(done.killed_by) or done.returncode not in (0, 1),
        )


@contextlib.contextmanager
def in_place(build: Build, root: Path, limits: Limits) -> Iterator[InPlace]:
    """A crate's build with a copy of its sources, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="rust-expert-crate-") as name:
        sources = Path(name) / "crate"
        shutil.copytree(root, sources, symlinks=True)
        Path(name).chmod(0o755)
        yield InPlace(build, sources, limits)
