"""The judge can use the held-out problems: each family's own solution passes the way a model's answer would."""

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.curriculum.export import problem_of
from rust_expert.curriculum.families import names
from rust_expert.curriculum.generation import problems
from rust_expert.judge.verdicts import usable_problems


def test_a_problem_of_every_family_is_usable() -> None:
    chosen = {}
    for task in problems(CurriculumOptions(tasks=1, problems=2 * len(names()))):
        chosen.setdefault(task.family, problem_of(task))
    assert set(chosen) == set(names())
    made = list(chosen.values())
    usable, excluded = usable_problems(made, JudgeOptions(lints=False), workers=2)
    assert excluded == []
    assert set(usable) == {problem.task_id for problem in made}
