"""The families as such: how many, how large, how regular, and whether their tests tell operations apart."""

import itertools
import re
from collections import Counter

import pytest

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.errors import UserError
from rust_expert.curriculum.drafts import chain, if_else, literal
from rust_expert.curriculum.families import FAMILIES, names
from rust_expert.curriculum.generation import families_of, tasks_of
from rust_expert.curriculum.integers import TYPES, OutOfRange, quotient, remainder
from rust_expert.curriculum.rendering import Rust, render
from rust_expert.curriculum.tasks import Task, differs

KEYWORDS = re.compile(
    "as|async|await|break|const|continue|crate|dyn|else|enum|extern|false|fn|for|gen|if|impl|in|let|loop|match|mod|move"
    "|mut|pub|ref|return|self|static|struct|super|trait|true|try|type|unsafe|use|where|while|abstract|become|box|do"
    "|final|macro|override|priv|typeof|unsized|virtual|yield"
)


@pytest.fixture(scope="module")
def firsts() -> dict[str, Task]:
    """The first task of every combination."""
    return {name: next(tasks_of(name, 17)) for family in FAMILIES.values() for name in family.combinations}


def test_there_are_enough_families_of_like_size() -> None:
    sizes = {name: len(family.members) for name, family in FAMILIES.items()}
    total = sum(sizes.values())
    assert len(sizes) >= 30 and names() == list(sizes)
    assert 2_000 <= total <= 4_000
    assert min(sizes.values()) >= 20 and max(sizes.values()) <= 0.08 * total


def test_combinations_are_distinct_names() -> None:
    every = [name for family in FAMILIES.values() for name in family.combinations]
    assert len(every) == len(set(every))
    for name in every:
        assert re.fullmatch(r"[a-z0-9_]+(/[a-zA-Z0-9_&\[\]]+)+", name), name


def test_each_task_is_small_and_well_formed(firsts: dict[str, Task]) -> None:
    for name, task in firsts.items():
        assert task.combination == name and name.startswith(task.family + "/")
        assert not KEYWORDS.fullmatch(task.entry_point) and re.fullmatch(
            r"[a-z][a-z0-9_]+", task.entry_point
        ), name
        assert task.prompt.endswith(" {\n") and task.canonical_solution.endswith("}\n")
        assert f"fn {task.entry_point}" in task.prompt.splitlines()[-1]
        assert task.documented == task.prompt + task.canonical_solution
        assert "///" not in task.solution and len(task.solution) <= 600
        assert task.draft.doc.endswith(".") and "  " not in task.draft.doc
        assert 3 <= len(task.arguments) <= 5, name
        assert max(map(len, task.documented.splitlines())) <= 140
        assert task.tests.startswith("#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn ")


def test_operations_look_the_same_everywhere(firsts: dict[str, Task]) -> None:
    spelled = {name for name, task in firsts.items() if "even" in name.split("/") and "/all" not in name}
    assert len(spelled) > 150
    for name in spelled:
        assert re.search(r"\w % 2 == 0", firsts[name].canonical_solution), name


def test_tests_tell_the_operations_of_a_family_apart(firsts: dict[str, Task]) -> None:
    compared, missed = 0, Counter[str]()
    for family in FAMILIES.values():
        tasks = [firsts[name] for name in family.combinations]
        for task, other in itertools.permutations(tasks, 2):
            same_types = [param.kind for param in task.draft.params] == [
                param.kind for param in other.draft.params
            ]
            if same_types and task.draft.returns == other.draft.returns:
                compared += 1
                cases = zip(task.arguments, task.expected, strict=True)
                missed[family.name] += not any(differs(other.draft, *case) for case in cases)
    # What is left means the same: `binary_search` on a sorted slice and `contains`, `from` and `into`.
    assert compared > 30_000
    assert missed.total() < 0.01 * compared, missed.most_common(8)


def test_an_unknown_family_is_named_with_the_likely_one() -> None:
    with pytest.raises(UserError, match="'slice_fold_'; did you mean slice_fold"):
        families_of(CurriculumOptions(families=["slice_fold_"]))
    with pytest.raises(UserError, match="no family is called 'zzzz'; there are arithmetic"):
        families_of(CurriculumOptions(families=["zzzz"]))


def test_division_rounds_as_rust_does() -> None:
    cases = list(itertools.product(range(-7, 8), (-3, -2, 2, 3)))
    assert [quotient(a, b) for a, b in cases] == [int(a / b) for a, b in cases]
    assert all(quotient(a, b) * b + remainder(a, b) == a for a, b in cases)
    assert (remainder(-7, 3), quotient(-7, 2)) == (-1, -3)


def test_overflow_is_rust_overflow() -> None:
    assert (TYPES["i8"].wrap(130), TYPES["u8"].wrap(-1), TYPES["i64"].wrap(2**63)) == (-126, 255, -(2**63))
    assert (TYPES["i8"].clamp(-999), TYPES["u16"].clamp(70_000)) == (-128, 65_535)
    with pytest.raises(OutOfRange):
        TYPES["i16"].product([200, 200])
    with pytest.raises(OutOfRange):
        TYPES["u32"].sum([1, -2, 5])


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("i32", -5, "-5"),
        ("f64", 1.5, "1.5"),
        ("bool", True, "true"),
        ("char", "'", "'\\''"),
        ("&str", 'a"\\\n', '"a\\"\\\\\\n"'),
        ("String", "é", 'String::from("é")'),
        ("&[i64]", [1, -2], "&[1, -2]"),
        ("Vec<&str>", [], "Vec::<&str>::new()"),
        ("Option<(i32, bool)>", (1, False), "Some((1, false))"),
        ("Result<u8, String>", (False, "no"), 'Err(String::from("no"))'),
        ("HashMap<char, i32>", {"a": 1}, "HashMap::from([('a', 1)])"),
        ("&HashMap<char, i32>", {}, "&HashMap::new()"),
        ("Anything", Rust("X { y: 1 }"), "X { y: 1 }"),
    ],
)
def test_values_become_rust(kind: str, value: object, text: str) -> None:
    assert render(kind, value) == text


def test_layout_follows_rustfmt() -> None:
    assert chain("xs", "iter()", "sum()") == ("xs.iter().sum()",)
    wide = "filter(|&x| x % 2 == 0 && x > 100_000)"
    assert chain("xs", "iter()", "copied()", wide, "max()") == (
        "xs.iter()",
        "    .copied()",
        f"    .{wide}",
        "    .max()",
    )
    assert chain("(1..=n)", "rev()", wide, "map(|x| x + 1)", "sum()")[0] == "(1..=n)"
    assert len(if_else("x > 0", "x", "-x")) == 1 and len(if_else("x > 0", "x" * 20, "y" * 20)) == 5
    assert literal("P", "x: 1", "y: 2") == ("P { x: 1, y: 2 }",)
    assert literal("P", "width: 10", "height: 20")[1] == "    width: 10,"
