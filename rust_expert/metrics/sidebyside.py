"""Two runs on one suite, figure by figure: each with its interval, and the paired difference."""

from dataclasses import dataclass
from typing import Any

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.metrics.comparison import compare_all
from rust_expert.metrics.measures import RATIOS
from rust_expert.metrics.summary import ScoreFile, Share, SizeBucket, read_score


@dataclass(frozen=True)
class Row:
    """One figure of both runs; None where a run has none. `paired` is the second minus the first."""

    name: str
    first: Share | None
    second: Share | None
    paired: dict[str, Any] | None


@dataclass(frozen=True)
class SideBySide:
    """The two runs, their figures, their samples by length, and what was judged differently."""

    first: ScoreFile
    second: ScoreFile
    rows: list[Row]
    sizes: list[tuple[str, SizeBucket | None, SizeBucket | None]]
    judged_differently: list[str]


def side_by_side(first_path: str, second_path: str) -> SideBySide:
    """Compare two files of figures.

    Raises UserError where one is no such file, or the two are of different suites, problems or intervals.
    """
    first, second = read_score(first_path), read_score(second_path)
    for path, one in ((first_path, first), (second_path, second)):
        if not one.suite_sha256 or not one.intervals:
            raise UserError(f"{path}: it does not say which suite it is of; score again")
    if first.suite_sha256 != second.suite_sha256:
        raise UserError(
            f"{first_path} and {second_path} are of different suites (sha256 {first.suite_sha256[:12]} and "
            f"{second.suite_sha256[:12]}): judge both runs on one suite file"
        )
    if first.intervals != second.intervals:
        raise UserError(
            f"{first_path} and {second_path} have other intervals (confidence, bootstrap or seed): score both alike"
        )
    ks = sorted(_ks(first) & _ks(second))
    options = ScoreOptions.model_validate(first.intervals).model_copy(update={"k": ks})
    policy = all(_estimate(one, f"policy_pass_at_{k}") for one in (first, second) for k in ks)
    paired = compare_all(second.per_problem, first.per_problem, options, policy=policy)
    every = sorted(_ks(first) | _ks(second))
    names = [*(f"pass_at_{k}" for k in every), *(f"policy_pass_at_{k}" for k in every), *RATIOS]
    rows = [Row(name, _estimate(first, name), _estimate(second, name), paired.get(name)) for name in names]
    return SideBySide(
        first,
        second,
        [row for row in rows if row.first or row.second],
        _sizes(first, second),
        _odd(first, second),
    )


def _ks(score: ScoreFile) -> set[int]:
    keys = [key.removeprefix("pass_at_") for key in score.model_extra or {}]
    return {int(key) for key in keys if key.isdigit()}


def _estimate(score: ScoreFile, name: str) -> Share | None:
    found = (score.model_extra or {}).get(name)
    return Share.model_validate(found) if isinstance(found, dict) else None


def _sizes(first: ScoreFile, second: ScoreFile) -> list[tuple[str, SizeBucket | None, SizeBucket | None]]:
    mine, theirs = ({one.lines: one for one in score.sizes} for score in (first, second))
    order = list(dict.fromkeys([*mine, *theirs]))
    return [(name, mine.get(name), theirs.get(name)) for name in order]


def _odd(first: ScoreFile, second: ScoreFile) -> list[str]:
    """What the judges noted of themselves and is not the same: `policy (report, enforce)`."""
    mine, theirs = ({} if one.judge is None else _flat(one.judge.model_dump()) for one in (first, second))
    told = {key: (mine.get(key, "unknown"), theirs.get(key, "unknown")) for key in mine | theirs}
    return [f"{key} ({a}, {b})" for key, (a, b) in sorted(told.items()) if a != b]


def _flat(noted: dict[str, Any], before: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in noted.items():
        told |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return told
