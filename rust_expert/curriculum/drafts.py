"""What a family is, and the drafts of functions that it makes."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from rust_expert.common.seeds import rng
from rust_expert.curriculum import vocabulary
from rust_expert.curriculum.integers import TYPES, Integer
from rust_expert.curriculum.rendering import render
from rust_expert.curriculum.vocabulary import Condition, Mapping

CHAIN_WIDTH = 60
IF_ELSE_WIDTH = 50
STRUCT_WIDTH = 18


@dataclass(frozen=True)
class Param:
    """One parameter; `show` writes an argument of a type that `render` does not know."""

    name: str
    kind: str
    show: Callable[[Any], str] | None = None

    def argument(self, value: Any) -> str:
        """`value` as the Rust text of an argument."""
        return self.show(value) if self.show else render(self.kind, value)


@dataclass(frozen=True)
class Draft:
    """One concrete function with everything that its task is made of.

    `imports` and `types` stand before the function, `after` behind it. `body` is its lines without the outer
    indentation. `reference` computes the expected value from the arguments in Python. `inputs` are candidate
    arguments: the first `firm` are always tested, the others are picked by what they tell apart. `mutates` says
    that the result is what the function leaves in its only argument, a mutable slice. `view` is a method call on
    the result before it is compared. `curried` says that the result is a closure, called with the last argument.
    """

    name: str
    params: tuple[Param, ...]
    returns: str
    body: tuple[str, ...]
    doc: str
    reference: Callable[..., Any]
    inputs: Sequence[tuple[Any, ...]]
    imports: str = ""
    types: str = ""
    after: str = ""
    generics: str = ""
    show: Callable[[Any], str] | None = None
    mutates: bool = False
    view: str = ""
    curried: bool = False
    firm: int = 1
    constants: tuple[Any, ...] = ()

    @property
    def signature(self) -> str:
        """`name(a: T) -> R`, without the `fn`."""
        params = ", ".join(f"{param.name}: {param.kind}" for param in self.params)
        result = f" -> {self.returns}" if self.returns else ""
        return f"{self.name}{self.generics}({params}){result}"

    def expected(self, value: Any) -> str:
        """`value` as the Rust text that the result is compared with."""
        return self.show(value) if self.show else render(self.returns, value)


@dataclass
class Draw:
    """The seeded choices of one task: its constants, then its names; the test inputs depend on the constants alone.

    So two tasks of one combination that differ in names only are tested with the same values.
    """

    seed: int
    combination: str
    index: int
    constants: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = rng(self.seed, "curriculum", self.combination, self.index)
        self._cases: Random | None = None

    @property
    def cases(self) -> Random:
        """The generator of test inputs; ask for it after the last constant."""
        if self._cases is None:
            self._cases = rng(self.seed, "cases", self.combination, *self.constants)
        return self._cases

    def one(self, *options: str) -> str:
        """One of several names or phrasings."""
        return self._rng.choice(options)

    def two(self, *options: tuple[str, str]) -> tuple[str, str]:
        """One of several pairs of names."""
        return self._rng.choice(options)

    def constant(self, pool: Sequence[Any]) -> Any:
        """One of several constants of the task."""
        value = self._rng.choice(pool)
        self.constants.append(value)
        return value

    def constants_of(self, pool: Sequence[Any], count: int) -> list[Any]:
        """Several distinct constants of the task."""
        values = self._rng.sample(pool, count)
        self.constants += values
        return values

    def condition(self, key: str, pool: Sequence[int] | None = None) -> Condition:
        """The condition of that key, its constant drawn, from `pool` where one is given."""
        condition = vocabulary.CONDITIONS[key]
        if key not in vocabulary.THRESHOLDS:
            return condition
        return replace(condition, k=self.constant(pool or vocabulary.THRESHOLDS[key]))

    def mapping(self, key: str) -> Mapping:
        """The mapping of that key, its constant drawn."""
        mapping = vocabulary.MAPPINGS[key]
        pool = vocabulary.STEPS.get(key)
        return replace(mapping, k=self.constant(pool)) if pool else mapping

    def slice(self) -> str:
        """A name for a slice: four letters at most, so that rustfmt breaks every chain alike."""
        return self.one("xs", "nums", "data")

    def scalar(self) -> str:
        """A name for a number."""
        return self.one("x", "n", "num")

    def pair(self) -> tuple[str, str]:
        """Names for two numbers."""
        return self.two(("a", "b"), ("x", "y"), ("m", "n"))

    def text(self) -> str:
        """A name for a string."""
        return self.one("s", "text", "line")

    def noun(self) -> str:
        """A word for the things in a slice."""
        return self.one("values", "numbers", "elements")

    def verb(self) -> str:
        """The first word of a doc comment."""
        return self.one("Returns", "Computes", "Gives")

    def gives(self) -> str:
        """The first word of a doc comment where nothing is computed."""
        return self.one("Returns", "Gives")

    def numbers(self, t: Integer, near: Iterable[int] = (), limit: int = 20) -> list[int]:
        """Five or more scalars worth testing: near a constant, one below zero, zero, others up to `limit`."""
        low = -limit if t.signed else 0
        others = [self.cases.randint(low, limit) for _ in range(6)]
        chosen = [*near, -self.cases.randint(2, limit), self.cases.randint(2, limit), 0, *others, 3, 5, 7, 8]
        return [value for value in dict.fromkeys(chosen) if value >= low]

    def lists(
        self, t: Integer, near: Iterable[int] = (), limit: int = 20, length: tuple[int, int] = (4, 7)
    ) -> list[list[int]]:
        """Slices worth testing: the empty one first, then some with numbers near a constant and others."""
        low = -limit if t.signed else 0
        special = [value for value in near if low <= value]
        made: list[list[int]] = [[]]
        for _ in range(7):
            items = [self.cases.randint(low, limit) for _ in range(self.cases.randint(*length))]
            for value in self.cases.sample(special, min(2, len(special))):
                items[self.cases.randrange(len(items))] = value
            made.append(items)
        return made


Build = Callable[..., Draft]


@dataclass(frozen=True)
class Family:
    """One kind of function: its axes, the combinations of their values, and what builds a draft of one."""

    name: str
    axes: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    make: Build

    @property
    def combinations(self) -> list[str]:
        """`family/value/value` for each member, in the order of the axes."""
        return ["/".join((self.name, *member)) for member in self.members]

    def draft(self, seed: int, combination: str, index: int) -> Draft:
        """The function number `index` of a combination."""
        draw = Draw(seed, combination, index)
        draft = self.make(draw, *combination.split("/")[1:])
        return replace(draft, constants=tuple(draw.constants))


def family(where: Callable[..., bool] | None = None, /, **axes: Iterable[str]) -> Callable[[Build], Family]:
    """Declare a family: each axis with its values, and which members of their product make sense.

    Without `where`, an axis named `kind` holds integer types, and the operations must suit the type.
    """
    names = tuple(axes)

    def admits(member: tuple[str, ...]) -> bool:
        if where is not None:
            return where(*member)
        kind = TYPES.get(member[names.index("kind")]) if "kind" in names else None
        return kind is None or vocabulary.suits(kind, member)

    def declare(make: Build) -> Family:
        members = tuple(filter(admits, itertools.product(*axes.values())))
        return Family(make.__name__, names, members, make)

    return declare


def chain(root: str, *calls: str) -> tuple[str, ...]:
    """A method chain as rustfmt lays it out: on one line up to 60 characters, else a call to a line.

    `root` must be four characters at most for the first call to stay beside it, as rustfmt does.
    """
    line = ".".join((root, *calls))
    if len(line) <= CHAIN_WIDTH:
        return (line,)
    head = f"{root}.{calls[0]}" if len(root) <= 4 else root
    rest = calls[1:] if len(root) <= 4 else calls
    return (head, *(f"    .{call}" for call in rest[:-1]), f"    .{rest[-1]}")


def if_else(condition: str, then: str, otherwise: str) -> tuple[str, ...]:
    """A conditional expression as rustfmt lays it out: on one line up to 50 characters."""
    line = f"if {condition} {{ {then} }} else {{ {otherwise} }}"
    if len(line) <= IF_ELSE_WIDTH:
        return (line,)
    return (f"if {condition} {{", f"    {then}", "} else {", f"    {otherwise}", "}")


def indented(lines: Iterable[str], by: int = 4) -> tuple[str, ...]:
    """Lines moved to the right."""
    return tuple(" " * by + line if line else line for line in lines)


def block(head: str, lines: Iterable[str], tail: str = "}") -> tuple[str, ...]:
    """`head`, the indented lines, and what closes them."""
    return (head, *indented(lines), tail)


def literal(name: str, *parts: str) -> tuple[str, ...]:
    """A struct literal as rustfmt lays it out: on one line up to 18 characters between the braces."""
    inner = ", ".join(parts)
    if len(inner) <= STRUCT_WIDTH:
        return (f"{name} {{ {inner} }}",)
    return block(f"{name} {{", (part if part.startswith("..") else f"{part}," for part in parts))


def singles(values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Argument lists for a function of one parameter."""
    return [(value,) for value in values]


def struct(name: str, fields: Table[str, str], derives: str = "") -> str:
    """The declaration of a struct with named fields."""
    lines = block(f"struct {name} {{", (f"{key}: {kind}," for key, kind in fields.items()))
    return "\n".join(([f"#[derive({derives})]"] if derives else []) + list(lines))
