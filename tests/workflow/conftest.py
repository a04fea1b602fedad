"""The micro profile, built once for all tests of the workflow and both processes that run them."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.workflow.workplace import Workplace


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A workplace in which the whole chain has run; not to be changed.

    The first process that asks builds it; another waits, and takes a copy: no two processes plan in one folder.
    """
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "micro"
    told = shared / "jobs.json"
    with FileLock(f"{shared}.lock"):
        if told.is_file():
            place = Workplace(own / "micro" / "repo", shared / "repo")
        else:
            shutil.rmtree(shared, ignore_errors=True)
            place = Workplace(shared / "repo")
            told.write_text(json.dumps(place.build()), encoding="utf-8")
    place.jobs = json.loads(told.read_text(encoding="utf-8"))
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
