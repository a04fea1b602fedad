"""The way back from a figure: file, rule, inputs, code, configuration, seeds."""

import pytest
from pydantic import BaseModel, Field

from rust_expert.common import cli
from rust_expert.common.errors import UserError
from rust_expert.report.lineage import Making, files_of, leaves, lineage, making, sections, way_back


class Sampling(BaseModel):
    seed: int = 17
    samples: int = 2


class Evaluate(BaseModel):
    sampling: Sampling = Sampling()


class Base(BaseModel):
    origin: str = Field("scratch", alias="from")


class Config(BaseModel):
    evaluate: Evaluate = Evaluate()
    base: Base = Base()
    stages: dict[str, Sampling] = {"phase1": Sampling(), "phase2": Sampling(seed=18)}
    shards: int = 3


NAMED = {name: [words] for words, name in sections(Config())}
SAMPLES = making(
    "sample", ["suite.jsonl", "model.json"], ["--seed 18 --samples 2", "0123456789abcdef", ["x"], 3]
)
SCORES = making("score", ["samples.jsonl"], ["fedcba9876543210", "rustc 1.95.0 (x)"])


def test_parameters_are_told_apart() -> None:
    assert (
        Making(
            "sample",
            ("model.json", "suite.jsonl"),
            code="0123456789abcdef",
            options=("--seed 18 --samples 2",),
            others=(["x"], 3),
        )
        == SAMPLES
    )
    assert SCORES.compiler == "rustc 1.95.0 (x)" and SCORES.code == "fedcba9876543210"


def test_sections_are_named_by_the_words_that_spell_them() -> None:
    found = sections(Config())
    assert ("--seed 18 --samples 2", "stages.phase2") in found
    assert [name for words, name in found if words == cli.flags(Sampling())] == [
        "evaluate.sampling",
        "stages.phase1",
    ]
    assert ("--from scratch", "base") in found


def test_files_back_to_what_nobody_made_here() -> None:
    files = lineage(["scores.json"], {"scores.json": SCORES, "samples.jsonl": SAMPLES}, NAMED)
    assert list(files) == ["model.json", "samples.jsonl", "scores.json", "suite.jsonl"]
    assert files["suite.jsonl"] == {}
    assert files["samples.jsonl"]["config"] == ["stages.phase2"]
    assert files["samples.jsonl"]["seeds"] == [18]
    assert files["scores.json"]["compiler"] == "rustc 1.95.0 (x)"


def test_a_figure_is_found_by_the_longest_part_that_is_known() -> None:
    figures = {"stages.base": ["a"], "stages.base.suites.core": ["b"]}
    assert files_of("stages.base.suites.core.pass_at_1.value", figures) == ["b"]
    assert files_of("stages.base.training.rows", figures) == ["a"]
    with pytest.raises(
        UserError, match=r"stage\.base is no figure.*stages\.base, stages\.base\.suites\.core"
    ):
        files_of("stage.base", figures)


def test_every_value_has_a_path() -> None:
    comparison = {"stage": "b", "against": "a", "suite": "core", "metric": "pass_at_1", "difference": 0.5}
    told = {"stages": {"a": {"rows": 3, "k": [1, 2]}}, "comparisons": [comparison]}
    assert dict(leaves(told)) == {
        "stages.a.rows": 3,
        "stages.a.k": [1, 2],
        "comparisons.b.a.core.pass_at_1.stage": "b",
        "comparisons.b.a.core.pass_at_1.against": "a",
        "comparisons.b.a.core.pass_at_1.suite": "core",
        "comparisons.b.a.core.pass_at_1.metric": "pass_at_1",
        "comparisons.b.a.core.pass_at_1.difference": 0.5,
    }


def test_the_tree_marks_what_was_changed_since_and_what_is_gone() -> None:
    files = lineage(["scores.json"], {"scores.json": SCORES, "samples.jsonl": SAMPLES}, NAMED)
    for number, file in enumerate(files.values()):
        file["sha256"] = f"{number}" * 64
    now: dict[str, str | None] = {name: file["sha256"] for name, file in files.items()}
    now |= {"suite.jsonl": "f" * 64, "model.json": None}
    assert way_back("scores.json", files, now) == [
        "scores.json  sha256 222222222222",
        "  by rule score; code fedcba9876543210; rustc 1.95.0 (x)",
        "    samples.jsonl  sha256 111111111111",
        "      by rule sample; code 0123456789abcdef; config stages.phase2; seed 18",
        "        model.json  sha256 000000000000  not here",
        "        suite.jsonl  sha256 333333333333  CHANGED SINCE",
    ]
