"""Work given to a few threads, each waiting for compilers; results come back in the order of the work."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")


def spread(do: Callable[[Work], Result], work: Sequence[Work], workers: int) -> Iterator[Result]:
    """`do(item)` for each item, in order, `workers` at a time; a fault or Ctrl-C drops what has not begun."""
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        try:
            yield from pool.map(do, work)
        finally:
            pool.shutdown(cancel_futures=True)
