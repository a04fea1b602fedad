"""The answers behind the scores: what each stage wrote to each problem, and a fair choice of some to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.seeds import stable_hash
from rust_expert.common.tables import read_jsonl, read_parquet


@dataclass(frozen=True)
class Answer:
    """One completion as the model wrote it, and what the judge found."""

    raw: str
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Whether it solved its problem."""
        return self.verdict.status == "passed"

    @property
    def shown(self) -> str:
        """The code that was judged; the raw answer where no code was found in it."""
        return self.verdict.code or self.raw


@dataclass(frozen=True)
class Choice:
    """Some of the problems with one outcome: its name, how many there are, and those drawn."""

    key: str
    title: str
    note: str
    among: int
    problems: tuple[Problem, ...]


def read_answers(samples: str, verdicts: str) -> dict[str, Answer]:
    """The first sample of each problem, by task id.

    Raises UserError where the two files do not belong together.
    """
    raw = {(row.task_id, row.sample): row.completion for row in read_jsonl(samples, Completion)}
    answers: dict[str, Answer] = {}
    for verdict in read_parquet(verdicts, Verdict):
        key = (verdict.task_id, verdict.sample)
        if key not in raw:
            raise UserError(
                f"{verdicts}: a verdict for {verdict.task_id}, sample {verdict.sample}, which {samples} does not"
                " hold; judge those samples again"
            )
        known = answers.get(verdict.task_id)
        if known is None or verdict.sample < known.verdict.sample:
            answers[verdict.task_id] = Answer(raw[key], verdict)
    return answers


def choose(
    problems: Sequence[Problem],
    answers: Mapping[str, Mapping[str, Answer]],
    first: str,
    last: str,
    each: int,
    seed: int,
) -> list[Choice]:
    """Draw up to `each` problems that `last` solves and `first` did not, that no stage solves, that `last` lost.

    `answers` is by stage, then task id. The draw depends on the seed and the problem's name alone, never on how the
    code looks: nothing is picked by hand.
    """
    outcomes = (
        ("learned", f"Learned: {last} solves what {first} could not", f"{first} failed, {last} passes"),
        ("open", "Still unsolved by every stage", "no stage passes"),
        ("lost", f"Lost: {first} solved it, {last} does not", f"{first} passed, {last} fails"),
    )
    sorted_out: dict[str, list[Problem]] = {key: [] for key, _, _ in outcomes}
    for problem in problems:
        given = [stage[problem.task_id] for stage in answers.values() if problem.task_id in stage]
        before, after = answers[first].get(problem.task_id), answers[last].get(problem.task_id)
        if before is None or after is None:
            continue
        if after.passed and not before.passed:
            sorted_out["learned"].append(problem)
        elif before.passed and not after.passed:
            sorted_out["lost"].append(problem)
        elif not any(answer.passed for answer in given):
            sorted_out["open"].append(problem)
    return [
        Choice(key, title, note, len(sorted_out[key]), _drawn(sorted_out[key], each, seed))
        for key, title, note in outcomes
        if sorted_out[key]
    ]


def _drawn(problems: Sequence[Problem], each: int, seed: int) -> tuple[Problem, ...]:
    ranked = sorted(
        problems, key=lambda one: (stable_hash(seed, "shown in the report", one.task_id), one.task_id)
    )
    return tuple(ranked[:each])
