"""What is worked out on arrays for thousands of texts at once is what the plain definitions say of each text."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.dataset import CleanOptions
from rust_expert.common.contracts import Problem, Sample, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.rows import changed
from rust_expert.common.tables import read_parquet, write_jsonl, write_parquet
from rust_expert.curriculum.export import problem_of, sample_of
from rust_expert.curriculum.generation import generate, problems
from rust_expert.dataset import joined
from rust_expert.dataset.alpha import alpha_stream
from rust_expert.dataset.answers import Answers, exact_key, lesson_of
from rust_expert.dataset.clean import decontaminate
from rust_expert.dataset.decontamination import Rows, Suite, SuiteIndex, problem_code, problem_form
from rust_expert.dataset.duplicates import answers_of, without_leaks, without_near
from rust_expert.dataset.grams import is_telling
from rust_expert.dataset.joined import Hashes, Joined
from rust_expert.dataset.lexing import code_tokens, words
from rust_expert.dataset.normal import alpha_tokens, plain_text, solution_forms
from rust_expert.dataset.tokenised import Stream, code_stream, word_stream

OPTIONS = CleanOptions()

SCRAPS = [
    "'", '"', 'r#"', '"#', "r", "b", "c", "br#", "#", "/", "*", "//", "/*", "*/", "\n", " ", "a", "fn", "e", "E", "1",
    "0x1f", "1.5", "1e-5", ".", "..", "=", ">", "<", ":", "-", "+", "&", "|", "!", "é", "→", "'a", "'a'", "'\\n'",
    "'\\u{1F600}'", "b'x'", "r#type", "\\", "_", "x1", "2e", "\x1c", "\xa0", "\0", "'é'", '"é"', "1..2", "..=", "&&&",
    "=>", "::<", "'r\"x\"", "{", "}", "1.2.3", "x.0.1", "1_0.5", "\ud800", "a" * 70,
]  # fmt: skip

WORDS = [
    "fn", "struct", "enum", "impl", "let", "mut", "x", "y", "foo", "bar", "Baz", "Vec", "Option", "len",
    "push", "String", "'a", "'static", "'x'", '"s"', '"{x}"', "1", "1_000", "2.5", "0x1f_u8", "(", ")", "{",
    "}", "[", "]", "<", ">", ",", ";", ":", "::", ".", "!", "#", "&", "=", "==", "->", "pub", "use", "main",
    "self", "Self", "const", "static", "T", "crate", "r#type",
]  # fmt: skip


@pytest.fixture(params=[joined.PART, 300])
def part(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are taken in parts; a short part lets the borders between parts fall everywhere."""
    monkeypatch.setattr(joined, "PART", request.param)


def numbers(tokens: Sequence[str]) -> Hashes:
    whole = Joined(tokens)
    return whole.hashes(whole.starts, whole.ends - whole.starts)


def agree(stream: Stream, texts: Sequence[str], plain: Sequence[Sequence[str]]) -> None:
    assert len(stream.offsets) == len(texts) + 1
    for place, (text, tokens) in enumerate(zip(texts, plain, strict=True)):
        assert np.array_equal(stream.of(place), numbers(tokens)), repr(text)


def soups(rnd: random.Random, scraps: Sequence[str], between: str, count: int, longest: int) -> list[str]:
    return [between.join(rnd.choices(scraps, k=rnd.randrange(longest))) for _ in range(count)]


@pytest.mark.usefixtures("part")
def test_tokens_and_words_of_any_text() -> None:
    texts = soups(random.Random(5), SCRAPS, "", 6_000, 14)
    agree(code_stream(texts), texts, [[word for _, word in code_tokens(text)] for text in texts])
    agree(word_stream(texts), texts, [words(text) for text in texts])
    assert len(code_stream([]).hashes) == len(word_stream([""]).hashes) == 0


@pytest.mark.usefixtures("part")
def test_alpha_forms_of_any_text() -> None:
    rnd = random.Random(6)
    texts = soups(rnd, WORDS, " ", 3_000, 40) + soups(rnd, SCRAPS, "", 1_000, 14)
    agree(alpha_stream(texts), texts, [alpha_tokens(code_tokens(text)) for text in texts])


def test_equal_tokens_have_equal_numbers_and_others_differ() -> None:
    rnd = random.Random(7)
    known = {"".join(rnd.choices("ab_0é", k=rnd.randrange(1, 90))) for _ in range(20_000)}
    assert len(set(numbers(sorted(known)).tolist())) == len(known)


def disguised(tokens: Sequence[str], rnd: random.Random) -> str:
    """A program of the given alpha form in other words, or nearly so: names, layout, comments, attributes."""
    stems = ["v", "count", "self_", "r2", "Item", "len"]
    names = {token: f"{rnd.choice(stems)}{rnd.randrange(99)}" for token in tokens}
    out: list[str] = []
    for token in tokens:
        word = token
        if token.startswith("$") and len(token) > 1:
            word = names[token]
        elif token.startswith("'$"):
            word = f"'l{token[2:]}"
        elif token in (")", "]") and rnd.random() < 0.1:
            word = ", " + token
        elif token in ("fn", "struct") and rnd.random() < 0.4:
            word = (
                rnd.choice(["#[inline] ", "pub ", "pub(crate) ", "/* so */ ", '#[doc = "fn"] pub ']) + token
            )
        elif token == "let" and rnd.random() < 0.1:
            word = rnd.choice(["#[allow(unused)] let", "// well\n let", "/* fn */ let"])
        elif rnd.random() < 0.002:
            word = rnd.choice(["x", "7", ""])  # another program
        out.append(word)
    code = "".join(word + rnd.choice([" ", " ", "\n", " // fn f() {\n"]) for word in out)
    return rnd.choice(
        [code, f"Look:\n```rust\n{code}\n```\nDon't you see?", f"use std::fmt;\n{code}", f"~~~\n{code}"]
    )


def held_out() -> list[Problem]:
    """Problems of the curriculum, some of them as a suite of others would have them."""
    made = [problem_of(task) for task in problems(CurriculumOptions(problems=120))]
    return [
        one if place % 3 else one.model_copy(update={"combination": None}) for place, one in enumerate(made)
    ]


def plain_reasons(rows: Sequence[Sample], suite: Sequence[Problem], size: int) -> list[str | None]:
    """For each row why it goes, by the definitions of docs/decisions/031, word for word."""
    forms = {form for problem in suite if (form := problem_form(problem))}
    questions = {plain_text(problem.prompt) for problem in suite}
    combinations = {problem.combination for problem in suite}

    def grams(text: str) -> set[tuple[str, ...]]:
        listed = words(text)
        return {tuple(listed[place : place + size]) for place in range(len(listed) - size + 1)}

    def telling(wanted: Sequence[Problem]) -> set[tuple[str, ...]]:
        texts = [text for one in wanted for text in (one.prompt, problem_code(one), one.test)]
        return {gram for text in texts for gram in grams(text) if any(map(is_telling, gram))}

    of_all, of_free = telling(suite), telling([one for one in suite if one.combination is None])
    found: list[str | None] = []
    for row in rows:
        shared = of_all if row.combination is None else of_free
        if row.combination is not None and row.combination in combinations:
            found.append("same combination")
        elif (solution_forms(row.prompt) | solution_forms(row.gen)) & forms:
            found.append("same solution")
        elif plain_text(row.prompt) in questions:
            found.append("same question")
        elif (grams(row.prompt) | grams(row.gen)) & shared:
            found.append("shared run of words")
        else:
            found.append(None)
    return found


@pytest.mark.usefixtures("part")
def test_decontamination_finds_what_the_definitions_say() -> None:
    rnd = random.Random(8)
    suite = held_out()
    programs = [alpha_tokens(code_tokens(problem_code(problem))) for problem in suite]
    built = [sample_of(row) for row in generate(CurriculumOptions(tasks=300, seed=3))]
    rows = list(built)
    for place in range(500):
        problem, code = suite[place % len(suite)], disguised(programs[place % len(suite)], rnd)
        asked = problem.prompt.replace("\n", " \n")
        prompt, gen = rnd.choice([(f"Write {place}.", code), (code, f"It is {place}."), (asked, f"x{place}")])
        if place % 10 == 0:
            quoted = words(problem.prompt + problem.test)
            prompt += " -- " + " + ".join(quoted[place % 7 : place % 7 + rnd.randrange(6, 14)])
        combination = rnd.choice([None, "some|other", problem.combination])
        rows.append(row(gen, prompt=prompt, combination=combination))
    kept, report = decontaminate(rows, [Suite("s", suite)], 10)
    told = {entry["row"]: entry["reason"] for entry in report["suites"]["s"]["removed"]}
    plain = plain_reasons(rows, suite, 10)
    assert [told.get(row.id) for row in rows] == plain
    assert {row.id for row in kept} == {row.id for row in rows} - told.keys()
    counts = {reason: plain.count(reason) for reason in set(plain)}
    assert min(counts.values()) >= 10 and len(counts) == 5, counts
    # Few rows are looked at closely for the sake of their functions: else nothing would be gained.
    assert len(Rows(built, [SuiteIndex(Suite("s", suite), 10)]).forms) < len(built) / 2


def row(gen: str, **metadata: object) -> Sample:
    given = {"prompt": "Write it.", "task_type": "code_generation", "source": "crates", "source_crate": "a"}
    return Sample.make(**{**given, "gen": gen, **metadata})  # type: ignore[arg-type]


def likeness(first: str, second: str) -> float:
    sets = []
    for text in (first, second):
        listed = [word for _, word in code_tokens(text)]
        runs = {tuple(listed[place : place + 5]) for place in range(len(listed) - 4)}
        sets.append(runs if len(listed) >= OPTIONS.near_min_tokens else set())
    union = sets[0] | sets[1]
    return len(sets[0] & sets[1]) / len(union) if union else 0.0


def alike_rows(rnd: random.Random, count: int) -> list[Sample]:
    """Rows in families around the threshold, of several lessons; a common beginning is shared by all."""
    rows = []
    for place in range(count):
        base = [f"w{rnd.randrange(60)}" for _ in range(rnd.randrange(12, 90))]
        for _ in range(4):
            text = list(base)
            for _ in range(rnd.randrange(5)):
                text[rnd.randrange(len(text))] = f"x{rnd.randrange(1000)}"
            kind = rnd.choice(["code_generation", "transformations"])
            gen = "fn common ( a : u8 ) -> u8 { " + " ".join(text)
            rows.append(
                row(gen, prompt=f"{place} {len(rows)}", task_type=kind, source_crate=f"c{rnd.randrange(30)}")
            )
    return rows


def test_near_duplicates_are_those_of_a_search_through_all_pairs() -> None:
    answers = answers_of(alike_rows(random.Random(9), 80))
    kept: list[Sample] = []
    for sample in answers.samples:
        if not any(
            lesson_of(other) == lesson_of(sample)
            and likeness(other.gen, sample.gen) >= OPTIONS.near_threshold
            for other in kept
        ):
            kept.append(sample)
    left, dropped = without_near(answers, OPTIONS)
    assert left.samples == kept
    assert len(dropped) == len(answers.samples) - len(kept) > 40


def test_leaks_are_those_of_a_search_through_all_pairs() -> None:
    rnd = random.Random(10)
    rows = [changed(one, split=rnd.choice(["train", "train", "val"])) for one in alike_rows(rnd, 60)]
    left, dropped = without_leaks(answers_of(rows), OPTIONS)
    trained = [one for one in rows if one.split == "train"]
    leaking = {
        one.id
        for one in rows
        if one.split == "val"
        and any(likeness(one.gen, other.gen) >= OPTIONS.near_threshold for other in trained)
    }
    assert {one.dropped for one in dropped} == leaking and len(leaking) > 20
    assert len(left.samples) == len(rows) - len(leaking)


def test_exact_keys_are_equal_where_the_spelled_out_ones_are() -> None:
    rnd = random.Random(11)
    rows = [
        row(
            text,
            prompt=rnd.choice(["p", "p  p", "p p"]),
            task_type=rnd.choice(["explanations", "code_generation"]),
            combination=rnd.choice([None, None, "k"]),
        )
        for text in soups(
            rnd, ["a", "b", " ", "  ", "// c\n", "/* c */", "(", ")", '"x"', "\n"], "", 4_000, 6
        )
    ]
    answers = Answers(rows)
    pairs = {(exact_key(one), answers.exact_key(place)) for place, one in enumerate(rows)}
    assert len({plain for plain, _ in pairs}) == len({fast for _, fast in pairs}) == len(pairs)


def test_rows_read_by_column_are_those_read_one_by_one(tmp_path: Path) -> None:
    rows = [
        row(
            f"fn f{place}() {{}}",
            span=[place, 9],
            verified=["é"] if place % 2 else [],
            doc=place == 0 or None,
        )
        for place in range(50)
    ]
    write_parquet(tmp_path / "rows.parquet", rows, Sample)
    read = read_parquet(tmp_path / "rows.parquet", Sample)
    assert read == rows and [type(one) for one in read] == [Sample] * 50
    assert read[3].model_copy(update={"split": "val"}) == changed(rows[3], split="val")
    assert read[3].split is None and Sample.model_validate(read[3].model_dump()) == rows[3]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"split": "test"}, "row 3: .*split"),
        ({"prompt": ""}, "row 3: .*prompt"),
        ({"source": "A B"}, "row 3: .*source"),
    ],
)
def test_a_row_that_breaks_the_contract_is_named(tmp_path: Path, broken: dict[str, str], told: str) -> None:
    rows = [row(f"fn f{place}() {{}}") for place in range(5)]
    rows[2] = changed(rows[2], **broken)
    write_parquet(tmp_path / "rows.parquet", rows, Sample)
    with pytest.raises(UserError, match=told):
        read_parquet(tmp_path / "rows.parquet", Sample)


def test_lines_are_written_as_json_has_them(tmp_path: Path) -> None:
    strange = 'é \u2028 \x7f \x01 \t \\ " / \U0001f980 </script>'
    rows = [row(strange), row("b", verified=[strange], doc=False, span=[1, 2])]
    verdicts = [
        Verdict(
            task_id="t", sample=place, status="passed", compiled=True, idiomatic=value, lints={"style": 2}
        )
        for place, value in enumerate([0.00001, 1e16, 1 / 3, None])
    ]
    for name, given in (("samples", rows), ("verdicts", verdicts)):
        path = tmp_path / f"{name}.jsonl"
        write_jsonl(path, given)
        plain = [one.model_dump(mode="json", by_alias=True) for one in given]
        lines = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in plain]
        assert path.read_text(encoding="utf-8") == "\n".join(lines) + "\n"
