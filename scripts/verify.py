"""Judge a release again and compare it verdict by verdict and figure by figure. It needs no GPU and no model.

  python -m scripts.verify results/release.tar.gz

Says that all is identical (exit code 0), or each difference with its cause (exit code 1): a file that was changed after
the release, another compiler, another sandbox, other code of the judge. What was made on the way, and all differences
in full as differences.json, lie in the folder --work.
"""

import argparse
import json
import logging
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rust_expert.common.cli import flags, parser, run, set_up_log
from rust_expert.common.closure import code_fingerprint
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.config.metrics import ScoreOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.common.tables import fault_of
from rust_expert.release.comparison import SHOWN, Outcome, compare
from rust_expert.release.contents import MANIFEST, METRICS, Release, samples_of, scores_of, suite_of
from rust_expert.release.opening import changes, read_release, unpacked

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Read the command line, judge, compare, tell."""
    arguments = _arguments()
    set_up_log(arguments)
    turns = _workers(arguments.workers)
    work = Path(arguments.work)
    folder = unpacked(Path(arguments.release), work / "release")
    release = read_release(folder)
    log.info("a release of commit %s%s", release.commit, ", with changes" if release.dirty else "")
    outcome = Outcome(changes(folder, release))
    for change in outcome.changed[:SHOWN]:
        log.warning("not as it was released: %s", change)
    for turn, workers in enumerate(turns, start=1):
        here = work / f"run-{turn}"
        _judge(folder, release, here, workers)
        compare(folder, here, release, code_fingerprint("scripts.judge", ROOT), outcome)
    write_json(work / "differences.json", outcome.as_json())
    print(outcome.told())
    if not outcome.identical:
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    told = parser(__doc__)
    told.add_argument("release", metavar="RELEASE", help="the archive of a release, or its folder")
    told.add_argument(
        "--workers",
        default=str(os.cpu_count() or 1),
        metavar="N,N",
        help="samples judged at a time (default: all cores); with several, all is judged once with each",
    )
    told.add_argument(
        "--work", default="results/verify", metavar="DIR", help="where to work (default results/verify)"
    )
    return told.parse_args()


def _workers(text: str) -> list[int]:
    try:
        found = [int(word) for word in text.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 1:
        raise UserError(f"--workers {text}: whole numbers from 1 on, such as 2 or 1,2,4")
    return found


def _judge(folder: Path, release: Release, here: Path, workers: int) -> None:
    """Make verdicts, scores and metrics.json below `here`, by the commands of the workflow."""
    score = _flags(ScoreOptions, release.score, release)
    for stage, suite in release.pairs:
        log.info("judging %s on %s with %d workers", stage, suite, workers)
        samples, problems = folder / samples_of(stage, suite), folder / suite_of(suite)
        verdicts = here / "verdicts" / stage / f"{suite}.parquet"
        words = [samples, "--suite", problems, "--out", verdicts, "--workers", workers]
        words += ["--crates", release.crates[suite]] if release.crates.get(suite) is not None else []
        _run("judge", *words, *_flags(JudgeOptions, release.judge, release))
        words = ["--verdicts", verdicts, "--suite", problems, "--completions", samples]
        _run("score", *words, "--out", here / scores_of(stage, suite), *score)
    words = [
        "--scores",
        *(f"{stage}:{suite}={here / scores_of(stage, suite)}" for stage, suite in release.pairs),
    ]
    words += ["--parents", json.dumps(release.parents)]
    words += ["--runs", json.dumps(release.seeds)]
    words += ["--manifests", *(f"{name}={folder}/models/{name}.json" for name in release.stages())]
    words += [
        "--funnel",
        folder / "data/funnel.json",
        "--decontamination",
        folder / "data/decontamination.json",
    ]
    words += ["--mixes", *(f"{name}={folder}/data/mix-{name}.json" for name in release.mixes)]
    words += ["--selections", *(f"{name}={folder}/data/selection-{name}.json" for name in release.selections)]
    _run("summarize", *words, "--out", here / METRICS, *score)


def _flags(section: type[BaseModel], told: dict[str, Any], release: Release) -> list[str]:
    try:
        return shlex.split(flags(section.model_validate(told)))
    except ValidationError as error:
        raise UserError(
            f"{MANIFEST}: options of another version ({fault_of(error)}); check out commit {release.commit}"
        ) from None


def _run(script: str, *words: Any) -> None:
    command = [sys.executable, "-m", f"scripts.{script}", *map(str, words)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    if done.returncode:
        raise UserError(f"scripts.{script} ended with exit code {done.returncode}; what it said stands above")


if __name__ == "__main__":
    run(main)
