"""Judge completions of a model: compile and test each in the sandbox, lint and score what compiles.

SAMPLES.jsonl holds rows with task_id and completion (sample, seed and others are optional); PROBLEMS.jsonl the
problems in the HumanEval, HumanEval-X or MultiPL-E format. A problem whose own solution fails, or that has no test,
judges nobody: its samples get the status judge_error and the reason.
"""

import logging
from pathlib import Path

from rust_expert.common.cli import add_crates, add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import LEFT_OUT, Completion, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.problems import read_problems
from rust_expert.common.progress import Progress
from rust_expert.common.tables import read_jsonl, write_jsonl, write_parquet
from rust_expert.crates.vendor import vendored
from rust_expert.judge.check import check_problems, usable_problems
from rust_expert.judge.dependencies import crates_for
from rust_expert.judge.probe import require_sandbox
from rust_expert.judge.verdicts import judge, unjudged

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, judge, write."""
    told = parser(__doc__)
    told.add_argument("samples", metavar="SAMPLES.jsonl", help="completions of a model")
    told.add_argument("--suite", required=True, metavar="PROBLEMS.jsonl", help="the problems they answer")
    told.add_argument("--out", required=True, metavar="VERDICTS", help="a .parquet or .jsonl file to write")
    told.add_argument(
        "--workers", type=int, default=1, metavar="N", help="samples judged at a time (default 1)"
    )
    add_crates(told)
    add_options(told, JudgeOptions)
    arguments = told.parse_args()
    set_up_log(arguments.log)
    options = options_from(arguments, JudgeOptions)
    out = Path(arguments.out)
    if out.suffix not in (".parquet", ".jsonl"):
        raise UserError(f"--out {out.name}: verdicts are written as .parquet or .jsonl, name such a file")
    if arguments.workers < 1:
        raise UserError(f"--workers {arguments.workers}: at least 1 is needed")
    samples = read_jsonl(arguments.samples, Completion)
    problems = read_problems(arguments.suite)
    require_sandbox(options.sandbox)
    crates = crates_for(problems, vendored, named=arguments.crates)
    workers = arguments.workers
    with Progress(len(problems), "problems' own solutions") as bar:
        checks = check_problems(problems, options, crates=crates, workers=workers, progress=bar.advance)
    usable, reasons = usable_problems(problems, checks)
    for task_id, reason in reasons.items():
        log.warning("%s is left out: %s", task_id, reason)
    judged = [sample for sample in samples if sample.task_id not in reasons]
    with Progress(len(judged), "samples") as bar:
        verdicts = iter(judge(judged, usable, options, crates=crates, workers=workers, progress=bar.advance))
    rows = [
        unjudged(sample, LEFT_OUT + reasons[sample.task_id]) if sample.task_id in reasons else next(verdicts)
        for sample in samples
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".jsonl":
        write_jsonl(out, rows)
    else:
        write_parquet(out, rows, Verdict)
    passed = sum(row.status == "passed" for row in rows)
    compiled = sum(row.compiled for row in rows)
    log.info("%d samples: %d compile, %d pass", len(rows), compiled, passed)


if __name__ == "__main__":
    run(main)
