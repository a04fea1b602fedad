"""What the manifests and loss histories beside the models say of each stage's training."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of

Points = tuple[tuple[float, float], ...]
"""Steps and values."""


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class LossPoint(_Read):
    """One line of a history: a training loss, a validation loss, or both, at a step."""

    step: int
    loss: float | None = None
    val_loss: float | None = None
    learning_rate: float | None = None


class ScratchTraining(_Read):
    """How a base made here was trained."""

    rows: int | None = None
    steps: int | None = None
    tokens: int | None = None
    val_loss: float | None = None


class HubSource(_Read):
    """Where a downloaded base came from."""

    name: str
    revision: str = ""


class StageSpeed(_Read):
    """Figures of the steps of a training, over all its ranks; shares are of the time or of the devices' peak."""

    seconds_per_step: float | None = None
    tokens_per_second: float | None = None
    learned_tokens_per_second: float | None = None
    data_wait_share: float | None = None
    mfu: float | None = None
    recompute: float | None = None
    peak_memory_bytes: float | None = None


class StageTiming(_Read):
    """On what a stage was trained, and how fast."""

    device: str = ""
    ranks: int = 1
    speed: StageSpeed = Field(default_factory=StageSpeed)


class TrainingRun(_Read):
    """The manifest of a base or of a stage, with its history; what they do not say stays None and is not shown."""

    stage: str = ""
    method: str | None = None
    origin: str | None = None
    parameters: int | None = None
    hub: HubSource | None = None
    training: ScratchTraining | None = None
    trained: bool = True
    reason: str | None = None
    rows: int | None = None
    rows_too_long: int | None = None
    steps: int | None = None
    train_loss: float | None = None
    val_loss: float | None = None
    history: list[LossPoint] = Field(default_factory=list)
    effective: dict[str, Any] = Field(default_factory=dict, description="settings read back from the trainer")
    timing: StageTiming | None = None

    def train_curve(self) -> Points:
        """Steps and training losses."""
        return tuple((point.step, point.loss) for point in self.history if point.loss is not None)

    def val_curve(self) -> Points:
        """Steps and validation losses."""
        return tuple((point.step, point.val_loss) for point in self.history if point.val_loss is not None)

    def peak_rate(self) -> float | None:
        """The highest learning rate of the history."""
        return max(
            (point.learning_rate for point in self.history if point.learning_rate is not None), default=None
        )

    def rows_trained_on(self) -> int | None:
        """Training rows."""
        return self.training.rows if self.training else self.rows


def read_run(stage: str, path: str) -> TrainingRun:
    """Read a stage's manifest, and history.json, effective.json and timing.json beside it where they are.

    Raises UserError naming the file and the key at fault.
    """
    beside = Path(path).with_name("history.json")
    try:
        run = TrainingRun.model_validate(read_json(path))
        history = TypeAdapter(list[LossPoint]).validate_python(read_json(beside) if beside.is_file() else [])
        clock = Path(path).with_name("timing.json")
        timing = StageTiming.model_validate(read_json(clock)) if clock.is_file() else None
    except ValidationError as error:
        raise UserError(
            f"{path}: not a manifest of a model with its history ({fault_of(error)}); train the stage again"
        ) from None
    settings = Path(path).with_name("effective.json")
    effective = read_json(settings) if settings.is_file() else {}
    if not isinstance(effective, dict):
        raise UserError(f"{settings}: not a mapping of settings; train the stage again")
    found = {"stage": stage, "history": history, "effective": effective, "timing": timing}
    return run.model_copy(update=found)


def smoothed(points: Points, span: int = 9) -> Points:
    """Each value as the mean of those around it: `span` in all, fewer near the ends."""
    half = span // 2
    means: list[tuple[float, float]] = []
    for index, (step, _) in enumerate(points):
        reach = min(half, index, len(points) - 1 - index)
        near = points[index - reach : index + reach + 1]
        means.append((step, sum(value for _, value in near) / len(near)))
    return tuple(means)


def thinned(points: Points, most: int = 240) -> Points:
    """At most `most` points, each the mean of its neighbours: enough for the eye, little for the file."""
    if len(points) <= most:
        return points
    bounds = [round(index * len(points) / most) for index in range(most + 1)]
    groups = [points[start:end] for start, end in zip(bounds, bounds[1:], strict=False)]
    return tuple((group[-1][0], sum(value for _, value in group) / len(group)) for group in groups)
