"""One shard of the corpus: its crates fetched, verified, unpacked into the cache; a crate that fails is recorded."""

import json
import logging
from pathlib import Path

from rust_expert.common import cache
from rust_expert.common.config.corpus import FetchOptions
from rust_expert.common.errors import NetworkError, UserError
from rust_expert.common.progress import Progress
from rust_expert.common.seeds import shard_of
from rust_expert.crates import folder
from rust_expert.crates.archive import ArchiveFault, unpack
from rust_expert.crates.cargo import ChecksumFault, NotInRegistry, crate_file
from rust_expert.crates.licences import normal_form
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.package import Package, PackageFault, read_package
from rust_expert.crates.table import CratePin, line_of, read_table

log = logging.getLogger(__name__)


def shard_rows(options: FetchOptions, shard: int) -> str:
    """What one shard is made of, as JSON: rows of the table, or the crates of the folder with their content's hashes.

    As a rule's parameter (`scripts.fetch --rows`) it makes a changed, new or deleted crate rebuild its own shard and no
    other. Raises UserError where the table or the folder cannot be used.
    """
    if options.source == "path":
        crates = folder.crates_in(options.path or "")
        return json.dumps([list(row) for row in crates if shard_of(row[0], options.shards) == shard])
    pins = sorted(pins_of(options.table, shard, options.shards), key=lambda pin: pin.name)
    return json.dumps([[pin.name, pin.version, pin.sha256, pin.licence] for pin in pins])


def pins_of(table: str, shard: int, shards: int) -> list[CratePin]:
    """The pins of a table that belong to one shard."""
    return [pin for pin in read_table(table) if shard_of(pin.name, shards) == shard]


def fetch_pins(pins: list[CratePin], table: str) -> list[CrateSource]:
    """Fetch what the cache does not hold yet; `table` is named where a pin is at fault.

    Raises UserError where a checksum or licence is not what the table says, NetworkError where the registry cannot be
    reached; what is in the cache stays there either way.
    """
    made: list[CrateSource] = []
    with Progress(len(pins), "crates") as progress:
        for pin in pins:
            try:
                made.append(_one(pin, table))
            except NetworkError as error:
                cached = sum(cache.is_whole(cache.entry(pin.name, pin.version, pin.sha256)) for pin in pins)
                raise NetworkError(f"{error} ({cached} of {len(pins)} here)") from None
            if made[-1].status == "failed":
                log.warning("%s %s left out: %s", pin.name, pin.version, made[-1].reason)
            progress.advance()
    return made


def fetch_folder(path: str, names: list[str]) -> list[CrateSource]:
    """Take crates from a folder; `names` are its subfolders."""
    made = [folder.take(Path(path), name) for name in names]
    for crate in made:
        if crate.status == "failed":
            log.warning("%s left out: %s", crate.name, crate.reason)
    return made


def package_of(pin: CratePin) -> Package:
    """Bring a crate's sources into the cache, where they are not there yet, and read its Cargo.toml.

    Raises what crate_file raises, and ArchiveFault or PackageFault for a crate that cannot be used.
    """
    place = cache.entry(pin.name, pin.version, pin.sha256)
    if not cache.is_whole(place):
        archive = crate_file(pin)
        cache.keep(place, lambda target: unpack(archive, f"{pin.name}-{pin.version}", target))
    package = read_package(cache.cache_folder() / place)
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
