"""Processor time of the judge per sample, in batches and one at a time, on the same samples in one run.

The samples answer problems of the curriculum: three quarters are right, an eighth is wrong, an eighth does not
compile (unknown names and types, one in four of them a missing bracket). Everything counts: extraction, sandbox, all
that runs in it.
"""

import ctypes
import os
import resource
import time

from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.curriculum.export import problem_of
from rust_expert.curriculum.generation import problems
from rust_expert.judge.lints import lint_groups
from rust_expert.judge.probe import require_sandbox
from rust_expert.judge.verdicts import judge

SAMPLES = 128
BATCH = 64
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, linux/prctl.h


def processor_seconds() -> float:
    """What this process and all its ended descendants have used so far, in seconds."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def mixed_samples() -> tuple[list[Completion], dict[str, Problem]]:
    """Answers of all kinds, and the problems."""
    known = [problem_of(task) for task in problems(CurriculumOptions(problems=SAMPLES))]
    rows = []
    for number, problem in enumerate(known):
        whole = problem.prompt + problem.canonical_solution
        if number % 8 == 3:  # the tests of a right answer fail, or do not fit to its type
            whole = whole.replace("{\n", "{\n    if true { return Default::default(); }\n", 1)
        elif number % 32 == 7:
            whole = whole.rstrip().removesuffix("}")
        elif number % 8 == 7:
            whole = whole.replace("{\n", '{\n    let unknown: usize = "text" + missing;\n', 1)
        rows.append(Completion(task_id=problem.task_id, sample=0, completion=whole))
    return rows, {problem.task_id: problem for problem in known}


def measured(
    rows: list[Completion], known: dict[str, Problem], options: JudgeOptions
) -> tuple[float, float, list[Verdict]]:
    """Processor and wall milliseconds per sample on one worker, and the verdicts."""
    used, clock = processor_seconds(), time.monotonic()
    verdicts = judge(rows, known, options)
    wall = time.monotonic() - clock
    return 1000 * (processor_seconds() - used) / len(rows), 1000 * wall / len(rows), verdicts


def main() -> None:
    """Measure and print; ends with an error where a verdict depends on the batch."""
    # Without this, what a sandbox leaves to be buried by the system's first process would not be counted.
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    require_sandbox()
    lint_groups()
    rows, known = mixed_samples()
    print(f"judge: {len(rows)} samples, one worker, milliseconds per sample, sandbox included")
    print(f"{'':24}{'cpu':>8}{'wall':>8}")
    for lints in (True, False):
        cpu, verdicts = {}, {}
        for batch in (1, BATCH):
            options = JudgeOptions(batch=batch, lints=lints)
            cpu[batch], wall, verdicts[batch] = measured(rows, known, options)
            name = f"{'one at a time' if batch == 1 else f'batches of {batch}'}{', clippy' if lints else ''}"
            print(f"{name:24}{cpu[batch]:8.1f}{wall:8.1f}", flush=True)
        print(f"{'':24}{cpu[1] / cpu[BATCH]:7.1f}x less")
        if verdicts[1] != verdicts[BATCH]:
            raise SystemExit("the verdicts differ: a batch said what a single sample did not get")
    counts = {
        status: sum(row.status == status for row in verdicts[1])
        for status in ("passed", "failed", "compile_error")
    }
    print("samples: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
