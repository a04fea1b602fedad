"""Rust's integer types and their arithmetic, computed in Python."""

from collections.abc import Iterable
from dataclasses import dataclass


class OutOfRange(ValueError):
    """A value that would overflow its Rust type; such an input is never made into a test."""


@dataclass(frozen=True)
class Integer:
    """One integer type; `usize` and `isize` count as 64 bits, and no test reaches beyond 32."""

    name: str
    signed: bool
    bits: int

    @property
    def low(self) -> int:
        """The smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest value."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    def fit(self, value: int) -> int:
        """`value` itself.

        Raises OutOfRange where the type cannot hold it.
        """
        if not self.low <= value <= self.high:
            raise OutOfRange(f"{value} does not fit {self.name}")
        return value

    def wrap(self, value: int) -> int:
        """`value` in two's complement, the higher bits dropped."""
        value &= (1 << self.bits) - 1
        return value - (1 << self.bits) if self.signed and value > self.high else value

    def clamp(self, value: int) -> int:
        """The nearest value that the type can hold."""
        return min(max(value, self.low), self.high)

    def sum(self, values: Iterable[int]) -> int:
        """The sum from the left; raises OutOfRange where a partial sum overflows."""
        total = 0
        for value in values:
            total = self.fit(total + value)
        return total

    def product(self, values: Iterable[int]) -> int:
        """The product from the left; raises OutOfRange where a partial product overflows."""
        total = 1
        for value in values:
            total = self.fit(total * value)
        return total


_WIDTHS = {"8": 8, "16": 16, "32": 32, "64": 64, "128": 128, "size": 64}
TYPES = {
    sign + suffix: Integer(sign + suffix, sign == "i", bits)
    for sign in "iu"
    for suffix, bits in _WIDTHS.items()
}

# The type axes that families share: the same few types everywhere, so that each is seen often.
FOUR = ("i32", "i64", "u32", "u64")
SIGNED = ("i16", "i32", "i64", "isize")
UNSIGNED = ("u16", "u32", "u64", "usize")


def quotient(a: int, b: int) -> int:
    """Rust's `a / b`: rounded towards zero, unlike Python's."""
    sign = -1 if (a < 0) != (b < 0) else 1
    return sign * (abs(a) // abs(b))


def remainder(a: int, b: int) -> int:
    """Rust's `a % b`: with the sign of `a`."""
    return a - b * quotient(a, b)
