"""The points of a sweep as experiments of DVC: each a `dvc exp run --queue` with other values in config/config.yaml."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from rust_expert.common.config import points, profile
from rust_expert.common.config.points import Point, Sweep, keys_of, value_of
from rust_expert.common.config.profile import Profile
from rust_expert.common.errors import UserError

DEFAULT = "config/config.yaml"


def queue_commands(root: Path, configfiles: Sequence[str]) -> list[str]:
    """One shell command for each point of the sweep that `configfiles` state over the default profile.

    An experiment trains the swept stage itself, with the point's values, and evaluates it and what it comes from.
    Raises UserError where there is no sweep, or a file states more than a sweep: DVC's stage reads the default
    profile alone.
    """
    default = _read(root / DEFAULT)
    raw = dict(default)
    for name in configfiles:
        given = _read(Path(name))
        others = sorted(given.keys() - {"sweep"})
        if others:
            raise UserError(
                f"{name}: it states {others[0]}, but dvc.yaml runs {DEFAULT} alone; state nothing but sweep there"
            )
        raw |= given
    checked = profile.check(raw)
    if checked.sweep is None:
        raise UserError(
            "the profile has no section sweep: state one (config/README.md), or give --configfile config/sweep.yaml"
        )
    made = points.expand(checked)
    return [_command(checked, made, point, default) for point in made.points.values()]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{path}: it cannot be read as YAML ({str(error).splitlines()[0]})") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: not a mapping of sections")
    return found


def _command(checked: Profile, made: Sweep, point: Point, default: Mapping[str, Any]) -> str:
    assert checked.sweep is not None and made.sampling is not None and made.score is not None
    stage = checked.sweep.stage
    changed = [
        *_changed(checked.stages[stage], point.stage, f"stages.{stage}"),
        *_changed(checked.lora, point.lora, "lora"),
        *_changed(checked.evaluate.sampling, made.sampling, "evaluate.sampling"),
        *_changed(checked.score, made.score, "score"),
        ("evaluate.stages", profile.ancestry(checked, stage)),
        ("evaluate.suites", [made.suite]),
    ]
    words = ["dvc", "exp", "run", "--queue", "--name", point.name]
    for key, value in changed:
        plus = "" if _states(default, key) else "+"
        words += ["-S", f"{DEFAULT}:{plus}{key}={json.dumps(value)}"]
    return shlex.join(words)


def _changed(before: BaseModel, after: BaseModel, where: str) -> Iterator[tuple[str, Any]]:
    """The keys in which two sections differ, with the second one's values."""
    one, other = before.model_dump(mode="json"), after.model_dump(mode="json")
    for key in keys_of(type(after)):
        if value_of(one, key) != value_of(other, key):
            yield f"{where}.{key}", value_of(other, key)


def _states(raw: Any, key: str) -> bool:
    """Whether a file states a key: DVC wants a + before one that it does not."""
    for part in key.split("."):
        if not isinstance(raw, Mapping) or part not in raw:
            return False
        raw = raw[part]
    return True
