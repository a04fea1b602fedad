"""Reading a release: its manifest, and what was changed in it since it was made."""

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json
from rust_expert.common.tables import fault_of
from rust_expert.release.contents import MANIFEST, SCHEMA, Release
from rust_expert.release.packing import FOLDER, record_of


@dataclass(frozen=True)
class Change:
    """A file, or a line of it (from 1), that is not what was released. `line` is None where it is the file."""

    file: str
    line: int | None
    what: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.what}"


def unpacked(release: Path, folder: Path) -> Path:
    """The folder of a release: itself, or, for an archive, `folder`, which is made anew.

    Raises UserError where it is missing or is no release.
    """
    if release.is_dir():
        return release
    if not release.is_file():
        raise UserError(f"{release}: no such release; make one with `make release`, or give its place")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with tarfile.open(release, "r:gz") as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"{release}: not the archive of a release ({error}); fetch it again") from None
    return folder / FOLDER


def read_release(folder: Path) -> Release:
    """The manifest of the release in a folder.

    Raises UserError where it is missing or made by another version.
    """
    told = read_json(folder / MANIFEST)
    version = told.get("schema") if isinstance(told, dict) else None
    if version != SCHEMA:
        raise UserError(f"{folder / MANIFEST}: of schema {version}, this version reads {SCHEMA}")
    try:
        return Release.model_validate(told)
    except ValidationError as error:
        raise UserError(f"{folder / MANIFEST}: not a release ({fault_of(error)}); fetch it again") from None


def changes(folder: Path, release: Release) -> list[Change]:
    """What is not as it was released, by name and line; a file that was added is told too.

    Raises UserError where a file is missing.
    """
    found: list[Change] = []
    for name, record in sorted(release.files.items()):
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path}: is missing from the release; fetch it again")
        now = record_of(name, path.read_bytes())
        if now.sha256 != record.sha256:
            found += _changed_lines(name, record.rows, now.rows) or [
                Change(name, None, "was changed after the release")
            ]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    found += [
        Change(name, None, "is no file of the release") for name in sorted(there - {*release.files, MANIFEST})
    ]
    return found


def _changed_lines(name: str, before: list[str] | None, now: list[str] | None) -> list[Change]:
    if before is None or now is None:
        return []
    if len(before) != len(now):
        return [Change(name, None, f"has {len(now)} lines, {len(before)} were released")]
    return [
        Change(name, number, "was changed after the release")
        for number, (one, other) in enumerate(zip(before, now, strict=True), start=1)
        if one != other
    ]
