"""A crate of other people, built and linted in the sandbox with all that it needs.

Its build scripts and procedural macros, and those of what it needs, are hostile like a sample: they run in a
toolchain room alone, without network, within limits; the sources of it all are shown read-only. What comes out are
bytes through a pipe: what cargo and clippy said, the libraries that a compilation of the crate itself links to, the
files that its build script made, and how cargo would compile it. Later compilations (rust_expert.judge.in_place) ask
rustc alone.

A crate can lie about itself (a procedural macro runs inside the compiler); it cannot lie about another crate, for each
one is built in a room of its own.
"""

import contextlib
import dataclasses
import io
import json
import platform
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

from rust_expert.common.config.corpus import BuildOptions
from rust_expert.common.files import sha256_json
from rust_expert.judge.diagnostics import Diagnostic, diagnostic_of, one_line, read_rows
from rust_expert.judge.lints import groups_of_lints
from rust_expert.judge.sandbox import Limits, Sandbox

Outcome = Literal["passes", "blocked", "cannot_build"]

CRATE, NEEDED = "/crate", "/needed"
DEPENDENCIES, GENERATED = "/dependencies", "/generated"
"""Where later compilations find what a build left."""

_MOST_FILES = 20_000
_LIBRARY = re.compile(r"lib\w+-[0-9a-f]+\.(rmeta|so)")
_STUB = (
    '[package]\nname = "stub"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n[dependencies]\n'
)
_WRAPPER = """#!/bin/sh
crate_name=
[ "$2" = --crate-name ] && crate_name=$3
if [ "$CARGO_MANIFEST_DIR" = /crate ] && [ -n "$CARGO_CRATE_NAME" ] && [ "$CARGO_CRATE_NAME" = "$crate_name" ] &&
    [ "$crate_name" != build_script_build ]; then
  shift
  printf '%s\\0' "$@" > /work/left/arguments
  env -0 > /work/left/environment
  exec /rust/bin/clippy-driver /rust/bin/rustc "$@" --cap-lints=warn -Wclippy::pedantic
fi
exec "$@"
"""
_SCRIPT = """
export CARGO_HOME=/work/home CARGO_TARGET_DIR=/work/target CARGO_INCREMENTAL=0 RUSTC=/rust/bin/rustc HOME=/work/home
export RUSTC_WRAPPER=/work/wrapper CARGO_BUILD_JOBS=1 CARGO_TERM_COLOR=never PATH=/rust/bin:$PATH
mkdir -p /work/stub /work/left/dependencies /work/left/generated
cp /in/wrapper /work/wrapper && chmod 755 /work/wrapper
cp /in/Cargo.toml /in/lib.rs /work/stub
/rust/bin/cargo check --manifest-path=/work/stub/Cargo.toml --offline --quiet --message-format=json \
  --config=profile.dev.debug=false "--config=source.crates-io.replace-with='needed'" \
  "--config=source.needed.directory='/needed'" > /work/left/told
code=$?
[ $code = 0 ] || { tail -c 20000000 /work/left/told; exit $code; }
cd /work/target/debug/deps || exit
find . -name '*.rmeta' -o -name '*.so' | xargs -r mv -t /work/left/dependencies
out=$(tr '\\0' '\\n' < /work/left/environment | sed -n 's/^OUT_DIR=//p')
[ -z "$out" ] || mv "$out"/* /work/left/generated 2>/dev/null
name=$(tr '\\0' '\\n' < /work/left/environment | sed -n 's/^CARGO_CRATE_NAME=//p')
cat /work/target/debug/deps/"$name"-*.d > /work/left/files 2>/dev/null
rm -rf /work/target
cd /work/left && tar -cf /work/all.tar --remove-files -- *
"""

_OF_CARGO = (
    "RUSTC",
    "LD_",
    "CARGO_TARGET",
    "CARGO_BUILD",
    "CARGO_HOME",
    "CARGO_MAKE",
    "CARGO_TERM",
    "CARGO_INCR",
)
_INHERITED = {
    "PATH",
    "LC_ALL",
    "RUST_BACKTRACE",
    "MALLOC_ARENA_MAX",
    "TMPDIR",
    "HOME",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
}


@dataclasses.dataclass(frozen=True)
class ThirdParty:
    """A crate to be built: its name, its folder, and the folders of what it needs, by any distinct names."""

    name: str
    root: Path
    needs: Mapping[str, Path]


@dataclasses.dataclass(frozen=True)
class Build:
    """What building a crate told.

    `lints`: clippy's warnings by group. `warnings`: those of them, and rustc's, one by one. `groups`: the group of each
    of clippy's lints. `arguments` and
    `environment`: how rustc is to be called for the crate, seen from CRATE, with what lies in `left` shown at
    DEPENDENCIES and GENERATED. `files`: the source files that took part, by their paths in the crate.
    """

    outcome: Outcome
    reason: str = ""
    lints: dict[str, int] = dataclasses.field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()
    groups: Mapping[str, str] = dataclasses.field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    left: Path | None = None
    timed_out: bool = False


def build(crate: ThirdParty, options: BuildOptions, left: Path) -> Build:
    """Build and lint a crate; what later compilations need is written into the empty folder `left`.

    Raises UserError where the sandbox cannot be set up, JudgeFault where it broke in the middle.
    """
    done = Sandbox(limits_of(options)).run(
        ["/bin/sh", "-c", _SCRIPT],
        files={
            "Cargo.toml": _STUB + f'{crate.name} = {{ path = "{CRATE}" }}\n',
            "lib.rs": "",
            "wrapper": _WRAPPER,
        },
        keep="all.tar",
        mounts={CRATE: crate.root, **{f"{NEEDED}/{name}": path for name, path in crate.needs.items()}},
    )
    if done.killed_by:
        return Build("cannot_build", f"building it met the limit: {done.killed_by}", timed_out=done.timed_out)
    if done.returncode != 0 or done.kept is None:
        return Build("cannot_build", _first_error(done.stderr))
    try:
        texts = _unpack(done.kept, left)
    except (tarfile.TarError, OSError, ValueError) as error:
        return Build("cannot_build", f"what building it left cannot be read ({one_line(str(error))})")
    if "arguments" not in texts:
        return Build("cannot_build", "it has no library that cargo builds")
    warnings = tuple(_warnings(texts.get("told", "")))
    groups = groups_of_lints()
    lints = dict(sorted(Counter(groups[each.code] for each in warnings if each.code in groups).items()))
    blocking = [f"{lints[group]} of {group}" for group in options.blocking if lints.get(group)]
    names = sorted({each.code for each in warnings if groups.get(each.code) in options.blocking})
    return Build(
        outcome="blocked" if blocking else "passes",
        reason=f"clippy warns: {', '.join(blocking)} ({', '.join(names)})" if blocking else "",
        lints=lints,
        warnings=warnings,
        groups=groups,
        arguments=_arguments(texts["arguments"]),
        environment=_environment(texts.get("environment", "")),
        files=_files(texts.get("files", "")),
        left=left,
    )


def recipe() -> str:
    """All that decides, beside crate, options and compiler, what comes out of a build."""
    return sha256_json([_SCRIPT, _WRAPPER, _STUB, platform.machine()])


def limits_of(options: BuildOptions) -> Limits:
    """The limits of a room in which a crate is compiled."""
    return Limits(
        cpu_seconds=options.cpu_seconds,
        wall_seconds=float(options.wall_seconds),
        memory_mb=options.memory_mb,
        processes=256,
        work_mb=options.work_mb,
        open_files=1024,
        output_kb=262_144,
    )


def _first_error(told: str) -> str:
    """Why cargo failed, in its first words: an error of rustc in JSON, or a line of its own."""
    for line in told.splitlines():
        if line.startswith("{") and '"level":"error"' in line:
            with contextlib.suppress(json.JSONDecodeError, KeyError, TypeError):
                return one_line(f"error: {json.loads(line)['message']['message']}")
    errors = [line for line in told.splitlines() if line.startswith("error")]
    return one_line((errors or [told[-300:] or "cargo failed and said nothing"])[0])


def _unpack(packed: bytes, folder: Path) -> dict[str, str]:
    """Write libraries and generated files of a tar that nobody trusts; returns the texts beside them by name."""
    texts: dict[str, str] = {}
    for name in ("dependencies", "generated"):
        (folder / name).mkdir(mode=0o755)
    with tarfile.open(fileobj=io.BytesIO(packed)) as pack:
        for number, member in enumerate(pack):
            place = PurePosixPath(member.name)
            stream = pack.extractfile(member) if member.isreg() else None
            if number > _MOST_FILES:
                raise ValueError(f"more than {_MOST_FILES} files")
            if stream is None or place.is_absolute() or ".." in place.parts:
                continue
            if len(place.parts) == 1:
                texts[place.name] = stream.read().decode("utf-8", "replace")
            elif place.parts[0] == "generated" or _LIBRARY.fullmatch("/".join(place.parts[1:])):
                target = folder.joinpath(*place.parts)
                target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                target.write_bytes(stream.read())
                target.chmod(0o644)  # in the sandbox another user reads it
    return texts


def _warnings(told: str) -> Iterator[Diagnostic]:
    """What the compiler said of the crate itself, in cargo's messages; files by their paths in the crate."""
    for absolute in (f'"file_name":"{CRATE}/', f"--> {CRATE}/", f"::: {CRATE}/"):
        told = told.replace(absolute, absolute.removesuffix(f"{CRATE}/"))
    for row in read_rows(told):
        target, message = row.get("target"), row.get("message")
        if not isinstance(target, dict) or not isinstance(message, dict):
            continue
        if str(target.get("src_path", "")).startswith(f"{CRATE}/") and message.get("code"):
            yield diagnostic_of(message)


def _arguments(told: str) -> tuple[str, ...]:
    """rustc's arguments for the crate, without what says where to write and how to report."""
    kept: list[str] = []
    words = iter(told.split("\0")[:-1])
    for word in words:
        if word in ("--out-dir", "-o"):
            next(words, None)
        elif word in ("-C", "-L", "--extern", "--cfg", "--check-cfg", "--crate-name", "--crate-type"):
            kept += [word, _moved(next(words, ""))]
        elif word.startswith(
            ("--emit", "--error-format", "--json", "--diagnostic-width", "--cap-lints", "-Cincremental")
        ):
            continue
        else:
            kept.append(_moved(word))
    return tuple(kept)


def _moved(word: str) -> str:
    return word.replace("/work/target/debug/deps", DEPENDENCIES).removeprefix(f"{CRATE}/")


def _environment(told: str) -> tuple[str, ...]:
    """The variables that cargo and the build script set for rustc, as `NAME=value`."""
    kept: list[str] = []
    for word in told.split("\0"):
        name, sign, value = word.partition("=")
        own = name in _INHERITED or name.startswith(_OF_CARGO)
        if sign and name.isidentifier() and not own:
            kept.append(f"{name}={GENERATED if name == 'OUT_DIR' else value}")
    return tuple(sorted(kept))


def _files(told: str) -> frozenset[str]:
    """The source files in a dep-info file: the first rule's prerequisites, of which those of the crate have short
    names.
    """
    head = told.replace("\\\n", " ").partition("\n")[0].partition(": ")[2]
    names = re.split(r"(?<!\\) +", head.strip())
    plain = (name.replace("\\ ", " ").removeprefix(f"{CRATE}/") for name in names)
    return frozenset(PurePosixPath(name).as_posix() for name in plain if not name.startswith("/"))
