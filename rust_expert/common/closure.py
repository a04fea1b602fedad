"""Which code a script is made of: the fingerprint that makes a rule run again when, and only when, that code changed.

Snakemake sees an edit of a script, not of the modules it imports. The closure follows the imports of this project from
a module on, reads each file's syntax tree without comments, docstrings and layout, and adds the data files that lie
beside the modules (templates, Rust sources).
"""

import ast
import functools
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rust_expert.common.files import write_text

PACKAGES = ("rust_expert", "scripts")
"""The packages that are this project's own; all else is pinned by an environment's lock."""

OBSERVERS = frozenset(
    f"rust_expert.common.{name}" for name in ("exposition", "json_log", "orphans", "spans", "telemetry")
)
"""Modules that watch a run and change no result: an edit of theirs makes nothing run again."""


def import_closure(module: str, root: Path, without: frozenset[str] = frozenset()) -> list[Path]:
    """The files below `root` that `module` imports, itself included, sorted; __init__ files on the way too.

    The modules `without`, and what only they import, are left out.
    Raises FileNotFoundError where `module` is none of this project's modules.
    """
    modules = _modules(root)
    if module not in modules:
        raise FileNotFoundError(f"{module}: no such module below {root}")
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = Path(modules[name])
        package = path.relative_to(root).parent.parts
        names = (set(_imports(path, package)) - without) | {
            ".".join(package[:depth]) for depth in range(1, len(package) + 1)
        }
        waiting += [found for found in names if found in modules and found not in seen]
    return sorted(Path(modules[name]) for name in seen)


def code_fingerprint(
    module: str, root: Path, extra: tuple[Path, ...] = (), without: frozenset[str] = OBSERVERS
) -> str:
    """A short hash over the import closure of `module`, observers left out, and the bytes of the `extra` files.

    An extra file is an environment's lock. `without` names other modules that are to be left out.
    """
    return fingerprint_of(code_parts(module, root, extra, without))


def fingerprint_of(parts: Mapping[str, str]) -> str:
    """The fingerprint of code by its parts."""
    return _digest("".join(f"{name}\0{digest}\0" for name, digest in parts.items()).encode())


def code_parts(
    module: str, root: Path, extra: tuple[Path, ...] = (), without: frozenset[str] = OBSERVERS
) -> dict[str, str]:
    """A short hash of each file that `code_fingerprint` is made of: the modules in their normal form, data, extras."""
    paths = import_closure(module, root, without=without)
    parts = {str(path.relative_to(root)): _source(path).form for path in paths}
    for folder in sorted({path.parent for path in paths}):
        for path in _data_in(folder):
            parts[str(path.relative_to(root))] = _digest(path.read_bytes())
    return {**parts, **{path.name: _digest(path.read_bytes()) for path in extra}}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _modules(root: Path) -> dict[str, str]:
    """The files of this project's packages by the names that they are imported by."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        for folder, _, files in os.walk(root / package):
            above = os.path.relpath(folder, root).replace(os.sep, ".")
            for name in files:
                if name.endswith(".py"):
                    found[above if name == "__init__.py" else f"{above}.{name[:-3]}"] = f"{folder}/{name}"
    return found


def _data_in(folder: Path) -> list[Path]:
    found = (path for path in sorted(folder.iterdir()) if path.suffix not in (".py", ".pyc"))
    return [path for path in found if not path.name.startswith(".") and path.is_file()]


class _Source(NamedTuple):
    """The hash of a file's normal form (no comments, no docstrings, one layout); its imports: dots, module, names."""

    form: str
    imports: tuple[tuple[int, str, tuple[str, ...]], ...]


_READ: dict[str, _Source] = {}
"""What was read, by the hash of a file's bytes."""


def recall(place: Path) -> None:
    """Take what `remember` has kept: to parse all files takes seconds, each time that a workflow is planned."""
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        if told.pop("reader") == _reader():
            _READ.update((digest, _Source(form, imports)) for digest, (form, imports) in told.items())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return  # nothing there, or not written by this


def remember(place: Path) -> None:
    """Keep at `place` what was read of each file, by the hash of its bytes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    write_text(place, json.dumps({"reader": _reader(), **_READ}))


def _reader() -> str:
    """The code that reads files, and the Python that writes their normal form."""
    return f"{sys.version} {_digest(Path(__file__).read_bytes())}"


def _source(path: Path) -> _Source:
    return _read(path, path.stat().st_mtime_ns)


@functools.cache
def _read(path: Path, _stamp: int) -> _Source:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest not in _READ:
        _READ[digest] = _parsed(ast.parse(data, filename=str(path)))
    return _READ[digest]


def _parsed(tree: ast.Module) -> _Source:
    imports: list[tuple[int, str, tuple[str, ...]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.level, node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_docstring(statement)] or [ast.Pass()]
    return _Source(_digest(ast.unparse(tree).encode()), tuple(imports))


def _imports(path: Path, package: tuple[str, ...]) -> list[str]:
    """Every module that a file may import: `from a.b import c` names both a.b and a.b.c."""
    names: list[str] = []
    for dots, module, members in _source(path).imports:
        around = package[: len(package) - dots + 1] if dots else ()
        base = ".".join((*around, module) if module else around)
        names += [base, *(f"{base}.{member}" for member in members)]
    return names


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
