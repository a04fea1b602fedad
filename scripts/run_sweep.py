"""Train, sample and judge every point of the profile's sweep, then print them ranked: what `make sweep` starts.

  python -m scripts.run_sweep --configfile config/sweep.yaml

Words after `--` go to Snakemake as they are. A point that fails does not stop the others: they are ranked without it,
the failed ones are named with their logs, and the exit code is that of the failure. A second call does what is left.
With --dvc it runs nothing and prints a `dvc exp run --queue` command for each point instead.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rust_expert.common.errors import UserError
from rust_expert.metrics.ranking import Ranking, read_ranking
from rust_expert.report.sweep.table import sweep_table
from rust_expert.report.sweep.timings import training_seconds
from rust_expert.report.table import shows_colour, shows_unicode
from rust_expert.report.wording import plural
from scripts.run import ROOT, is_free, is_plan, run, watched
from scripts.sweep_queue import queue_commands
from scripts.workflow_log import Job, Told, counted, logs, read, read_logs

TARGET = "results/sweep.json"
FAILED = "RUST_EXPERT_SWEEP_FAILED"
"""The environment variable that tells rules/sweep.smk which points failed, as a JSON mapping to reasons."""


def main() -> int:
    """Run the sweep and say how it ended; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--configfile", metavar="FILE", nargs="+", action="extend", default=[], help="profiles"
    )
    parser.add_argument("--cores", default="all", help="how many cores to use (default all)")
    parser.add_argument(
        "--dvc", action="store_true", help="print the commands that queue the points with DVC"
    )
    parser.add_argument("snakemake", nargs="*", metavar="-- WORD", help="more words for Snakemake")
    arguments = parser.parse_args()
    if arguments.dvc:
        return _print_queue(arguments.configfile)
    command = [sys.executable, "-m", "snakemake", "--cores", arguments.cores, TARGET, "--keep-going"]
    if arguments.configfile:
        command += ["--configfile", *arguments.configfile]
    command += arguments.snakemake
    if not is_free(ROOT):
        return 2
    os.environ.pop(FAILED, None)
    return run(command) if is_plan(arguments.snakemake) else sweep(command)


def _print_queue(configfiles: list[str]) -> int:
    try:
        print("\n".join(queue_commands(ROOT, configfiles)))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def sweep(command: list[str]) -> int:
    """Run all points, rank those that are finished, print what ran; returns the exit code of the first run."""
    before = logs(ROOT)
    code = watched(command)
    told = read_logs(logs(ROOT) - before)
    reasons: dict[str, str] = {}
    if code and told.failed and not told.interrupted:
        reasons = _failed_points(command, told)
        os.environ[FAILED] = json.dumps(reasons)
        if run(command):
            print("error: the points that are finished could not be ranked", file=sys.stderr)
            return code
    elif code:
        return code
    print("\n" + "\n".join(what_ran(told)) + "\n")
    sys.stdout.write(_table(read_ranking(str(ROOT / TARGET))))
    if reasons:
        print(f"error: not ranked, since they failed: {', '.join(reasons)}", file=sys.stderr)
    return code


def what_ran(told: Told) -> list[str]:
    """Which jobs ran for the points alone, and which for what all of them share, by Snakemake's own log."""
    if told.nothing_to_do:
        return ["All points are there: no job ran."]
    own = [job for job in told.finished if _is_of_points(job)]
    shared = [job for job in told.finished if not _is_of_points(job)]
    points = len({job.stage for job in told.begun if job.stage is not None and "__" in job.stage})
    lines = [f"For {plural(points, 'point')} alone: {counted(own) or 'no job'}."]
    if shared:
        return [*lines, f"Shared by all points, each made once in this run: {counted(shared)}."]
    return [*lines, "Shared by all points: data, base and parent stages, as they were; no job of theirs ran."]


def _is_of_points(job: Job) -> bool:
    return job.rule == "sweep" or (job.stage is not None and "__" in job.stage)


def _failed_points(command: list[str], told: Told) -> dict[str, str]:
    """The points that are not finished, by a plan of what is left, each with the reason."""
    planned = subprocess.run(
        [*command, "--dry-run"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    left = read(planned.stdout).begun
    pending = {name for job in left for name in job.outputs}
    asked = [name for job in left if job.rule == "sweep" for name in job.inputs]
    scores = [Path(name) for name in asked if name.startswith("results/metrics/")]
    points = [path.parent.name for path in scores]
    return {
        point: reason(point, points, told.failed)
        for point, path in zip(points, scores, strict=True)
        if path.as_posix() in pending
    }


def reason(point: str, points: Sequence[str], failed: Sequence[Job]) -> str:
    """Why a point is not finished: a job of its own failed, or one of what it shares with others."""
    jobs = [job for job in failed if job.stage == point]
    jobs = jobs or [job for job in failed if job.stage not in points]
    if not jobs:
        return "it was not finished, though no job of its own failed"
    return "; ".join(f"{job.rule}: {_fault(job)} (see {job.log})" for job in jobs)


def _fault(job: Job) -> str:
    """What the job's log says last: its sentence on a fault, or that it was killed."""
    events = (ROOT / job.log).with_suffix(".jsonl") if job.log else None
    if events is None or not events.is_file():
        return "it said nothing"
    try:
        last = json.loads(events.read_text(encoding="utf-8").splitlines()[-1])
    except (ValueError, IndexError):
        last = {}
    return str(last.get("fault") or "it was killed, or ended without a word")


def _table(ranking: Ranking) -> str:
    manifests = {
        point.name: ROOT / "results" / "models" / point.name / "manifest.json" for point in ranking.points
    }
    return sweep_table(
        ranking, training_seconds(manifests), "results/sweep.html", shows_colour(), shows_unicode()
    )


if __name__ == "__main__":
    sys.exit(main())
