"""What a data set asks of the code in a row. Who reads the syntax (rust_expert.syntax.row_code) answers."""

from typing import Protocol

from rust_expert.common.contracts import Sample


class Reading(Protocol):
    """The answers; a module of such functions is one."""

    def has_tests(self, sample: Sample) -> bool:
        """Whether the code has an item for tests alone, or is from a folder `tests`."""

    def has_benches(self, sample: Sample) -> bool:
        """Whether the code has a benchmark, or is from a folder `benches`."""

    def is_example(self, sample: Sample) -> bool:
        """Whether the code is a program, or is from a folder `examples`."""

    def is_documented(self, sample: Sample) -> bool:
        """Whether the row says so of its item, or a doc comment stands in its code."""

    def idiomatic_score(self, sample: Sample) -> float:
        """The idiomatic score of the row's code, in [0, 1]."""
