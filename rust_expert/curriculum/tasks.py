"""A finished task: prompt, solution and tests, made from a draft."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rust_expert.curriculum.drafts import Draft, indented
from rust_expert.curriculum.integers import OutOfRange

ASSERTS = 4
LEAST_ASSERTS = 3


@dataclass(frozen=True)
class Task:
    """One function in the HumanEval shape.

    `prompt` ends with the signature and ` {`; `canonical_solution` is what follows it, up to the end of the code;
    `solution` is the whole code without the doc comment. `arguments` and `expected` are the values that the tests
    use, as Python sees them.
    """

    family: str
    combination: str
    index: int
    draft: Draft
    arguments: tuple[tuple[Any, ...], ...]
    expected: tuple[Any, ...]

    @property
    def entry_point(self) -> str:
        """The name of the function."""
        return self.draft.name

    @property
    def declarations(self) -> str:
        """What stands before the function: imports, then types; empty or with a blank line after it."""
        return "".join(f"{part}\n\n" for part in (self.draft.imports, self.draft.types) if part)

    @property
    def head(self) -> str:
        """`fn name(a: T) -> R {`."""
        return f"fn {self.draft.signature} {{"

    @cached_property
    def prompt(self) -> str:
        """Declarations, doc comment and signature."""
        return f"{self.declarations}/// {self.draft.doc}\n{self.head}\n"

    @cached_property
    def canonical_solution(self) -> str:
        """The body with its closing brace, and what stands after the function."""
        after = f"\n{self.draft.after}\n" if self.draft.after else ""
        return "\n".join(indented(self.draft.body)) + "\n}\n" + after

    @property
    def solution(self) -> str:
        """The whole code, without the doc comment."""
        return f"{self.declarations}{self.head}\n{self.canonical_solution}"

    @property
    def documented(self) -> str:
        """The whole code, with the doc comment."""
        return self.prompt + self.canonical_solution

    @cached_property
    def tests(self) -> str:
        """One test function with all asserts."""
        lines: list[str] = []
        for arguments, expected in zip(self.arguments, self.expected, strict=True):
            lines += _assert(self.draft, arguments, expected)
        text = "\n".join(indented(lines, 8))
        return (
            "#[cfg(test)]\nmod tests {\n    use super::*;\n\n"
            f"    #[test]\n    fn {self.entry_point}_examples() {{\n{text}\n    }}\n}}\n"
        )


def _assert(draft: Draft, arguments: tuple[Any, ...], expected: Any) -> list[str]:
    if draft.mutates:
        kind = draft.params[0].kind.removeprefix("&mut [").removesuffix("]")
        before, after = (", ".join(map(str, values)) for values in (arguments[0], expected))
        return [
            f"let mut items: Vec<{kind}> = vec![{before}];",
            f"{draft.name}(&mut items);",
            f"assert_eq!(items, vec![{after}]);",
        ]
    given, rest = (arguments[:-1], arguments[-1:]) if draft.curried else (arguments, ())
    shown = [param.argument(value) for param, value in zip(draft.params, given, strict=True)]
    call = f"{draft.name}({', '.join(shown)})" + (f"({rest[0]})" if rest else "") + draft.view
    if isinstance(expected, bool) and not draft.show:
        return [f"assert!({'' if expected else '!'}{call});"]
    return [f"assert_eq!({call}, {draft.expected(expected)});"]


def chosen(draft: Draft) -> tuple[tuple[tuple[Any, ...], ...], tuple[Any, ...]]:
    """Which inputs to test, and what is expected of them.

    The first input is always taken; then, one by one, the next of those whose result was expected least often so
    far, until there are four. Inputs that would overflow are never taken.

    Raises RuntimeError where fewer than three are left: a fault of the family.
    """
    known: list[tuple[tuple[Any, ...], Any, str]] = []
    for arguments in draft.inputs:
        try:
            value = draft.reference(*arguments)
        except OutOfRange:
            continue
        if all(arguments != other for other, _, _ in known):
            known.append((arguments, value, repr(value)))
    if len(known) < LEAST_ASSERTS:
        raise RuntimeError(f"{draft.name}: only {len(known)} inputs fit")
    picked, rest, seen = [known[0]], known[1:], Counter([known[0][2]])
    while rest and len(picked) < ASSERTS:
        rarest = min(rest, key=lambda case: seen[case[2]])
        rest.remove(rarest)
        picked.append(rarest)
        seen[rarest[2]] += 1
    return tuple(case[0] for case in picked), tuple(case[1] for case in picked)


def finish(family: str, combination: str, index: int, make: Callable[[], Draft]) -> Task:
    """The task of a draft."""
    draft = make()
    arguments, expected = chosen(draft)
    return Task(family, combination, index, draft, arguments, expected)
