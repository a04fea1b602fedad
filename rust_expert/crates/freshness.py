"""How old what a crate needs is: its direct dependencies beside the newest versions on the day of the lock."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from rust_expert.common.errors import UserError

_NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:[-+]|$)")


def newest_beside(table: str | Path) -> Path:
    """Where the newest versions of what a table's crates need lie: crates.newest.tsv beside crates.tsv."""
    return Path(table).with_suffix(".newest.tsv")


def read_newest(path: Path) -> dict[str, str]:
    """The newest version of each package by its name; empty where there is no such file.

    Raises UserError naming file and line of a row that is none.
    """
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    rows = [(number, line) for number, line in lines if line and not line.startswith("#")]
    for number, line in rows[1:]:
        name, tab, version = line.partition("\t")
        if not tab or _NUMBERS.match(version) is None:
            raise UserError(
                f"{path}, line {number}: not a name and a version; make it again with `python -m tools.crate_lock`"
            )
        found[name] = version
    return found


def outdated_share(needs: Iterable[tuple[str, str]], newest: Mapping[str, str]) -> float | None:
    """The share of the packages (name, version) that have a newer version which cargo would not take in their place.

    None where nothing is known: no packages, or none of them among the newest.
    """
    known = [(version, newest[name]) for name, version in needs if name in newest]
    if not known:
        return None
    return sum(is_outdated(version, latest) for version, latest in known) / len(known)


def is_outdated(version: str, newest: str) -> bool:
    """Whether `newest` is above `version` and not compatible with it, as cargo understands versions: the first number
    that is not zero is another one.
    """
    mine, latest = _numbers(version), _numbers(newest)
    return latest > mine and _leading(mine) != _leading(latest)


def _numbers(version: str) -> tuple[int, ...]:
    found = _NUMBERS.match(version)
    return tuple(map(int, found.groups())) if found is not None else (0, 0, 0)


def _leading(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """The part that a compatible version shares: up to the first number that is not zero."""
    place = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    return numbers[: place + 1]
