"""Check which problems of a suite can judge anybody: their own solutions are judged as samples are.

PROBLEMS.jsonl holds problems in the HumanEval, HumanEval-X or MultiPL-E format. Printed are how many are usable, which
are not and why, which have no solution of their own and stay unchecked, and which need crates. Exit code 0 where the
check was made, whatever it found; 2 for bad input.
"""

import logging
from collections.abc import Sequence
from typing import Any

from rust_expert.common import cli
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.common.problems import read_problems
from rust_expert.common.progress import Progress
from rust_expert.crates.vendor import vendored
from rust_expert.judge.check import Check, check_problems
from rust_expert.judge.crate_table import read_table
from rust_expert.judge.dependencies import crates_for
from rust_expert.judge.probe import require_sandbox

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, check, print."""
    told = cli.parser(__doc__)
    told.add_argument("suite", metavar="PROBLEMS.jsonl", help="the problems")
    told.add_argument("--json", metavar="FILE", help="also write what is printed as data")
    told.add_argument("--workers", type=int, default=1, metavar="N", help="compilers at work (default 1)")
    cli.add_crates(told)
    cli.add_options(told, JudgeOptions)
    arguments = told.parse_args()
    cli.set_up_log(arguments)
    options = cli.options_from(arguments, JudgeOptions)
    if arguments.workers < 1:
        raise UserError(f"--workers {arguments.workers}: at least 1 is needed")
    problems = read_problems(arguments.suite)
    require_sandbox(options.sandbox)
    crates = crates_for(problems, vendored, named=arguments.crates)
    with Progress(len(problems), "problems") as bar:
        checks = check_problems(
            problems, options, crates=crates, workers=arguments.workers, progress=bar.advance
        )
    found = as_data(checks)
    if arguments.json:
        write_json(arguments.json, found)
    print(as_text(found))


def as_data(checks: Sequence[Check]) -> dict[str, Any]:
    """What was found: counts, the problems that are not usable with their reasons, the crates with their problems."""
    versions = {name: version for name, (_, version) in read_table().crates.items()}
    crates = sorted({name for each in checks for name in each.crates})
    return {
        "problems": len(checks),
        "usable": sum(each.usable for each in checks),
        "own_solutions": {
            "compile": sum(each.compiles is True for each in checks),
            "do_not_compile": sum(each.compiles is False for each in checks),
            "pass": sum(each.finding == "passes" for each in checks),
            "have_no_test": sum(each.finding == "no_test" and each.compiles is not None for each in checks),
        },
        "unchecked": [each.task_id for each in checks if each.finding == "unchecked"],
        "unusable": [
            {"task_id": each.task_id, "finding": each.finding, "reason": each.reason}
            for each in checks
            if not each.usable
        ],
        "without_crates": sum(not each.crates for each in checks),
        "crates": {
            name: {
                "version": versions[name],
                "problems": [each.task_id for each in checks if name in each.crates],
            }
            for name in crates
        },
    }


def as_text(found: dict[str, Any]) -> str:
    """The same for people."""
    unchecked, unusable, own = found["unchecked"], found["unusable"], found["own_solutions"]
    lines = [f"{found['problems']} problems: {found['usable']} usable, {len(unusable)} not"]
    there = own["compile"] + own["do_not_compile"]
    lines.append(
        f"own solutions: {own['compile']} of {there} compile; {own['pass']} pass their tests, "
        f"{own['have_no_test']} have no test, {there - own['pass'] - own['have_no_test']} fail"
    )
    if unchecked:
        lines.append(f"unchecked, for they have no solution of their own: {_listed(unchecked)}")
    lines += [f"not usable: {each['task_id']}: {each['reason']}" for each in unusable]
    lines.append(f"crates: {found['without_crates']} problems need none")
    lines += [
        f"crates: {name} {told['version']} for {_listed(told['problems'])}"
        for name, told in found["crates"].items()
    ]
    return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"


if __name__ == "__main__":
    cli.run(main)
