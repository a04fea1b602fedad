"""The summary of all scores as the report reads it, and the questions that the page asks of it.

The file is written by the metrics room (results/metrics/summary.json, later metrics.json). Keys that the report does
not show are passed over, so that a richer summary stays readable.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Estimate(_Read):
    """A share or mean with the ends of its interval; over several seeds also each run's own, and their deviation."""

    value: float
    low: float
    high: float
    values: tuple[float, ...] = ()
    sd: float | None = None


class SizeRow(_Read):
    """The answers of one length: how many, and the shares that compile and that pass."""

    lines: str
    samples: int
    compile_rate: float
    pass_rate: float


class SuiteScore(_Read):
    """How one stage did on one suite."""

    problems: int
    samples: int = Field(description="all answers, those that the judge itself failed on included")
    judge_errors: int = 0
    policy_findings: int | None = Field(
        default=None, description="answers that break the policy, whether or not it is enforced"
    )
    pass_at: dict[int, Estimate] = Field(description="pass@k by k")
    compile_rate: Estimate
    prefiltered_compile_rate: Estimate | None = None
    policy_pass_at_1: Estimate | None = Field(
        default=None, description="pass@1 where an answer that breaks the policy counts as not passed"
    )
    statuses: dict[str, int] = Field(default_factory=dict)
    compiles_without_fitting: int = Field(
        default=0, description="answers with compile_error whose own code compiles, but not with the tests"
    )
    error_codes: dict[str, int] = Field(default_factory=dict)
    lints: dict[str, int] = Field(default_factory=dict)
    idiomatic: Estimate | None = None
    documented: Estimate | None = None
    sizes: list[SizeRow] = Field(default_factory=list)
    tokens_mean: float | None = None

    @property
    def outcomes(self) -> dict[str, int]:
        """Answers by what a reader asks: what compiles and does not fit its tests stands apart, as `unfit`."""
        refused = self.statuses.get("compile_error", 0) - self.compiles_without_fitting
        return {**self.statuses, "compile_error": refused, "unfit": self.compiles_without_fitting}

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        """`pass_at_1`, `pass_at_4` and so on become one table."""
        if not isinstance(data, dict):
            return data
        made = dict(data)
        made["pass_at"] = {
            int(key.removeprefix("pass_at_")): value
            for key, value in data.items()
            if key.startswith("pass_at_") and key.removeprefix("pass_at_").isdigit()
        }
        return made

    @field_validator("pass_at")
    @classmethod
    def _some(cls, value: dict[int, Estimate]) -> dict[int, Estimate]:
        if not value:
            raise ValueError("no figure pass_at_1, pass_at_2 or the like")
        return dict(sorted(value.items()))

    def estimate(self, metric: str) -> Estimate | None:
        """The figure called `compile_rate`, `pass_at_1` and so on; None where it was not computed."""
        if metric == "compile_rate":
            return self.compile_rate
        return self.pass_at.get(int(metric.removeprefix("pass_at_")))


class Training(_Read):
    """What became of a stage's training; `method` is `sft`, `rsft`, or where a base came from."""

    trained: bool = True
    reason: str | None = None
    method: str | None = None
    rows: int | None = None
    steps: int | None = None
    final_loss: float | None = None
    final_val_loss: float | None = None


class StageScores(_Read):
    """One stage: its parent (none for the base), its training, its scores by suite."""

    parent: str | None = None
    order: int = Field(default=0, description="place in the configuration")
    training: Training = Field(default_factory=Training)
    suites: dict[str, SuiteScore] = Field(default_factory=dict)


class McNemar(_Read):
    """The exact test on the first answer of each problem: how many only one of the two stages got right."""

    only_first: int
    only_second: int
    p_value: float


class Comparison(_Read):
    """A paired comparison of two stages on one suite."""

    stage: str
    against: str
    suite: str
    metric: str
    difference: float
    low: float
    high: float
    p_value: float | None = None
    significant: bool = False
    mcnemar: McNemar | None = None
    values: tuple[float, ...] = Field(default=(), description="over several seeds: each run's own")
    sd: float | None = None
    within_seed_spread: bool = Field(
        default=False, description="no greater than one standard deviation of the runs' own differences"
    )

    def verdict(self) -> str:
        """`better`, `worse`, or `no measurable difference`, by whether the interval leaves zero out."""
        if not self.significant:
            return "no measurable difference"
        return "better" if self.difference > 0 else "worse"


class JudgedWith(_Read):
    """The sandboxes and policies that the verdicts came from: one of each in most runs."""

    sandbox: list[str] = Field(default_factory=list)
    policy: list[str] = Field(default_factory=list)


class Spread(_Read):
    """A figure over the runs of several seeds; no mean where a run lacks it."""

    values: list[float | None]
    mean: float | None
    sd: float | None
    low: float | None = None
    high: float | None = None

    def estimate(self) -> Estimate | None:
        """The mean with its interval."""
        values = tuple(one for one in self.values if one is not None)
        if self.mean is None or self.low is None or self.high is None:
            return None
        return Estimate(value=self.mean, low=self.low, high=self.high, values=values, sd=self.sd)


class StageRuns(_Read):
    """One stage in the runs of several seeds: whether it was trained in each, and its figures by suite."""

    class Training(_Read):
        """What became of the trainings, in order of the seeds."""

        trained: list[bool] = Field(default_factory=list)
        final_val_loss: Spread | None = None

    training: Training = Field(default_factory=Training)
    suites: dict[str, dict[str, Spread]] = Field(default_factory=dict)


class Seeds(_Read):
    """The runs of several seeds, and the figures over all of them."""

    numbers: list[int] = Field(alias="list")
    stages: dict[str, StageRuns]
    comparisons: list[Comparison]


class Summary(_Read):
    """All scores of a run: that of seed 0, where an experiment has several."""

    judge: JudgedWith = Field(default_factory=JudgedWith)
    stages: dict[str, StageScores] = Field(min_length=1)
    comparisons: list[Comparison] = Field(default_factory=list)
    data: dict[str, Any] = Field(default_factory=dict)
    confidence: float = Field(default=0.95, description="of every interval")
    bootstrap: int | None = Field(default=None, description="resamples behind every interval")
    seeds: Seeds | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Summary":
        self.stages = {name: self.stages[name] for name in chain_order(self.stages)}
        return self

    def over_seeds(self) -> "Summary":
        """The same with means over all seeds in place of the figures of seed 0; itself where there is one seed."""
        if self.seeds is None:
            return self
        stages = {
            name: _averaged(stage, self.seeds.stages.get(name, StageRuns()))
            for name, stage in self.stages.items()
        }
        return self.model_copy(update={"stages": stages, "comparisons": self.seeds.comparisons})

    @property
    def sure(self) -> str:
        """The confidence of the intervals, such as `95 %`."""
        return f"{100 * self.confidence:g}\u202f%"

    @property
    def metric(self) -> str:
        """The figure that the headline speaks of: pass@k for the smallest k, in most runs 1."""
        ks = [k for stage in self.stages.values() for score in stage.suites.values() for k in score.pass_at]
        return f"pass_at_{min(ks, default=1)}"

    @property
    def base(self) -> str:
        """The first stage of the chain."""
        return next(iter(self.stages))

    def suites(self) -> list[str]:
        """Suites in the order of their number of problems, the largest first."""
        sizes: dict[str, int] = {}
        for stage in self.stages.values():
            for name, score in stage.suites.items():
                sizes[name] = max(sizes.get(name, 0), score.problems)
        return sorted(sizes, key=lambda name: (-sizes[name], name))

    def scores(self, suite: str) -> dict[str, SuiteScore]:
        """The score of each stage that was evaluated on `suite`, along the chain."""
        return {name: stage.suites[suite] for name, stage in self.stages.items() if suite in stage.suites}

    def compared(self, stage: str, against: str | None, suite: str, metric: str) -> Comparison | None:
        """The paired comparison of two stages, where one was made."""
        for one in self.comparisons:
            if (one.stage, one.against, one.suite, one.metric) == (stage, against, suite, metric):
                return one
        return None

    def best(self, suite: str) -> str | None:
        """The trained stage with the highest headline figure on `suite`, the earlier of equals; None where none was."""
        scores, metric = self.scores(suite), self.metric
        trained = [name for name in scores if name != self.base and self.stages[name].training.trained]
        return max(trained, key=lambda name: value_of(scores[name], metric), default=None)


def _averaged(stage: StageScores, runs: StageRuns) -> StageScores:
    suites = {name: _averaged_score(score, runs.suites.get(name, {})) for name, score in stage.suites.items()}
    training = stage.training.model_copy(
        update={"trained": any(runs.training.trained or [stage.training.trained])}
    )
    return stage.model_copy(update={"suites": suites, "training": training})


def _averaged_score(score: SuiteScore, found: dict[str, Spread]) -> SuiteScore:
    means = {name: one for name, spread in found.items() if (one := spread.estimate()) is not None}
    pass_at = {k: means[f"pass_at_{k}"] for k in score.pass_at if f"pass_at_{k}" in means}
    whole = {
        "pass_at": pass_at or score.pass_at,
        "compile_rate": means.get("compile_rate", score.compile_rate),
    }
    others = ("prefiltered_compile_rate", "policy_pass_at_1", "idiomatic", "documented")
    return score.model_copy(update={**whole, **{name: means.get(name) for name in others}})


def value_of(score: SuiteScore, metric: str) -> float:
    """The figure without its interval; 0 where it was not computed."""
    one = score.estimate(metric)
    return one.value if one else 0.0


def metric_name(metric: str) -> str:
    """`pass@1` of `pass_at_1`, `compile rate` of `compile_rate`."""
    return metric.replace("pass_at_", "pass@").replace("_", " ")


def chain_order(stages: dict[str, StageScores]) -> list[str]:
    """Stage names, each after its parent, siblings as configured; stages whose parent is not listed count as first."""
    children: dict[str | None, list[str]] = {}
    for name in sorted(stages, key=lambda one: (stages[one].order, one)):
        parent = stages[name].parent
        children.setdefault(parent if parent in stages and parent != name else None, []).append(name)
    order: list[str] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        name = waiting.pop()
        order.append(name)
        waiting += reversed(children.get(name, []))
    return order + sorted(set(stages) - set(order))


def read_summary(path: str) -> Summary:
    """Read a summary.

    Raises UserError naming the file and the key at fault.
    """
    try:
        return Summary.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(f"{path}: not a summary of scores ({fault_of(error)}); make it again") from None
