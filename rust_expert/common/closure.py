"""Which code a script is made of: the fingerprint that makes a rule run again when, and only when, that code changed.

Snakemake sees an edit of a script, not of the modules it imports. The closure follows the imports of this project from
a module on, reads each file's syntax tree without comments, docstrings and layout, and adds the data files that lie
beside the modules (templates, Rust sources).
"""

import ast
import functools
import hashlib
from pathlib import Path

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
    start = _file_of(module, root)
    if start is None:
        raise FileNotFoundError(f"{module}: no such module below {root}")
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        names = set(_imports(path, root)) - without
        waiting += [found for name in names if (found := _file_of(name, root)) is not None]
        waiting += [init for init in _inits(path, root) if init not in seen]
    return sorted(seen)


def code_fingerprint(
    module: str, root: Path, extra: tuple[Path, ...] = (), without: frozenset[str] = OBSERVERS
) -> str:
    """A short hash over the import closure of `module`, observers left out, and the bytes of the `extra` files.

    An extra file is an environment's lock. `without` names other modules that are to be left out.
    """
    digest = hashlib.sha256()
    paths = import_closure(module, root, without=without)
    for path in paths:
        digest.update(f"{path.relative_to(root)}\0{_normal_form(path, path.stat().st_mtime_ns)}\0".encode())
    for path in sorted({data for source in paths for data in _data_beside(source)}):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    for path in extra:
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _file_of(module: str, root: Path) -> Path | None:
    if module.split(".")[0] not in PACKAGES:
        return None
    base = root.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _inits(path: Path, root: Path) -> list[Path]:
    folders = [folder for folder in path.parents if root in folder.parents]
    return [init for folder in folders if (init := folder / "__init__.py").is_file()]


def _data_beside(path: Path) -> list[Path]:
    return [
        beside
        for beside in path.parent.iterdir()
        if beside.is_file() and beside.suffix not in (".py", ".pyc") and not beside.name.startswith(".")
    ]


@functools.cache
def _tree(path: Path, _stamp: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _imports(path: Path, root: Path) -> list[str]:
    """Every module that a file may import: `from a.b import c` names both a.b and a.b.c."""
    names: list[str] = []
    package = ".".join(path.relative_to(root).parent.parts)
    for node in ast.walk(_tree(path, path.stat().st_mtime_ns)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join(parts[: len(parts) - node.level + 1] + ([base] if base else []))
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


@functools.cache
def _normal_form(path: Path, stamp: int) -> str:
    """The source as the parser sees it: no comments, no docstrings, one layout."""
    tree = ast.parse(ast.unparse(_tree(path, stamp)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_docstring(statement)] or [ast.Pass()]
    return ast.unparse(tree)


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
