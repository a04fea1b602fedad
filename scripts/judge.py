"""Judge completions of a model: compile and test each in the sandbox, lint and score what compiles.

  python -m scripts.judge SAMPLES.jsonl --suite PROBLEMS.jsonl --out VERDICTS.jsonl --metrics METRICS.json --workers 4

SAMPLES.jsonl holds rows with task_id and completion; `sample` numbers those of one task, and is their order where it
is left out. PROBLEMS.jsonl holds the problems in the HumanEval, HumanEval-X or MultiPL-E format. A problem whose own
solution fails, or that has no test, judges nobody: its samples get the status judge_error and the reason.

Ctrl-C ends it at once. What is judged is kept in VERDICTS.journal, and the same command continues from it.
docs/judge.md explains the columns of VERDICTS and METRICS.
"""

import argparse
import importlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rust_expert.common import telemetry
from rust_expert.common.cli import add_crates, add_options, options_from, parser, run, set_up_log
from rust_expert.common.completions import read_completions
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import LEFT_OUT, Completion, Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.common.problems import read_problems
from rust_expert.common.progress import Progress
from rust_expert.common.tables import write_jsonl, write_parquet
from rust_expert.crates.vendor import vendored
from rust_expert.judge.check import check_problems, usable_problems
from rust_expert.judge.dependencies import crates_for
from rust_expert.judge.facts import fingerprint, judging_facts
from rust_expert.judge.interruption import interruptible
from rust_expert.judge.journal import Journal
from rust_expert.judge.linked import Crates
from rust_expert.judge.probe import require_sandbox
from rust_expert.judge.verdicts import judge, unjudged

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, judge, write."""
    arguments = _arguments()
    set_up_log(arguments)
    options = options_from(arguments, JudgeOptions)
    out = Path(arguments.out)
    if out.suffix not in (".parquet", ".jsonl"):
        raise UserError(f"--out {out.name}: verdicts are written as .parquet or .jsonl, name such a file")
    if arguments.workers < 1:
        raise UserError(f"--workers {arguments.workers}: at least 1 is needed")
    if arguments.k is not None and arguments.metrics is None:
        raise UserError("--k: pass@k is one of the figures of --metrics; name a file for them")
    scoring = _Scoring(arguments.k) if arguments.metrics is not None else None
    samples = read_completions(arguments.samples)
    problems = read_problems(arguments.suite)
    require_sandbox(options.sandbox)
    crates = crates_for(problems, vendored, named=arguments.crates)
    with Journal(out, fingerprint(samples, problems, options, crates)) as journal:
        if journal.discarded:
            log.info(
                "%s is of other samples, problems, options or code: judging from the start", journal.path
            )
        rows, reasons = _judged(
            samples, problems, options, crates, arguments.workers, journal, scoring is not None
        )
        facts = judging_facts(options)
        if out.suffix == ".jsonl":
            write_jsonl(out, rows)
        else:
            write_parquet(out, rows, Verdict, notes={"judge": json.dumps(facts, sort_keys=True)})
        telemetry.count("problems_in", len(problems))
        telemetry.count("rows_in", len(samples))
        telemetry.count_by("rows_out", "status", Counter(row.status for row in rows))
        passed = sum(row.status == "passed" for row in rows)
        compiled = sum(row.compiled for row in rows)
        log.info("%d samples: %d compile, %d pass", len(rows), compiled, passed)
        if scoring is not None:
            scoring.write(arguments, problems, samples, rows, facts, reasons)
        journal.remove()


def _arguments() -> argparse.Namespace:
    told = parser(__doc__)
    told.add_argument("samples", metavar="SAMPLES.jsonl", help="completions of a model")
    told.add_argument("--suite", required=True, metavar="PROBLEMS.jsonl", help="the problems they answer")
    told.add_argument("--out", required=True, metavar="VERDICTS", help="a .parquet or .jsonl file to write")
    told.add_argument(
        "--metrics", metavar="METRICS.json", help="also write the figures, as scripts.score does"
    )
    told.add_argument(
        "--k", metavar="K,K", help="with --metrics: the k of each pass@k, such as 1,10,100 (default 1)"
    )
    told.add_argument(
        "--workers", type=int, default=1, metavar="N", help="samples judged at a time (default 1)"
    )
    add_crates(told)
    add_options(told, JudgeOptions)
    return told.parse_args()


def _judged(
    samples: Sequence[Completion],
    problems: Sequence[Problem],
    options: JudgeOptions,
    crates: Crates,
    workers: int,
    journal: Journal,
    all_answered: bool,
) -> tuple[list[Verdict], dict[str, str]]:
    """The verdicts in the order of the samples, and the problems left out with the reason."""
    known = {problem.task_id for problem in problems}
    for sample in samples:
        if sample.task_id not in known:
            raise UserError(f"sample {sample.sample} answers {sample.task_id}, which is not in the suite")
    bar = Progress(len(samples), "samples")
    with interruptible(
        lambda: (
            f"interrupted: {bar.done} of {len(samples)} samples are judged; the same command continues from there"
        )
    ):
        with Progress(len(problems), "problems' own solutions") as checked:
            checks = check_problems(
                problems, options, crates=crates, workers=workers, progress=checked.advance
            )
        usable, reasons = usable_problems(problems, checks)
        for task_id, reason in reasons.items():
            log.warning("%s is left out: %s", task_id, reason)
        if all_answered:
            _require_answers(samples, list(usable))
        judged = [sample for sample in samples if sample.task_id not in reasons]
        with bar:
            bar.already(len(samples) - len(judged))

            def resumed(count: int) -> None:
                if count:
                    log.info("%d samples were judged before, continuing from there", count)
                bar.already(count)

            found = judge(
                judged,
                usable,
                options,
                crates=crates,
                workers=workers,
                progress=bar.advance,
                journal=journal,
                already=resumed,
            )
    verdicts = iter(found)
    rows = [
        unjudged(sample, LEFT_OUT + reasons[sample.task_id]) if sample.task_id in reasons else next(verdicts)
        for sample in samples
    ]
    return rows, reasons


def _require_answers(samples: Sequence[Completion], usable: Sequence[str]) -> None:
    """Figures are over the whole suite: a problem without a sample would fall out of the denominator unseen."""
    answered = {sample.task_id for sample in samples}
    missing = [task_id for task_id in usable if task_id not in answered]
    if missing:
        raise UserError(
            f"--metrics: {len(missing)} of {len(usable)} problems have no sample ({missing[0]}); sample them, give a "
            "suite of the others, or leave --metrics out"
        )


class _Scoring:
    """The figures, by rust_expert.metrics.

    It is loaded by name: the workflow's rule judge makes no figures, and an edit of theirs must not make it judge, and
    with it train, anew.
    """

    def __init__(self, k: str | None) -> None:
        try:
            self._figures = importlib.import_module("rust_expert.metrics.figures")
        except ModuleNotFoundError as error:
            raise UserError(
                f"--metrics needs the package {error.name}: install it, or use the environment of `make setup`"
            ) from None
        made = self._figures.ScoreOptions
        given = argparse.Namespace(**{f"option_{name}": None for name in made.model_fields})
        given.option_k = k
        self._options = options_from(given, made)

    def write(
        self,
        arguments: argparse.Namespace,
        problems: Sequence[Problem],
        samples: Sequence[Completion],
        rows: Sequence[Verdict],
        facts: dict[str, Any],
        reasons: dict[str, str],
    ) -> None:
        """Write the figures, and say those that a reader looks for first."""
        judged = self._figures.Judged(
            arguments.suite, arguments.samples, problems, samples, rows, facts, reasons
        )
        figures = self._figures.figures_of(judged, self._options, leave_out=True)
        write_json(arguments.metrics, figures)
        for name, reason in figures["k_left_out"].items():
            log.warning("%s is left out: %s", name.replace("pass_at_", "pass@"), reason)
        for k in self._options.k:
            if told := figures.get(f"pass_at_{k}"):
                log.info("pass@%d %.3f (%.3f to %.3f)", k, told["value"], told["low"], told["high"])


if __name__ == "__main__":
    run(main)
