"""How the tests are spread over two processes: a file is one piece of work, and so is the whole workflow.

Files share what is costly to make (a built chain, a judged mix), each in its own process.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test's piece; the longest begins first."""
    for item in items:
        place = item.path.relative_to(ROOT)
        item.add_marker(pytest.mark.xdist_group("workflow" if place.parts[0] == "workflow" else str(place)))
    items.sort(key=lambda item: item.path.relative_to(ROOT).parts[0] != "workflow")
