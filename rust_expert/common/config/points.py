"""The points of a sweep as stages of their own, which share all that does not hang on what is varied."""

import difflib
import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.config.models import LoraOptions
from rust_expert.common.config.profile import Profile, require_known, validated
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.config.stages import METHODS, Stage
from rust_expert.common.config.sweep import SweepOptions, k_of
from rust_expert.common.errors import UserError

Keys = dict[str, Any]
"""Values by key of a stage, dots for what lies in a section."""

ANSWERS = ("parent", "data", "prompts", "sampling")
"""Keys of an rsft stage that its judged answers to training prompts hang on."""
SELECTION = (*ANSWERS, "keep")
"""Keys of an rsft stage that its rows hang on."""
_SHAPE = ("r", "alpha", "target_modules")
_LONGEST = 80


@dataclass(frozen=True)
class Point:
    """One point: the values that are varied, and the stage and the adapter that they come to."""

    name: str
    varied: Keys
    stage: Stage
    lora: LoraOptions


@dataclass(frozen=True)
class Sweep:
    """What a profile's sweep comes to; nothing is in it where the profile has none.

    `stages` holds every stage that the sweep adds: its points, and the stages whose training prompts, answers or
    kept rows several points of an rsft stage share. `answers` and `selections` say, for each of them, whose those are.
    """

    points: dict[str, Point] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    selections: dict[str, str] = field(default_factory=dict)
    sampling: SamplingOptions | None = None
    score: ScoreOptions | None = None
    suite: str = ""


def expand(profile: Profile) -> Sweep:
    """The points of a profile's sweep.

    Raises UserError with one sentence that names the key, and the point where it is about one.
    """
    asked = profile.sweep
    if asked is None:
        return Sweep()
    require_known("sweep.stage", asked.stage, profile.stages)
    suite = asked.suite or profile.evaluate.suites[0]
    require_known("sweep.suite", suite, profile.suites)
    sampling = validated(
        SamplingOptions, {**profile.evaluate.sampling.model_dump(), **asked.sampling}, "sweep.sampling."
    )
    points: dict[str, Point] = {}
    for varied in _varied(asked, profile):
        point = _point(profile, asked, varied)
        if any((point.stage, point.lora) == (other.stage, other.lora) for other in points.values()):
            raise UserError(
                f"config key sweep: two points are the same ({told(point.varied)}); leave one of them out"
            )
        points[point.name] = point
    made = Sweep(points=points, sampling=sampling, score=_score(asked, profile.score, sampling), suite=suite)
    for point in points.values():
        _add(made, profile, asked, point)
    _check_names(made, profile)
    return made


def told(varied: Mapping[str, Any]) -> str:
    """`learning_rate=0.001, seed=3`."""
    return ", ".join(f"{key}={_plain(value)}" for key, value in varied.items())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _varied(asked: SweepOptions, profile: Profile) -> Iterator[Keys]:
    """The varied keys of each point as they are written, in order; their names are checked."""
    known = _known_keys(profile.stages[asked.stage].method)
    budget = _flat(asked.budget, known, "sweep.budget")
    if asked.grid is not None:
        grid = _flat(asked.grid, known, "sweep.grid")
        for key, values in grid.items():
            if not isinstance(values, list) or not values:
                raise UserError(f"config key sweep.grid.{key} must be a list of values, not {_plain(values)}")
        listed = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    else:
        listed = [
            _flat(point, known, f"sweep.points[{place}]") for place, point in enumerate(asked.points or [])
        ]
    for place, varied in enumerate(listed):
        twice = sorted(varied.keys() & budget.keys())
        if twice:
            raise UserError(
                f"config key sweep.budget.{twice[0]} is varied by the points too; state it in one place"
            )
        if not varied:
            raise UserError(f"config key sweep.points[{place}] is empty; state the keys that it varies")
        yield varied


def _known_keys(method: str) -> list[str]:
    """Every key of a stage of that method with dots, and those of the adapter."""
    stage = [key for key in keys_of(METHODS[method]) if key != "method"]
    return [*stage, *(f"lora.{key}" for key in keys_of(LoraOptions))]


def keys_of(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every key of a section with dots, those of the sections in it too."""
    for name, told in model.model_fields.items():
        if isinstance(told.annotation, type) and issubclass(told.annotation, BaseModel):
            yield from keys_of(told.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _flat(given: Mapping[str, Any], known: list[str], where: str, above: str = "") -> Keys:
    """Sections as keys with dots; UserError for a key that a stage of that kind does not have."""
    found: Keys = {}
    for name, value in given.items():
        key = f"{above}{name}"
        if isinstance(value, Mapping):
            found |= _flat(value, known, where, f"{key}.")
        elif key in known:
            found[key] = value
        else:
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            advice = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            raise UserError(f"config key {where}.{key} is unknown: {advice}")
    return found


def _point(profile: Profile, asked: SweepOptions, varied: Keys) -> Point:
    known = _known_keys(profile.stages[asked.stage].method)
    budget = _flat(asked.budget, known, "sweep.budget")
    try:
        stage, lora = _with(profile, asked.stage, {**budget, **varied})
    except UserError as error:
        raise UserError(f"sweep, the point {told(varied)}: {error}") from None
    values = {"lora": lora.model_dump(mode="json"), **stage.model_dump(mode="json")}
    read = {key: value_of(values, key) for key in sorted(varied)}
    return Point(branch_name(asked.stage, read), read, stage, lora)


def _with(profile: Profile, name: str, keys: Keys) -> tuple[Stage, LoraOptions]:
    """A stage and its adapter with other values of some keys."""
    raw = profile.stages[name].model_dump(mode="json")
    lora = profile.lora.model_dump(mode="json")
    for one, other in (("steps", "epochs"), ("epochs", "steps")):
        if keys.get(one) is not None and other not in keys:
            raw[other] = None
    for key, value in keys.items():
        *sections, last = key.split(".")
        place = lora if sections[:1] == ["lora"] else raw
        for section in sections:
            place = place if section == "lora" else place[section]
        place[last] = value
    stage = validated(METHODS[raw["method"]], raw, f"stages.{name}.")
    require_known("parent", stage.parent, ["base", *profile.stages])
    require_known("data", stage.data, profile.datasets)
    shape = [key for key in _SHAPE if f"lora.{key}" in keys]
    if shape and stage.parent != "base":
        raise UserError(
            f"config key lora.{shape[0]}: {name} goes on with the adapter of {stage.parent}, whose shape is fixed;"
            " vary it in a stage whose parent is base"
        )
    if name in _trail(profile, stage.parent):
        raise UserError(f"config key parent: {stage.parent} comes from {name} itself; name an earlier stage")
    if stage.method == "rsft" and stage.parent == "base":
        raise UserError("config key parent: rejection sampling goes on from a trained stage, not base")
    if stage.method == "rsft" and profile.datasets[stage.data].curriculum_rows == 0:
        raise UserError(f"config key data: {stage.data} has no curriculum rows, so no prompt has tests")
    return stage, validated(LoraOptions, lora, "lora.")


def _trail(profile: Profile, stage: str) -> Iterator[str]:
    while stage != "base":
        yield stage
        stage = profile.stages[stage].parent


def value_of(values: Mapping[str, Any], key: str) -> Any:
    """The value at a key with dots."""
    found: Any = values
    for part in key.split("."):
        found = found[part]
    return found


def branch_name(stage: str, varied: Mapping[str, Any]) -> str:
    """The name of a stage with other values of some keys: readable, and the same wherever a list states them.

    A value that would lose something as part of a name, or a name that would be too long, is told apart by a hash.
    """
    words = [f"{key.replace('.', '_')}_{_word(value)}" for key, value in sorted(varied.items())]
    name = "__".join([stage, *words])
    if len(name) <= _LONGEST and all(_is_plain(value) for value in varied.values()):
        return name
    digest = hashlib.sha256(json.dumps(varied, sort_keys=True).encode("utf-8")).hexdigest()[:10]
    return f"{name[: _LONGEST - 12].rstrip('_')}__{digest}"


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".replace(".", "_").replace("-", "minus_")
    return re.sub(r"[^a-z0-9]+", "_", _plain(value).lower()).strip("_")


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", value) is not None
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and value >= 0)


def _score(asked: SweepOptions, score: ScoreOptions, sampling: SamplingOptions) -> ScoreOptions:
    """How points are scored: the k that their samples suffice for, and that of the metric."""
    wanted = k_of(asked.metric)
    if wanted is not None and wanted > sampling.samples:
        raise UserError(
            f"config key sweep.metric: {asked.metric} needs at least {wanted} samples per problem, but the points have"
            f" {sampling.samples} (evaluate.sampling.samples, or sweep.sampling.samples)"
        )
    ks = {k for k in score.k if k <= sampling.samples} | ({wanted} if wanted else set())
    return score.model_copy(update={"k": sorted(ks or {1})})


def _add(made: Sweep, profile: Profile, asked: SweepOptions, point: Point) -> None:
    """Add a point's stage, and for rejection sampling the stages that it has its answers and its rows from."""
    made.stages[point.name] = point.stage
    if point.stage.method != "rsft":
        return
    selection = _shared(made, profile, asked, point, SELECTION)
    answers = _shared(made, profile, asked, point, ANSWERS)
    made.selections[point.name] = selection
    for name in (point.name, selection, answers):
        made.answers[name] = answers


def _shared(
    made: Sweep, profile: Profile, asked: SweepOptions, point: Point, sections: tuple[str, ...]
) -> str:
    """The name of the swept stage with what differs in some sections alone; the stage itself where nothing does."""
    before, after = (stage.model_dump(mode="json") for stage in (profile.stages[asked.stage], point.stage))
    keys = [key for key in keys_of(type(point.stage)) if key.split(".")[0] in sections]
    changed = {key: value_of(after, key) for key in keys if value_of(after, key) != value_of(before, key)}
    if not changed:
        return asked.stage
    name = branch_name(asked.stage, changed)
    made.stages.setdefault(name, _with(profile, asked.stage, changed)[0])
    return name


def _check_names(made: Sweep, profile: Profile) -> None:
    for name in made.stages:
        if name in profile.stages or name in profile.datasets:
            raise UserError(
                f"config key sweep: the point {name} is called as a stage or a data set is; rename that"
            )
