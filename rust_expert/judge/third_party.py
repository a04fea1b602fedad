"""A crate of other people, built and linted in the sandbox with all that it needs.

Its build scripts and procedural macros, and those of what it needs, are hostile like a sample: they run in a
toolchain room alone, without network, within limits; the sources of it all are shown read-only. What comes out are
bytes through a pipe: what cargo and clippy said, the libraries that a compilation of the crate itself links to, the
files that its build script made, and how cargo would compile it. Later compilations (rust_expert.judge.in_place) ask
rustc alone.

A crate can lie about itself (a procedural macro runs inside the compiler); it cannot lie about another crate, for each
one is built in a room of its own.
"""

import dataclasses
import platform
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Literal

from rust_expert.common.config.corpus import BuildOptions
from rust_expert.common.errors import JudgeFault, UserError
from rust_expert.common.files import sha256_json
from rust_expert.judge.build_faults import END_OF_WORDS, fault_of
from rust_expert.judge.diagnostics import Diagnostic, diagnostic_of, read_rows
from rust_expert.judge.left_behind import (
    LONGEST_CALL,
    LONGEST_TEXT,
    MOST_BYTES,
    LeftFault,
    call_of,
    fault_of_host,
    files_in,
    unpack,
)
from rust_expert.judge.lints import groups_of_lints
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox, Sink

Result = Literal["passes", "blocked", "cannot_build"]

CRATE, NEEDED = "/crate", "/needed"

_STUB = (
    '[package]\nname = "stub"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n[dependencies]\n'
)
_WRAPPER = """#!/bin/sh
crate_name=
[ "$2" = --crate-name ] && crate_name=$3
case " $* " in *" --crate-type bin "*) exec "$@" ;; esac  # a build script
if [ "$CARGO_MANIFEST_DIR" = /crate ] && [ -n "$CARGO_CRATE_NAME" ] && [ "$CARGO_CRATE_NAME" = "$crate_name" ]; then
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
programs() { set -- /proc/[0-9]*; echo $#; }
left=/work/left needed=/needed end_of_words=$1 most_told=$2 longest_call=$3
mkdir -p /work/stub $left/dependencies
[ -d $needed ] || { needed=/work/nothing; mkdir $needed; }
cp /in/wrapper /work/wrapper && chmod 755 /work/wrapper
cp /in/Cargo.toml /in/lib.rs /work/stub
before=$(programs)
/rust/bin/cargo check --manifest-path=/work/stub/Cargo.toml --offline --quiet --message-format=json \
  --config=profile.dev.debug=false "--config=source.crates-io.replace-with='needed'" \
  "--config=source.needed.directory='$needed'" > $left/told
code=$?
[ $code = 0 ] || { printf '\\n%s\\n' "$end_of_words"; tail -c $most_told $left/told; exit $code; } >&2
tries=0
while [ $(programs) -gt $before ]; do
  [ $tries = 20 ] && { echo 'error: building it left a program running' >&2; exit 1; }
  tries=$((tries + 1)); sleep 0.05
done
cd /work/target/debug/deps || exit
find . -name '*.rmeta' -o -name '*.so' | xargs -r mv -t $left/dependencies
told() { head -c $longest_call $left/$1 2>/dev/null | tr '\\0' '\\n' | sed -n "s/^$2=//p"; }
out=$(told environment OUT_DIR)
case $out in /work/target/*) mv "$out" $left/generated ;; esac
mv "$(told environment CARGO_CRATE_NAME)$(told arguments extra-filename).d" $left/files 2>/dev/null
rm -rf /work/target
cd $left && tar --format=ustar --owner=0 --group=0 --numeric-owner -cf /work/all.tar --remove-files -- *
"""
_BOUNDS = (END_OF_WORDS, str(LONGEST_TEXT // 4), str(LONGEST_CALL))


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
    of clippy's lints. `arguments` and `environment`: how rustc is to be called for the crate, seen from CRATE, with
    what lies in `left` shown at left_behind.DEPENDENCIES and GENERATED. `files`: the files of the crate that took part,
    by their paths in it. `timed_out`: another time, or on another machine, it may end otherwise.
    """

    outcome: Result
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
    try:
        with tempfile.TemporaryFile(prefix="rust-expert-left-") as pack:
            done = _cargo(crate, options, pack)
            if done.killed_by or done.returncode != 0:
                fault = fault_of(done)
                return Build("cannot_build", fault.reason, timed_out=fault.hurried)
            texts = unpack(pack, left)
        return _told(crate, options, texts, left)
    except LeftFault as unusable:
        return Build("cannot_build", f"what building it left cannot be used: {unusable}")
    except OSError as error:
        raise fault_of_host(error) or error from None


def _told(crate: ThirdParty, options: BuildOptions, texts: Mapping[str, str], left: Path) -> Build:
    """A build that cargo ended well, by the texts that it left. Raises LeftFault where these cannot be used."""
    if "arguments" not in texts:
        return Build("cannot_build", "it has no library that cargo builds")
    arguments, environment = call_of(texts["arguments"], texts.get("environment", ""))
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
        arguments=arguments,
        environment=environment,
        files=files_in(texts.get("files", ""), crate.root),
        left=left,
    )


def require_clippy() -> None:
    """Raise UserError where no crate can be linted, which is no fault of theirs."""
    try:
        groups_of_lints()
    except JudgeFault as fault:
        raise UserError(f"crates cannot be linted ({fault})") from None


def _cargo(crate: ThirdParty, options: BuildOptions, pack: IO[bytes]) -> Outcome:
    return Sandbox(limits_of(options)).run(
        ["/bin/sh", "-c", _SCRIPT, "build", *_BOUNDS],
        files={
            "Cargo.toml": _STUB + f'{crate.name} = {{ path = "{CRATE}" }}\n',
            "lib.rs": "",
            "wrapper": _WRAPPER,
        },
        keep="all.tar",
        mounts={CRATE: crate.root, **{f"{NEEDED}/{name}": path for name, path in crate.needs.items()}},
        into=Sink(pack, MOST_BYTES),
    )


def recipe() -> str:
    """All that decides, beside crate, options and compiler, what comes out of a build."""
    return sha256_json([_SCRIPT, _BOUNDS, _WRAPPER, _STUB, platform.machine()])


def limits_of(options: BuildOptions) -> Limits:
    """The limits of a room in which a crate is compiled."""
    return Limits(
        cpu_seconds=options.cpu_seconds,
        wall_seconds=float(options.wall_seconds),
        memory_mb=options.memory_mb,
        processes=256,
        work_mb=options.work_mb,
        open_files=1024,
        output_kb=131_072,
    )


def _warnings(told: str) -> Iterator[Diagnostic]:
    """What the compiler said of the crate itself, in cargo's messages; files by their paths in the crate."""
    for absolute in (f'"file_name":"{CRATE}/', f"--> {CRATE}/", f"::: {CRATE}/"):
        told = told.replace(absolute, absolute.removesuffix(f"{CRATE}/"))
    for row in read_rows(told):
        target, message = row.get("target"), row.get("message")
        if not isinstance(target, dict) or not isinstance(message, dict) or not message.get("code"):
            continue
        found = diagnostic_of(message)
        if found is not None and str(target.get("src_path", "")).startswith(f"{CRATE}/"):
            yield found
