"""Snakemake's records of what made each output, kept beside the results, so that they travel with them.

Snakemake keeps them in .snakemake/metadata alone. With results that are copied without that folder it would go by the
times of files, and take for up to date what another configuration or other code has made. So at a run's end its records
are put into results/records.json, each with the hash of its file; before a plan they are given back where they are
missing. An output that has no record, or is not the file that its record is of, gets one that fits no job: it is made
again.
"""

import ast
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rust_expert.common.files import sha256_file, write_text

RECORDS = Path(".snakemake", "metadata")
RESULTS = Path("results")
KEPT = RESULTS / "records.json"
FORMAT = 6
"""Snakemake's version of its records; of another one nothing is given back."""

UNKNOWN = "made by what nobody recorded"
"""The only parameter in the record of an output of unknown origin."""

_LONGEST = 254
"""Snakemake cuts longer names of records into folders."""


class Kept(BaseModel):
    """An output's record, and the file that it is of. Size in bytes, time in nanoseconds: who has both is not read."""

    model_config = ConfigDict(extra="forbid")

    sha256: str
    size: int
    changed: int
    record: dict[str, Any]


def keep(code: Mapping[str, Mapping[str, str]]) -> None:
    """Put the records of all outputs beside the results; at the end of a run.

    `code` has, by the fingerprint of a rule's code, the hash of each file in it; `make why` names the files by it.
    """
    before = read_kept()
    found: dict[str, Kept] = {}
    for name, place in _recorded():
        path = Path(name)
        if not path.is_file() or RESULTS not in path.parents:
            continue
        record = _read(place)
        if record is None or record.get("params") == [UNKNOWN]:
            continue
        known = before.get(name)
        stat = path.stat()
        same = known is not None and (known.size, known.changed) == (stat.st_size, stat.st_mtime_ns)
        digest = known.sha256 if known is not None and same else sha256_file(path)
        found[name] = Kept(sha256=digest, size=stat.st_size, changed=stat.st_mtime_ns, record=record)
    texts = (text for each in found.values() for text in each.record.get("params", []))
    values = (_value(text) for text in texts if len(text) < 20)
    named = {value for value in values if isinstance(value, str)}
    told = {
        "code": {mark: parts for mark, parts in {**read_code(), **code}.items() if mark in named},
        "outputs": {name: each.model_dump(mode="json") for name, each in sorted(found.items())},
    }
    write_text(KEPT, json.dumps(told, sort_keys=True, indent=0) + "\n")


def give_back(is_output: Callable[[str], bool]) -> list[str]:
    """Put back the records that are missing; before a plan. Returns the outputs of unknown origin, to be made again.

    `is_output` tells whether some rule makes a file.
    """
    kept = read_kept()
    last = KEPT.stat().st_mtime if kept else 0.0
    unknown: list[str] = []
    for path in sorted(RESULTS.rglob("*")):
        name = path.as_posix()
        if not path.is_file() or not is_output(name):
            continue
        place = RECORDS / record_name(name)
        known = kept.get(name)
        recorded = _read(place)
        if recorded is not None and recorded.get("params") == [UNKNOWN]:
            recorded = None
        made_here = recorded is not None and recorded.get("endtime") == path.stat().st_mtime
        if recorded is not None and (known is None or (made_here and recorded["endtime"] > last)):
            continue  # made since records were last kept
        if known is not None and _is(path, known):
            if recorded != known.record:  # none, or that of what lay here before
                _write(place, known.record)
            continue
        if made_here:
            continue
        _write(place, {"record_format_version": FORMAT, "params": [UNKNOWN]})
        unknown.append(name)
    return unknown


def read_kept() -> dict[str, Kept]:
    """The records beside the results, by output; none where there are none or they are of another version."""
    told = _read(KEPT) or {}
    try:
        found = {name: Kept.model_validate(each) for name, each in told.get("outputs", {}).items()}
    except (ValidationError, AttributeError):
        return {}
    return {name: each for name, each in found.items() if each.record.get("record_format_version") == FORMAT}


def read_code() -> dict[str, dict[str, str]]:
    """The hash of each file behind the fingerprints of code in the records."""
    return dict((_read(KEPT) or {}).get("code", {}))


def made_here() -> dict[str, dict[str, Any]]:
    """Snakemake's own records of this working folder, by output; parameters as the values that they were."""
    found: dict[str, dict[str, Any]] = {}
    for name, place in _recorded():
        record = _read(place)
        if record is not None and record.get("rule"):
            found[name] = {**record, "params": [_value(text) for text in record.get("params", [])]}
    return found


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def record_name(output: str) -> str:
    """The path of an output's record below Snakemake's folder of records, as Snakemake 9 names it."""
    name = urlsafe_b64encode(output.encode()).decode()
    pieces = [name[start : start + _LONGEST] for start in range(0, len(name), _LONGEST)]
    return "/".join([*(f"@{piece}" for piece in pieces[:-1]), pieces[-1]])


def _recorded() -> Iterator[tuple[str, Path]]:
    for place in sorted(RECORDS.rglob("*")):
        if place.is_file():
            words = [part.removeprefix("@") for part in place.relative_to(RECORDS).parts]
            try:
                yield urlsafe_b64decode("".join(words)).decode(), place
            except ValueError:  # no record of Snakemake's
                continue


def _is(path: Path, known: Kept) -> bool:
    stat = path.stat()
    if (stat.st_size, stat.st_mtime_ns) == (known.size, known.changed):
        return True
    return stat.st_size == known.size and sha256_file(path) == known.sha256


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(place: Path, record: Mapping[str, Any]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_text(place, json.dumps(record))
