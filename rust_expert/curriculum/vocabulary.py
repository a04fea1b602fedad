"""The operations that all families share, each with one spelling in Rust, one in English and one in Python.

An operation looks the same in every family (the even filter is always `x % 2 == 0`), which is what lets a small
model carry it over to a combination it never saw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rust_expert.curriculum.integers import Integer, quotient, remainder

# Binding strength of a Rust expression: a name or call, a minus sign, a product, a sum.
ATOM, UNARY, PRODUCT, SUM = 4, 3, 2, 1


@dataclass(frozen=True)
class Expression:
    """Rust text and how tightly it binds."""

    text: str
    level: int = ATOM

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


@dataclass(frozen=True)
class Condition:
    """A test of one integer, with its constant filled in."""

    key: str
    form: str
    phrase: str
    clause: str
    check: Callable[[int, int], bool]
    k: int = 0

    def code(self, x: str = "x") -> str:
        """The Rust test of the name or place `x`."""
        return self.form.format(x=x, k=self.k)

    def values(self, noun: str) -> str:
        """English for those that pass: 'even values', 'values greater than 5'."""
        return self.phrase.format(noun=noun, k=self.k)

    def says(self, x: str) -> str:
        """English for the test: '`x` is even'."""
        return f"{x} is {self.clause.format(k=self.k)}"

    def holds(self, x: int) -> bool:
        """The test in Python."""
        return self.check(x, self.k)

    @property
    def near(self) -> tuple[int, ...]:
        """Inputs at which this test and its neighbours differ."""
        places = {
            "above": (self.k, self.k + 1),
            "below": (self.k, self.k - 1),
            "multiple": (2 * self.k, self.k + 1),
        }
        return places.get(self.key, (1, 2) if self.key in ("even", "odd") else (1, -1, 0))


CONDITIONS = {
    made.key: made
    for made in (
        Condition("even", "{x} % 2 == 0", "even {noun}", "even", lambda x, k: x % 2 == 0),
        Condition("odd", "{x} % 2 != 0", "odd {noun}", "odd", lambda x, k: x % 2 != 0),
        Condition("positive", "{x} > 0", "positive {noun}", "positive", lambda x, k: x > 0),
        Condition("negative", "{x} < 0", "negative {noun}", "negative", lambda x, k: x < 0),
        Condition("nonzero", "{x} != 0", "non-zero {noun}", "not zero", lambda x, k: x != 0),
        Condition("above", "{x} > {k}", "{noun} greater than {k}", "greater than {k}", lambda x, k: x > k),
        Condition("below", "{x} < {k}", "{noun} less than {k}", "less than {k}", lambda x, k: x < k),
        Condition(
            "multiple",
            "{x} % {k} == 0",
            "{noun} divisible by {k}",
            "divisible by {k}",
            lambda x, k: x % k == 0,
        ),
    )
}
THRESHOLDS = {
    "above": (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20),
    "below": (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20),
    "multiple": (3, 4, 5, 6, 7, 8, 9, 10),
}


@dataclass(frozen=True)
class Mapping:
    """A function of one integer, with its constant filled in."""

    key: str
    form: str
    level: int
    phrase: str
    participle: str
    apply_: Callable[[int, int], int]
    k: int = 0

    def code(self, x: str = "x") -> Expression:
        """The Rust expression of the name or place `x`."""
        return Expression(self.form.format(x=x, k=self.k), self.level)

    def of(self, x: str) -> str:
        """English for the result: 'the square of `x`'."""
        return self.phrase.format(x=x, k=self.k)

    def each(self) -> str:
        """English for what is done to each: 'doubled', 'increased by 3'."""
        return self.participle.format(k=self.k)

    def of_x(self, x: int) -> int:
        """The function in Python."""
        return self.apply_(x, self.k)


MAPPINGS = {
    made.key: made
    for made in (
        Mapping("plain", "{x}", ATOM, "{x}", "unchanged", lambda x, k: x),
        Mapping("double", "{x} * 2", PRODUCT, "twice {x}", "doubled", lambda x, k: 2 * x),
        Mapping("square", "{x} * {x}", PRODUCT, "the square of {x}", "squared", lambda x, k: x * x),
        Mapping("plus", "{x} + {k}", SUM, "{x} plus {k}", "increased by {k}", lambda x, k: x + k),
        Mapping("minus", "{x} - {k}", SUM, "{x} minus {k}", "decreased by {k}", lambda x, k: x - k),
        Mapping("times", "{x} * {k}", PRODUCT, "{x} times {k}", "multiplied by {k}", lambda x, k: x * k),
        Mapping("halve", "{x} / 2", PRODUCT, "half of {x}", "halved", lambda x, k: quotient(x, 2)),
        Mapping("rest", "{x} % {k}", PRODUCT, "the remainder of {x} by {k}", "reduced modulo {k}", remainder),
        Mapping("negate", "-{x}", UNARY, "the negation of {x}", "negated", lambda x, k: -x),
        Mapping("abs", "{x}.abs()", ATOM, "the absolute value of {x}", "made absolute", lambda x, k: abs(x)),
    )
}
STEPS = {
    "plus": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    "minus": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    "times": (3, 4, 5, 6, 7, 8, 9, 10),
    "rest": (3, 4, 5, 6, 7, 8, 9, 10),
}


@dataclass(frozen=True)
class Pairing:
    """A function of two integers of one type."""

    key: str
    phrase: str
    plural: str
    run: Callable[[int, int], int]

    def code(self, a: Expression, b: Expression) -> Expression:
        """The Rust expression of both operands."""
        if self.key == "add":
            return Expression(f"{a.at(SUM)} + {b.at(SUM)}", SUM)
        if self.key == "sub":
            return Expression(f"{a.at(SUM)} - {b.at(PRODUCT)}", SUM)
        if self.key == "mul":
            flat = b.level == PRODUCT and "/" not in b.text and "%" not in b.text
            return Expression(f"{a.at(PRODUCT)} * {b.at(PRODUCT if flat else UNARY)}", PRODUCT)
        return Expression(f"{a.at(ATOM)}.{self.key}({b.text})")

    def of(self, a: str, b: str) -> str:
        """English for the result: 'the sum of `a` and `b`'."""
        return f"{self.phrase} of {a} and {b}"


PAIRINGS = {
    pairing.key: pairing
    for pairing in (
        Pairing("add", "the sum", "sums", lambda a, b: a + b),
        Pairing("sub", "the difference", "differences", lambda a, b: a - b),
        Pairing("mul", "the product", "products", lambda a, b: a * b),
        Pairing("max", "the larger", "maxima", max),
        Pairing("min", "the smaller", "minima", min),
        Pairing("abs_diff", "the distance", "distances", lambda a, b: abs(a - b)),
    )
}
WORDS = {"abs_diff": "distance", "multiple": "multiples", "rest": "rest"}


@dataclass(frozen=True)
class Fold:
    """What becomes of an iterator of integers at its end."""

    key: str
    call: str
    phrase: str
    result: str
    run: Callable[[Integer, list[int]], Any]

    def of(self, values: str) -> str:
        """English for the result: 'the sum of the even values'."""
        return f"{self.phrase} {values}"

    def returns(self, t: Integer) -> str:
        """The Rust type of the result."""
        return self.result.format(t=t.name)


FOLDS = {
    fold.key: fold
    for fold in (
        Fold("sum", "sum()", "the sum of the", "{t}", lambda t, values: t.sum(values)),
        Fold("product", "product()", "the product of the", "{t}", lambda t, values: t.product(values)),
        Fold("count", "count()", "the number of", "usize", lambda t, values: len(values)),
        Fold(
            "max", "max()", "the largest of the", "Option<{t}>", lambda t, values: max(values, default=None)
        ),
        Fold(
            "min", "min()", "the smallest of the", "Option<{t}>", lambda t, values: min(values, default=None)
        ),
        Fold("collect", "collect()", "a vector of the", "Vec<{t}>", lambda t, values: values),
    )
}


def word(key: str) -> str:
    """An operation's part in a function name."""
    return WORDS.get(key, key)


def suits(t: Integer, keys: Sequence[str]) -> bool:
    """Whether these operations mean something for the type: no negation of an unsigned number, and so on."""
    if t.signed:
        return "abs_diff" not in keys
    return not {"positive", "negative", "sub", "minus", "negate", "abs"} & set(keys)
