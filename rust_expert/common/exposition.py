"""Figures of runs in the text format of Prometheus, and the one file that a textfile collector reads.

All are gauges: a run that is repeated replaces its figures, and may count less than before.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rust_expert.common.files import atomic_path

if TYPE_CHECKING:
    from prometheus_client import Metric

log = logging.getLogger(__name__)

PREFIX = "rust_expert_"
JOBS, MERGED = "jobs", "metrics.prom"
"""Below a telemetry folder: the files of single runs, and the merged one, alone in the folder of a collector."""

COUNTS = {
    "crates_in": "Crates that the run was given.",
    "crates_out": "Crates that were taken.",
    "crates_lost": "Crates that were left out.",
    "items_in": "Items that the run was given.",
    "items_out": "Items that were cut out of crates.",
    "left_out": "Crates, files and classes of items that were left out.",
    "programs_checked": "Programs that were compiled and run.",
    "problems_in": "Problems that the run was given.",
    "rows_in": "Rows that the run read.",
    "rows_kept": "Rows that passed every check of the run.",
    "rows_lost": "Rows that were left out.",
    "rows_out": "Rows that the run wrote.",
    "tokens_out": "Tokens that a model wrote.",
    "comparisons_out": "Pairs of stages that were compared.",
}
"""What a script may count, with the help that Prometheus shows."""

COSTS = {
    "wall_seconds": "Seconds that the run took, from the end of its imports on.",
    "cpu_seconds": "CPU seconds of the run's own process, its imports too, and of the processes that it started and "
    "waited for.",
    "peak_memory_bytes": "Most memory at a time: of the run's own process, and of the largest that it started (which "
    "Linux counts as no less than the process that started it).",
    "energy_joules": "Energy that the machine's processors or GPUs used while the run ran, by their own counters.",
    "exit_code": "How the run ended: 0 well, 2 bad input, 1 no network or a fault of ours, 130 interrupted.",
    "ended_timestamp_seconds": "When the run ended, in seconds since 1970.",
    "per_second": "What a count comes to in a second of the whole run.",
    "work_done": "Pieces of work that a bar showed as done, without those of an earlier run.",
    "work_seconds": "Seconds that a bar was shown.",
    "work_per_second": "Pieces of work done in a second of its bar.",
}


class Figure(NamedTuple):
    """One value; its name stands in COUNTS or COSTS."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass
class _Families:
    """Metrics by name, as prometheus_client's registries hand them out."""

    metrics: dict[str, "Metric"] = field(default_factory=dict)

    def collect(self) -> Iterator["Metric"]:
        """Every metric with a value, by name."""
        for _, metric in sorted(self.metrics.items()):
            yield metric

    def add(self, name: str, labels: Mapping[str, str], value: float, told: str) -> None:
        """Add a value to the metric of that name."""
        from prometheus_client import Metric  # 80 ms, once a run has figures to write

        self.metrics.setdefault(name, Metric(name, told, "gauge")).add_sample(name, dict(labels), value)

    def write(self, path: Path) -> None:
        """Write them all, whole or not at all."""
        from prometheus_client import generate_latest

        with atomic_path(path) as temporary:
            temporary.write_bytes(generate_latest(self))


def write_figures(path: Path, figures: Iterable[Figure]) -> None:
    """Write the figures of one run, whole or not at all; OSError where that cannot be."""
    families = _Families()
    for name, labels, value in figures:
        families.add(PREFIX + name, labels, value, {**COUNTS, **COSTS}[name])
    families.write(path)


class Merged(NamedTuple):
    """What a merge came to: the file, how many runs are in it, and the files that were left out."""

    path: Path
    runs: int
    left_out: list[Path]


def merge(folder: Path) -> Merged:
    """Put the figures of all runs below FOLDER/jobs into FOLDER/metrics.prom.

    A file that is no exposition is left out with a warning, and so is one whose run is there already: a value
    that stands twice would make the whole file invalid. OSError where the merged file cannot be written.
    """
    families = _Families()
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    left_out: list[Path] = []
    runs = 0
    for path in sorted(Path(folder, JOBS).rglob("*.prom")):
        try:
            found = _read(path)
        except (OSError, ValueError) as error:
            log.warning("%s: left out, it cannot be read (%s)", path, error)
            left_out.append(path)
            continue
        keys = {(name, frozenset(labels.items())) for name, labels, _, _ in found}
        if keys & seen:
            log.warning("%s: left out, another file holds the figures of the same rule and job", path)
            left_out.append(path)
            continue
        seen |= keys
        for name, labels, value, told in found:
            families.add(name, labels, value, told)
        runs += 1
    families.write(Path(folder, MERGED))
    return Merged(Path(folder, MERGED), runs, left_out)


def _read(path: Path) -> list[tuple[str, dict[str, str], float, str]]:
    """Name, labels, value and help of every value of a file; ValueError where it is no exposition."""
    from prometheus_client.parser import text_string_to_metric_families

    return [
        (sample.name, sample.labels, sample.value, metric.documentation)
        for metric in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in metric.samples
    ]
