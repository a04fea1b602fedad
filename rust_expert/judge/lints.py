"""Clippy on a sample that compiles: how many warnings, by clippy's own groups."""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence

from rust_expert.common.config.judge import SandboxName
from rust_expert.common.errors import JudgeFault
from rust_expert.judge.diagnostics import read_diagnostics
from rust_expert.judge.harness import ROOT
from rust_expert.judge.linked import NO_CRATES, Crates
from rust_expert.judge.rootfile import with_head
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox

_CLIPPY = "/rust/bin/clippy-driver"
_GROUPS = ("correctness", "suspicious", "complexity", "perf", "style")
"""What `clippy::all` consists of; each lint stands in one of them."""


@functools.cache
def lint_groups(backend: SandboxName = "bubblewrap") -> dict[str, str]:
    """The group of each lint of `clippy::all`, by its name (`clippy::needless_return`).

    Raises JudgeFault where clippy-driver does not tell them.
    """
    return {lint: group for lint, group in groups_of_lints(backend).items() if group in _GROUPS}


@functools.cache
def groups_of_lints(backend: SandboxName = "bubblewrap") -> dict[str, str]:
    """The group of each of clippy's lints, by its name; each lint stands in one group.

    Raises JudgeFault where clippy-driver does not tell them.
    """
    told = Sandbox(Limits(backend=backend)).run([_CLIPPY, "-W", "help"]).stdout
    groups: dict[str, str] = {}
    for line in told.splitlines():
        name, _, members = line.strip().partition("  ")
        if name.startswith("clippy::") and name != "clippy::all" and "clippy::" in members:
            for lint in members.split(","):
                groups[lint.strip().replace("-", "_")] = name.removeprefix("clippy::")
    if not groups:
        raise JudgeFault("clippy-driver lists no lints: run `rustup component add clippy`")
    return groups


def lint(code: str, *, edition: str, limits: Limits, crates: Crates = NO_CRATES) -> dict[str, int] | None:
    """Warnings of `clippy::all` by group, groups without any left out; None where clippy gave up on the code.

    The sample is linted alone, as a library, so nothing that the tests do is counted. What the sample allows by
    attributes is counted all the same: silence is not style.
    """
    files = {ROOT: with_head(code, crates.head)}
    outcome = run_clippy(files, ROOT, edition=edition, limits=limits, crates=crates)
    if outcome.returncode != 0:
        return None
    return counted(outcome, [ROOT], limits.backend)[ROOT]


def run_clippy(
    files: Mapping[str, str], root: str, *, edition: str, limits: Limits, crates: Crates = NO_CRATES
) -> Outcome:
    """clippy on a library in a fresh room. Modules of it that are public count as what they are alone: exported."""
    arguments = ["--crate-type=lib", "--emit=metadata", "-o", "/work/out", "--error-format=json"]
    arguments += [
        "--cap-lints=warn",
        f"--edition={edition}",
        "-Awarnings",
        "--force-warn",
        "clippy::all",
        *crates.arguments,
        root,
    ]
    return Sandbox(limits).run([_CLIPPY, *arguments], files=files, mounts=crates.mounts)


def counted(
    outcome: Outcome, files: Sequence[str], backend: SandboxName = "bubblewrap"
) -> dict[str, dict[str, int]]:
    """The warnings in some files, by group."""
    groups = lint_groups(backend)
    counts: dict[str, Counter[str]] = {file: Counter() for file in files}
    for each in read_diagnostics(outcome.stderr):
        if each.code in groups and each.file in counts:
            counts[each.file][groups[each.code]] += 1
    return {file: dict(sorted(count.items())) for file, count in counts.items()}
