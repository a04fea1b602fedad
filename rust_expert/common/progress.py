"""Progress that a person can follow: a bar on a terminal, a plain line now and then elsewhere."""

import logging
import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

from rust_expert.common import telemetry

log = logging.getLogger(__name__)


class Progress:
    """Counts work done, with rate and time left.

    `total` may be None where it is not known. Times go to the terminal, the log and telemetry, never into results.
    """

    def __init__(self, total: int | None, what: str, every: float = 20.0) -> None:
        self.total, self.what, self.every = total, what, every
        self.done = self._before = 0
        self._bar: tqdm | None = None
        self._note = ""

    def __enter__(self) -> Self:
        self._start = self._last = time.monotonic()
        if sys.stderr.isatty():
            self._bar = tqdm(total=self.total, desc=self.what, unit="", dynamic_ncols=True)
        return self

    def already(self, count: int) -> None:
        """Tell that `count` pieces were done by an earlier run: they are in the sum and not in the rate."""
        self.done += count
        self._before += count
        if self._bar is not None:
            self._bar.initial += count
            self._bar.n = self._bar.last_print_n = self.done
            self._bar.refresh()

    def note(self, text: str) -> None:
        """Show a few words behind the count from now on."""
        self._note = f"; {text}"
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def advance(self, count: int = 1) -> None:
        """Tell that `count` more pieces are done."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
        now = time.monotonic()
        if now - self._last >= self.every:
            self._last = now
            self._say(now)

    def _say(self, now: float) -> None:
        rate = (self.done - self._before) / max(now - self._start, 1e-9)
        told = {"work": self.what, "done": self.done, "total": self.total, "per_second": rate}
        if self.total:
            left = max(self.total - self.done, 0) / rate if rate else float("inf")
            shown = (self.what, self.done, self.total, rate, left, self._note)
            log.info("%s: %d of %d, %.1f/s, %.0f s left%s", *shown, extra=told)
        else:
            log.info("%s: %d, %.1f/s%s", self.what, self.done, rate, self._note, extra=told)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        seconds = time.monotonic() - self._start
        telemetry.worked(self.what, self.done - self._before, seconds)
        if kind is None:
            told = {"work": self.what, "done": self.done, "total": self.total, "seconds": seconds}
            log.info("%s: %d in %.1f s", self.what, self.done, seconds, extra=told)
