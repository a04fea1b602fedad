"""The checklist says yes to nothing that no file says: each answer changes when its key goes."""

import re
from typing import Any

import pytest

from rust_expert.report.cards.checklist import (
    ABSENT,
    DECONTAMINATION,
    EFFECTIVE,
    FUNNEL,
    MANIFESTS,
    METRICS,
    MIXES,
    NO,
    PROVENANCE,
    QUESTIONS,
    YES,
    checklist,
    lookup,
)


def whole() -> dict[str, Any]:
    """Files by which every question is answered with yes."""
    mix = {"train": {"rows": 90, "licenses": {"MIT": 60, "Apache-2.0": 30}}, "val": {"rows": 10}}
    return {
        METRICS: {
            "confidence": 0.95,
            "bootstrap": 2000,
            "comparisons": [{"stage": "a", "p_value": 0.01, "p_corrected": 0.02}],
        },
        PROVENANCE: {
            "figures": {"judge": ["x.json"]}, "files": {"x.json": {"sha256": "0" * 64}}, "seeds": {"base.seed": 3},
            "packages": {"torch": "2"}, "tools": {"rustc": "rustc 1.95.0"}, "git": {"commit": "a" * 40, "dirty": False},
            "machine": {"cpu": "A", "cores_usable": 2, "memory_mb": 9000,
                        "gpus": [{"name": "G", "driver": "1", "memory": "9"}]},
            "total": {"wall_s": 12.5, "cpu_s": 10.0, "peak_memory_mb": 900.0}, "jobs": {"base": {}},
            "energy": {"read": ["cpu"], "not_read": {}}, "earlier_runs": "2 hours",
            "config": {"cards": {"url": "https://example.org/d"}, "seeds": [0, 1], "base": {"from": "scratch"},
                       "export": {"base_license": "MIT"}},
        },
        MIXES: {"broad": mix},
        FUNNEL: {"steps": [{}]},
        DECONTAMINATION: {
            "rows_checked": 100, "removed": 3, "suites": {"core": {"combinations": {"shared": []}}, "other": {}},
        },
        MANIFESTS: {"base": {}, "phase1": {"trained": True}},
        EFFECTIVE: {"phase1": {"steps": 3}},
    }  # fmt: skip


def answers(files: dict[str, Any]) -> dict[str, str]:
    rows = re.findall(r"^\| (.+?) \| \*\*(.+?)\*\* \|", checklist(files), re.M)
    assert len(rows) == len(QUESTIONS)
    return dict(rows)


def test_a_run_that_has_it_all_is_answered_with_yes() -> None:
    assert set(answers(whole()).values()) == {YES}


def test_of_nothing_nothing_is_claimed() -> None:
    assert YES not in answers({}).values()


def without(value: Any, path: str) -> None:
    """Takes the value at a path away, as `lookup` finds it."""
    first, _, rest = path.partition(".")
    if first == "*":
        for name in list(value):
            without(value[name], rest) if rest else value.pop(name)
    elif rest:
        without(value[first], rest)
    else:
        value.pop(first, None)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.asked)
def test_no_answer_survives_its_keys(question: Any) -> None:
    files = whole()
    for file, path in question.keys:
        without(files[file], path)
        assert lookup(files[file], path) in (None, {})
    assert answers(files)[question.asked] in (NO, ABSENT)
    row = next(line for line in checklist(whole()).splitlines() if f"| {question.asked} |" in line)
    for file, path in question.keys:
        assert f"`{file}: {path}`" in row


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        (lambda f: f[PROVENANCE]["git"].update(dirty=True), "Is the code that ran identified?", NO),
        (lambda f: f[PROVENANCE]["git"].update(dirty=None), "Is the code that ran identified?", NO),
        (
            lambda f: f[PROVENANCE]["files"]["x.json"].update(sha256=None),
            "Can each figure be followed back to what it was made from?",
            NO,
        ),
        (
            lambda f: f[DECONTAMINATION]["suites"]["core"]["combinations"].update(shared=["a"]),
            "Were problems of the suites kept out of the training data?",
            NO,
        ),
        (
            lambda f: f[MANIFESTS].update(phase2={"trained": True}),
            "Are the settings that took effect in training stated?",
            NO,
        ),
        (
            lambda f: f[PROVENANCE]["config"].update(base={"from": "hub"}, export={}),
            "Is the licence of the base model stated?",
            ABSENT,
        ),
        (
            lambda f: f[PROVENANCE]["config"].update(seeds=[0]),
            "Do the figures vary over several trainings?",
            NO,
        ),
    ],
)
def test_what_speaks_against_it_is_told(change: Any, asked: str, said: str) -> None:
    files = whole()
    change(files)
    assert answers(files)[asked] == said


def test_hostile_words_stay_words() -> None:
    files = whole()
    files[PROVENANCE]["machine"]["cpu"] = "evil | ](https://e.invalid) <script>"
    card = checklist(files)
    assert "<script" not in re.sub(r"\\.", "", card) and "](https" not in re.sub(r"\\.", "", card)
