"""Which rows a data set takes, and the account of those that it does not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.common.contracts import Sample
from rust_expert.common.seeds import stable_hash
from rust_expert.dataset.answers import Answers, Key, exact_key
from rust_expert.dataset.decontamination import Rows, Suite, SuiteIndex
from rust_expert.dataset.privacy import findings_in
from rust_expert.dataset.reading import Reading
from rust_expert.dataset.split import group_of

Split = Literal["train", "val"]

_CHECKED = ("compile", "tests pass")
_CHUNK = 500
"""Rows that are compared with the suites at once."""


def is_curriculum(sample: Sample) -> bool:
    """Whether a row comes from the curriculum."""
    return sample.source == "curriculum"


def is_checked(sample: Sample) -> bool:
    """Whether the compiler has spoken for the row's answer."""
    return any(mark in claim for claim in sample.verified for mark in _CHECKED)


def _stands(sample: Sample) -> bool:
    """Whether the row's answer compiles without more than its prompt shows."""
    return is_curriculum(sample) or sample.context in ("none", "complete")


def refused(sample: Sample, spec: DatasetSpec, reading: Reading) -> str | None:
    """Why a data set does not take a row; None where it does. The first reason counts."""
    if is_curriculum(sample):
        if spec.families and sample.family not in spec.families:
            return "other family"
    elif sample.source in spec.sources:
        if sample.task_type is not None and spec.task_weights.get(sample.task_type, 1.0) == 0:
            return "task type weighs nothing"
    elif sample.task_type is None or spec.weighted_mix().get(sample.task_type, 0.0) == 0.0:
        return "task type not in the mix"
    return _length(sample, spec) or _quality(sample, spec, reading)


def _length(sample: Sample, spec: DatasetSpec) -> str | None:
    chars = len(sample.prompt) + len(sample.gen)
    if chars > spec.max_chars:
        return "too long"
    if chars < spec.min_chars:
        return "too short"
    if spec.min_lines or spec.max_lines is not None:
        lines = len(sample.prompt.splitlines()) + len(sample.gen.splitlines())
        if lines < spec.min_lines:
            return "too few lines"
        if spec.max_lines is not None and lines > spec.max_lines:
            return "too many lines"
    return None


def _quality(sample: Sample, spec: DatasetSpec, reading: Reading) -> str | None:
    if spec.strict and not sample.is_prose and not is_checked(sample):
        return "not checked by the compiler"
    if spec.strict and not reading.is_documented(sample):
        return "not documented"
    if spec.self_contained and not sample.is_prose and not _stands(sample):
        return "not self-contained"
    if spec.exclude_tests and reading.has_tests(sample):
        return "test code"
    if spec.exclude_benches and reading.has_benches(sample):
        return "benchmark code"
    if spec.exclude_examples and reading.is_example(sample):
        return "example program"
    ratio = spec.idiomatic_quality_ratio
    if ratio and not sample.is_prose and reading.idiomatic_score(sample) < ratio:
        return "not idiomatic"
    return None


@dataclass
class Account:
    """What became of the rows of one source: each one passed, or was filtered for one reason."""

    read: int = 0
    passed: int = 0
    filtered: Counter[str] = field(default_factory=Counter)

    def note(self, reason: str | None) -> None:
        """Count one row; None where it passed."""
        self.read += 1
        if reason is None:
            self.passed += 1
        else:
            self.filtered[reason] += 1

    def report(self) -> dict[str, Any]:
        """The counts; read = passed + the sum of filtered."""
        lost = sum(self.filtered.values())
        assert self.read == self.passed + lost, (
            f"{self.read} rows read, {self.passed} passed, {lost} filtered"
        )
        return {"read": self.read, "passed": self.passed, "filtered": dict(sorted(self.filtered.items()))}


@dataclass(frozen=True)
class Others:
    """The sources beside the own rows (None: an empty row), and what the own rows were cleaned with and by."""

    rows: Mapping[str, Iterable[Sample | None]]
    suites: Sequence[Suite]
    cleaning: CleanOptions


class Gate:
    """Lets rows of other sources in: cleaned as the own rows were, and on the side of the split that is theirs."""

    def __init__(self, own: Sequence[Sample], spec: DatasetSpec, others: Others, reading: Reading) -> None:
        self._spec, self._cleaning, self._reading = spec, others.cleaning, reading
        self._indexes = [SuiteIndex(suite, others.cleaning.gram_words) for suite in others.suites]
        self._sides: dict[tuple[str, str], Split] = {group_of(row): row.split or "train" for row in own}
        self._known = set(_keys_of(own))

    def admitted(
        self, rows: Iterable[Sample | None], account: Account
    ) -> Iterator[tuple[Sample, Key, Split]]:
        """The rows of one source that pass, each with its duplicate key and its side; others go to the account.

        A row that duplicates another of the same source passes here: which of them stays is a matter of ranks.
        """
        stream = iter(rows)
        while chunk := list(islice(stream, _CHUNK)):
            reasons = ["empty" if row is None else refused(row, self._spec, self._reading) for row in chunk]
            whole = [row for row, reason in zip(chunk, reasons, strict=True) if row and reason is None]
            private = findings_in(whole, self._cleaning)
            given_away = self._given_away(whole)
            keys = enumerate(_keys_of(whole))
            for row, reason in zip(chunk, reasons, strict=True):
                if row is None or reason is not None:
                    account.note(reason)
                    continue
                place, key = next(keys)
                if place in private:
                    account.note("secret or personal data")
                elif row.id in given_away:
                    account.note("gives a problem away")
                elif key in self._known:
                    account.note("duplicate")
                else:
                    yield row, key, self._side(row)

    def close(self, keys: Iterable[Key]) -> None:
        """Remember the keys of a source, so that a later source does not bring its rows again."""
        self._known.update(keys)

    def _given_away(self, rows: Sequence[Sample]) -> set[str]:
        read = Rows(rows, self._indexes)
        return {match.row for index in self._indexes for match in index.matches(read)}

    def _side(self, row: Sample) -> Split:
        """Where the own rows of its group are; else what the row itself says; else by the hash of its group.

        A row of a crate goes where its crate goes, whatever it says. A row without one goes by its answer, so
        that duplicates meet on one side.
        """
        group = group_of(row)
        if group in self._sides:
            return self._sides[group]
        if group[0] == "row":
            if row.split is not None:
                return row.split
            group = ("row", str(stable_hash(*exact_key(row))))
        mark = stable_hash(self._cleaning.seed, "split", *group)
        return "val" if mark < int(self._cleaning.val_fraction * 2**64) else "train"


def _keys_of(samples: Sequence[Sample]) -> list[Key]:
    """For each row what it shares with its exact duplicates and no other row."""
    answers = Answers(samples)
    return [answers.exact_key(place) for place in range(len(samples))]
