"""A finished task: prompt, solution and tests, made from a draft."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
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


Cases = tuple[tuple[tuple[Any, ...], ...], tuple[Any, ...]]


def chosen(draft: Draft, rivals: Sequence[Draft] = ()) -> Cases:
    """Which inputs to test, and what is expected of them.

    The first `firm` inputs are always taken. Then, one by one, the input at which most rivals not yet told apart
    give another result, and among equals one whose result was expected least often so far; four in all, and a
    fifth where it still tells a rival apart. Inputs that would overflow are never taken.

    Raises RuntimeError where fewer than three are left: a fault of the family.
    """
    known: list[tuple[tuple[Any, ...], Any]] = []
    for arguments in draft.inputs:
        with suppress(OutOfRange):
            if all(arguments != other for other, _ in known):
                known.append((arguments, draft.reference(*arguments)))
    if len(known) < LEAST_ASSERTS:
        raise RuntimeError(f"{draft.name}: only {len(known)} inputs fit")
    told = [{place for place, rival in enumerate(rivals) if differs(rival, *case)} for case in known]
    left = list(range(len(known)))
    alive, seen, picked = set(range(len(rivals))), Counter[str](), list[int]()
    while left and len(picked) <= ASSERTS:
        best = min(left, key=lambda place: (-len(told[place] & alive), seen[repr(known[place][1])], place))
        if len(picked) < draft.firm:
            best = left[0]
        elif len(picked) == ASSERTS and not told[best] & alive:
            break
        left.remove(best)
        picked.append(best)
        alive -= told[best]
        seen[repr(known[best][1])] += 1
    return tuple(known[place][0] for place in picked), tuple(known[place][1] for place in picked)


def differs(rival: Draft, arguments: tuple[Any, ...], expected: Any) -> bool:
    """Whether a test with these arguments would find the rival's function wrong."""
    try:
        return bool(rival.reference(*arguments) != expected)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return True
