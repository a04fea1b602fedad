"""Changes to a checkout whose chain is built, and what each makes run again: the table of test_changes.py."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workflow.workplace import Workplace

Jobs = Mapping[str, int]
Edit = Callable[[Workplace], dict[str, Any] | None]
"""Changes files; returns keys that are laid over the configuration, if any."""

TOLD: Jobs = {"provenance": 1, "report": 1, "publish": 1}
SUMMED: Jobs = {"summarize": 1, **TOLD}
SCORED: Jobs = {"score": 4, **SUMMED}
JUDGED: Jobs = {"judge": 5, "rsft_select": 1, "train_rsft": 1, "sample": 1, **SCORED}
SAMPLED: Jobs = {**JUDGED, "sample": 5}
LAST: Jobs = {"train_rsft": 1, "sample": 1, "judge": 1, "score": 1, **SUMMED}
TRAINED: Jobs = {**SAMPLED, "train_sft": 2, "sample": 4, "judge": 4, "score": 3}
"""An adapter of each stage, and all that comes of them; the base and its figures stay."""
FROM_PHASE2: Jobs = {**TRAINED, "train_sft": 1, "sample": 3, "judge": 3, "score": 2}
FROM_BASE: Jobs = {**SAMPLED, "train_sft": 2, "base": 1}
MIXED: Jobs = {"mix": 3, "card": 3, "rsft_prompts": 1, **FROM_BASE}
CLEANED: Jobs = {"clean": 1, **MIXED}
WRITTEN: Jobs = {"tasks": 2, **CLEANED}
BUILT: Jobs = {"builds": 2, **WRITTEN}
ITEMS: Jobs = {"items": 2, **BUILT}
FETCHED: Jobs = {"fetch": 2, **ITEMS}
DRILLED: Jobs = {"curriculum": 2, "curriculum_suite": 1, **CLEANED}
ONE_SHARD: Jobs = {**FETCHED, "fetch": 1, "items": 1, "builds": 1, "tasks": 1}
ALL: Jobs = {**FETCHED, **DRILLED}


@dataclass(frozen=True)
class Change:
    """One change; `jobs` is exactly what runs again; `why` are words that `make why` says of it.

    `environment` and `words` are the run's own.
    """

    name: str
    edit: Edit
    jobs: Jobs
    why: str = ""
    environment: Callable[[Workplace], Mapping[str, str]] = field(default=lambda place: {})
    words: tuple[str, ...] = ()


def key(path: str, value: Any) -> Edit:
    """A key of the configuration, set to something else."""
    keys: Any = value
    for name in reversed(path.split(".")):
        keys = {name: keys}
    return lambda place: dict(keys)


def line(*names: str) -> Edit:
    """A line of code at the end of a file of the library."""
    return _appended("\nREMARK = 1\n", *names)


def comment(*names: str) -> Edit:
    return _appended("\n# a remark\n", *names)


def pin(name: str) -> Edit:
    """One more package in the lock of an environment."""
    return _appended("one-more-package==1.0\n", f"envs/{name}.lock")


def _appended(text: str, *names: str) -> Edit:
    def edit(place: Workplace) -> None:
        for name in names:
            place.append(name, text)

    return edit


def said(name: str, before: str, after: str) -> Edit:
    """Words of a file, replaced."""

    def edit(place: Workplace) -> None:
        path = place.folder / name
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")

    return edit


def _crates(place: Workplace) -> list[Path]:
    found = sorted((place.folder / "tests/fixtures/crates").iterdir())
    return [path for path in found if (path / "src/lib.rs").is_file()]


def crate_added(place: Workplace) -> None:
    source = _crates(place)[0]
    shutil.copytree(source, source.parent / "one_more")
    said("tests/fixtures/crates/one_more/Cargo.toml", f'name = "{source.name}"', 'name = "one_more"')(place)


def crate_removed(place: Workplace) -> None:
    shutil.rmtree(_crates(place)[0])


def gone(name: str) -> Edit:
    return lambda place: (place.folder / name).unlink()


def nothing(place: Workplace) -> None:
    return None


def everything_touched(place: Workplace) -> None:
    for path in place.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            path.touch()


def checked_out_to_and_fro(place: Workplace) -> None:
    """All sources are written anew, as a checkout of another commit and back does."""
    for folder in ("rust_expert", "scripts", "rules", "envs", "config", "suites"):
        for path in (place.folder / folder).rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                path.unlink()
                path.write_bytes(data)


def another_rustc(place: Workplace) -> Mapping[str, str]:
    """A PATH whose rustc says another version."""
    tools = place.folder / "tools_of_the_test"
    tools.mkdir()
    program = tools / "rustc"
    real = shutil.which("rustc")
    program.write_text(
        f"#!/bin/sh\n'{real}' \"$@\" | sed 's/^rustc 1[.][0-9]*/rustc 1.999/'\n", encoding="utf-8"
    )
    program.chmod(0o755)
    path = place.environment()["PATH"]
    return {"PATH": f"{tools}{os.pathsep}{path}"}
