"""What the judge costs per sample, against one `rustc --test` for each sample in the same sandbox, in the same run.

The samples answer problems of the curriculum: three quarters are right, an eighth is wrong, an eighth does not
compile (unknown names and types, one in four of them a missing bracket). Everything counts: extraction, sandbox, all
that runs in it. One rustc for each sample neither finds the code in an answer, nor lints, nor proves that a test ran.
"""

import ctypes
import os
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.parallel import spread
from rust_expert.curriculum.export import problem_of
from rust_expert.curriculum.generation import problems
from rust_expert.judge.lints import lint_groups
from rust_expert.judge.probe import require_sandbox
from rust_expert.judge.rustc import compile_files
from rust_expert.judge.testroom import run_once, warden
from rust_expert.judge.trial import compile_limits, run_limits
from rust_expert.judge.verdicts import judge

SAMPLES = 256
BATCH = 64
SUITE_SAMPLES, SUITE_WORKERS = 16_400, 24
"""164 problems with 100 answers each, on a machine that others give their times for."""
Made = TypeVar("Made")
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, linux/prctl.h


def count_orphans() -> None:
    """Have what a sandbox leaves to the system's first process buried, and so counted, by this one."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def processor_seconds() -> float:
    """What this process and all its ended descendants have used so far, in seconds."""
    time.sleep(0.1)  # the last room's processes end after it was told to
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def mixed_samples(count: int = SAMPLES) -> tuple[list[Completion], dict[str, Problem]]:
    """Answers of all kinds, and the problems."""
    known = [problem_of(task) for task in problems(CurriculumOptions(problems=count))]
    rows = []
    for number, problem in enumerate(known):
        whole = problem.prompt + problem.canonical_solution
        if number % 8 == 3:  # the tests of a right answer fail, or do not fit to its type
            whole = _in_the_function(whole, "if true { return Default::default(); }")
        elif number % 32 == 7:
            whole = whole.rstrip().removesuffix("}")
        elif number % 8 == 7:
            whole = _in_the_function(whole, 'let unknown: usize = "text" + missing;')
        rows.append(Completion(task_id=problem.task_id, sample=0, completion=whole))
    return rows, {problem.task_id: problem for problem in known}


def _in_the_function(code: str, statement: str) -> str:
    """`code` with a statement at the beginning of its last function that stands at the margin."""
    head, word, function = code.rpartition("\nfn ") if "\nfn " in code else ("", "", code)
    return head + word + function.replace("{\n", f"{{\n    {statement}\n", 1)


def one_rustc_each(
    rows: list[Completion], known: dict[str, Problem], options: JudgeOptions, workers: int
) -> list[bool]:
    """The baseline: whether `rustc --test` makes of each sample and its tests a program that ends well."""

    def passes(row: Completion) -> bool:
        text = row.completion + "\n" + known[row.task_id].test
        built = compile_files(
            {"main.rs": text},
            ["--test", "-Awarnings", "-o", "/work/program", "main.rs"],
            edition=options.edition, limits=compile_limits(options), keep="program",
        )  # fmt: skip
        return built.kept is not None and run_once(run_limits(options), program=built.kept).returncode == 0

    return list(spread(passes, rows, workers))


def measured(work: Callable[[], Made], count: int) -> tuple[float, float, Made]:
    """Processor and wall milliseconds for each of `count` samples, and what the work gave."""
    used, clock = processor_seconds(), time.monotonic()
    made = work()
    wall = time.monotonic() - clock
    return 1000 * (processor_seconds() - used) / count, 1000 * wall / count, made


def main() -> None:
    """Measure and print; ends with an error where a verdict depends on the batch or the number of workers."""
    count_orphans()
    require_sandbox()
    lint_groups()
    warden()
    rows, known = mixed_samples()
    cores = len(os.sched_getaffinity(0))
    print(f"judge: {len(rows)} samples, batches of {BATCH}, milliseconds per sample, sandbox included")
    print(f"{'':34}{'cpu':>8}{'wall':>8}{'less cpu':>10}")
    found: list[list[Verdict]] = []
    projected = 0.0
    for workers in sorted({1, cores}):
        crew = f", {workers} worker{'s' if workers > 1 else ''}"
        base, wall, _ = measured(partial(one_rustc_each, rows, known, JudgeOptions(), workers), len(rows))
        print(f"{'one rustc --test each' + crew:34}{base:8.1f}{wall:8.1f}", flush=True)
        for lints in (True, False):
            options = JudgeOptions(batch=BATCH, lints=lints)
            work = partial(judge, rows, known, options, workers=workers)
            cpu, wall, verdicts = measured(work, len(rows))
            found.append(verdicts)
            name = f"ours{', clippy' if lints else ''}{crew}"
            print(f"{name:34}{cpu:8.1f}{wall:8.1f}{base / cpu:9.1f}x", flush=True)
            if workers == 1 and lints:
                projected = SUITE_SAMPLES * cpu / 1000 / SUITE_WORKERS
    statuses = [[(row.status, row.tests_passed, row.compiled) for row in verdicts] for verdicts in found]
    if any(told != statuses[0] for told in statuses):
        raise SystemExit("the verdicts differ: they depend on the workers or on the lints")
    counts = {
        status: sum(row.status == status for row in found[0])
        for status in ("passed", "failed", "compile_error")
    }
    print("samples: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    print(
        f"{SUITE_SAMPLES:,} samples with clippy on {SUITE_WORKERS} workers with a core each: "
        f"about {projected:.0f} seconds at this machine's speed (projected, not run)"
    )
