"""Build everything, then print the table: what `make run` starts.

Starts Snakemake on all cores for results/metrics.json and the crate that describes the results. Words after `--` go to
Snakemake as they are, for example `make run ARGS="-- --configfile config/h100.yaml -n"`. Ends with Snakemake's exit
code, or, where a step met bad input, with one sentence and exit code 2 (1 where the network was missing). However it
ends, the figures of all jobs so far stand in results/telemetry/metrics.prom, and those of the run itself under the rule
`run`.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from rust_expert.common import telemetry
from rust_expert.common.config.reading import devices_of, read_profile
from rust_expert.common.errors import MAKE_ROOM, NO_ROOM, UserError
from rust_expert.common.exposition import merge
from rust_expert.models.process import require_device

ROOT = Path(__file__).resolve().parent.parent
TARGET = "results/metrics.json"
ROOM = 1 << 20
"""Bytes below which a disk counts as full: Snakemake's own records need some."""
CRATE = "results/ro-crate-metadata.json"
TELEMETRY = ROOT / "results" / "telemetry"


def main() -> int:
    """Run the workflow and say how it ended; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--configfile", metavar="FILE", nargs="+", action="extend", default=[], help="profiles"
    )
    parser.add_argument("--target", metavar="FILE", help=f"what to build (default {TARGET} and {CRATE})")
    parser.add_argument("--cores", default="all", help="how many cores to use (default all)")
    parser.add_argument("snakemake", nargs="*", metavar="-- WORD", help="more words for Snakemake")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "snakemake", "--cores", arguments.cores]
    command += [arguments.target] if arguments.target else [TARGET, CRATE]
    if arguments.configfile:
        command += ["--configfile", *arguments.configfile]
    command += arguments.snakemake
    if not is_free(ROOT):
        return 2
    if is_plan(arguments.snakemake):
        return run(command)
    if not is_able(arguments.configfile, arguments.snakemake):
        return 2
    code = watched(command)
    if code == 0 and arguments.target in (None, TARGET):
        environment = dict(os.environ) | telemetry.environment()
        subprocess.run([sys.executable, "-m", "scripts.table", TARGET], cwd=ROOT, env=environment, check=True)
    return code


def is_plan(words: list[str]) -> bool:
    """Whether words for Snakemake ask for a plan alone."""
    return "-n" in words or "--dry-run" in words


def is_able(profiles: list[str], words: list[str]) -> bool:
    """Whether this machine has the devices that the profiles ask for; says so where not, before hours of other work.

    Where Snakemake hands the jobs to other machines (--executor, --profile), those will say.
    """
    elsewhere = ("--executor", "-e", "--profile", "--workflow-profile")
    if not profiles or any(word.split("=")[0] in elsewhere for word in words):
        return True
    try:
        profile = read_profile(ROOT / "config" / "config.yaml", [Path(name) for name in profiles])
        for device in devices_of(profile):
            require_device(device, profile.quantization.compute_dtype)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return False
    return True


def is_free(folder: Path) -> bool:
    """Whether no workflow is at work in `folder`; says so where one is, and removes stale locks where none is."""
    other = running_workflow(folder)
    if other is None:
        forget_stale_locks(folder)
        return True
    print(
        f"error: process {other} is running the workflow here: wait for it, or stop it first", file=sys.stderr
    )
    return False


def watched(command: list[str]) -> int:
    """Run it as a run of its own among those that it starts, and put all their figures together."""
    telemetry.begin()
    telemetry.identify(telemetry.Job("run"), TELEMETRY)
    code = run(command)
    telemetry.end(code)
    try:
        merge(TELEMETRY)
    except OSError as error:
        print(f"warning: the figures of the jobs are not merged: {error}", file=sys.stderr)
    return code


def run(command: list[str]) -> int:
    """Start Snakemake, and repeat at its end what its steps said of bad input; returns the exit code."""
    notes = ROOT / ".snakemake"  # steps on other machines write there too
    notes.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="faults-", dir=notes) as folder:
        faults = Path(folder, "faults.jsonl")
        faults.touch()
        code = _snakemake(command, faults)
        return _say_faults(faults, code) if code else 0


def running_workflow(folder: Path) -> int | None:
    """The process id of a Snakemake at work in `folder`, or None."""
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        named = any(word == "snakemake" or word.endswith("/snakemake") for word in words[:4])
        if named and process.info["cwd"] == str(folder) and process.pid != os.getpid():
            return int(process.pid)
    return None


def forget_stale_locks(folder: Path) -> None:
    """Remove the locks that a killed Snakemake left; to be called only when none is running."""
    for lock in Path(folder, ".snakemake", "locks").glob("*"):
        lock.unlink(missing_ok=True)


def _snakemake(command: list[str], faults: Path) -> int:
    environment = (
        dict(os.environ, RUST_EXPERT_FAULTS=str(faults), RUST_EXPERT_RUN="1") | telemetry.environment()
    )
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda number, _frame: process.send_signal(number))
    return process.wait()


def _say_faults(faults: Path, code: int) -> int:
    """Repeat what the failed steps said, since their sentence stands far up on the terminal."""
    noted = list(_whole_lines(faults))
    if shutil.disk_usage(ROOT).free < ROOM and not any(NO_ROOM in fault["message"] for fault in noted):
        noted.append({"code": code, "message": f"{NO_ROOM}: {MAKE_ROOM}"})
    for sentence in dict.fromkeys(fault["message"] for fault in noted):
        print(f"error: {sentence}", file=sys.stderr)
    return max([fault["code"] for fault in noted], default=code)


def _whole_lines(faults: Path) -> Iterator[dict[str, Any]]:
    """The faults that were noted whole: on a full disk a line may break off."""
    for line in faults.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)


if __name__ == "__main__":
    sys.exit(main())
