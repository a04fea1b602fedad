"""The runs of an experiment with other seeds: stages of their own that share data, suites and base with the first."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from rust_expert.common.config.points import branch_name
from rust_expert.common.config.profile import Profile
from rust_expert.common.config.stages import RsftStage, Stage
from rust_expert.common.errors import UserError

Section = TypeVar("Section", bound=BaseModel)


@dataclass(frozen=True)
class Runs:
    """What a profile's seeds come to beyond seed 0; nothing is in it where there is no other.

    `names` has for each of them what base and stages are called there, `stages` the stages that they add, `answers`
    whose training prompts an rsft stage among them takes its answers from, `origins` by name the stage and the seed.
    """

    names: dict[int, dict[str, str]] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    origins: dict[str, tuple[str, int]] = field(default_factory=dict)

    def stage_of(self, name: str) -> str:
        """The stage of the profile behind a name; the name itself for all that is of no other run."""
        return self.origins.get(name, (name, 0))[0]

    def seed_of(self, name: str) -> int:
        """The number that is added to the seeds of what is called so; 0 for all that is of the first run."""
        return self.origins.get(name, (name, 0))[1]

    def model_of(self, name: str) -> str:
        """Whose weights are sampled under that name: its own, but every run shares the base."""
        return "base" if self.stage_of(name) == "base" else name


def expand(profile: Profile, taken: Collection[str] = ()) -> Runs:
    """The runs of a profile with seeds other than 0, in order of the seeds.

    A name hangs on its stage and its seed alone, so one seed more makes nothing of the others again. `taken` are names
    that a sweep has. Raises UserError where a run's stage would be called as something else is.
    """
    made = Runs()
    for seed in sorted(profile.seeds):
        if seed == 0:
            continue
        names = {stage: branch_name(stage, {"seed": seed}) for stage in ("base", *profile.stages)}
        for name in names.values():
            if name in profile.datasets or name in taken:
                raise UserError(
                    f"config key seeds: {name}, a stage with the seed {seed}, is called as a data set or a point of the"
                    " sweep is; rename that, or choose another seed"
                )
        made.names[seed] = names
        made.origins.update({name: (stage, seed) for stage, name in names.items()})
        for stage, given in profile.stages.items():
            made.stages[names[stage]] = _moved_stage(given, seed, names)
            if isinstance(given, RsftStage):
                made.answers[names[stage]] = stage
    return made


def moved(section: Section, seed: int) -> Section:
    """A section whose `seed` is greater by a number."""
    given: Any = section
    return section.model_copy(update={"seed": given.seed + seed}) if seed else section


def _moved_stage(stage: Stage, seed: int, names: dict[str, str]) -> Stage:
    """The stage as it is trained in another run: from that run's parent, or from the base, which all share."""
    parent = stage.parent if stage.parent == "base" else names[stage.parent]
    changed = moved(stage, seed).model_copy(update={"parent": parent})
    if isinstance(changed, RsftStage):
        return changed.model_copy(update={"sampling": moved(changed.sampling, seed)})
    return changed
