"""The reasons of a plan in plain words: the key with both values, the file of code, and none for what only follows."""

import pytest

from scripts.reasons import causes
from scripts.records import UNKNOWN

CODE = {
    "0123456789abcdef": {"scripts/judge.py": "1", "rust_expert/judge/rustc.py": "1", "judge.lock": "1"},
    "fedcba9876543210": {
        "scripts/judge.py": "1",
        "rust_expert/judge/rustc.py": "2",
        "rust_expert/judge/new.py": "1",
    },
}


def params(before: str, now: str, after: str = "") -> list[str]:
    return causes(f"Params have changed since last execution: before: {before} now: {now}{after}", CODE)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("'--seed 17 --steps 5'", "'--seed 18 --steps 5'", ["seed: 17 -> 18"]),
        ("'--a \\'{\"b\": 1, \"c\": 2}\\''", "'--a \\'{\"b\": 1, \"c\": 3}\\''", ["a.c: 2 -> 3"]),
        ("\"--template '{prompt}' --seed 1\"", "\"--template '{prompt}' --seed 2\"", ["seed: 1 -> 2"]),
        ("'{prompt}'", "'{other}'", ["a parameter: {prompt} -> {other}"]),
        ("'--seed 17'", "'--seed 17 --learning-rate 0.1'", ["learning_rate: 0.1 is new"]),
        ("'--seed 17 --policy off'", "'--seed 17'", ["policy: off is gone"]),
        ("\"--note 'before: x now: y'\"", "\"--note 'now: z'\"", ["note: before: x now: y -> now: z"]),
        (
            "'0123456789abcdef'",
            "'fedcba9876543210'",
            ["code: judge.lock, rust_expert/judge/new.py, rust_expert/judge/rustc.py"],
        ),
        ("'aaaaaaaaaaaaaaaa'", "'0123456789abcdef'", ["its code or its environment's lock was changed"]),
        ("'rustc 1.95.0 (x)'", "'rustc 1.96.0 (y)'", ["the compiler: rustc 1.95.0 (x) -> rustc 1.96.0 (y)"]),
        ('\'{"a": {"b": 1, "c": 2}}\'', '\'{"a": {"b": 3, "c": 2}}\'', ["a.b: 1 -> 3"]),
        (
            '\'[["memchr", "2.7"], ["itoa", "1.0"]]\'',
            '\'[["memchr", "2.8"], ["ryu", "1.0"]]\'',
            [
                'memchr: ["memchr", "2.7"] -> ["memchr", "2.8"]',
                'itoa: ["itoa", "1.0"] is gone',
                'ryu: ["ryu", "1.0"] is new',
            ],
        ),
        (repr("a" * 64), repr("b" * 64), ["what a hash stands for, aaaaaaaa -> bbbbbbbb"]),
        ("['anyhow']", "['anyhow', 'serde']", ["serde is new"]),
        (
            "'--seed 1', '0123456789abcdef'",
            "'--seed 2', 'fedcba9876543210'",
            ["seed: 1 -> 2", "code: judge.lock, rust_expert/judge/new.py, rust_expert/judge/rustc.py"],
        ),
        (repr(UNKNOWN), "'--seed 2', 4", ["nobody recorded what made it, or it was changed by hand"]),
        ("<nothing exclusive>", "'--seed 2'", ["seed: 2 is new"]),
        ("what nobody", "can read", ["its options were changed"]),
    ],
)
def test_parameters(before: str, now: str, told: list[str]) -> None:
    assert sorted(params(before, now)) == sorted(told)
    also = params(before, now, "; Code has changed since last execution")
    assert also == [*params(before, now), "the rule itself was changed"]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Missing output files: results/a.json", ["not made yet: results/a.json"]),
        ("Input files updated by another job: results/a.json, results/b.json", []),
        (
            "Updated input files: suites/core.jsonl; Input files updated by another job: results/a.json",
            ["newer than what was made from it, with another content: suites/core.jsonl"],
        ),
        ("Set of input files has changed since last execution", ["it has other files to read than before"]),
        ("Something that is new in Snakemake", ["Something that is new in Snakemake"]),
        ("", []),
    ],
)
def test_other_reasons(reason: str, told: list[str]) -> None:
    assert causes(reason, CODE) == told


@pytest.mark.parametrize("turned", [False, True])
def test_two_of_a_kind_are_told_apart_by_their_names(turned: bool) -> None:
    """In whatever order Snakemake tells them."""
    before = ['\'{"z": 1, "y": 2}\'', '\'{"a": 1, "b": 2}\'', "'--seed 1 --k 2'", "'--rows 1 --of 2'"]
    now = ['\'{"a": 1, "b": 3}\'', '\'{"z": 0, "y": 2}\'', "'--rows 9 --of 2'", "'--seed 7 --k 2'"]
    told = params(", ".join(before), ", ".join(reversed(now) if turned else now))
    assert sorted(told) == ["b: 2 -> 3", "rows: 1 -> 9", "seed: 1 -> 7", "z: 1 -> 0"]


def test_long_values_are_cut() -> None:
    (told,) = params(f"'--text {'a' * 300}'", "'--text b'")
    assert told.endswith("... -> b") and len(told) < 130
