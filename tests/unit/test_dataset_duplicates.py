"""Exact and near duplicates, against a brute-force search."""

import random
from collections.abc import Sequence

import numpy as np

from rust_expert.common.config.dataset import CleanOptions
from rust_expert.common.contracts import Sample
from rust_expert.dataset.answers import Answers
from rust_expert.dataset.duplicates import Duplicate, answers_of, without_exact, without_leaks, without_near
from rust_expert.dataset.lexing import code_tokens
from rust_expert.dataset.near import NearIndex
from rust_expert.dataset.shingles import jaccard, shingles_of

OPTIONS = CleanOptions()


def row(gen: str, **metadata: object) -> Sample:
    given = {"prompt": "Write it.", "task_type": "code_generation", "source": "crates", "source_crate": "a"}
    return Sample.make(**{**given, "gen": gen, **metadata})  # type: ignore[arg-type]


def drop_exact(rows: Sequence[Sample]) -> tuple[list[Sample], list[Duplicate]]:
    kept, dropped = without_exact(answers_of(rows))
    return kept.samples, dropped


def drop_near(rows: Sequence[Sample], options: CleanOptions) -> tuple[list[Sample], list[Duplicate]]:
    kept, dropped = without_near(answers_of(rows), options)
    return kept.samples, dropped


def drop_across_split(rows: Sequence[Sample], options: CleanOptions) -> tuple[list[Sample], list[Duplicate]]:
    kept, dropped = without_leaks(answers_of(rows), options)
    return kept.samples, dropped


def body(rnd: random.Random, size: int) -> list[str]:
    return [f"w{rnd.randrange(60)}" for _ in range(size)]


def brute(first: Sequence[str], second: Sequence[str]) -> float:
    sets = [{tuple(text[i : i + 5]) for i in range(len(text) - 4)} for text in (first, second)]
    union = sets[0] | sets[1]
    return len(sets[0] & sets[1]) / len(union) if union else 0.0


def family(rnd: random.Random, count: int) -> list[str]:
    """Texts in groups that are more or less alike, around the threshold."""
    texts = []
    for _ in range(count):
        base = body(rnd, rnd.randrange(15, 120))
        texts.append(" ".join(base))
        for _ in range(3):
            changed = list(base)
            for _ in range(rnd.randrange(1, 5)):
                changed[rnd.randrange(len(changed))] = f"x{rnd.randrange(1000)}"
            texts.append(" ".join(changed))
    return texts


def test_shingles_and_jaccard_agree_with_sets_of_tuples() -> None:
    rnd = random.Random(1)
    texts = [text.split() for text in family(rnd, 12)] + [["a"], [], list("abcde")]
    made = shingles_of(texts, 5)
    sets = [np.unique(made.of(place)) for place in range(len(texts))]
    for place, text in enumerate(texts):
        assert len(made.of(place)) == max(0, len(text) - 4)
    for i in range(len(texts)):
        for j in range(len(texts)):
            assert abs(jaccard(sets[i], sets[j]) - brute(texts[i], texts[j])) < 1e-12


def test_the_same_words_in_another_order_are_another_run() -> None:
    made = shingles_of([list("abcde"), list("abced"), list("edcba")], 5)
    assert len(set(made.hashes.tolist())) == 3


def test_near_index_finds_what_a_brute_force_search_finds() -> None:
    rnd = random.Random(2)
    rows = [row(text) for text in family(rnd, 60)]
    texts = [[word for _, word in code_tokens(sample.gen)] for sample in rows]
    index = NearIndex(Answers(rows), OPTIONS)
    for place in range(len(rows)):
        index.add(place)
    pairs = missed = 0
    for i, text in enumerate(texts):
        alike = {
            j: brute(text, texts[j])
            for j in range(len(texts))
            if j != i and min(len(text), len(texts[j])) >= OPTIONS.near_min_tokens
        }
        best = max(alike.values(), default=0.0)
        found = index.nearest(i)
        if best >= OPTIONS.near_threshold:
            pairs += 1
            missed += found is None
        else:
            assert found is None
        if found is not None:
            assert abs(alike[found[0]] - found[1]) < 1e-12
            assert found[1] <= best
    assert pairs > 60
    # 32 bands of 4 rows find a pair of similarity 0.7 with probability 0.9998.
    assert missed == 0


def test_drop_near_leaves_no_pair_and_keeps_one_of_each_group() -> None:
    rnd = random.Random(3)
    rows = [row(text, source_crate=f"c{place % 7}") for place, text in enumerate(family(rnd, 40))]
    kept, dropped = drop_near(rows, OPTIONS)
    assert len(kept) + len(dropped) == len(rows)
    assert dropped
    texts = [sample.gen.split() for sample in kept if len(sample.gen.split()) >= OPTIONS.near_min_tokens]
    assert all(
        brute(texts[i], texts[j]) < OPTIONS.near_threshold for i in range(len(texts)) for j in range(i)
    )
    ids = {sample.id for sample in kept}
    assert all(one.kept in ids and one.dropped not in ids for one in dropped)
    assert all(one.similarity >= OPTIONS.near_threshold for one in dropped)


def test_the_order_of_the_input_changes_nothing() -> None:
    rnd = random.Random(4)
    rows = [row(text, source_crate=f"c{place % 5}") for place, text in enumerate(family(rnd, 25))]
    shuffled = list(rows)
    rnd.shuffle(shuffled)
    assert drop_near(rows, OPTIONS)[0] == drop_near(shuffled, OPTIONS)[0]
    assert drop_exact(rows)[0] == drop_exact(shuffled)[0]


def test_exact_duplicates() -> None:
    first = row("fn f() -> u8 { 1 }", source_crate="b")
    commented = row("// another\nfn f() -> u8 {\n    1\n}", source_crate="a", prompt="Another prompt.")
    documented = row("/// Doc.\nfn f() -> u8 { 1 }", source_crate="z", doc=True)
    other = row("fn f() -> u8 { 2 }")
    kept, dropped = drop_exact([first, commented, documented, other])
    assert {sample.id for sample in kept} == {documented.id, other.id}  # the documented one is preferred
    assert {one.kept for one in dropped} == {documented.id}


def test_task_types_and_kinds_of_change_are_lessons_of_their_own() -> None:
    code = "fn f() -> u8 { 1 }"
    rows = [
        row(code, prompt="write"),
        row(code, prompt="fix 1", task_type="error_fixing", verified=["broken form fails: E0308"]),
        row(code, prompt="fix 2", task_type="error_fixing", verified=["broken form fails: E0382"]),
        row(code, prompt="fix 3", task_type="error_fixing", verified=["broken form fails: E0382"]),
        row(code, prompt="change", task_type="transformations", template="transformations/1/if let"),
        row(code, prompt="alter", task_type="transformations", template="transformations/2/if let"),
        row(code, prompt="turn", task_type="transformations", template="transformations/2/ok_or"),
    ]
    kept, _ = drop_exact(rows)
    assert len(kept) == 5
    long = " ".join(f"w{i}" for i in range(50))
    kept, _ = drop_near(
        [sample.model_copy(update={"gen": long + f" {place}"}) for place, sample in enumerate(rows)], OPTIONS
    )
    assert len(kept) == 5


def test_a_row_that_stands_twice_goes_once() -> None:
    one = row("fn f() {}")
    as_other = one.model_copy(update={"task_type": "explanations"})
    assert len(drop_exact([one, one])[0]) == 1
    assert len(drop_exact([one, as_other])[0]) == 1


def test_rows_of_the_curriculum_are_compared_by_both_sides_and_exactly() -> None:
    code = " ".join(f"w{i}" for i in range(60))
    rows = [
        row(code, combination="a|b", source="curriculum", prompt="/// Adds.\nfn f() {"),
        row(code, combination="a|b", source="curriculum", prompt="/// Subtracts.\nfn f() {"),
        row(code + " x", combination="a|c", source="curriculum", prompt="/// Adds.\nfn f() {"),
        row(code + " // x", combination="a|d", source="curriculum", prompt="/// Adds.\n  fn f() {"),
    ]
    kept, dropped = drop_exact(rows)
    assert len(kept) == 3  # a doc comment in the prompt is the question; one in the answer is not the answer
    assert len(dropped) == 1
    assert drop_near(kept, OPTIONS)[0] == kept


def test_no_duplicate_crosses_the_split() -> None:
    rnd = random.Random(6)
    rows = []
    for place, text in enumerate(family(rnd, 40)):
        rows.append(
            row(
                text,
                source_crate=f"c{place % 9}",
                task_type=rnd.choice(["code_generation", "transformations", "error_fixing"]),
                split="val" if place % 3 == 0 else "train",
                prompt=f"p{place}",
            )
        )
    short = "fn f() { 1 }"
    rows += [
        row(short, split="train", prompt="one"),
        row(short + " // x", split="val", prompt="two", task_type="transformations"),
        row(short, split="val", prompt="three", combination="k", source="curriculum"),
    ]
    kept, dropped = drop_across_split(rows, OPTIONS)
    assert dropped
    assert [sample for sample in kept if sample.split == "train"] == sorted(
        (sample for sample in rows if sample.split == "train"),
        key=lambda sample: kept.index(sample),
    )
    trained = [sample.gen.split() for sample in kept if sample.split == "train"]
    for sample in kept:
        text = sample.gen.split()
        if sample.split == "val" and len(text) >= OPTIONS.near_min_tokens:
            assert all(
                brute(text, other) < OPTIONS.near_threshold
                for other in trained
                if len(other) >= OPTIONS.near_min_tokens
            )
    assert not any(sample.prompt in ("two", "three") for sample in kept)
