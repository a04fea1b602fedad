"""Answers of a model as people write them down: `task_id` and `completion`, the number of the sample optional."""

from collections import Counter

from rust_expert.common.contracts import Completion
from rust_expert.common.errors import UserError
from rust_expert.common.tables import PathLike, read_jsonl


def read_completions(path: PathLike) -> list[Completion]:
    """Read a JSONL file of completions; one without `sample` gets its place among those of its task, from 0 on.

    Raises UserError naming the file, and the line where a row breaks the contract or the sample where two have one
    number.
    """
    rows: list[Completion] = []
    places: Counter[str] = Counter()
    seen: set[tuple[str, int]] = set()
    for row in read_jsonl(path, Completion):
        if "sample" not in row.model_fields_set:
            row = row.model_copy(update={"sample": places[row.task_id]})
        places[row.task_id] += 1
        key = row.task_id, row.sample
        if key in seen:
            raise UserError(
                f"{path}: sample {row.sample} of {row.task_id} stands twice; number each sample of a task, or none"
            )
        seen.add(key)
        rows.append(row)
    return rows
