"""Files of problems: JSONL, a row per problem in any of the shapes that rust_expert.common.contracts.Problem reads."""

from rust_expert.common.contracts import Problem
from rust_expert.common.errors import UserError
from rust_expert.common.tables import PathLike, numbered_rows


def read_problems(path: PathLike) -> list[Problem]:
    """The problems of a suite.

    Raises UserError naming file and line where a row is broken or takes another one's name, and where there is none.
    """
    rows = numbered_rows(path, Problem)
    if not rows:
        raise UserError(f"{path}: no problem in it; a suite has at least one row")
    lines: dict[str, int] = {}
    for number, problem in rows:
        first = lines.setdefault(problem.task_id, number)
        if first != number:
            raise UserError(
                f"{path}, line {number}: {problem.task_id} stands on line {first} already; give it a name of its own"
            )
    return [problem for _, problem in rows]
