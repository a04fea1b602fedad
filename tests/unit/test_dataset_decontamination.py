"""No row gives a problem away: planted copies are found, what merely looks alike stays."""

import json
import os
import random
from pathlib import Path

import pytest

from rust_expert.common.contracts import Problem, Sample
from rust_expert.common.errors import UserError
from rust_expert.common.tables import write_jsonl
from rust_expert.dataset.clean import decontaminate
from rust_expert.dataset.decontamination import Suite, problem_code, problem_form, read_suites
from rust_expert.dataset.grams import GramIndex
from rust_expert.dataset.lexing import words
from rust_expert.dataset.shingles import listed_stream
from rust_expert.dataset.sightings import Wanted, sightings_in
from rust_expert.dataset.similarity import closest, distribution

PROBLEM = Problem(
    task_id="t/1",
    prompt=(
        "/// Returns the widest gap between two neighbouring readings of the tide gauge, or None below two.\n"
        "fn widest_gap(readings: &[i64]) -> Option<i64> {\n"
    ),
    canonical_solution="    readings.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max()\n}\n",
    test="mod tests { #[test] fn gaps() { assert_eq!(super::widest_gap(&[1, 5, 3]), Some(4)); } }",
    entry_point="widest_gap",
)
RENAMED = "fn g(xs: &[i64]) -> Option<i64> { xs.windows(2).map(|w| (w[1] - w[0]).abs()).max() }"


def row(prompt: str, gen: str, **metadata: object) -> Sample:
    return Sample.make(prompt=prompt, gen=gen, **{"task_type": "code_generation", **metadata})


def reasons(rows: list[Sample], problems: list[Problem]) -> list[str | None]:
    """For each row the reason for its removal; None where it stays."""
    kept, report = decontaminate(rows, [Suite("s", problems)], 10)
    told = {entry["row"]: entry["reason"] for entry in report["suites"]["s"]["removed"]}
    assert {sample.id for sample in kept} == {sample.id for sample in rows} - told.keys()
    assert report["removed"] == len(told)
    return [told.get(sample.id) for sample in rows]


def test_planted_copies_are_found_on_both_sides() -> None:
    doc = PROBLEM.prompt.splitlines()[0]
    rows = [
        row("Write g.", RENAMED),
        row(f"Explain this:\n```rust\n{RENAMED}\n```", "It looks at pairs."),
        row("Fix it.", f"struct Tide;\nimpl Tide {{\n    {RENAMED.replace('&[i64]', '&[i64]')}\n}}"),
        row(PROBLEM.prompt.replace("\n", "\n  "), "fn widest_gap() {}"),
        row(f"{doc} Use a loop.", "fn h() {}"),
        row("Write h.", f"{doc}\nfn h() {{}}"),
        row("Write h.", RENAMED.replace("i64", "i32")),
        row("Write h.", "fn h(xs: &[i64]) -> Option<i64> { xs.iter().copied().max() }"),
    ]
    assert reasons(rows, [PROBLEM]) == [
        "same solution",
        "same solution",
        "same solution",
        "same question",
        "shared run of words",
        "shared run of words",
        None,
        None,
    ]


def test_held_out_by_construction_replaces_the_run_of_words_only() -> None:
    problem = PROBLEM.model_copy(update={"combination": "gap|i64|abs"})
    shared = PROBLEM.prompt.splitlines()[0]
    near = RENAMED.replace("abs()", "signum()")
    rows = [
        row(shared, near, combination="gap|i64|signum"),  # alike by design: stays
        row(shared, near + " ", combination="gap|i64|abs"),  # the held-out combination itself
        row("Other.", RENAMED, combination="gap|i64|other"),  # another name for the same solution
        row(problem.prompt, near, combination="gap|i64|other"),  # the same question
        row(shared, "fn h() {}"),  # no combination: the run of words counts
    ]
    assert reasons(rows, [problem]) == [
        None,
        "same combination",
        "same solution",
        "same question",
        "shared run of words",
    ]
    # Against a problem that is not of the generator, a row of the generator has no privilege.
    assert reasons(rows[:1], [PROBLEM]) == ["shared run of words"]


def test_the_report_states_combinations_and_similarity() -> None:
    problem = PROBLEM.model_copy(update={"combination": "gap|i64|abs"})
    near = RENAMED.replace("abs()", "signum()")
    rows = [row("a", near, combination="gap|i64|signum"), row("b", near, combination="gap|i64|abs")]
    _, report = decontaminate(rows, [Suite("s", [problem]), Suite("t", [PROBLEM])], 10)
    assert report["suites"]["s"]["combinations"] == {
        "suite": 1,
        "trained": 1,
        "shared_before_removal": ["gap|i64|abs"],
        "shared": [],
    }
    told = report["suites"]["s"]["similarity"]
    assert told["problems"] == 1 and 0.6 < told["maximum"] < 1
    assert told["closest_pair"] == {"problem": "t/1", "row": rows[0].id}
    assert sum(told["tenths"].values()) == 1
    assert "combinations" not in report["suites"]["t"]
    json.dumps(report, allow_nan=False)


def test_the_name_of_a_suite_changes_nothing() -> None:
    rows = [row("Write g.", RENAMED), row("x", "fn h() {}")]
    first, one = decontaminate(rows, [Suite("curriculum", [PROBLEM])], 10)
    second, two = decontaminate(rows, [Suite("other", [PROBLEM])], 10)
    assert first == second
    assert one["suites"]["curriculum"] == two["suites"]["other"]


def test_the_canonical_program_of_each_format() -> None:
    whole = "fn widest_gap(a: &[i64]) -> i64 { helper(a) }\nfn helper(a: &[i64]) -> i64 { a[0] }"
    prose = Problem(task_id="p", prompt="Write a function, don't use `{`.", canonical_solution=whole, test="")
    assert problem_code(prose) == whole
    body = Problem(
        task_id="b",
        prompt="/* Adds. */",
        declaration="fn add(a: u8) -> u8 {",
        canonical_solution=" a + 1 }",
        test="",
    )
    assert problem_code(body) == "fn add(a: u8) -> u8 { a + 1 }"
    nested = Problem(
        task_id="n", prompt="fn f() -> u8 {", canonical_solution="fn g() -> u8 { 1 }\n g() }", test=""
    )
    assert problem_code(nested).startswith("fn f()")
    assert problem_form(body.model_copy(update={"declaration": None})) == ""


def test_a_small_function_beside_types_is_not_taken_for_the_whole() -> None:
    """A problem of a type and a method matches the type with the method, not every method of that shape."""
    text = "struct Deck { cards: Vec<u8> }\nimpl Deck { fn size(&self) -> usize { self.cards.len() } }"
    problem = Problem(task_id="d", prompt="A deck.", canonical_solution=text, test="")
    renamed = text.replace("Deck", "Pile").replace("cards", "sheets").replace("fn size", "fn height")
    method = "struct Bag { a: u8, items: Vec<u8> }\nimpl Bag { fn n(&self) -> usize { self.items.len() } }"
    assert reasons([row("x", renamed), row("y", method)], [problem]) == ["same solution", None]


def test_a_problem_without_a_solution_removes_no_signature() -> None:
    unsolved = Problem.model_validate(
        {"name": "p", "prompt": "fn f(a: i64) -> i64 {\n", "tests": "}\nfn main() { assert_eq!(f(1), 2); }"}
    )
    assert problem_form(unsolved) == ""
    rows = [
        row("fn other(b: i64) -> i64 {\n", "fn other(b: i64) -> i64 { b * 3 }"),
        row(unsolved.prompt, "x"),
    ]
    assert reasons(rows, [unsolved]) == [None, "same question"]


def brute_grams(text: str, size: int) -> set[tuple[str, ...]]:
    listed = words(text)
    return {tuple(listed[i : i + size]) for i in range(len(listed) - size + 1)}


def test_grams_agree_with_a_brute_force_search() -> None:
    rnd = random.Random(8)
    vocabulary = [f"name{i}" for i in range(12)] + ["fn", "let", "1", "22", "Vec", "i32"]
    problems = [
        [" ".join(rnd.choices(vocabulary, k=rnd.randrange(3, 40))) for _ in range(2)] for _ in range(30)
    ]
    texts = [" ".join(rnd.choices(vocabulary, k=rnd.randrange(0, 60))) for _ in range(300)]
    for place in range(0, 300, 5):  # some texts quote a problem
        quoted = words(rnd.choice(rnd.choice(problems)))
        start = rnd.randrange(max(1, len(quoted)))
        texts[place] += " + " + " :: ".join(quoted[start : start + rnd.randrange(2, 9)]) + " tail"
    for size in (2, 5):
        wanted: dict[tuple[str, ...], int] = {}
        for problem, parts in enumerate(problems):
            for part in parts:
                for gram in brute_grams(part, size):
                    if any(word.startswith("name") for word in gram):
                        wanted.setdefault(gram, problem)
        index = GramIndex(problems, size)
        seen = sightings_in(texts, Wanted(size, index.runs()))
        found = {hit.text: hit for hit in index.shared(texts, seen)}
        expected = {place for place, text in enumerate(texts) if brute_grams(text, size) & wanted.keys()}
        assert found.keys() == expected
        assert len(expected) > 20
        for place, hit in found.items():
            run = tuple(hit.run.split())
            assert run in brute_grams(texts[place], size)
            assert run in brute_grams(" | ".join(problems[hit.problem]), size)


def test_runs_of_numbers_or_boilerplate_tell_nothing() -> None:
    problem = PROBLEM.model_copy(
        update={
            "test": "assert_eq!(f(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]), 91); "
            "fn main() { let mut v: Vec<i32> = Vec::new(); for x in v.iter() { } }"
        }
    )
    rows = [
        row("x", "const A: [u8; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];"),
        row("y", "fn main() { let mut v: Vec<i32> = Vec::new(); for x in v.iter() { } }"),
    ]
    assert reasons(rows, [problem]) == [None, None]


def test_closest_agrees_with_a_brute_force_search() -> None:
    rnd = random.Random(9)
    forms = {str(i): " ".join(rnd.choices("abcdefg", k=rnd.randrange(4, 30))) for i in range(60)}
    problems = {name: form for name, form in forms.items() if int(name) < 15}
    rows = {name: form for name, form in forms.items() if int(name) >= 15}

    def runs(form: str) -> set[tuple[str, ...]]:
        listed = form.split()
        return {tuple(listed[i : i + 5]) for i in range(len(listed) - 4)}

    def compared(problems: dict[str, str], rows: dict[str, str]) -> list[tuple[str, str, float]]:
        streams = (listed_stream([form.split() for form in forms.values()]) for forms in (problems, rows))
        return closest(list(problems), next(streams), list(rows), next(streams))

    found = compared(problems, rows)
    assert [name for name, _, _ in found] == sorted(name for name in problems if runs(problems[name]))
    for name, other, likeness in found:
        one = runs(problems[name])
        every = {
            key: len(one & runs(form)) / len(one | runs(form)) for key, form in rows.items() if runs(form)
        }
        assert likeness == pytest.approx(max(every.values()))
        assert every[other] == pytest.approx(likeness)
    assert distribution([]) == {"problems": 0}
    assert compared(problems, {}) == []


def test_broken_suites_are_named(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "sub" / "a.jsonl"
    write_jsonl(first, [PROBLEM])
    write_jsonl(second, [PROBLEM, PROBLEM])
    assert read_suites([str(first), f"b={first}"])[1].name == "b"
    with pytest.raises(UserError, match="a second suite called a"):
        read_suites([str(first), str(second)])
    with pytest.raises(UserError, match=r"a\.jsonl: two problems are called t/1"):
        read_suites([str(second)])
    first.write_text('{"task_id": "x"}\n')
    with pytest.raises(UserError, match=r"a\.jsonl, line 1"):
        read_suites([str(first)])


def test_a_suite_of_others_is_recognised() -> None:
    """Each of its solutions, renamed and under another prompt, is found."""
    shared = Path(os.environ.get("RUST_EXPERT_PROBLEMS", "")) / "humaneval_x_rust.jsonl"
    if not shared.is_file():
        pytest.skip("the problems of others are not here")
    suite = read_suites([str(shared)])[0]
    copies = [
        row(f"Task {place}", problem_code(problem).split("TypeId};", 1)[-1])
        for place, problem in enumerate(suite.problems)
    ]
    kept, _ = decontaminate(copies, [suite], 10)
    assert kept == []
