"""One shard of the corpus: its crates fetched, verified, unpacked into the cache; a crate that fails is recorded."""

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rust_expert.common import cache
from rust_expert.common.config.corpus import FetchOptions
from rust_expert.common.errors import NetworkError, UserError
from rust_expert.common.files import sha256_json
from rust_expert.common.progress import Progress
from rust_expert.common.seeds import shard_of, stable_hash
from rust_expert.crates import folder
from rust_expert.crates.advisories import advisories_in, told_of
from rust_expert.crates.archive import ArchiveFault
from rust_expert.crates.cargo import ChecksumFault, NotInRegistry
from rust_expert.crates.freshness import newest_beside, outdated_share, read_newest
from rust_expert.crates.licences import normal_form
from rust_expert.crates.lockfile import Lock, LockFault, lock_beside, parse_lock, read_lock
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.needs import keep_needs, keep_source, place_of
from rust_expert.crates.package import Package, PackageFault, read_package
from rust_expert.crates.table import CratePin, line_of, read_table

log = logging.getLogger(__name__)

Dealt = TypeVar("Dealt")
"""What is dealt out to shards: pins, or crates of a folder."""


def rows_by_shard(options: FetchOptions) -> list[str]:
    """What each shard is made of, as JSON: rows of the table, or the crates of the folder with their content's hashes.

    As a rule's parameter (`scripts.fetch --rows`) it makes a changed, new or deleted crate rebuild its own shard and no
    other. Raises UserError where the table or the folder cannot be used.
    """
    if options.source == "path":
        crates = folder.crates_in(options.path or "")
        dealt = _dealt(crates, [name for name, _ in crates], options.shards)
        return [json.dumps([list(row) for row in rows]) for rows in dealt]
    return [
        json.dumps([[pin.name, pin.version, pin.sha256, pin.licence] for pin in pins])
        for pins in pins_by_shard(options)
    ]


def needs_by_shard(options: FetchOptions) -> list[str]:
    """For each shard a hash over what its crates need to be built, as the lock beside the table says, and how much of
    it is out of date.

    As a rule's parameter it makes a changed lock rebuild the shards that it concerns. A folder's crates have locks of
    their own. Raises UserError where the table has none.
    """
    if options.source == "path":
        root = Path(options.path or "")
        names = [name for name, _ in folder.crates_in(root)]
        return [
            sha256_json([[name, folder.lock_text(root / name)] for name in shard])
            for shard in _dealt(names, names, options.shards)
        ]
    lock, newest = read_lock(lock_beside(options.table)), read_newest(newest_beside(options.table))
    return [sha256_json([_told(pin, lock, newest) for pin in pins]) for pins in pins_by_shard(options)]


def _told(pin: CratePin, lock: Lock, newest: Mapping[str, str]) -> list[object]:
    name, needs, fault = _closure(lock, pin)
    outdated = outdated_share(lock.direct(name, pin.version), newest)
    return [name, [need.sha256 for need in needs], fault, outdated]


def pins_by_shard(options: FetchOptions) -> list[list[CratePin]]:
    """The pins of the table that belong to each shard, by name."""
    pins = read_table(options.table)
    if options.most_crates is not None:  # another crate in the table takes the place of one at most
        pins = sorted(pins, key=lambda pin: stable_hash("chosen", pin.name))[: options.most_crates]
    pins = sorted(pins, key=lambda pin: pin.name)
    return _dealt(pins, [pin.name for pin in pins], options.shards)


def _dealt(things: Sequence[Dealt], names: Sequence[str], shards: int) -> list[list[Dealt]]:
    """Each thing in the shard that its crate's name puts it in."""
    found: list[list[Dealt]] = [[] for _ in range(shards)]
    for thing, name in zip(things, names, strict=True):
        found[shard_of(name, shards)].append(thing)
    return found


def fetch_pins(pins: list[CratePin], table: str) -> list[CrateSource]:
    """Fetch what the cache does not hold yet, and what the crates need to be built; `table` is named where a pin is at
    fault, and beside it lies the lock that says what they need.

    Raises UserError where a checksum or licence is not what the table says, NetworkError where the registry cannot be
    reached; what is in the cache stays there either way.
    """
    made: list[CrateSource] = []
    with Progress(len(pins), "crates") as progress:
        for pin in pins:
            try:
                made.append(_one(pin, table))
            except NetworkError as error:
                cached = sum(cache.is_whole(place_of(pin)) for pin in pins)
                raise NetworkError(f"{error} ({cached} of {len(pins)} here)") from None
            if made[-1].status == "failed":
                log.warning("%s %s left out: %s", pin.name, pin.version, made[-1].reason)
            progress.advance()
    return _with_needs(made, pins, lock_beside(table))


def _with_needs(crates: list[CrateSource], pins: list[CratePin], path: Path) -> list[CrateSource]:
    """The crates with what they need, by the lock at `path`, and that in the cache."""
    asking = [
        (crate, pin)
        for crate, pin in zip(crates, pins, strict=True)
        if crate.status == "ok" and read_package(crate.root).needs_others
    ]
    if not asking:
        return crates
    if not path.is_file():
        fault = f"there is no {path.name} that says what it needs"
        noted = {crate.name: crate.model_copy(update={"needs_fault": fault}) for crate, _ in asking}
        return [noted.get(crate.name, crate) for crate in crates]
    lock = read_lock(path)
    closures = {pin.name: _closure(lock, pin) for _, pin in asking}
    needs = {(need.name, need.version): need for _, found, _ in closures.values() for need in found}
    faults = keep_needs(needs.values(), [pin for _, pin in asking], path.read_text(encoding="utf-8"))
    return [
        _noted(crate, *closures[crate.name][1:], faults) if crate.name in closures else crate
        for crate in crates
    ]


def _closure(lock: Lock, pin: CratePin) -> tuple[str, list[CratePin], str]:
    """A crate's name, what it needs, and why that is not known."""
    try:
        return pin.name, lock.closure(pin.name, pin.version), ""
    except LockFault as fault:
        return pin.name, [], str(fault)


def _noted(
    crate: CrateSource, needs: list[CratePin], fault: str, faults: Mapping[tuple[str, str], str]
) -> CrateSource:
    """The crate with what it needs, or why that cannot be had."""
    for need in needs:
        if (need.name, need.version) in faults:
            fault = fault or f"it needs {need.name} {need.version}: {faults[need.name, need.version]}"
    listed = [] if fault else [(need.name, need.version, need.sha256) for need in needs]
    return crate.model_copy(update={"needs": listed, "needs_fault": fault})


def with_freshness(crates: Sequence[CrateSource], options: FetchOptions) -> list[CrateSource]:
    """The crates of the table, with the share of their dependencies that is out of date and the vulnerabilities known.

    Raises UserError where the newest versions, the database or cargo-audit cannot be used.
    """
    path, newest = lock_beside(options.table), read_newest(newest_beside(options.table))
    if not path.is_file() and options.advisories is None:
        return list(crates)
    lock = read_lock(path)  # asked for advisories, nothing is let through unseen
    found = advisories_in(path, options.advisories) if options.advisories is not None else {}
    return [
        crate.model_copy(
            update={
                "outdated": outdated_share(lock.direct(crate.name, crate.version), newest),
                "advisories": told_of(_with_its_needs(crate), found),
            }
        )
        if crate.status == "ok"
        else crate
        for crate in crates
    ]


def _with_its_needs(crate: CrateSource) -> list[tuple[str, str]]:
    return [(crate.name, crate.version), *((name, version) for name, version, _ in crate.needs)]


def fetch_folder(path: str, names: list[str], advisories: str | None = None) -> list[CrateSource]:
    """Take crates from a folder; `names` are its subfolders, `advisories` a database of them, if any.

    The crates have locks of their own. Raises UserError where the database or cargo-audit cannot be used.
    """
    taken = [(name, folder.take(Path(path), name)) for name in names]
    made = [_built_with(Path(path) / name, crate, advisories) for name, crate in _each_once(taken)]
    for crate in made:
        if crate.status == "failed":
            log.warning("%s left out: %s", crate.name, crate.reason)
    return made


def _each_once(taken: list[tuple[str, CrateSource]]) -> list[tuple[str, CrateSource]]:
    """Crates by their subfolders; of several that are one crate in one version, whose items nobody could tell apart,
    all but one are failed: the one whose folder bears its name, else the first, stays.
    """
    whose: dict[tuple[str, str], str] = {}
    for name, crate in sorted(taken, key=lambda each: each[0] != each[1].name):
        whose.setdefault((crate.name, crate.version), name)
    return [
        (name, crate)
        if crate.status == "failed" or whose[crate.name, crate.version] == name
        else (
            name,
            folder.failed(name, crate.sha256, f"another folder holds {crate.name} {crate.version} too"),
        )
        for name, crate in taken
    ]


def _built_with(place: Path, crate: CrateSource, advisories: str | None) -> CrateSource:
    """A folder's crate with what its own Cargo.lock says that it needs, and what is known of that."""
    if crate.status != "ok" or not read_package(crate.root).needs_others:
        return crate
    text, fault = folder.lock_text(place)
    if fault:
        return crate.model_copy(update={"needs_fault": fault})
    try:
        needs = parse_lock(text).closure(crate.name, crate.version)
    except LockFault as error:
        return crate.model_copy(update={"needs_fault": str(error)})
    if advisories is not None:
        crate = crate.model_copy(update={"advisories": _advisories(crate, needs, text, advisories)})
    return _noted(crate, needs, "", keep_needs(needs, [], text))


def _advisories(crate: CrateSource, needs: Sequence[CratePin], lock: str, database: str) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="rust-expert-lock-") as name:
        path = Path(name) / folder.LOCK
        path.write_text(lock, encoding="utf-8")
        found = advisories_in(path, database)
    return told_of([(crate.name, crate.version), *((need.name, need.version) for need in needs)], found)


def package_of(pin: CratePin) -> Package:
    """Bring a crate's sources into the cache, where they are not there yet, and read its Cargo.toml.

    Raises what crate_file raises, and ArchiveFault or PackageFault for a crate that cannot be used.
    """
    keep_source(pin)
    package = read_package(cache.cache_folder() / place_of(pin))
    if (package.name, package.version) != (pin.name, pin.version):
        raise PackageFault(f"its Cargo.toml says {package.name} {package.version}")
    return package


def _one(pin: CratePin, table: str) -> CrateSource:
    try:
        package = package_of(pin)
        if package.licence and package.licence != normal_form(pin.licence):
            raise UserError(
                f"{_where(table, pin, 'licence')}: {pin.licence!r} is not what {pin.name} {pin.version} states; "
                f"write {package.licence!r}"
            )
    except ChecksumFault as fault:
        raise UserError(
            f"{_where(table, pin, 'sha256')}: {pin.name} {pin.version} is not what this row pins ({fault}); "
            "find out why before you change the row"
        ) from None
    except (NotInRegistry, ArchiveFault, PackageFault) as fault:
        return CrateSource(
            name=pin.name, version=pin.version, sha256=pin.sha256, status="failed", reason=str(fault)
        )
    return CrateSource(
        name=pin.name,
        version=pin.version,
        sha256=pin.sha256,
        license=normal_form(pin.licence),
        edition=package.edition,
    )


def _where(table: str, pin: CratePin, column: str) -> str:
    line = line_of(table, pin.name)
    return f"{table}, line {line}, column {column}" if line else f"the row of {pin.name}, column {column}"
