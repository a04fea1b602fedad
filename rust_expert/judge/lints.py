"""Clippy on a sample that compiles: how many warnings, by clippy's own groups."""

import functools
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence

from rust_expert.common.errors import JudgeFault
from rust_expert.judge.diagnostics import read_diagnostics
from rust_expert.judge.harness import ROOT
from rust_expert.judge.rootfile import with_head
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox

_CLIPPY = "/rust/bin/clippy-driver"
_GROUPS = ("correctness", "suspicious", "complexity", "perf", "style")
"""What `clippy::all` consists of; each lint stands in one of them."""


@functools.cache
def lint_groups() -> dict[str, str]:
    """The group of each lint of `clippy::all`, by its name (`clippy::needless_return`).

    Raises JudgeFault where clippy-driver does not tell them.
    """
    told = Sandbox(Limits(), toolchain=True).run([_CLIPPY, "-W", "help"]).stdout
    groups: dict[str, str] = {}
    for line in told.splitlines():
        name, _, members = line.strip().partition("  ")
        if name.removeprefix("clippy::") in _GROUPS:
            for lint in members.split(","):
                groups[lint.strip().replace("-", "_")] = name.removeprefix("clippy::")
    if not groups:
        raise JudgeFault("clippy-driver lists no lints: run `rustup component add clippy`")
    return groups


def lint(code: str, *, edition: str, limits: Limits) -> dict[str, int] | None:
    """Warnings of `clippy::all` by group, groups without any left out; None where clippy gave up on the code.

    The sample is linted alone, as a library, so nothing that the tests do is counted. What the sample allows by
    attributes is counted all the same: silence is not style.
    """
    outcome = _clippy({ROOT: with_head(code, "")}, ROOT, edition, limits)
    if outcome.returncode != 0:
        return None
    return _counted(outcome, [ROOT])[ROOT]


def lint_together(
    codes: Sequence[tuple[int, str]], *, edition: str, limits: Limits
) -> dict[int, dict[str, int]]:
    """What `lint` says of numbered pieces of code that may share a crate and compile; some may be left out.

    Each is a public module of one library, where a public item is exported as it is at the root of its own.
    """
    if len(codes) < 2:
        return {}
    names = {f"m{number}_{secrets.token_hex(8)}": number for number, _ in codes}
    files = {f"{name}.rs": with_head(code, "") for name, (_, code) in zip(names, codes, strict=True)}
    files["lib.rs"] = "".join(f"pub mod {name};" for name in names)
    outcome = _clippy(files, "lib.rs", edition, limits)
    if outcome.returncode == 0:
        counts = _counted(outcome, [f"{name}.rs" for name in names])
        return {number: counts[f"{name}.rs"] for name, number in names.items()}
    middle = len(codes) // 2
    return {
        **lint_together(codes[:middle], edition=edition, limits=limits),
        **lint_together(codes[middle:], edition=edition, limits=limits),
    }


def _clippy(files: Mapping[str, str], root: str, edition: str, limits: Limits) -> Outcome:
    arguments = ["--crate-type=lib", "--emit=metadata", "-o", "/work/out", "--error-format=json"]
    arguments += [
        "--cap-lints=warn",
        f"--edition={edition}",
        "-Awarnings",
        "--force-warn",
        "clippy::all",
        root,
    ]
    return Sandbox(limits, toolchain=True).run([_CLIPPY, *arguments], files=files)


def _counted(outcome: Outcome, files: Sequence[str]) -> dict[str, dict[str, int]]:
    """The warnings in some files, by group."""
    groups = lint_groups()
    counts: dict[str, Counter[str]] = {file: Counter() for file in files}
    for each in read_diagnostics(outcome.stderr):
        if each.code in groups and each.file in counts:
            counts[each.file][groups[each.code]] += 1
    return {file: dict(sorted(count.items())) for file, count in counts.items()}
