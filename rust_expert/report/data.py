"""All that a run tells of its data."""

from collections.abc import Sequence
from dataclasses import dataclass

from rust_expert.report.corpus import Corpus
from rust_expert.report.journey import CleanFunnel, Decontamination, Mix
from rust_expert.report.rows import RowCounts


@dataclass(frozen=True)
class Data:
    """Whatever accounts a run left of its data; a part that is missing is not shown. `rows` are the cleaned ones."""

    corpus: Corpus | None = None
    funnel: CleanFunnel | None = None
    mixes: Sequence[Mix] = ()
    decontamination: Decontamination | None = None
    rows: RowCounts | None = None
