"""`make test` gives whole files to two processes (--dist loadfile): files share what is costly to make."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files, those of the workflow, begin first."""
    items.sort(key=lambda item: item.path.relative_to(ROOT).parts[0] != "workflow")
