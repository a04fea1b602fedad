"""A bomb costs a bounded time and gets a verdict; its neighbours in the batch get theirs."""

import functools
import time

import pytest

from rust_expert.common.contracts import Verdict
from rust_expert.judge.rustc import compile_files
from rust_expert.judge.sandbox import Limits, Outcome
from rust_expert.judge.sharing import may_share
from rust_expert.judge.testroom import run_once
from tests.attacks.attack import ADD, OPTIONS, WRONG, Attack, judged
from tests.attacks.bombs import BOMBS, IN_CLIPPY, IN_RUSTC, WHEN_RUN, Bomb

LOW = OPTIONS.model_copy(update={"compile_timeout": 1})
LINTED = LOW.model_copy(update={"compile_timeout": 4, "lints": True})
LONGEST = 20.0
"""Seconds by the clock for one bomb where two processor seconds are allowed, on a busy machine."""

NEIGHBOURS = [
    Attack("a neighbour", ADD.canonical_solution),
    Attack("another", "fn add(a: i32, b: i32) -> i32 { b + a }"),
    Attack("a third", "fn add(a: i32, b: i32) -> i32 { [a, b].iter().sum() }"),
    Attack("one that is wrong", "fn add(a: i32, b: i32) -> i32 { a - b }"),
    Attack("one that does not compile", "fn add(a: i32, b: i32) -> i32 { a + c }"),
    Attack("one with a wrong type", 'fn add(a: i32, b: i32) -> i32 { "a" }'),
    Attack("one for another problem", "fn evens(xs: &[i32]) -> Vec<i32> { xs.to_vec() }", "evens"),
    Attack(
        "a right one for it",
        "fn evens(xs: &[i32]) -> Vec<i32> { let mut v = xs.to_vec(); v.retain(|x| x % 2 == 0); v }",
        "evens",
    ),
]
IN_COMPANY = {
    "one that keeps rustc busy": ("chains closures",),
    "one that fills its memory": ("doubles a macro's tokens",),
    "programs": (
        "spins",
        "takes much memory at once",
        "prints without end",
        "overflows the stack",
        "starts threads without end",
    ),
}
"""Bombs that meet the neighbours in one batch."""


@functools.cache
def verdict_of(bomb: Bomb) -> tuple[Verdict, float]:
    begun = time.monotonic()
    options = LINTED if bomb in IN_CLIPPY else LOW
    return judged([bomb], options)[bomb.name], time.monotonic() - begun


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_gets_a_verdict_in_time(bomb: Bomb) -> None:
    verdict, seconds = verdict_of(bomb)
    assert verdict.status in bomb.statuses and verdict.tests_passed < verdict.tests_total, verdict
    assert seconds < LONGEST


def test_clippy_that_is_stopped_changes_no_verdict() -> None:
    verdict, _ = verdict_of(IN_CLIPPY[0])
    assert (verdict.status, verdict.clippy_warnings) == ("failed", None)


def compiled(code: str, limits: Limits) -> Outcome:
    whole = f"{code}\nfn main() {{ std::process::exit(add(1, 2)) }}"
    flags = ["-Awarnings", "-o", "/work/program", "sample.rs"]
    return compile_files({"sample.rs": whole}, flags, edition="2021", limits=limits, keep="program")


def went_off(outcome: Outcome) -> bool:
    """Whether it took all the time that there was, crashed, or met another limit."""
    return (
        bool(outcome.killed_by or outcome.signal)
        or "memory allocation of" in outcome.stderr
        or ("No space left" in outcome.stderr or "out of memory" in outcome.stderr)
    )


@pytest.mark.parametrize("bomb", [bomb for bomb in IN_RUSTC if not bomb.defused], ids=lambda bomb: bomb.name)
def test_the_bomb_goes_off_without_its_limit(bomb: Bomb) -> None:
    """The control: with no limit on processor time, nor on output or files below hundreds of megabytes, rustc still is
    at it after many times what an ordinary sample takes, or it has crashed or filled what memory it had."""
    limits = Limits(cpu_seconds=60, wall_seconds=0.9, memory_mb=512, work_mb=300, output_kb=100_000)
    assert went_off(compiled(bomb.code, limits))


def test_an_ordinary_sample_does_not_go_off() -> None:
    assert not went_off(compiled(WRONG["add"], Limits(cpu_seconds=60, memory_mb=512)))


@pytest.mark.parametrize("bomb", WHEN_RUN, ids=lambda bomb: bomb.name)
def test_the_program_goes_off_without_its_limit(bomb: Bomb) -> None:
    if bomb.name == "starts processes without end":
        pytest.skip("its control is among the escapes: a process can be started outside")
    built = compiled(bomb.code, Limits())
    assert built.kept is not None, built.stderr
    limits = Limits(cpu_seconds=60, wall_seconds=0.5, memory_mb=400, processes=200, output_kb=20_000)
    run = run_once(limits, program=built.kept)
    assert went_off(run) or "WouldBlock" in run.stderr or "held" in run.stderr, run


@functools.cache
def neighbours_alone() -> dict[str, Verdict]:
    return judged(NEIGHBOURS, LOW.model_copy(update={"batch": 1}))


@pytest.mark.parametrize("names", IN_COMPANY.values(), ids=IN_COMPANY)
def test_a_bomb_in_a_batch_costs_its_neighbours_nothing_but_time(names: tuple[str, ...]) -> None:
    bombs = [bomb for bomb in BOMBS if bomb.name in names]
    assert len(bombs) == len(names) and all(may_share(bomb.code) for bomb in bombs)  # else they meet nobody
    begun = time.monotonic()
    found = judged([*NEIGHBOURS[:4], *bombs, *NEIGHBOURS[4:]], LOW)
    seconds = time.monotonic() - begun
    alone = neighbours_alone() | {bomb.name: verdict_of(bomb)[0] for bomb in bombs}
    for name, verdict in found.items():
        assert verdict.model_copy(update={"sample": 0}) == alone[name].model_copy(update={"sample": 0})
    assert seconds < (1 + len(bombs)) * LONGEST
