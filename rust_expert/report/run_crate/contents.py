"""What lies in the results folder, as the crate tells of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rust_expert.common.files import sha256_file
from rust_expert.report.run_crate.jobs import Job

RESULTS = "results/"
SNAPSHOT = "workflow"
"""Below the results: the workflow's own files and what it read that it did not make, as they were."""

CONFIG = f"{SNAPSHOT}/config.json"
"""The effective configuration."""

README = "README.md"

FORMATS = {
    ".csv": "text/csv", ".html": "text/html", ".json": "application/json", ".jsonl": "application/jsonl",
    ".lock": "text/plain", ".md": "text/markdown", ".parquet": "application/vnd.apache.parquet", ".smk": "text/plain",
    ".svg": "image/svg+xml", ".toml": "application/toml", ".tsv": "text/tab-separated-values",
    ".yaml": "application/yaml", ".safetensors": "application/octet-stream",
}  # fmt: skip
"""Media types by suffix; anything else is text/plain, and so is the Snakefile."""

FOLDERS = {
    "benchmarks": "time, processor time and memory of every job, as Snakemake measured them",
    "logs": "what every job said, as text and as JSON",
    "models": "the base, the adapters, and what their trainings left",
    "telemetry": "what every job counted, for Prometheus",
}
"""Folders that hold more than declared outputs; they are parts of the crate as a whole."""


@dataclass(frozen=True)
class Contents:
    """Everything that a crate is made of; paths are as seen from the working folder, as in the records.

    `root` is the results folder. `sources` are the workflow's own files, the main one first. `creator` and `published`
    (a day) are facts that only a publisher can state.
    """

    root: Path
    jobs: list[Job]
    provenance: Mapping[str, Any]
    sources: list[str]
    creator: str | None = None
    published: str | None = None

    def inputs(self) -> list[str]:
        """Files that jobs read and no job made: suites, tables."""
        made = {path for job in self.jobs for path in job.outputs}
        read = {path for job in self.jobs for path in job.made.inputs}
        return sorted(read - made)

    def place(self, path: str) -> str:
        """Where a file lies in the crate: an input of the run from outside the results in the snapshot."""
        if path.startswith(RESULTS):
            return path.removeprefix(RESULTS)
        parts = [part for part in PurePosixPath(path).parts if part not in ("..", "/")]
        return "/".join([SNAPSHOT, *parts])

    def outside(self) -> Iterator[str]:
        """Files that have to be laid into the snapshot: the workflow's own, and inputs from outside the results."""
        yield from dict.fromkeys(
            path for path in [*self.sources, *self.inputs()] if not path.startswith(RESULTS)
        )

    def files(self) -> dict[str, Path]:
        """All files of the crate that are there, by their place in it."""
        paths = [*self.outside(), *self.inputs(), *(path for job in self.jobs for path in job.outputs)]
        places = {CONFIG, README, *(self.place(path) for path in paths)}
        found = {place: self.root / place for place in sorted(places)}
        return {place: path for place, path in found.items() if path.is_file()}

    def missing(self) -> list[str]:
        """Places of files that a job read or made and that are no longer there."""
        paths: Iterable[str] = (path for job in self.jobs for path in (*job.outputs, *job.made.inputs))
        return sorted({self.place(path) for path in paths} - set(self.files()))


def file_facts(path: Path) -> dict[str, str]:
    """Media type, size in bytes and hash of a file."""
    return {
        "encodingFormat": FORMATS.get(path.suffix, "text/plain"),
        "contentSize": str(path.stat().st_size),
        "sha256": sha256_file(path),
    }
