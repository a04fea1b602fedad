"""Many samples before their tests in one compilation, each with the trial that it would have alone.

What a batch says is taken only where it cannot differ from what the sample gets alone; the rest is left to
rust_expert.judge.trial.put_to_test. A sample gets here only where rust_expert.judge.sharing lets it.

A batch that compiles proves that each sample compiles, within the limits of one. A batch that does not is believed
about a sample where rustc ended by itself, every error lies in one sample's files, and every error of the whole build
has one of the codes in `_PLAIN`: those stop nothing and hide nothing, so that rustc reports for each function what
it reports alone, in the same order. Other errors (macros, cycles, limits) send their samples to be judged alone, and
the rest is built again. An error without a place (a crash, a limit) is looked for in halves.
"""

import re
from collections.abc import Sequence

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.judge.batch_harness import ROOT as MAIN
from rust_expert.judge.batch_harness import Batch, build_batch
from rust_expert.judge.diagnostics import Diagnostic, read_diagnostics
from rust_expert.judge.harness import read_account
from rust_expert.judge.rootfile import with_head
from rust_expert.judge.rustc import TEST_BUILD, compile_files
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox
from rust_expert.judge.sharing import names_defined
from rust_expert.judge.suite import Suite
from rust_expert.judge.trial import WALL, Trial, judged, not_compiled, run_limits

Item = tuple[str, Suite]

_PLAIN = frozenset(
    f"E{number:04}"
    for number in (
        4, 23, 26, 27, 40, 46, 50, 53, 61, 62, 63, 69, 70, 106, 107, 133, 184, 185, 186, 191, 220, 223, 229, 252, 261,
        263, 267, 268, 271, 277, 282, 308, 309, 310, 369, 373, 381, 382, 384, 403, 404, 405, 407, 408, 412, 415, 416,
        422, 423, 424, 425, 426, 428, 432, 433, 434, 435, 437, 438, 493, 499, 502, 503, 505, 506, 507, 508, 509, 515,
        521, 559, 560, 562, 571, 572, 594, 596, 597, 599, 600, 603, 604, 605, 606, 607, 608, 609, 610, 614, 615, 616,
        618, 620, 621, 689, 716, 728, 746, 782,
    )
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_]\w*")


def put_to_test_together(items: Sequence[Item], options: JudgeOptions) -> dict[int, Trial]:
    """The trials of some samples by their place; those that only a trial alone can tell are left out.

    Raises JudgeFault where the sandbox broke.
    """
    settled: dict[int, Trial] = {}
    misfits: dict[int, Trial] = {}
    _settle(list(range(len(items))), items, options, settled, misfits)
    for number in compiling([(number, items[number][0]) for number in misfits], options):
        settled[number] = misfits[number]
    return settled


def batch_limits(options: JudgeOptions, count: int) -> Limits:
    """The limits of a compilation of `count` samples: no wider than those of one, so that each has stayed in its own.

    Less time, for a compiler that never ends is met once in each half.
    """
    seconds = min(options.compile_timeout, 4 + count // 16)
    return Limits(
        cpu_seconds=seconds,
        wall_seconds=WALL * seconds,
        memory_mb=options.memory_mb,
        processes=options.max_processes,
        work_mb=options.tmpfs_mb,
        output_kb=8192,
    )


def compiling(codes: Sequence[tuple[int, str]], options: JudgeOptions) -> list[int]:
    """The numbers of those that compile as libraries, out of numbered pieces of code that may share a crate.

    A piece that does not compile, or that only a compilation alone can tell of, is not among them.
    """
    alive = dict(codes)
    while len(alive) > 1:
        files = {f"m{number}.rs": with_head(code, "") for number, code in alive.items()}
        files["lib.rs"] = "".join(f"pub mod m{number};" for number in alive)
        arguments = ["--crate-type=lib", "--emit=metadata", "-o", "/work/out", "-Awarnings", "lib.rs"]
        limits = batch_limits(options, len(alive))
        outcome = compile_files(files, arguments, edition=options.edition, limits=limits)
        if outcome.returncode == 0:
            return list(alive)
        places = {f"m{number}.rs": number for number in alive}
        blamed = _blamed(read_diagnostics(outcome.stderr), places)
        if not blamed:
            break
        alive = {number: code for number, code in alive.items() if number not in blamed}
    return []


def _settle(
    alive: list[int],
    items: Sequence[Item],
    options: JudgeOptions,
    settled: dict[int, Trial],
    misfits: dict[int, Trial],
) -> None:
    """Build what is left until it compiles, then run it; a sample left over is judged alone."""
    while len(alive) > 1:
        batch = build_batch([(number, *items[number]) for number in alive])
        arguments = ["--crate-type=bin", "-Awarnings", *TEST_BUILD, "-o", "/work/program", MAIN]
        limits = batch_limits(options, len(alive))
        outcome = compile_files(
            batch.files, arguments, edition=options.edition, limits=limits, keep="program"
        )
        if outcome.returncode == 0 and outcome.kept:
            _run(batch, outcome.kept, alive, items, options, settled)
            return
        errors = [each for each in read_diagnostics(outcome.stderr) if each.is_error]
        blamed = _blamed(errors, batch.samples | batch.tests)
        if outcome.returncode != 1 or not blamed:
            middle = len(alive) // 2
            for half in (alive[:middle], alive[middle:]):
                _settle(half, items, options, settled, misfits)
            return
        odd = {number for number, seen in blamed.items() if not all(each.code in _PLAIN for each in seen)}
        lost = len(errors) != sum(map(len, blamed.values()))
        if not odd and not lost:
            _settle_errors(batch, blamed, outcome, items, settled, misfits)
        gone = odd if odd and not lost else set(blamed)
        alive = [number for number in alive if number not in gone]


def _blamed(errors: Sequence[Diagnostic], places: dict[str, int]) -> dict[int, list[Diagnostic]]:
    """The errors by sample; one that points to no sample, or to more than one, is left out."""
    blamed: dict[int, list[Diagnostic]] = {}
    for each in errors:
        numbers = {places[span.file] for span in each.spans if span.file in places}
        if each.is_error and len(numbers) == 1 and each.file in places:
            blamed.setdefault(numbers.pop(), []).append(each)
    return blamed


def _settle_errors(
    batch: Batch,
    blamed: dict[int, list[Diagnostic]],
    outcome: Outcome,
    items: Sequence[Item],
    settled: dict[int, Trial],
    misfits: dict[int, Trial],
) -> None:
    """What a build's errors say of their samples; nothing of one whose message its neighbours may have changed."""
    named = {number: _names(items[number]) for number in batch.harnesses}
    for number, errors in blamed.items():
        own = [batch.samples.get(each.file) == number for each in errors]
        if any(own) and not all(own):
            continue  # alone, the sample would be compiled again without the tests
        first = errors[0].message
        mentioned = set(_NAME.findall(first))
        if (
            batch.names in first
            or "crate root" in first
            or any(mentioned & names for other, names in named.items() if other != number)
        ):
            continue
        trial = not_compiled(outcome, errors, compiled=not all(own))
        suite = items[number][1]
        trial = Trial(trial.status, trial.compiled, 0, len(suite.tests.cases), trial.codes, trial.message)
        (settled if all(own) else misfits)[number] = trial


def _names(item: Item) -> frozenset[str]:
    return names_defined(item[0]) | names_defined(item[1].tests.text)


def _run(
    batch: Batch,
    program: bytes,
    alive: Sequence[int],
    items: Sequence[Item],
    options: JudgeOptions,
    settled: dict[int, Trial],
) -> None:
    """Each sample's tests in a room of their own. What never reached its first test is judged alone."""
    for number in alive:
        room = Sandbox(run_limits(options), toolchain=False)
        run = room.run(["/program"], program=program, stdin=batch.stdin(number))
        harness = batch.harnesses[number]
        if read_account(harness, run.stdout).started:
            settled[number] = judged(harness, items[number][1], run)
