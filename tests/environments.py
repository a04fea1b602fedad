"""Which rule's script runs in which environment, and what it imports: read off the rules and the scripts themselves."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from rust_expert.common.closure import import_closure

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "envs").glob("*.in"))
OURS = {"rust_expert", "scripts", "tools"}


def uses() -> list[tuple[str, str]]:
    """(script, environment) for each rule, as `code_of` states it."""
    found: set[tuple[str, str]] = set()
    for path in (ROOT / "rules").glob("*.smk"):
        found.update(
            re.findall(r'code_of\(\s*"scripts\.(\w+)",\s*"([\w-]+)"', path.read_text(encoding="utf-8"))
        )
    return sorted(found)


def imports_of(script: str, root: Path = ROOT) -> set[tuple[str, str]]:
    """(module, name) of each import in the closure of a script; the name is empty for a plain `import module`.

    Imports inside functions are among them.
    """
    found: set[tuple[str, str]] = set()
    for path in import_closure(f"scripts.{script}", root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {(alias.name, "") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {(node.module, alias.name) for alias in node.names}
    return found


def foreign(imports: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Those imports that are neither Python's own nor ours."""
    for module, name in sorted(imports):
        if module.split(".")[0] not in OURS | set(sys.stdlib_module_names):
            yield module, name
