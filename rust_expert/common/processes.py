"""Work given to a few processes; results come back in the order of the work."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from rust_expert.common.errors import UserError

Work = TypeVar("Work")
Result = TypeVar("Result")


def in_processes(do: Callable[[Work], Result], work: Iterable[Work], workers: int) -> Iterator[Result]:
    """`do(item)` for each item, in order, in `workers` processes; one worker is this process.

    No more than two results for each process wait to be taken, so that memory does not grow with the work. `do`, its
    items and its results must be such as can be pickled. Raises what `do` raises, and UserError where a process is
    ended from outside.
    """
    if workers <= 1:
        yield from map(do, work)
        return
    # Processes of their own start: what threads the libraries have here does not matter.
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in work:
            waiting.append(pool.submit(do, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise UserError(
            "a worker process was ended from outside, most likely for want of memory; use fewer workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
