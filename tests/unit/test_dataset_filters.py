"""What a data set refuses and prefers, read off the syntax tree of each row."""

from collections import Counter
from typing import Any

import pytest

from rust_expert.common.config.dataset import DatasetSpec
from rust_expert.common.contracts import Sample
from rust_expert.dataset.admission import refused
from rust_expert.dataset.mixing import mix
from rust_expert.syntax import row_code
from rust_expert.syntax.row_code import code_of, is_documented

PLAIN = "fn f(x: u32) -> u32 {\n    x + 1\n}"


def row(gen: str = PLAIN, **metadata: Any) -> Sample:
    given = {"prompt": "Write f.", "task_type": "code_generation", "source": "crates", "split": "train"}
    return Sample.make(gen=gen, **{**given, **metadata})


def spec(**given: Any) -> DatasetSpec:
    told = {"curriculum_rows": 0, "crate_rows": 10, "max_chars": 1000, "val_rows": 0}
    return DatasetSpec.model_validate({"task_mix": {"code_generation": 1.0}, **told, **given})


TESTS = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {}\n}"
BENCH = "mod speed {\n    #[bench]\n    fn fast(b: &mut Bencher) {}\n}"


@pytest.mark.parametrize(
    ("key", "reason", "sample", "out"),
    [
        ("exclude_tests", "test code", row(), False),
        ("exclude_tests", "test code", row(f"{PLAIN}\n{TESTS}"), True),
        ("exclude_tests", "test code", row(f"mod inner {{\n{TESTS}\n}}"), True),
        ("exclude_tests", "test code", row("#[tokio::test]\nasync fn works() {}"), True),
        ("exclude_tests", "test code", row("proptest! { fn f(x in 0..9) {} }"), True),
        ("exclude_tests", "test code", row(source_file="tests/all.rs"), True),
        ("exclude_tests", "test code", row(source_file="src/tests.rs"), False),
        ("exclude_tests", "test code", row(BENCH), False),
        # What only looks like it: text, a comment, an attribute that says the opposite.
        ("exclude_tests", "test code", row('fn f() -> &\'static str { "#[test]" }'), False),
        ("exclude_tests", "test code", row("// #[test]\nfn f() {}"), False),
        ("exclude_tests", "test code", row("#[cfg(not(test))]\nfn f() {}"), False),
        ("exclude_tests", "test code", row(f"Here it is:\n```rust\n{TESTS}\n```\n"), True),
        ("exclude_tests", "test code", row(f"Like this:\n```toml\n{TESTS}\n```\n```\n{PLAIN}\n```"), False),
        ("exclude_benches", "benchmark code", row(BENCH), True),
        ("exclude_benches", "benchmark code", row("criterion_group!(benches, fast);"), True),
        ("exclude_benches", "benchmark code", row("criterion::criterion_main!(benches);"), True),
        ("exclude_benches", "benchmark code", row(source_file="benches/a/b.rs"), True),
        ("exclude_benches", "benchmark code", row(f"{PLAIN}\n{TESTS}"), False),
        ("exclude_benches", "benchmark code", row("fn bench() {}"), False),
        ("exclude_examples", "example program", row("fn main() {\n    go();\n}"), True),
        ("exclude_examples", "example program", row("mod a { fn main() {} }"), False),
        ("exclude_examples", "example program", row(source_file="examples/a.rs"), True),
        ("exclude_examples", "example program", row("fn main_loop() {}"), False),
    ],
)
def test_exclusions(key: str, reason: str, sample: Sample, out: bool) -> None:
    assert refused(sample, spec(), row_code) is None
    assert refused(sample, spec(**{key: True}), row_code) == (reason if out else None)


def test_self_contained_rows_need_no_more_than_their_prompt_shows() -> None:
    told = spec(self_contained=True)
    for context, reason in (
        ("none", None),
        ("complete", None),
        ("partial", "not self-contained"),
        (None, "not self-contained"),
    ):
        assert refused(row(context=context), told, row_code) == reason
        assert refused(row(context=context), spec(), row_code) is None
    assert refused(row(source="curriculum", family="a"), told, row_code) is None
    mixed = spec(self_contained=True, task_mix={"explanations": 1.0})
    assert refused(row("What it does.", task_type="explanations"), mixed, row_code) is None


def test_lengths_are_in_the_unit_that_the_key_names() -> None:
    sample = row("é" * 10 + "\n" * 4 + "é", prompt="ab\ncd")
    assert len(sample.prompt) + len(sample.gen) == 20
    for given, reason in (
        ({"max_chars": 20, "min_chars": 20}, None),
        ({"max_chars": 19}, "too long"),
        ({"min_chars": 21}, "too short"),
        ({"min_lines": 7, "max_lines": 7}, None),
        ({"max_lines": 6}, "too many lines"),
        ({"min_lines": 8}, "too few lines"),
    ):
        assert refused(sample, spec(**given), row_code) == reason


CLUMSY = "fn f(v: &Vec<u32>) -> u32 {\n    return v.get(0).unwrap().clone();\n}"


def test_the_idiomatic_ratio_is_of_code_and_not_of_words() -> None:
    praised = f"// idiomatic ? match iter map collect\n{CLUMSY}"
    for sample, out in ((row(), False), (row(CLUMSY), True), (row(praised), True)):
        assert (refused(sample, spec(idiomatic_quality_ratio=0.5), row_code) == "not idiomatic") is out
    told = row("It takes `v.unwrap()` apart.", task_type="explanations")
    both = {"code_generation": 0.5, "explanations": 0.5}
    assert refused(told, spec(idiomatic_quality_ratio=1.0, task_mix=both), row_code) is None


def test_documented_is_a_doc_comment_and_not_its_look() -> None:
    assert is_documented(row(f"/// Adds one.\n{PLAIN}"))
    assert is_documented(row('#[doc = "Adds one."]\nfn f() {}'))
    assert is_documented(row(f"Sure:\n```rust\n//! Adds.\n{PLAIN}\n```"))
    assert not is_documented(row("// Adds one.\nfn f() {}"))
    assert not is_documented(row('fn f() -> &\'static str { "/// no" }'))
    assert not is_documented(row(f"/// Adds one.\n{PLAIN}", doc=False))


def test_the_code_of_an_explanation_is_what_is_fenced() -> None:
    prompt = f"What does this do?\n```rust\n{PLAIN}\n```"
    sample = row("It adds one.", prompt=prompt, task_type="explanations")
    assert code_of(sample).strip() == PLAIN


def test_what_is_preferred_is_drawn_first_and_nothing_is_refused() -> None:
    def made(place: int) -> Sample:
        doc = "/// Adds.\n" if place % 3 == 0 else ""
        body = CLUMSY if place % 2 else PLAIN
        return row(doc + body.replace("fn f(", f"fn f{place}("), prompt=f"Write f{place}.")

    rows = [made(place) for place in range(60)]
    clumsy, documented = {s.id for s in rows[1::2]}, {s.id for s in rows[::3]}
    drawn = mix(rows, "d", spec(crate_rows=20, prefer_documented=True), row_code).train
    assert {s.id for s in drawn} == documented
    drawn = mix(rows, "d", spec(crate_rows=40, prefer_idiomatic=True), row_code).train
    assert {s.id for s in rows} - clumsy < {s.id for s in drawn} and len(drawn) == 40
    mixed = mix(rows, "d", spec(crate_rows=15, prefer_idiomatic=True, prefer_documented=True), row_code)
    assert Counter((s.id in documented, s.id in clumsy) for s in mixed.train) == {
        (True, False): 10, (True, True): 5
    }  # fmt: skip
    assert mixed.report["preferred"]["documented"] == 1.0
    assert mixed.report["sources"]["own"]["filtered"] == {}
    assert mix(rows, "d", spec(crate_rows=15), row_code).report["preferred"] == {}
