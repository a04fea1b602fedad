"""Axes: round tick marks, and where a value stands between the two ends."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A linear axis from `low` to `high` with its tick marks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where `value` stands, from 0 (at `low`) to 100 (at `high`); values outside are held at the ends."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 3)

    def step(self) -> float:
        """The distance between two ticks."""
        return self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else self.high - self.low


def round_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that cuts `span` into at most `most` pieces."""
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= raw * (1 - 1e-9))


def multiples(low: float, high: float, step: float) -> tuple[float, ...]:
    """The multiples of `step` from `low` to `high`, both included."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))


def spanning(low: float, high: float, most: int = 4) -> Scale:
    """An axis with round ends that holds `low` to `high`, cut into about `most` pieces."""
    if not high > low:
        high = low + 1.0
    step = round_step(high - low, most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(index * step, 12) for index in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def up_to(high: float, most: int = 5) -> Scale:
    """An axis from zero to exactly `high`, with round ticks below it."""
    high = max(high, 1e-9)
    return Scale(0.0, high, multiples(0.0, high, round_step(high, most)))


def shares(low: float, high: float) -> Scale:
    """An axis of shares that holds `low` to `high`, with ends at tens of per cent, at least 40 points wide.

    It need not start at zero: dots stand on it, not bars.
    """
    first, last = math.floor(10 * low + 1e-9), math.ceil(10 * high - 1e-9)
    while last - first < 4:
        first, last = (first - 1, last) if first > 0 and (last - first) % 2 or last > 9 else (first, last + 1)
    step = 1 if last - first <= 5 else 2
    ticks = [tick for tick in range(first, last + 1) if tick % step == 0]
    return Scale(first / 10, last / 10, tuple(tick / 10 for tick in ticks))


def differences(low: float, high: float) -> Scale:
    """An axis of differences that always shows zero, with a little room at both ends."""
    low, high = min(low, -0.02), max(high, 0.02)
    room = 0.03 * (high - low)
    return Scale(low - room, high + room, multiples(low - room, high + room, round_step(high - low, 4)))
