"""Runs that are struck: a job killed at a moment, the workflow killed, the disk filled; and what each leaves behind."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from tests.workflow.workplace import TARGET, Workplace

Strike = Callable[[subprocess.Popen[bytes]], None]
"""What happens to a run while it goes on; called in a thread of its own, and to return when the run is over."""


@dataclass(frozen=True)
class Job:
    """A job's process, not the shell around it nor the workers below it."""

    rule: str
    pid: int


def jobs(folder: Path) -> Iterator[Job]:
    """The jobs at work in a workplace."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            words = Path(entry.path, "cmdline").read_bytes().decode(errors="replace").split("\0")
            if (
                words[1:2] != ["-m"]
                or "--job" not in words
                or os.readlink(f"{entry.path}/cwd") != str(folder)
            ):
                continue
        except OSError:
            continue
        yield Job(words[words.index("--job") + 1], int(entry.name))


def struck(place: Workplace, strike: Strike, anew: Iterable[str] = ()) -> tuple[int, str]:
    """The exit code of a `make run` that was struck, and what it said; it makes all of the rules `anew` again."""
    command = [sys.executable, "-m", "scripts.run", "--cores", "2", "--target", TARGET, *place.profiles(None)]
    if anew:
        command += ["--", "--forcerun", *sorted(anew)]
    with tempfile.TemporaryFile() as said:
        run = subprocess.Popen(
            command, cwd=place.folder, env=place.environment(), stdout=said, stderr=subprocess.STDOUT
        )
        thread = threading.Thread(target=strike, args=(run,))
        thread.start()
        code = run.wait()
        thread.join()
        said.seek(0)
        return code, said.read().decode(errors="replace")


@dataclass
class Killer:
    """Kills a process of each rule, `times` for each, at moments drawn from the time that its job takes undisturbed.

    `seconds` has that time by rule; where a job ends before its moment, it is known better from then on.
    """

    place: Workplace
    seconds: dict[str, float]
    times: int
    draw: Random
    killed: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    stayed: list[str] = field(default_factory=list)

    def missing(self) -> set[str]:
        """The rules that were not yet killed often enough."""
        return {rule for rule in self.seconds if self.killed[rule] < self.times}

    def __call__(self, run: subprocess.Popen[bytes]) -> None:
        """Watch one run; each job that begins gets its moment, and one kill ends the watch of that job."""
        due: dict[Job, float] = {}
        begun: dict[Job, float] = {}
        while run.poll() is None:
            now = time.monotonic()
            there = set(jobs(self.place.folder))
            for job in there - due.keys():
                if job.rule in self.missing():
                    begun[job] = now
                    due[job] = now + self.draw.random() * self.seconds[job.rule]
            for job in [job for job in due if job not in there]:
                self.missed[job.rule] += 1
                self.seconds[job.rule] = now - begun[job]
                del due[job]
            for job in [job for job in due if due[job] <= now]:
                self._kill(job)
                del due[job]
            time.sleep(0.02)

    def _kill(self, job: Job) -> None:
        try:
            process = psutil.Process(job.pid)
            below = process.children(recursive=True)
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return
        self.killed[job.rule] += 1
        _, alive = psutil.wait_procs(below, timeout=15)
        self.stayed += [f"{job.rule}: {process}" for process in alive]


def kill_workflow(after: float) -> Strike:
    """Kill -9 of Snakemake and of what started it; their jobs go on as orphans."""

    def strike(run: subprocess.Popen[bytes]) -> None:
        time.sleep(after)
        if run.poll() is None:
            for process in [
                psutil.Process(run.pid),
                *(child for child in psutil.Process(run.pid).children() if "snakemake" in child.cmdline()),
            ]:
                process.send_signal(signal.SIGKILL)

    return strike


def fill_disk(folder: Path, after: float) -> Strike:
    """Fill the file system of `folder` to its last byte, and keep it full until the run is over."""

    def strike(run: subprocess.Popen[bytes]) -> None:
        time.sleep(after)
        filler = folder / "filler"
        while run.poll() is None:
            # Other files come and go: what becomes free is taken again.
            with filler.open("ab", buffering=0) as stream:
                try:
                    while stream.write(bytes(1 << 16)):
                        pass
                except OSError:
                    pass
            time.sleep(0.05)
        filler.unlink(missing_ok=True)

    return strike
