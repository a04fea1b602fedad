"""Crates past the gates, built, linted and examined in the sandbox; what came out is kept, so that one more crate, or
a run
that was interrupted, builds no other crate again.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common import cache
from rust_expert.common.config.corpus import BuildOptions
from rust_expert.common.config.pairs import PairOptions
from rust_expert.common.errors import JudgeFault
from rust_expert.common.files import sha256_json
from rust_expert.common.parallel import spread
from rust_expert.common.progress import Progress
from rust_expert.judge.in_place import in_place
from rust_expert.judge.third_party import Build, ThirdParty, build, limits_of, recipe, require_clippy
from rust_expert.syntax.corpus import ItemRow
from rust_expert.tasks.examination import Examined, examined
from rust_expert.tasks.pairs import PairRow

log = logging.getLogger(__name__)

_RESULT = "result.json"
_ATTEMPTS = 3
"""Of building a crate in which the sandbox breaks."""


class CrateVerdict(BaseModel):
    """What building a crate came to. `files`: the source files that took part; `forms`: how many forms of its items
    were tried and confirmed, and why the others were not, by kind.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    version: str
    outcome: Literal["passes", "blocked", "cannot_build"]
    reason: str = ""
    lints: dict[str, int] = Field(default_factory=dict)
    files: list[str] = Field(default_factory=list)
    forms: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)


class CrateResult(CrateVerdict):
    """The same with all confirmed forms."""

    pairs: list[PairRow] = Field(default_factory=list)

    def counted(self) -> "CrateCount":
        """The same with the number of confirmed forms by kind."""
        counts = dict(sorted(Counter(pair.kind for pair in self.pairs).items()))
        return CrateCount(**self.model_dump(exclude={"pairs"}), pairs=counts)


class CrateCount(CrateVerdict):
    """What building a crate came to, with the number of confirmed forms by kind."""

    pairs: dict[str, int] = Field(default_factory=dict)


class ShardResult(BaseModel):
    """What a shard's crates came to, without the forms themselves, which are counted in `pairs`; what was asked of them
    with which compiler; what it explains of the error codes that it gave.
    """

    model_config = ConfigDict(extra="forbid")

    rustc: str
    crates: list[CrateCount]
    explained: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A crate to be built. `content`: a hash over its files; `needs`: hashes over those of the packages that it needs,
    with their folders; `fault`: why they cannot be had.
    """

    name: str
    version: str
    root: Path
    content: str
    needs: Mapping[str, Path]
    fault: str = ""


@dataclass(frozen=True)
class Request:
    """What is asked of every crate. `code` names the version of the code that asks; `rustc` the compiler."""

    builds: BuildOptions
    pairs: PairOptions
    code: str
    rustc: str


def results_of(
    crates: Sequence[tuple[Source, Sequence[ItemRow]]], request: Request, workers: int
) -> list[CrateResult]:
    """Build and examine crates, with their items, `workers` at a time; in the order given, whatever their number.

    A fault in one crate is its outcome. Raises UserError where there is no sandbox, or no clippy.
    """
    require_clippy()
    results: list[CrateResult] = []
    with Progress(len(crates), "building crates") as progress:
        for result in spread(lambda each: _result(*each, request), crates, workers):
            results.append(result)
            if result.outcome != "passes":
                log.warning("%s %s: %s: %s", result.name, result.version, result.outcome, result.reason)
            progress.advance()
    return results


def _result(source: Source, rows: Sequence[ItemRow], request: Request) -> CrateResult:
    if source.fault:
        return _result_of(source, Build("cannot_build", source.fault))
    # Clippy's verdict hangs on less than the forms do: a crate that it blocks stays blocked when a mutation changes.
    built = [source.content, sorted(source.needs), request.builds.model_dump(), recipe(), request.rustc]
    told = [[row.key, row.end, row.kind] for row in rows]
    verdict = f"builds/{sha256_json(built)}"
    whole = f"builds/{sha256_json([built, request.pairs.model_dump(), request.code, told])}"
    for place in (verdict, whole):
        if (kept := _kept(place)) is not None:
            return kept
    made = _made(source, rows, request)
    if not made.hurried:
        text = made.result.model_dump_json()
        cache.keep(whole if made.examined else verdict, lambda folder: _write(folder / _RESULT, text))
    return made.result


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _kept(place: str) -> CrateResult | None:
    if not cache.is_whole(place):
        return None
    text = (cache.cache_folder() / place / _RESULT).read_text(encoding="utf-8")
    try:
        return CrateResult.model_validate_json(text)
    except ValidationError:
        return None  # it was kept by code that told other things


@dataclass(frozen=True)
class _Made:
    """`examined`: its items were asked about, so that it hangs on the code that asks. `hurried`: a limit of time was
    met, or the sandbox broke: on another machine it may end otherwise, so it is not kept.
    """

    result: CrateResult
    examined: bool = False
    hurried: bool = False


def _made(source: Source, rows: Sequence[ItemRow], request: Request) -> _Made:
    reason = ""
    for _ in range(_ATTEMPTS):
        try:
            return _built(source, rows, request)
        except JudgeFault as fault:
            reason = f"the sandbox broke while it was built: {fault}"
    return _Made(_result_of(source, Build("cannot_build", reason)), hurried=True)


def _built(source: Source, rows: Sequence[ItemRow], request: Request) -> _Made:
    with tempfile.TemporaryDirectory(prefix="rust-expert-build-") as name:
        left = Path(name)
        left.chmod(0o755)
        done = build(ThirdParty(source.name, source.root, source.needs), request.builds, left)
        result = _result_of(source, done)
        if done.outcome != "passes":
            return _Made(result, hurried=done.timed_out)
        with in_place(done, source.root, limits_of(request.builds)) as compiler:
            try:
                found = examined(rows, sources_of(done, source.root), compiler, done, request.pairs)
            except (ValueError, LookupError, RecursionError) as error:  # a crate may print what it likes
                log.debug("%s", source.name, exc_info=True)
                reason = f"what the compiler says of its items cannot be read ({type(error).__name__})"
                return _Made(_failed(result, reason), examined=True)
            # What is said of forms holds where the crate itself compiles; a form that does has shown it already.
            if not compiler.succeeded and not (again := compiler.compile({})).ok:
                errors = (each.headline for each in again.diagnostics if each.is_error)
                reason = f"it does not compile a second time: {next(errors, 'the compiler stopped')}"
                return _Made(_failed(result, reason), hurried=compiler.timeouts > 0)
            return _Made(_with_pairs(result, found), examined=True, hurried=compiler.timeouts > 0)


def _result_of(source: Source, done: Build) -> CrateResult:
    return CrateResult(
        name=source.name,
        version=source.version,
        outcome=done.outcome,
        reason=done.reason,
        lints=done.lints,
        files=sorted(done.files),
    )


def _failed(result: CrateResult, reason: str) -> CrateResult:
    return result.model_copy(update={"outcome": "cannot_build", "reason": reason})


def sources_of(done: Build, root: Path) -> dict[str, bytes]:
    """The source files that took part in a build, by their names."""
    names = sorted(name for name in done.files if name.endswith(".rs"))
    return {name: (root / name).read_bytes() for name in names if (root / name).is_file()}


def _with_pairs(result: CrateResult, found: Examined) -> CrateResult:
    forms = {kind: tally.told() for kind, tally in sorted(found.tallies.items())}
    return result.model_copy(update={"forms": forms, "pairs": found.pairs})
