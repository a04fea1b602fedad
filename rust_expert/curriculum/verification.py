"""Every reference compiled and run against its own tests, in the sandbox."""

from collections.abc import Sequence

from rust_expert.common.progress import Progress
from rust_expert.curriculum.tasks import Task
from rust_expert.judge.rustc import TestProgram, run_tests_many

VERIFIED = ("compiles", "tests pass")
EDITION = "2021"


class WrongReference(RuntimeError):
    """A reference of ours that does not compile or fails its tests: a fault of a family, never of the input."""


def verify(tasks: Sequence[Task], workers: int = 1) -> int:
    """Compile and run each distinct program of `tasks`, doc comment left out; returns how many there were.

    Raises WrongReference with the first that fails.
    """
    programs: dict[tuple[str, str], Task] = {}
    for task in tasks:
        programs.setdefault((task.solution, task.tests), task)
    with Progress(len(programs), "references verified") as progress:
        results = run_tests_many(
            [TestProgram(code, tests) for code, tests in programs],
            edition=EDITION,
            workers=workers,
            progress=progress.advance,
        )
    for task, result in zip(programs.values(), results, strict=True):
        if not result.ok:
            raise WrongReference(f"{task.combination}, task {task.index}: {result.message}\n{task.solution}")
    return len(programs)
