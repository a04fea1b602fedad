"""Curriculum rows and problems in the contracts that pass between rooms."""

from rust_expert.common.contracts import Problem, Sample
from rust_expert.curriculum.generation import Row
from rust_expert.curriculum.tasks import Task
from rust_expert.curriculum.verification import VERIFIED

LICENSE = "Apache-2.0"


def sample_of(row: Row) -> Sample:
    """A verified training row. Its task is documented: the sentence stands in the prompt, or above the answer."""
    return Sample.make(
        prompt=row.prompt,
        gen=row.answer,
        task_type="code_generation",
        source="curriculum",
        license=LICENSE,
        scale="task",
        template=row.template,
        verified=list(VERIFIED),
        family=row.task.family,
        combination=row.task.combination,
        entry_point=row.task.entry_point,
        tests=row.task.tests,
        doc=True,
    )


def problem_of(task: Task) -> Problem:
    """A held-out task in the HumanEval format."""
    return Problem(
        task_id=f"curriculum/{task.combination}/{task.index}",
        prompt=task.prompt,
        canonical_solution=task.canonical_solution,
        test=task.tests,
        entry_point=task.entry_point,
        category=task.family,
        combination=task.combination,
    )
