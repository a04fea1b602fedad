"""The judge can use the held-out problems: each family's own solution passes the way a model's answer would."""

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.curriculum.export import problem_of
from rust_expert.curriculum.families import names
from rust_expert.curriculum.generation import problems
from rust_expert.judge.check import check_problems


def test_a_problem_of_every_family_is_usable() -> None:
    chosen = {}
    for task in problems(CurriculumOptions(tasks=1, problems=2 * len(names()))):
        chosen.setdefault(task.family, problem_of(task))
    assert set(chosen) == set(names())
    made = list(chosen.values())
    checks = check_problems(made, JudgeOptions(lints=False), workers=2)
    assert [each for each in checks if each.finding != "passes"] == []
    assert [each.task_id for each in checks] == [problem.task_id for problem in made]
