"""The crates beside the standard library that some code may use, as the compiler is told of them."""

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Self

_PLACE = "/crates"


@dataclasses.dataclass(frozen=True)
class Crates:
    """Built crates in reach of a compilation: the file of each by the name that code gives it, and the folder of the
    host in which they lie with all that they need."""

    folder: Path | None = None
    files: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What code calls them, sorted."""
        return tuple(name for name, _ in self.files)

    def only(self, names: Collection[str]) -> Self:
        """Those of them that have one of these names."""
        files = tuple(each for each in self.files if each[0] in names)
        return dataclasses.replace(self, folder=self.folder if files else None, files=files)

    @property
    def arguments(self) -> list[str]:
        """The compiler's arguments; what a crate needs itself can be linked and not named."""
        named = [f"--extern={name}={_PLACE}/{file}" for name, file in self.files]
        return [*named, "-L", f"dependency={_PLACE}"] if named else []

    @property
    def mounts(self) -> dict[str, Path]:
        """What the sandbox has to show for `arguments`."""
        return {_PLACE: self.folder} if self.folder is not None else {}

    @property
    def head(self) -> str:
        """Rust for the crate's root that loads them all, used or not: their implementations of traits can change what
        is inferred, and a sample must not get another verdict where its neighbour uses them."""
        return " ".join(f"extern crate {name} as _;" for name in self.names)


NO_CRATES = Crates()
