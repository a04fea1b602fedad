"""One room per domain: a package imports only what its row of the design allows."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ALLOWED: dict[str, set[str]] = {
    "common": set(),
    "crates": {"common"},
    "syntax": {"common"},
    # What the compiler says of snippets and of whole crates: docs/decisions/023-items-in-their-crates.md.
    "tasks": {
        "syntax",
        "judge.rustc",
        "judge.third_party",
        "judge.in_place",
        "judge.diagnostics",
        "common",
    },  # fmt: skip
    "curriculum": {"judge.rustc", "common"},
    "dataset": {"common"},
    "models": {"dataset", "common"},
    "sampling": {"models", "syntax", "common"},
    "judge": {"syntax", "common"},
    "metrics": {"common"},
    "report": {"metrics", "common"},
    "release": {"common"},  # docs/decisions/060-releases.md
}


def imported(path: Path) -> set[str]:
    """Modules of this project that a file imports, below `rust_expert.`, as written."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: relative import"
            continue
        found |= {name.removeprefix("rust_expert.") for name in names if name.startswith("rust_expert.")}
    return found


def test_every_package_has_a_row() -> None:
    rooms = {path.name for path in (ROOT / "rust_expert").iterdir() if (path / "__init__.py").is_file()}
    assert rooms == set(ALLOWED)


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    permitted = ALLOWED[room] | {room}
    for path in sorted((ROOT / "rust_expert" / room).rglob("*.py")):
        for name in imported(path):
            assert any(name == allowed or name.startswith(allowed + ".") for allowed in permitted), (
                f"{path.relative_to(ROOT)} imports rust_expert.{name}, which {room} may not"
            )


def test_the_library_knows_nothing_of_the_workflow_engine() -> None:
    for path in (ROOT / "rust_expert").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("snakemake", "scripts", "dvc") for name in names), path


def test_package_files_are_empty() -> None:
    for path in (ROOT / "rust_expert").rglob("__init__.py"):
        assert path.read_text(encoding="utf-8").strip() == "", (
            f"{path}: imports here would make every rule run again"
        )
