"""A whole profile: every section of config.yaml, checked together.

Only the workflow reads this module. A script reads its own section, so that an edit here reruns nothing.
"""

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rust_expert.common.config.corpus import CorpusOptions
from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.common.config.export import ExportOptions, MergeOptions
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.config.models import SIZE, BaseOptions, LoraOptions, QuantizationOptions
from rust_expert.common.config.pairs import PairOptions
from rust_expert.common.config.report import CardOptions, ReportOptions
from rust_expert.common.config.stages import METHODS, Evaluation, Stage, Suite
from rust_expert.common.config.sweep import SweepOptions
from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.errors import UserError

NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What stages, suites and data sets may be called: the names become folders."""
LARGEST_SEED = 1_000_000


class Profile(BaseModel):
    """The keys of config.yaml."""

    model_config = ConfigDict(extra="forbid")

    corpus: CorpusOptions
    pairs: PairOptions
    tasks: TasksOptions
    curriculum: CurriculumOptions
    clean: CleanOptions
    datasets: dict[str, DatasetSpec] = Field(description="named data sets drawn from the cleaned rows")
    dataset_shards: int = Field(ge=1, json_schema_extra=SIZE, description="files per split of each data set")
    curriculum_shards: int = Field(
        ge=1, json_schema_extra=SIZE, description="parts that the curriculum is made and verified in"
    )
    base: BaseOptions
    quantization: QuantizationOptions
    lora: LoraOptions
    stages: dict[str, Stage] = Field(description="training stages by name; each names its parent")
    seeds: list[int] = Field(
        default_factory=lambda: [0],
        description="the runs of an experiment: 0 is the run with the seeds that the profile states, any other number"
        " is added to the seeds of its stages, of rejection sampling's draws and of `evaluate.sampling`; data sets,"
        " training prompts, suites and base are made once and shared. With several, metrics.json and report say how"
        " far the figures differ from seed to seed (config/seeds.yaml is an example)",
    )
    suites: dict[str, Suite] = Field(description="evaluation suites by name")
    evaluate: Evaluation
    judge: JudgeOptions
    score: ScoreOptions
    report: ReportOptions
    cards: CardOptions
    merge: MergeOptions
    export: ExportOptions
    sweep: SweepOptions | None = Field(
        default=None, description="a stage trained with several values of some keys, by `make sweep`"
    )

    @field_validator("seeds", mode="before")
    @classmethod
    def _are_seeds(cls, given: Any) -> Any:
        if not isinstance(given, list) or not given:
            raise ValueError("seeds is a list of whole numbers, such as [0, 1, 2]")
        for one in given:
            if type(one) is not int or not 0 <= one <= LARGEST_SEED:
                raise ValueError(f"seeds are whole numbers from 0 to {LARGEST_SEED:,}; {one!r} is none")
        if len(set(given)) < len(given):
            raise ValueError("a seed that stands there twice would give the same run twice; state each once")
        if 0 not in given:
            raise ValueError(
                "0 is missing: it is the run with the seeds that the profile states, to which the others are added;"
                f" write {sorted([0, *given])}"
            )
        return sorted(given)


def check(raw: Mapping[str, Any]) -> Profile:
    """A profile from the merged mapping of its YAML files.

    Raises UserError with one sentence that names the key, and the key that was probably meant.
    """
    stages = {name: _stage(name, given) for name, given in _mapping(raw.get("stages"), "stages").items()}
    profile = validated(Profile, {**raw, "stages": stages}, "")
    _check_names(profile)
    _check_stages(profile)
    _check_evaluation(profile)
    return profile


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f"config key {key} must be a mapping of names, not {_short(value)}")
    return value


def _stage(name: str, given: Any) -> Stage:
    stage = _mapping(given, f"stages.{name}")
    method = stage.get("method")
    if method not in METHODS:
        raise UserError(
            f"config key stages.{name}.method must be one of {', '.join(METHODS)}, not {_short(method)}"
        )
    return validated(METHODS[method], stage, f"stages.{name}.")


Section = typing.TypeVar("Section", bound=BaseModel)


def validated(model: type[Section], raw: Mapping[str, Any], prefix: str) -> Section:
    """A section from its mapping; UserError with one sentence that names the key below `prefix`."""
    try:
        return model.model_validate(dict(raw))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(_sentence(first, prefix, _names_beside(model, first["loc"]))) from None


def _sentence(fault: Mapping[str, Any], prefix: str, known: list[str]) -> str:
    key = (prefix + ".".join(str(part) for part in fault["loc"])).rstrip(".")
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        advice = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        return f"config key {key} is unknown: {advice}"
    if fault["type"] == "missing":
        return f"config key {key} is missing: add it (config/README.md says what it takes)"
    told = fault["msg"].removeprefix("Value error, ")
    if isinstance(fault["input"], Mapping):
        return f"config key {key}: {told}"
    return f"config key {key}: {told}, not {_short(fault['input'])}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _names_beside(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are known where the last part of `location` stands."""
    kind: Any = model
    for part in location[:-1]:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = {field.alias or name: field for name, field in kind.model_fields.items()}
            kind = _plain_kind(fields[str(part)].annotation)
        else:
            kind = _plain_kind(typing.get_args(kind)[-1])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return sorted(field.alias or name for name, field in kind.model_fields.items())
    return []


def _plain_kind(kind: Any) -> Any:
    """A type without its `| None`."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(kind) if one is not type(None))
    return kind


def _check_names(profile: Profile) -> None:
    for section in ("stages", "suites", "datasets"):
        for name in getattr(profile, section):
            if not NAME.fullmatch(name):
                raise UserError(
                    f"config key {section}.{name}: a name is lower-case letters, digits and _, and starts with a letter"
                )
    if "base" in profile.stages:
        raise UserError(
            "config key stages.base: base is the base model itself; choose another name for the stage"
        )
    for name in profile.stages:
        if "__" in name:
            raise UserError(
                f"config key stages.{name}: __ marks points of a sweep and other seeds; write a single _"
            )
        if name in profile.datasets:
            raise UserError(f"config key stages.{name}: a data set has that name already; choose another")


def _check_stages(profile: Profile) -> None:
    for name, stage in profile.stages.items():
        require_known(f"stages.{name}.parent", stage.parent, ["base", *profile.stages])
        require_known(f"stages.{name}.data", stage.data, list(profile.datasets))
        if stage.method == "rsft" and stage.parent == "base":
            raise UserError(
                f"config key stages.{name}.parent: rejection sampling goes on from a trained stage, not base"
            )
        if stage.method == "rsft" and profile.datasets[stage.data].curriculum_rows == 0:
            raise UserError(
                f"config key stages.{name}.data: {stage.data} has no curriculum rows, so no prompt has tests; "
                "choose a data set with curriculum_rows above 0"
            )
    for name in profile.stages:
        trail = [name]
        while (parent := profile.stages[trail[-1]].parent) != "base":
            if parent in trail:
                raise UserError(
                    f"config key stages.{name}.parent: the stages go in a circle "
                    f"({' -> '.join([*trail, parent])}); let one of them start from base"
                )
            trail.append(parent)


def _check_evaluation(profile: Profile) -> None:
    for name in profile.evaluate.stages:
        require_known("evaluate.stages", name, ["base", *profile.stages])
    for name in profile.evaluate.suites:
        require_known("evaluate.suites", name, list(profile.suites))
    for name, suite in profile.suites.items():
        if suite.origin == "file" and not suite.path:
            raise UserError(f"config key suites.{name}.path is missing: name the JSONL file of problems")
    if profile.base.origin == "scratch":
        require_known("base.data", profile.base.data, list(profile.datasets))
    most = max(profile.score.k)
    if most > profile.evaluate.sampling.samples:
        raise UserError(
            f"config key score.k: pass@{most} needs at least {most} samples per problem, but "
            f"evaluate.sampling.samples is {profile.evaluate.sampling.samples}"
        )


def require_known(key: str, name: str, names: Iterable[str]) -> None:
    """Raise UserError where a key names something that is not among `names`."""
    choices = list(names)
    if name in choices:
        return
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    advice = f"did you mean {close[0]}?" if close else f"known: {', '.join(choices)}"
    raise UserError(f"config key {key} names {name}, which is not there: {advice}")


def ancestry(profile: Profile, stage: str) -> list[str]:
    """The stages from base to `stage`, both included."""
    trail = [stage]
    while trail[-1] != "base":
        trail.append(profile.stages[trail[-1]].parent)
    return trail[::-1]
