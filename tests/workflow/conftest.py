"""The micro profile, built once for all tests of the workflow."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.workflow.workplace import Workplace


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A workplace in which the whole chain has run; not to be changed."""
    place = Workplace(tmp_path_factory.mktemp("micro") / "repo")
    place.jobs = place.build()  # type: ignore[attr-defined]
    return place


@pytest.fixture
def copied(built: Workplace, tmp_path: Path) -> Iterator[Callable[[], Workplace]]:
    """Makes copies of the built workplace, to be changed at will."""
    made: list[Workplace] = []

    def copy() -> Workplace:
        made.append(Workplace(tmp_path / f"copy-{len(made)}", built.folder))
        return made[-1]

    yield copy
    for place in made:
        shutil.rmtree(place.folder)
