"""The items of one crate by the names under which its items use each other."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from rust_expert.syntax.chunks import FILE
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.docs import without_docs
from rust_expert.syntax.item_names import imports_named, imports_of_item

DEFINITIONS = frozenset({"function", "struct", "enum", "union", "trait", "const", "static", "type"})
TYPES = frozenset({"struct", "enum", "union"})

_RELATIVE = re.compile(r"^((crate|self|super)::)+")
_DERIVE = re.compile(r"^\s*#\[derive\(([^)]*)\)\]", re.MULTILINE)


class Incomplete(Exception):
    """Why an item cannot be made whole."""


class CrateIndex:
    """Looks up definitions, methods and impls of a crate's own."""

    def __init__(self, rows: Sequence[ItemRow]) -> None:
        self.definitions: dict[str, list[ItemRow]] = defaultdict(list)
        self.members: dict[tuple[str, str], list[ItemRow]] = defaultdict(list)
        self.impls: dict[tuple[str, str], list[ItemRow]] = defaultdict(list)
        for row in rows:
            if row.kind in DEFINITIONS:
                self.definitions[row.name].append(row)
            elif row.kind == "method" and not row.trait:
                self.members[row.owner, row.name].append(row)
            elif row.kind == "impl" and row.trait:
                self.impls[row.owner, row.trait.rpartition("::")[2]].append(row)
        self.modules = {row.name for row in rows if row.kind == "module"}
        self._imports = {row.file: row.imports for row in rows if row.kind == FILE}
        self._stripped: dict[str, str] = {}

    def definition(self, name: str, near: ItemRow, imported: str = "") -> ItemRow | None:
        """The one definition that `name` can mean for an item; None without any.

        `imported` is the path that a `use` gives the name. Looked for there, then in the item's own module, in
        its file, in the crate. Raises Incomplete where a place holds several.
        """
        found = self.definitions.get(name)
        if not found:
            return None
        path = _RELATIVE.sub("", imported)
        module = near.path.removesuffix(near.name).removesuffix("::")
        if near.kind in ("method", "impl"):
            module = module.rpartition("::")[0] if near.kind == "method" else near.path.rpartition("<")[0]
        module = module.removesuffix("::")
        places: tuple[Callable[[ItemRow], bool], ...] = (
            lambda row: bool(path) and f"::{row.path}".endswith(f"::{path}"),
            lambda row: row.file == near.file and row.path == f"{module}::{name}".lstrip(":"),
            lambda row: row.file == near.file,
            lambda row: True,
        )
        for place in places:
            rows = list(filter(place, found))
            always = [row for row in rows if not row.conditional] if len(rows) > 1 else rows
            if len(always) == 1:
                return always[0]
            if rows:
                raise Incomplete("a name with several definitions")
        return None

    def member(self, owner: str, name: str) -> ItemRow | None:
        """The one inherent method of a type; None without any.

        Raises Incomplete where there are several.
        """
        found = self.members.get((owner, name), [])
        if len(found) > 1:
            raise Incomplete("a method with several definitions")
        return found[0] if found else None

    def impl_of(self, owner: str, trait: str) -> ItemRow | None:
        """The one impl of a trait for a type, by their bare names; None without any.

        Raises Incomplete where there are several.
        """
        found = self.impls.get((owner, trait), [])
        if len(found) > 1:
            raise Incomplete("an impl with several definitions")
        return found[0] if found else None

    def imports(self, row: ItemRow) -> tuple[str, ...]:
        """The imports of its file that an item may need."""
        return imports_of_item(row, self._imports.get(row.file, ()))

    def imports_for(self, names: Sequence[str], row: ItemRow) -> tuple[str, ...]:
        """The imports of an item's file that bring in what is named."""
        return imports_named(names, self._imports.get(row.file, ()))

    def stripped(self, row: ItemRow) -> str:
        """An item's text without its docs."""
        if row.key not in self._stripped:
            self._stripped[row.key] = without_docs(row.text.encode()).decode().strip("\n")
        return self._stripped[row.key]


def derived(row: ItemRow) -> set[str]:
    """The traits that a type derives, by their bare names."""
    words = ",".join(_DERIVE.findall(row.text)).split(",")
    return {word.strip().rpartition("::")[2] for word in words if word.strip()}
