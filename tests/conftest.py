"""`make test` gives whole files to two processes (--dist loadfile): files share what is costly to make."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent


FIRST = ("workflow/test_changes.py", "attacks", "workflow")
"""One process builds the chain for its tests of the workflow, the other begins with those that need none."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files begin first."""

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(ROOT).as_posix()
        return next((place for place, start in enumerate(FIRST) if name.startswith(start)), len(FIRST))

    items.sort(key=place)
