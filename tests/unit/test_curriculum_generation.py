"""The default curriculum as a whole: distinct, seeded, sharded, and held out by construction."""

from collections import Counter
from itertools import islice

import pytest

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.errors import UserError
from rust_expert.curriculum.export import problem_of, sample_of
from rust_expert.curriculum.families import FAMILIES
from rust_expert.curriculum.generation import (
    Row,
    generate,
    held_out_combinations,
    problems,
    tasks_of,
    training_combinations,
)
from rust_expert.curriculum.held_out import held_out, held_out_of
from rust_expert.curriculum.phrasing import HUMANEVAL, TEMPLATES
from rust_expert.curriculum.tasks import Task
from rust_expert.dataset.decontamination import problem_form
from rust_expert.dataset.lexing import code_tokens
from rust_expert.dataset.normal import alpha_form, solution_forms

DEFAULT = CurriculumOptions()
SMALL = CurriculumOptions(
    tasks=700, problems=60, families=["slice_fold", "chars", "enum_match", "display_impl"]
)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(generate(DEFAULT))


@pytest.fixture(scope="module")
def suite() -> list[Task]:
    return list(problems(DEFAULT))


def test_the_default_set_is_large_and_distinct(rows: list[Row]) -> None:
    assert len(rows) == DEFAULT.tasks == 24_000
    assert len({row.prompt for row in rows}) == len(rows)
    counts = Counter(row.task.family for row in rows)
    assert set(counts) == set(FAMILIES)
    assert max(counts.values()) <= 0.08 * len(rows)
    per_combination = Counter(row.task.combination for row in rows).values()
    assert max(per_combination) - min(per_combination) <= 1


def test_half_of_the_prompts_are_code_to_complete(rows: list[Row]) -> None:
    shares = Counter(row.template for row in rows)
    assert set(shares) == {HUMANEVAL, *TEMPLATES} and len(TEMPLATES) >= 4
    assert 0.45 < shares[HUMANEVAL] / len(rows) < 0.55
    for row in rows:
        assert row.template != HUMANEVAL or row.prompt == row.task.prompt
        assert f"fn {row.task.draft.signature}" in row.prompt
        assert not row.prompt.endswith(" ") and ".." not in row.prompt.replace("..=", "")


def test_answers_are_short(rows: list[Row]) -> None:
    lengths = sorted(len(row.answer) for row in rows)
    assert lengths[-1] <= 600
    assert 80 < lengths[len(lengths) // 2] < 180


def test_the_suite_is_spread_over_held_out_combinations(suite: list[Task]) -> None:
    assert len(suite) == DEFAULT.problems >= 400
    assert {task.combination for task in suite} <= set(held_out_combinations(DEFAULT))
    per_family = Counter(task.family for task in suite)
    assert set(per_family) == set(FAMILIES)
    assert max(per_family.values()) - min(per_family.values()) <= 4
    assert max(Counter(task.combination for task in suite).values()) <= 2
    made = [problem_of(task) for task in suite]
    assert (
        len({problem.task_id for problem in made}) == len(made) == len({problem.prompt for problem in made})
    )


def test_no_held_out_combination_is_trained_on(rows: list[Row]) -> None:
    training, kept_back = training_combinations(DEFAULT), held_out_combinations(DEFAULT)
    assert not set(training) & set(kept_back)
    assert {row.task.combination for row in rows} == set(training)
    assert len(training) + len(kept_back) == sum(len(family.members) for family in FAMILIES.values())
    assert 0.10 < len(kept_back) / (len(training) + len(kept_back)) < 0.13


@pytest.mark.parametrize("seed", [1, 17, 2026])
def test_every_value_of_a_held_out_combination_is_trained_elsewhere(seed: int) -> None:
    for name, family in FAMILIES.items():
        kept_back = held_out_of(name, seed, 0.12)
        assert kept_back and all(held_out(combination, seed, 0.12) for combination in kept_back)
        training = [member for member in family.members if "/".join((name, *member)) not in kept_back]
        values = {value for member in training for value in enumerate(member)}
        for combination in kept_back:
            assert set(enumerate(combination.split("/")[1:])) <= values, combination


def test_many_held_out_operations_are_new_in_every_type() -> None:
    new = total = 0
    for name, family in FAMILIES.items():
        kept_back = held_out_of(name, DEFAULT.seed, DEFAULT.held_out_fraction)
        place = family.axes.index("kind") if "kind" in family.axes else -1
        trained = {
            member[:place] + member[place + 1 :] if place >= 0 else member
            for member in family.members
            if "/".join((name, *member)) not in kept_back
        }
        for combination in kept_back:
            member = tuple(combination.split("/")[1:])
            total += 1
            new += (member[:place] + member[place + 1 :] if place >= 0 else member) not in trained
    assert new > 0.35 * total


def test_no_training_answer_is_a_held_out_one_under_other_names(rows: list[Row], suite: list[Task]) -> None:
    forms = {problem_form(problem_of(task)) for task in suite}
    # All held-out combinations, not only those that the suite drew.
    for combination in held_out_combinations(DEFAULT):
        forms |= {
            alpha_form(code_tokens(task.solution)) for task in islice(tasks_of(combination, DEFAULT.seed), 3)
        }
    assert len(forms) > 400 and "" not in forms
    for solution in {row.task.solution for row in rows}:
        assert not solution_forms(solution) & forms, solution


def test_combinations_never_coincide_under_other_names() -> None:
    owners: dict[str, str] = {}
    for family in FAMILIES.values():
        for combination in family.combinations:
            for task in islice(tasks_of(combination, 3), 2):
                form = alpha_form(code_tokens(task.solution))
                assert owners.setdefault(form, combination) == combination, task.solution


def test_shards_make_up_the_whole_and_keep_combinations_together() -> None:
    whole = {row.prompt: row.answer for row in generate(SMALL)}
    parts = [list(generate(SMALL, shard, 3)) for shard in range(3)]
    assert {row.prompt: row.answer for part in parts for row in part} == whole
    assert sum(map(len, parts)) == len(whole) == SMALL.tasks
    owners = [{row.task.combination for row in part} for part in parts]
    assert not owners[0] & owners[1] and not owners[1] & owners[2] and not owners[0] & owners[2]


def test_the_seed_alone_decides() -> None:
    def text(options: CurriculumOptions) -> list[tuple[str, str, str]]:
        return [(row.prompt, row.answer, row.task.tests) for row in generate(options)]

    assert text(SMALL) == text(SMALL)
    other = SMALL.model_copy(update={"seed": 18})
    assert text(SMALL) != text(other)
    assert set(held_out_combinations(SMALL)) != set(held_out_combinations(other))
    assert [task.prompt for task in problems(SMALL)] == [task.prompt for task in problems(SMALL)]


def test_a_family_is_the_same_whatever_others_are_named() -> None:
    alone = SMALL.model_copy(update={"families": ["chars"]})
    assert set(held_out_combinations(alone)) <= set(held_out_combinations(SMALL))


def test_too_much_asked_is_a_clear_error() -> None:
    few = CurriculumOptions(families=["lifetimes"], problems=100)
    with pytest.raises(UserError, match=r"100 problems are asked for .* raise curriculum\.held_out_fraction"):
        list(problems(few))
    with pytest.raises(UserError, match=r"curriculum\.tasks: .* distinct prompts"):
        list(generate(CurriculumOptions(families=["overflow"], tasks=60_000)))


def test_rows_and_problems_keep_the_contracts(suite: list[Task]) -> None:
    row = next(generate(SMALL))
    sample = sample_of(row)
    assert (sample.source, sample.license, sample.scale) == ("curriculum", "Apache-2.0", "task")
    assert sample.verified == ["compiles", "tests pass"]
    assert (sample.family, sample.combination) == (row.task.family, row.task.combination)
    assert sample.tests == row.task.tests and sample.gen == row.answer and sample.id
    problem = problem_of(suite[0])
    assert (problem.category, problem.combination) == (suite[0].family, suite[0].combination)
    documented = next(generate(SMALL.model_copy(update={"documented": True})))
    assert documented.answer == documented.task.documented and "///" in documented.answer
