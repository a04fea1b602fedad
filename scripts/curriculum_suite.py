"""Write the held-out suite of the curriculum: problems in the HumanEval format, each verified in the sandbox.

Its combinations of family, types and operations are never trained on.
"""

import logging
from collections import Counter

from rust_expert.common import cli, telemetry
from rust_expert.common.config.curriculum import CurriculumOptions
from rust_expert.common.tables import write_jsonl
from rust_expert.curriculum.export import problem_of
from rust_expert.curriculum.generation import problems
from rust_expert.curriculum.verification import verify

log = logging.getLogger(__name__)


def main() -> None:
    """Parse the command line, generate, verify, write."""
    told = cli.parser(__doc__)
    told.add_argument("--out", required=True, metavar="FILE", help="where the problems go (JSONL)")
    told.add_argument(
        "--workers", type=int, default=1, metavar="N", help="compilers at work at once (default 1)"
    )
    cli.add_options(told, CurriculumOptions)
    arguments = told.parse_args()
    cli.set_up_log(arguments)
    options = cli.options_from(arguments, CurriculumOptions)
    tasks = list(problems(options))
    programs = verify(tasks, arguments.workers)
    count = write_jsonl(arguments.out, [problem_of(task) for task in tasks])
    telemetry.count("programs_checked", programs)
    telemetry.count_by("rows_out", "family", Counter(task.family for task in tasks))
    combinations = len({task.combination for task in tasks})
    families = len({task.family for task in tasks})
    log.info("%d problems of %d held-out combinations in %d families", count, combinations, families)


if __name__ == "__main__":
    cli.run(main)
