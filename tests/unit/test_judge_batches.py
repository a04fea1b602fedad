"""A batch says of each sample what the sample gets alone: the same rows at any batch size and number of workers."""

import functools

import pytest

from rust_expert.common.contracts import Completion, Verdict
from rust_expert.judge import together, verdicts
from rust_expert.judge.suite import suite_of
from rust_expert.judge.verdicts import judge
from rust_expert.syntax.extraction import extract
from tests.attacks.bombs import BOMBS
from tests.attacks.reward_hacks import REWARD_HACKS
from tests.mix.samples import IN_EVERY_PHASE, OPTIONS, PARSED, REACHING_OUT, RIGHT, generated, rows


@functools.cache
def judged(batch: int, workers: int) -> list[Verdict]:
    samples, known = rows()
    return judge(samples, known, OPTIONS.model_copy(update={"batch": batch}), workers=workers)


def test_the_mix_is_a_mix() -> None:
    found = judged(1, 2)
    assert len(found) >= 150
    status = [verdict.status for verdict in found]
    assert min(status.count(each) for each in ("passed", "failed", "compile_error")) >= 20
    assert {"timeout", "no_code"} <= set(status) and "judge_error" not in status
    assert sum(bool(verdict.lints) for verdict in found) >= 5
    assert len({code for verdict in found for code in verdict.error_codes}) >= 20


@pytest.mark.parametrize(("batch", "workers"), [(16, 2), (64, 1), (64, 2)])
def test_batches_and_workers_change_no_verdict(batch: int, workers: int) -> None:
    for one, other in zip(judged(1, 2), judged(batch, workers), strict=True):
        assert one == other
    assert [one.model_dump_json() for one in judged(1, 2)] == [
        one.model_dump_json() for one in judged(batch, workers)
    ]


def test_a_batch_settles_nearly_all(monkeypatch: pytest.MonkeyPatch) -> None:
    alone: list[str] = []
    judging = verdicts.put_to_test
    monkeypatch.setattr(
        verdicts, "put_to_test", lambda code, *rest: (alone.append(code), judging(code, *rest))[1]
    )
    samples = [
        Completion(task_id=problem.task_id, completion=problem.canonical_solution) for problem in generated()
    ]
    samples += [
        Completion(task_id="add", completion=IN_EVERY_PHASE[name]) for name in ("moves", "two missing names")
    ]
    found = judge(samples, rows()[1], OPTIONS)
    assert {verdict.status for verdict in found} <= {"passed", "compile_error"} and len(alone) <= 4


HOSTILE = {attack.name: attack.code for attack in (*REWARD_HACKS, *BOMBS)}
NEIGHBOURS = {
    "disturbs what is inferred": REACHING_OUT["a foreign trait for i32"],
    "exits before main": HOSTILE["exits before main, from a constructor"],
    "crashes the compiler": HOSTILE["nests parentheses"],
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_a_neighbour_that_slips_in_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the screening off: what the neighbour spoils is judged alone, and nobody passes who should not."""
    samples = [
        Completion(task_id="add", sample=0, completion=NEIGHBOURS[name]),
        Completion(task_id="add", sample=1, completion=RIGHT),
        Completion(task_id="add", sample=2, completion=RIGHT.replace("+", "-")),
    ]
    known = rows()[1]
    expected = judge(samples, known, OPTIONS.model_copy(update={"batch": 1}))
    monkeypatch.setattr(verdicts, "may_share", lambda code: True)
    assert judge(samples, known, OPTIONS) == expected


def test_a_foreign_impl_would_spoil_its_neighbour() -> None:
    """What the screening is for: alone both compile, side by side one does not, and would be told so."""
    known = rows()[1]
    codes = {
        "parsed": extracted("parsed", PARSED.canonical_solution),
        "add": REACHING_OUT["a foreign trait for i32"],
    }
    samples = [Completion(task_id=task_id, completion=code) for task_id, code in codes.items()]
    assert [verdict.status for verdict in judge(samples, known, OPTIONS)] == ["passed", "passed"]
    library = together._library([0, 1], [(code, suite_of(known[task_id])) for task_id, code in codes.items()])
    outcome = together._check(library, OPTIONS, together.batch_limits(OPTIONS, 2))
    assert outcome.returncode == 1 and "type annotations needed" in outcome.stderr


def extracted(task_id: str, completion: str) -> str:
    return extract(completion, rows()[1][task_id]).code
