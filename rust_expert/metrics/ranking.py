"""The points of a sweep, ranked by one figure: what becomes results/sweep.json. No time, path or host is in it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.config.sweep import k_of
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of
from rust_expert.metrics.comparison import compare_all
from rust_expert.metrics.summary import ScoreFile, Share, TrainingFacts

SCHEMA = 1


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Plan(_Read):
    """What is swept: each point's name with its values of the varied keys, the failed ones with the reason."""

    stage: str
    suite: str
    metric: str
    budget: dict[str, Any] = Field(default_factory=dict)
    sampling: dict[str, Any] = Field(default_factory=dict)
    points: dict[str, dict[str, Any]]
    failed: dict[str, str] = Field(default_factory=dict)


class Against(_Read):
    """A point's figure minus that of the best, paired by problem."""

    difference: float
    low: float
    high: float
    p_value: float
    significant: bool
    problems: int


class Ranked(_Read):
    """One point: its place, its figure (None where its samples give none), how far it is from the best."""

    rank: int
    name: str
    varied: dict[str, Any]
    estimate: Share | None
    against_best: Against | None = Field(
        description="None for the best itself, and where a figure is missing"
    )
    problems: int
    samples: int
    training: TrainingFacts


class Failed(_Read):
    """A point that is not ranked, and why."""

    name: str
    varied: dict[str, Any]
    reason: str


class Ranking(_Read):
    """All points of a sweep, the best first, then those that failed."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    stage: str
    suite: str
    metric: str
    confidence: float
    budget: dict[str, Any]
    sampling: dict[str, Any]
    points: list[Ranked]
    failed: list[Failed]

    def keys(self) -> list[str]:
        """The varied keys, in order of names."""
        every = [*(point.varied for point in self.points), *(point.varied for point in self.failed)]
        return sorted({key for varied in every for key in varied})


def read_plan(text: Any) -> Plan:
    """The plan from its JSON value; UserError where the profile has no sweep, or the plan is none."""
    if text == {}:
        raise UserError(
            "the profile has no section sweep: state one (config/README.md), or give --configfile config/sweep.yaml"
        )
    try:
        return Plan.model_validate(text)
    except ValidationError as error:
        raise UserError(f"--plan: not the plan of a sweep ({fault_of(error)})") from None


def read_ranking(path: str) -> Ranking:
    """Read results/sweep.json; UserError naming the file and the key at fault."""
    try:
        return Ranking.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(f"{path}: not the ranking of a sweep ({fault_of(error)}); make it again") from None


def rank(
    plan: Plan,
    scores: Mapping[str, ScoreFile],
    training: Mapping[str, TrainingFacts],
    options: ScoreOptions,
) -> Ranking:
    """The points by the plan's metric, higher first, equal ones by name; each against the best, problem by problem.

    The best is chosen by the very figures that are shown, so its own is flattered the more points there are
    (docs/decisions/048-sweeps.md).
    Raises UserError where a point has neither a score nor a reason, or the points answered different problems.
    """
    missing = sorted(plan.points.keys() - plan.failed.keys() - scores.keys())
    if missing:
        raise UserError(
            f"--scores: the point {missing[0]} is missing; score it, or say in the plan why it failed"
        )
    if len({one.suite_sha256 for one in scores.values()}) > 1:
        raise UserError("--scores: the points are of different suites; judge and score all on one suite file")
    figures = {name: _estimate(scores[name], plan.metric) for name in scores}
    order = sorted(scores, key=lambda name: (-_height(figures[name]), name))
    k = k_of(plan.metric)
    alone = options.model_copy(update={"k": [k or 1]})
    ranked = [
        Ranked(
            rank=place + 1,
            name=name,
            varied=plan.points[name],
            estimate=figures[name],
            against_best=_against(scores[name], scores[order[0]], plan.metric, alone) if place else None,
            problems=scores[name].problems,
            samples=scores[name].samples,
            training=training[name],
        )
        for place, name in enumerate(order)
    ]
    failed = [
        Failed(name=name, varied=plan.points[name], reason=reason)
        for name, reason in sorted(plan.failed.items())
    ]
    return Ranking(
        schema=SCHEMA, stage=plan.stage, suite=plan.suite, metric=plan.metric, confidence=options.confidence,
        budget=plan.budget, sampling=plan.sampling, points=ranked, failed=failed,
    )  # fmt: skip


def _estimate(score: ScoreFile, metric: str) -> Share | None:
    found = (score.model_extra or {}).get(metric)
    return None if found is None else Share.model_validate(found, extra="ignore")


def _height(estimate: Share | None) -> float:
    return -1.0 if estimate is None else estimate.value


def _against(point: ScoreFile, best: ScoreFile, metric: str, options: ScoreOptions) -> Against | None:
    found = compare_all(point.per_problem, best.per_problem, options, policy=False).get(metric)
    return (
        None if found is None else Against.model_validate({key: found[key] for key in Against.model_fields})
    )
