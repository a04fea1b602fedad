"""Many samples before their tests in one compilation, each with the trial that it would have alone.

What a batch says is taken only where it cannot differ from what the sample gets alone; the rest is left to
rust_expert.judge.trial.put_to_test. A sample gets here only where rust_expert.judge.sharing lets it.

The samples are compiled with their tests, those with errors left out and the rest compiled again, and then each is
run. A batch that compiles proves that each sample compiles, within the limits of one. Where only a sample's tests have
errors, the samples alone are compiled once more. What a failing build says of a sample is believed where rustc ended
by itself, every error lies in one sample's files, and every error of the whole build has one of the codes in `_PLAIN`:
those stop nothing and hide nothing, so that rustc reports for each function what it reports alone, in the same order.
Other errors (macros, cycles, limits) send their samples to be judged alone, and the rest is built again. An error
without a place (a crash, a limit) is looked for in parts of the batch.
"""

import dataclasses
import re
import secrets
from collections.abc import Mapping, Sequence

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.judge.batch_harness import ROOT as MAIN
from rust_expert.judge.batch_harness import Batch, build_batch
from rust_expert.judge.diagnostics import Diagnostic, read_diagnostics
from rust_expert.judge.harness import read_account
from rust_expert.judge.linked import Crates
from rust_expert.judge.lints import counted, run_clippy
from rust_expert.judge.rootfile import with_head
from rust_expert.judge.rustc import TEST_BUILD, compile_files
from rust_expert.judge.sandbox import Limits, Outcome
from rust_expert.judge.sharing import names_defined
from rust_expert.judge.suite import Suite
from rust_expert.judge.tampering import changed_given
from rust_expert.judge.testroom import TestRoom
from rust_expert.judge.trial import WALL, Trial, judged, not_compiled, run_limits

Item = tuple[str, Suite]

PARTS = 8
"""Into how many parts a batch falls where nobody can be blamed: few rounds, for each may cost a time limit."""

_PLAIN = frozenset(
    f"E{number:04}"
    for number in (
        4, 23, 26, 27, 40, 46, 50, 53, 61, 62, 63, 69, 70, 106, 107, 133, 184, 185, 186, 191, 220, 223, 229, 252, 261,
        263, 267, 268, 271, 277, 282, 308, 309, 310, 368, 369, 373, 381, 382, 384, 403, 404, 405, 407, 408, 412, 415,
        416, 422, 423, 424, 425, 426, 428, 432, 433, 434, 435, 437, 438, 493, 499, 502, 503, 505, 506, 507, 508, 509,
        515, 521, 559, 560, 562, 571, 572, 594, 596, 597, 599, 600, 603, 604, 605, 606, 607, 608, 609, 610, 614, 615,
        616, 618, 620, 621, 689, 716, 728, 746, 782,
    )
)  # fmt: skip
_VERBATIM = frozenset(
    f"E{number:04}" for number in (404, 405, 407, 412, 422, 423, 424, 425, 426, 432, 433, 434, 437, 438)
)
"""Errors about names, which rustc tells in the words of the source."""
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclasses.dataclass(frozen=True)
class Together:
    """What a batch tells of its samples, by their place: their trials, and the warnings of clippy by group."""

    trials: dict[int, Trial]
    lints: dict[int, dict[str, int]]


def judge_together(items: Sequence[Item], options: JudgeOptions) -> Together:
    """The trials of some samples and, where the options want them, their lints; what only a trial alone can tell is
    left out. Their suites have the same crates.

    Raises JudgeFault where the sandbox broke.
    """
    sitting = _Sitting(items, options)
    sitting.test([place for place, (code, suite) in enumerate(items) if not changed_given(code, suite.given)])
    sitting.settle()
    sitting.tell()
    if options.lints:
        sitting.lint([number for number in sorted(sitting.trials) if sitting.trials[number].compiled])
    return Together(sitting.trials, sitting.lints)


def batch_limits(options: JudgeOptions, count: int) -> Limits:
    """The limits of a compilation of `count` samples: no wider than those of one, so that each has stayed in its own.

    Less time, for a compiler that never ends is met again in each part. 64 small samples need about half a second.
    """
    seconds = min(options.compile_timeout, 2 + count // 16)
    return Limits(
        cpu_seconds=seconds,
        wall_seconds=WALL * seconds,
        memory_mb=options.memory_mb,
        processes=options.max_processes,
        work_mb=options.tmpfs_mb,
        output_kb=8192,
        backend=options.sandbox,
    )


@dataclasses.dataclass(frozen=True)
class _Library:
    """Samples as public modules of a library; the number of each file's sample, and what is in each module's name."""

    files: dict[str, str]
    places: dict[str, int]
    word: str
    crates: Crates


def _library(alive: list[int], items: Sequence[Item]) -> _Library:
    word = secrets.token_hex(8)
    places = {f"m{number}_{word}.rs": number for number in alive}
    files = {place: with_head(items[number][0], "") for place, number in places.items()}
    crates = items[alive[0]][1].crates
    files["lib.rs"] = "".join(f"pub mod m{number}_{word};" for number in alive) + crates.head
    return _Library(files, places, word, crates)


def _check(library: _Library, options: JudgeOptions, limits: Limits) -> Outcome:
    arguments = ["--crate-type=lib", "--emit=metadata", "-o", "/work/out", "-Awarnings", "lib.rs"]
    return compile_files(
        library.files, arguments, edition=options.edition, limits=limits, crates=library.crates
    )


class _Sitting:
    """A batch on its way: its samples by their place, and what is told of them so far.

    `unsure` holds those whose tests do not fit, with what rustc said, until it is known whether they compile without;
    `unsaid` those that do not compile, in words that a neighbour could have changed.
    """

    def __init__(self, items: Sequence[Item], options: JudgeOptions) -> None:
        self.items = items
        self.options = options
        self.trials: dict[int, Trial] = {}
        self.lints: dict[int, dict[str, int]] = {}
        self.unsure: dict[int, tuple[Outcome, list[Diagnostic]]] = {}
        self.unsaid: list[int] = []

    def test(self, alive: list[int]) -> None:
        """Build all with their tests until that compiles, then run them; one left over is judged alone."""
        while len(alive) > 1:
            batch = build_batch([(number, *self.items[number]) for number in alive])
            outcome = _build(batch, self.options, len(alive), self.items[alive[0]][1].crates)
            if outcome.returncode == 0 and outcome.kept:
                self._run(batch, outcome.kept, alive)
                return
            refused = _refused(outcome, batch.samples | batch.tests)
            if not refused.gone:
                for part in _parts(alive):
                    self.test(part)
                return
            self._read(refused, outcome, batch, alive)
            alive = [number for number in alive if number not in refused.gone]

    def tell(self) -> None:
        """What could not be said among all is said among the few that are left, where fewer names meet."""
        alive, self.unsaid = self.unsaid, []
        while len(alive) > 1:
            batch = build_batch([(number, *self.items[number]) for number in alive])
            outcome = _build(batch, self.options, len(alive), self.items[alive[0]][1].crates)
            refused = _refused(outcome, batch.samples | batch.tests)
            self._read(refused, outcome, batch, alive)
            alive = [number for number in alive if number not in refused.gone] if refused.gone else []

    def settle(self) -> None:
        """Whether what does not fit its tests compiles without them."""
        alive = list(self.unsure)
        while len(alive) > 1:
            library = _library(alive, self.items)
            outcome = _check(library, self.options, batch_limits(self.options, len(alive)))
            if outcome.returncode == 0:
                for number in alive:
                    told, errors = self.unsure[number]
                    self.trials[number] = self._refusal(number, told, errors, compiled=True)
                return
            refused = _refused(outcome, library.places)
            named = _named(alive, self.items, tests=False)
            for number, errors in refused.told.items():
                if _means_the_same(errors[0], number, named, library.word):
                    self.trials[number] = self._refusal(number, outcome, errors, compiled=False)
            alive = [number for number in alive if number not in refused.gone] if refused.gone else []

    def lint(self, alive: list[int]) -> None:
        """Clippy's warnings for samples that compile."""
        while len(alive) > 1:
            library = _library(alive, self.items)
            limits = batch_limits(self.options, len(alive))
            outcome = run_clippy(
                library.files, "lib.rs", edition=self.options.edition, limits=limits, crates=library.crates
            )
            if outcome.returncode == 0:
                counts = counted(outcome, list(library.places), self.options.sandbox)
                self.lints.update((number, counts[place]) for place, number in library.places.items())
                return
            blamed = _refused(outcome, library.places).blamed
            if not blamed:
                for part in _parts(alive):
                    self.lint(part)
                return
            alive = [number for number in alive if number not in blamed]

    def _read(self, refused: "_Refused", outcome: Outcome, batch: Batch, alive: Sequence[int]) -> None:
        """Take from a build that failed what it says of single samples."""
        named = _named(alive, self.items, tests=True)
        for number, errors in refused.told.items():
            of_tests = [batch.tests.get(each.file) == number for each in errors]
            if not _means_the_same(errors[0], number, named, batch.names):
                self.unsaid += [] if any(of_tests) else [number]
            elif all(of_tests):
                self.unsure[number] = (outcome, errors)
            elif not any(of_tests):
                self.trials[number] = self._refusal(number, outcome, errors, compiled=False)

    def _refusal(self, number: int, outcome: Outcome, errors: list[Diagnostic], *, compiled: bool) -> Trial:
        told = not_compiled(outcome, errors, compiled=compiled)
        return dataclasses.replace(told, total=len(self.items[number][1].tests.cases))

    def _run(self, batch: Batch, program: bytes, alive: Sequence[int]) -> None:
        """Each sample's tests in a process of their own. What never reached its first test is judged alone."""
        with TestRoom(run_limits(self.options), program=program) as room:
            for number in alive:
                run = room.run(batch.stdin(number))
                harness = batch.harnesses[number]
                if read_account(harness, run.stdout).started:
                    self.trials[number] = judged(harness, self.items[number][1], run)


def _build(batch: Batch, options: JudgeOptions, count: int, crates: Crates) -> Outcome:
    arguments = ["--crate-type=bin", "-Awarnings", *TEST_BUILD, "-o", "/work/program", MAIN]
    limits = batch_limits(options, count)
    return compile_files(
        batch.files, arguments, edition=options.edition, limits=limits, keep="program", crates=crates
    )


def _named(alive: Sequence[int], items: Sequence[Item], *, tests: bool) -> dict[int, frozenset[str]]:
    """What each sample, and its tests, define."""
    return {
        number: names_defined(items[number][0])
        | (names_defined(items[number][1].tests.text) if tests else frozenset())
        for number in alive
    }


def _parts(alive: list[int]) -> list[list[int]]:
    size = -(-len(alive) // PARTS)
    return [alive[start : start + size] for start in range(0, len(alive), size)]


@dataclasses.dataclass(frozen=True)
class _Refused:
    """The errors of a build by sample, as far as they are what each gets alone; the samples that have errors; those
    of them to leave out of the next build."""

    told: dict[int, list[Diagnostic]]
    blamed: set[int]
    gone: set[int]


def _refused(outcome: Outcome, places: Mapping[str, int]) -> _Refused:
    """Read a build that failed; `places` gives the sample of each file. Without `gone`, nobody can be blamed."""
    errors = [each for each in read_diagnostics(outcome.stderr) if each.is_error]
    blamed: dict[int, list[Diagnostic]] = {}
    for each in errors:
        numbers = {places[span.file] for span in each.spans if span.file in places}
        if len(numbers) == 1 and each.file in places:
            blamed.setdefault(numbers.pop(), []).append(each)
    if outcome.returncode != 1 or sum(map(len, blamed.values())) != len(errors):
        gone = set(blamed) if outcome.returncode == 1 else set()
        return _Refused({}, gone, gone)
    odd = {number for number, seen in blamed.items() if not all(each.code in _PLAIN for each in seen)}
    return _Refused({}, set(blamed), odd) if odd else _Refused(blamed, set(blamed), set(blamed))


def _means_the_same(error: Diagnostic, number: int, named: Mapping[int, frozenset[str]], word: str) -> bool:
    """Whether a message is the one that the sample gets alone: a type is printed by its last name only where that is
    the only one in the crate, and the crate's root has a name of its own. `word` is in each module's name."""
    if word in error.message or "crate root" in error.message:
        return False
    if error.code in _VERBATIM:
        return True
    mentioned = set(_NAME.findall(error.message))
    return all(mentioned.isdisjoint(names) for other, names in named.items() if other != number)
