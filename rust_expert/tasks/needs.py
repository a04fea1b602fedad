"""What an item needs beside it: imports from std, and definitions of its own crate, as far as names can tell."""

import re
from collections.abc import Iterator

from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.item_names import uses_of_item
from rust_expert.tasks.crate_index import TYPES, CrateIndex, Incomplete, derived
from rust_expert.tasks.known import (
    LATE_PRELUDE,
    MACROS,
    PRELUDE,
    PRELUDE_HOMES,
    PRIMITIVES,
    ROOTS,
    STD_DERIVES,
    SUPERTRAITS,
    TRAIT_SIGNS,
)

MOST_DEFINITIONS = 40
"""More than that is no context that anybody reads."""


class Needs:
    """Follows an item's names through its crate until nothing is missing.

    `imports`: paths from std by the name they give. `wanted`: the crate's own items, by key.
    Raises Incomplete where something cannot be found or may not be taken along.
    """

    def __init__(self, row: ItemRow, crate: CrateIndex) -> None:
        self.crate = crate
        self.row = row
        self.imports: dict[str, str] = {}
        self.wanted: dict[str, ItemRow] = {}
        self._called: set[str] = set()
        self._pending = [row]
        self._follow()
        while self._methods_of_types():
            self._follow()

    def _follow(self) -> None:
        while self._pending:
            current = self._pending.pop()
            for needed in self._of(current):
                self._want(needed)

    def _want(self, row: ItemRow) -> None:
        if row.key == self.row.key or row.key in self.wanted:
            return
        if row.conditional:
            raise Incomplete("context depends on a cfg or an attribute")
        if len(self.wanted) >= MOST_DEFINITIONS:
            raise Incomplete("context too long")
        self.wanted[row.key] = row
        self._pending.append(row)

    def _of(self, row: ItemRow) -> Iterator[ItemRow]:
        imports, uses = self.crate.imports(row), uses_of_item(row)
        known = {name_of(path): path for path in imports}
        for use in uses:
            if use == "crate":
                raise Incomplete("a path from the crate's root")
            if use.endswith("!"):
                if use[:-1] not in MACROS:
                    raise Incomplete("a macro that std does not have")
            elif use.startswith("~"):
                self._called.add(use[1:])
            elif use.startswith("."):
                yield from _maybe(self.crate.member(row.owner, use[1:]))
            elif "::" in use:
                owner, _, name = use.partition("::")
                if owner in self.crate.definitions:
                    yield from _maybe(self.crate.member(owner, name))
                    if name == "default":
                        yield from self._having(owner, "Default")
            else:
                yield from _maybe(self._resolved(use, row, known))
        for path in imports:
            sign = TRAIT_SIGNS.get(path.rpartition("::")[2])
            if sign and name_of(path) not in uses and re.search(sign, row.text):
                self._import(path)
        yield from self._traits_of(row)

    def _traits_of(self, row: ItemRow) -> Iterator[ItemRow]:
        """The impls that the derives of a type, or an impl of a trait, rest on."""
        if row.kind in TYPES:
            traits = derived(row)
            if traits - STD_DERIVES:
                raise Incomplete("a derive that std does not have")
            parts = [
                name for name in uses_of_item(row) if name in self.crate.definitions and name != row.name
            ]
            for trait in sorted(traits):
                for part in parts:
                    yield from self._having(part, trait)
                for under in SUPERTRAITS.get(trait, ()):
                    if under not in traits:
                        yield from self._having(row.name, under)
        elif row.kind == "impl":
            name, bracket, given = row.trait.rpartition("::")[2].partition("<")
            for under in SUPERTRAITS.get(name, ()):
                yield from self._having(row.owner, under + bracket + given)

    def _having(self, owner: str, trait: str) -> Iterator[ItemRow]:
        """The impl by which a type has a trait that it does not derive."""
        found = [row for row in self.crate.definitions.get(owner, []) if not row.conditional]
        if len(found) == 1 and found[0].kind in TYPES and trait not in derived(found[0]):
            yield from _maybe(self.crate.impl_of(owner, trait))

    def _methods_of_types(self) -> bool:
        """Want the methods, called on something, that a type in the context has; whether there were any."""
        types = [row.name for row in self.wanted.values() if row.kind in TYPES]
        for owner in [*types, self.row.owner]:
            for name in sorted(self._called):
                if (owner, name) in self.crate.members:
                    for needed in _maybe(self.crate.member(owner, name)):
                        self._want(needed)
        return bool(self._pending)

    def _resolved(self, name: str, row: ItemRow, known: dict[str, str]) -> ItemRow | None:
        """The definition that a plain name stands for; None where std or an import from it gives the name."""
        path = known.get(name)
        if path is not None:
            root = path.split("::")[0]
            if root in ROOTS or root == "alloc":
                if not _in_prelude(name, path, row.edition):
                    self._import(path)
                return None
            own = root in ("crate", "self", "super") or root in self.crate.modules
            if not own and root not in self.crate.definitions:
                raise Incomplete("another crate or module")
            if " as " in path:
                raise Incomplete("a renamed import")
        defined = self.crate.definition(name, row, path or "") if name not in PRIMITIVES else None
        if defined is not None and (path is not None or defined.file == row.file or name not in PRELUDE):
            return defined
        if path is not None:
            raise Incomplete("an import that is not found")
        if name in PRELUDE or name in PRIMITIVES or name in ROOTS:
            return None
        raise Incomplete("an unknown name")

    def _import(self, path: str) -> None:
        path = re.sub(r"^alloc::", "std::", path)
        before = self.imports.setdefault(name_of(path), path)
        if before.replace("core::", "std::", 1) != path.replace("core::", "std::", 1):
            raise Incomplete("two imports of one name")


def _maybe(row: ItemRow | None) -> list[ItemRow]:
    return [row] if row is not None else []


def name_of(path: str) -> str:
    """The name that an import gives: `C` for `a::B as C`."""
    head, _, alias = path.partition(" as ")
    return alias or head.rpartition("::")[2]


def _in_prelude(name: str, path: str, edition: str) -> bool:
    """Whether an import only repeats what the prelude of the item's edition gives."""
    if name in LATE_PRELUDE and edition in ("2015", "2018"):
        return False
    return name in PRELUDE and path.partition("::")[2] == f"{PRELUDE_HOMES.get(name, 'iter')}::{name}"
