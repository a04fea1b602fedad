"""The table of crates beside the standard library that suites may need: a Cargo.toml with exact versions, its lock."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError

TABLE = Path(__file__).resolve().parents[2] / "config" / "suite_crates"
"""The project's own."""


@dataclasses.dataclass(frozen=True)
class Table:
    """A pair of Cargo.toml and Cargo.lock. `crates` are those that suites may name: by the name that code gives them,
    the package's name and version."""

    folder: Path
    manifest: str
    lock: str
    crates: dict[str, tuple[str, str]]

    def require(self, name: str, who: str) -> None:
        """Raise UserError where suites may not name a crate; `who` does."""
        if name not in self.crates:
            raise UserError(
                f"{who} names crate {name}, which {self.folder / 'Cargo.toml'} does not list (it has "
                f"{', '.join(sorted(self.crates)) or 'none'}); add it there"
            )


def read_table(folder: Path = TABLE) -> Table:
    """Read the pair.

    Raises UserError naming the file where one is missing or broken, or where the two do not agree.
    """
    manifest, lock = _toml(folder / "Cargo.toml"), _toml(folder / "Cargo.lock")
    own = manifest.get("package", {}).get("name")
    packages = lock.get("package", [])
    root: dict[str, Any] = next((each for each in packages if each.get("name") == own), {})
    locked = dict(_name_and_version(each, packages) for each in root.get("dependencies", []))
    crates: dict[str, tuple[str, str]] = {}
    for name, wanted in manifest.get("dependencies", {}).items():
        package = wanted.get("package", name) if isinstance(wanted, dict) else name
        if package not in locked:
            raise UserError(
                f"{folder / 'Cargo.lock'}: {package} is missing there; run `cargo generate-lockfile --manifest-path "
                f"{folder / 'Cargo.toml'}`"
            )
        crates[name.replace("-", "_")] = package, locked[package]
    texts = {file: (folder / file).read_text(encoding="utf-8") for file in ("Cargo.toml", "Cargo.lock")}
    return Table(folder, texts["Cargo.toml"], texts["Cargo.lock"], crates)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); restore it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid TOML ({error}); mend it") from None


def _name_and_version(dependency: str, packages: list[Any]) -> tuple[str, str]:
    """A dependency in a lock: its name, with its version where two packages have that name."""
    name, _, rest = dependency.partition(" ")
    version = rest.partition(" ")[0]
    return name, version or next(
        (str(each.get("version")) for each in packages if each.get("name") == name), ""
    )
