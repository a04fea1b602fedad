"""The crates beside the standard library that suites need, built once and kept.

config/suite_crates pins them: a Cargo.toml with exact versions and its Cargo.lock. Third-party build scripts and
procedural macros are hostile like a sample: they are compiled and run in the sandbox alone, in a toolchain room with
limits of its own and no network; what comes out of it are bytes through a pipe. The built libraries lie in the cache
under a hash of manifest, lock, compiler and flags, there whole or not at all.
"""

import contextlib
import io
import json
import platform
import re
import shlex
import tarfile
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from pydantic import BaseModel, ValidationError

from rust_expert.common import cache
from rust_expert.common.contracts import Problem
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_json
from rust_expert.common.toolchain import rustc_version
from rust_expert.judge.crate_table import Table, read_table
from rust_expert.judge.diagnostics import one_line
from rust_expert.judge.linked import NO_CRATES, Crates
from rust_expert.judge.sandbox import Limits, Sandbox
from rust_expert.judge.suite import crates_declared, crates_needed

LIMITS = Limits(
    cpu_seconds=600, wall_seconds=2400.0, memory_mb=4096, processes=256, work_mb=1024, open_files=1024,
    output_kb=8192,
)  # fmt: skip
"""For building all of them: processor seconds and memory are for each process."""

Sources = Callable[[Path], AbstractContextManager[Path]]
"""Gives the sources of a table's crates, as `cargo vendor` lays them out: rust_expert.crates.vendor.vendored."""

_LISTED = "crates.json"
_LIBRARY = re.compile(r"lib[A-Za-z0-9_]+-[0-9a-f]+\.(rlib|so)")
_OPTIONS = (
    "--offline", "--locked", "--message-format=json-render-diagnostics", "--config=profile.dev.debug=false",
    "--config=source.crates-io.replace-with='vendored'", "--config=source.vendored.directory='/vendor'",
)  # fmt: skip
_SCRIPT = f"""
export CARGO_HOME=/work/home CARGO_TARGET_DIR=/work/target CARGO_INCREMENTAL=0 RUSTC=/rust/bin/rustc
/rust/bin/cargo build --manifest-path=/in/Cargo.toml {shlex.join(_OPTIONS)} > /work/told.json || exit
cd /work/target/debug/deps && mv /work/told.json . && find . -name '*.rlib' -o -name '*.so' | tar -cf /work/all.tar \
told.json --files-from=-
"""


def crates_for(
    problems: Sequence[Problem],
    sources: Sources,
    *,
    named: Collection[str] | None = None,
    table: Table | None = None,
) -> Crates:
    """The crates that a suite's problems may use, built: those `named`, or all of the table's that one of them needs.

    Nothing is fetched or built where they need none, or where it was done before.
    Raises UserError where a crate is not in the table, or not in the version that a problem asks for, where they cannot
    be built, and what `sources` raises.
    """
    table = table or read_table()
    for name in named or ():
        table.require(name, "--crates")
    for problem in problems:
        _check_declared(problem, table)
    wanted = set(table.crates) if named is None else set(named)
    needed = {name for problem in problems for name in crates_needed(problem, wanted)}
    return built(table, sources).only(needed) if needed else NO_CRATES


def built(table: Table, sources: Sources) -> Crates:
    """All crates of a table, from the cache or built into it."""
    # All that decides what comes out of it.
    digest = sha256_json([table.manifest, table.lock, rustc_version(), platform.machine(), _SCRIPT])
    place = f"suite-crates/{digest}"
    if not cache.is_whole(place):
        with sources(table.folder) as vendored:
            cache.keep(place, lambda folder: _build(table, vendored, folder))
    folder = cache.cache_folder() / place
    files = json.loads((folder / _LISTED).read_text(encoding="utf-8"))
    return Crates(folder, tuple(sorted(files.items())))


def _check_declared(problem: Problem, table: Table) -> None:
    for name, version in crates_declared(problem).items():
        table.require(name, f"problem {problem.task_id}")
        has = table.crates[name][1]
        wanted = version.strip().lstrip("^=~").strip().removesuffix("*").rstrip(".")
        if wanted and not f"{has}.".startswith(f"{wanted}."):
            raise UserError(
                f"problem {problem.task_id} needs {name} {version}, and {table.folder / 'Cargo.toml'} has {has}; "
                "change one of them"
            )


def _build(table: Table, vendored: Path, folder: Path) -> None:
    """Build in the sandbox, and write into the empty `folder` what came out of it."""
    done = Sandbox(LIMITS).run(
        ["/bin/sh", "-c", _SCRIPT],
        files={"Cargo.toml": table.manifest, "Cargo.lock": table.lock, "lib.rs": ""},
        keep="all.tar",
        mounts={"/vendor": vendored},
    )
    if done.returncode != 0 or done.kept is None:
        errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
        why = one_line((errors or [done.killed_by or done.stderr[-200:] or "it left nothing"])[0])
        raise UserError(f"{table.folder / 'Cargo.toml'}: its crates do not build in the sandbox ({why})")
    artifacts = _unpack(done.kept, folder)
    files = {name: _file_of(*pinned, artifacts, table) for name, pinned in table.crates.items()}
    missing = [file for file in files.values() if not (folder / file).is_file()]
    if missing:
        raise UserError(f"{table.folder / 'Cargo.toml'}: building it left no {missing[0]}")
    (folder / _LISTED).write_text(json.dumps(files, sort_keys=True), encoding="utf-8")
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)  # whatever the umask: in the sandbox another user reads it


class _Target(BaseModel):
    kind: list[str]


class _Artifact(BaseModel):
    """One of cargo's messages: what it made of a package."""

    package_id: str
    target: _Target
    filenames: list[str]


def _unpack(packed: bytes, folder: Path) -> list[_Artifact]:
    """Write the libraries in a tar that nobody trusts; returns what cargo said that it made, which is in it too."""
    told = b""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as pack:
            for member in pack:
                name = member.name.removeprefix("./")
                stream = pack.extractfile(member) if member.isreg() else None
                if stream is not None and name == "told.json":
                    told = stream.read()
                elif stream is not None and _LIBRARY.fullmatch(name):
                    (folder / name).write_bytes(stream.read())
    except (tarfile.TarError, OSError) as error:
        raise UserError(f"what the crates' build left cannot be read ({error}); start again") from None
    artifacts = []
    for line in told.splitlines():
        with contextlib.suppress(ValidationError):  # messages of other kinds
            artifacts.append(_Artifact.model_validate_json(line))
    return artifacts


def _file_of(package: str, version: str, artifacts: list[_Artifact], table: Table) -> str:
    """The library that was made of a package."""
    identity = re.compile(rf".*#({re.escape(package)}@)?{re.escape(version)}")
    for each in artifacts:
        if identity.fullmatch(each.package_id) and "custom-build" not in each.target.kind:
            names = [path.rpartition("/")[2] for path in each.filenames]
            library = next((name for name in names if _LIBRARY.fullmatch(name)), None)
            if library is not None:
                return library
    raise UserError(f"{table.folder / 'Cargo.toml'}: {package} {version} has no library")
