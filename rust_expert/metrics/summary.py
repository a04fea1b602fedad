"""The figures of all stages in one: what becomes metrics.json. No time, path, host or duration is in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of
from rust_expert.metrics.comparison import ProblemScore, compare
from rust_expert.metrics.measures import RATIOS

SCHEMA = 1

_LEFT_OUT = frozenset(
    {
        "schema", "per_problem", "sampling", "categories", "intervals", "k_left_out", "judge", "suite_sha256",
        "samples_sha256",
    }
)  # fmt: skip
"""What the summary does not repeat of a stage's figures: `dvc metrics show` prints a column for each."""


class ScoreFile(BaseModel):
    """The figures of one stage on one suite, as far as the summary reads them; the rest is passed on."""

    model_config = ConfigDict(extra="allow")

    problems: int
    samples: int
    per_problem: dict[str, ProblemScore]
    problems_excluded: dict[str, str] = Field(default_factory=dict)
    judge_errors: "JudgeErrors"
    sizes: list["SizeBucket"] = Field(default_factory=list)
    judge: "JudgedWith | None" = None
    suite_sha256: str = ""
    intervals: dict[str, float] = Field(default_factory=dict)


class JudgeErrors(BaseModel):
    """Samples that the judge itself failed on."""

    model_config = ConfigDict(extra="ignore")

    count: int


class SizeBucket(BaseModel):
    """The samples of one length."""

    lines: str
    samples: int
    compile_rate: "Share"
    pass_rate: "Share"


class Share(BaseModel):
    """A share with its interval."""

    value: float
    low: float
    high: float


class JudgedWith(BaseModel):
    """What the judge noted of itself, as far as the summary tells it."""

    model_config = ConfigDict(extra="allow")

    sandbox: dict[str, Any]
    policy: str


class TrainingFacts(BaseModel):
    """What a model's manifest says of its training; a base made here has it under `training`."""

    model_config = ConfigDict(extra="ignore")

    trained: bool = True
    reason: str | None = None
    method: str | None = None
    steps: int | None = None
    rows: int | None = None
    train_loss: float | None = None
    val_loss: float | None = None


class Reports(BaseModel):
    """The accounts of the data, each as it was written."""

    funnel: dict[str, Any] | None = None
    decontamination: dict[str, Any] | None = None
    mixes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    selections: dict[str, dict[str, Any]] = Field(default_factory=dict)


def read_score(path: str) -> ScoreFile:
    """Read the figures of one stage on one suite.

    Raises UserError naming the file and the key at fault.
    """
    try:
        return ScoreFile.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(f"{path}: not the figures of a stage ({fault_of(error)}); score again") from None


def read_training(path: str) -> TrainingFacts:
    """Read a base's or a stage's manifest.

    Raises UserError naming the file and the key at fault.
    """
    found = read_json(path)
    try:
        if isinstance(found, dict) and found.get("kind") == "base":
            made_here = found.get("training")
            facts = TrainingFacts.model_validate(
                made_here or {"trained": False, "reason": "an existing model"}
            )
            return facts.model_copy(update={"method": found.get("origin")})
        return TrainingFacts.model_validate(found)
    except ValidationError as error:
        raise UserError(f"{path}: not a model's manifest ({fault_of(error)}); train again") from None


def check_chain(parents: Mapping[str, str | None]) -> None:
    """Raise UserError where a stage's parent is not listed, or none of the stages has no parent."""
    for stage, parent in parents.items():
        if parent is not None and parent not in parents:
            raise UserError(f"--parents: {stage} comes from {parent}, which is not listed; list every stage")
        trail = [stage]
        while (above := parents[trail[-1]]) is not None:
            if above in trail:
                raise UserError(f"--parents: {' -> '.join([*trail, above])} is a circle; mend the stages")
            trail.append(above)


def root_of(stage: str, parents: Mapping[str, str | None]) -> str:
    """The base that a stage comes from, by whatever number of stages."""
    while (parent := parents[stage]) is not None:
        stage = parent
    return stage


def summarize(
    scores: Mapping[tuple[str, str], ScoreFile],
    parents: Mapping[str, str | None],
    training: Mapping[str, TrainingFacts],
    reports: Reports,
    options: ScoreOptions,
) -> dict[str, Any]:
    """All figures, and each stage compared with its nearest scored ancestor and with the base on each suite.

    `scores` is by stage and suite; `parents` lists every stage in order. Raises UserError for a score of a
    stage that is not listed, and for runs on different problems.
    """
    check_chain(parents)
    for stage, suite in scores:
        if stage not in parents:
            raise UserError(f"--scores: {stage}:{suite} is of no stage in --parents; list that stage")
    stages = {
        stage: {
            "order": order,
            "parent": parent,
            "training": _training(training.get(stage)),
            "suites": {
                suite: _shown(score) for (scored, suite), score in sorted(scores.items()) if scored == stage
            },
        }
        for order, (stage, parent) in enumerate(parents.items())
    }
    return {
        "schema": SCHEMA,
        "confidence": options.confidence,
        "bootstrap": options.bootstrap,
        "judge": _judged_with(scores.values()),
        "stages": stages,
        "comparisons": _comparisons(scores, parents, options),
        "data": data_facts(reports),
    }


def _training(facts: TrainingFacts | None) -> dict[str, Any]:
    if facts is None:
        return {}
    return {
        "trained": facts.trained,
        "reason": facts.reason,
        "method": facts.method,
        "steps": facts.steps,
        "rows": facts.rows,
        "final_loss": _rounded(facts.train_loss),
        "final_val_loss": _rounded(facts.val_loss),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _shown(score: ScoreFile) -> dict[str, Any]:
    """A stage's figures on a suite: the main ones with their intervals, few columns for DVC.

    Buckets are a list without intervals: DVC makes no columns of lists.
    """
    shown = {
        key: {name: part for name, part in value.items() if name != "of"}
        if key in RATIOS and value
        else value
        for key, value in score.model_dump(mode="json").items()
        if key not in _LEFT_OUT and (not key.startswith("policy_pass_at_") or key == "policy_pass_at_1")
    }
    if shown.get("clippy_warnings"):
        shown["clippy_warnings"] = shown["clippy_warnings"]["value"]
    return {
        **shown,
        "judge_errors": score.judge_errors.count,
        "problems_excluded": len(score.problems_excluded),
        "sizes": [
            {
                "lines": one.lines,
                "samples": one.samples,
                "compile_rate": one.compile_rate.value,
                "pass_rate": one.pass_rate.value,
            }
            for one in score.sizes
        ],
    }


def _judged_with(scores: Iterable[ScoreFile]) -> dict[str, list[str]]:
    """The sandboxes and policies that the scores were judged with: one of each, unless something was mixed."""
    noted = [one.judge for one in scores if one.judge is not None]
    return {
        "sandbox": sorted({str(one.sandbox.get("backend")) for one in noted}),
        "policy": sorted({one.policy for one in noted}),
    }


def _comparisons(
    scores: Mapping[tuple[str, str], ScoreFile],
    parents: Mapping[str, str | None],
    options: ScoreOptions,
) -> list[dict[str, Any]]:
    """One entry per stage, suite, metric and stage compared with."""
    told: list[dict[str, Any]] = []
    for stage, against, relation, suite in related(scores, parents):
        found = compare(scores[stage, suite].per_problem, scores[against, suite].per_problem, options)
        for metric, figures in found.items():
            told.append(
                {
                    "stage": stage,
                    "against": against,
                    "relation": relation,
                    "suite": suite,
                    "metric": metric,
                    **figures,
                }
            )
    return told


def related(
    scores: Mapping[tuple[str, str], ScoreFile], parents: Mapping[str, str | None]
) -> Iterator[tuple[str, str, list[str], str]]:
    """Which stages are compared on which suite: stage, the other, what that is to it, suite.

    The other is the nearest scored ancestor (`parent`) and the base; a parent that is the base stands once.
    """
    for stage in parents:
        for suite in sorted({suite for scored, suite in scores if scored == stage}):
            near, base = _nearest(stage, suite, scores, parents), root_of(stage, parents)
            relations: dict[str, list[str]] = {}
            if near is not None:
                relations.setdefault(near, []).append("parent")
            if base != stage and (base, suite) in scores:
                relations.setdefault(base, []).append("base")
            for against, relation in relations.items():
                yield stage, against, relation, suite


def _nearest(
    stage: str,
    suite: str,
    scores: Mapping[tuple[str, str], ScoreFile],
    parents: Mapping[str, str | None],
) -> str | None:
    """The nearest ancestor that was scored on the suite: the parent, unless it was not evaluated."""
    above = parents[stage]
    while above is not None and (above, suite) not in scores:
        above = parents[above]
    return above


def data_facts(reports: Reports) -> dict[str, Any]:
    """The counts of the data's accounts, without their lists."""
    told: dict[str, Any] = {}
    if reports.funnel is not None:
        told["cleaning"] = {
            "rows_in": reports.funnel["rows_in"]["rows"],
            "removed": {step["step"].replace(" ", "_"): step["removed"] for step in reports.funnel["steps"]},
            "rows_out": reports.funnel["rows_out"]["rows"],
        }
    if reports.decontamination is not None:
        told["decontamination"] = {
            name: _decontaminated(found) for name, found in sorted(reports.decontamination["suites"].items())
        }
    told["datasets"] = {
        name: {
            split: {key: report[split][key] for key in ("rows", "curriculum_rows", "crate_rows")}
            for split in ("train", "val")
        }
        for name, report in sorted(reports.mixes.items())
    }
    told["rejection_sampling"] = {
        stage: {
            **{
                key: report[key] for key in ("prompts", "samples", "kept", "prompts_with_kept", "parent_rows")
            },
            "outcomes": report["outcomes"],
        }
        for stage, report in sorted(reports.selections.items())
    }
    return told


def _decontaminated(found: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"problems": found["problems"], "rows_removed": len(found["removed"])}
    if "combinations" in found:
        told["combinations"] = {
            "suite": found["combinations"]["suite"],
            "trained": found["combinations"]["trained"],
            "shared": len(found["combinations"]["shared"]),
        }
        told["most_similar"] = found["similarity"].get("maximum")
    return told


def named(words: Sequence[str], flag: str) -> dict[str, str]:
    """NAME=FILE words as a mapping.

    Raises UserError for a word without `=`, and for a name given twice.
    """
    told: dict[str, str] = {}
    for word in words:
        name, mark, path = word.partition("=")
        if not mark or not name or not path:
            raise UserError(f"{flag}: {word} is no NAME=FILE; write the name before the file")
        if name in told:
            raise UserError(f"{flag}: {name} is given twice; name each once")
        told[name] = path
    return told
