"""The sources that a crate needs to be built, in the cache: fetched once, so that building itself asks no network."""

import json
import logging
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from rust_expert.common import cache
from rust_expert.common.errors import NetworkError
from rust_expert.crates.archive import ArchiveFault, unpack
from rust_expert.crates.cargo import ChecksumFault, NotInRegistry, crate_file, run_cargo
from rust_expert.crates.table import CratePin

log = logging.getLogger(__name__)

CHECKSUM_FILE = ".cargo-checksum.json"
"""What cargo wants to find in a folder that stands for a package of the registry."""


def place_of(pin: CratePin) -> str:
    """Where the sources of a pin lie, relative to the cache folder."""
    return cache.entry(pin.name, pin.version, pin.sha256)


def keep_source(pin: CratePin) -> None:
    """Have the sources of a pin in the cache, as a folder that cargo takes for the package.

    Raises ChecksumFault, NotInRegistry, NetworkError and UserError as `crate_file` does, ArchiveFault as `unpack`.
    """
    place = place_of(pin)
    if not cache.is_whole(place):
        archive = crate_file(pin)
        cache.keep(place, lambda target: _fill(pin, archive, target))


def _fill(pin: CratePin, archive: Path, target: Path) -> None:
    unpack(archive, f"{pin.name}-{pin.version}", target)
    note = target / CHECKSUM_FILE
    if note.is_dir():
        raise ArchiveFault(f"its archive holds a folder {CHECKSUM_FILE}")
    note.unlink(missing_ok=True)
    note.write_text(json.dumps({"files": {}, "package": pin.sha256}), encoding="utf-8")
    open_up(target)


def open_up(folder: Path) -> None:
    """Let another user read it, whatever the umask: in the sandbox one does."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def keep_needs(needs: Iterable[CratePin], roots: Sequence[CratePin], lock: str) -> dict[tuple[str, str], str]:
    """Have all of `needs` in the cache; returns why one is not, by name and version.

    `lock` is the text of the Cargo.lock that they come from, `roots` the crates of it that need them: cargo downloads
    what is missing side by side. Raises NetworkError and UserError.
    """
    missing = [pin for pin in needs if not cache.is_whole(place_of(pin))]
    if missing and roots:
        log.info("%d packages that crates need are to be fetched", len(missing))
        _download(roots, lock)
    faults: dict[tuple[str, str], str] = {}
    for number, pin in enumerate(missing):
        try:
            keep_source(pin)
        except NetworkError as error:
            raise NetworkError(f"{error} ({len(missing) - number} packages are missing)") from None
        except (ChecksumFault, NotInRegistry, ArchiveFault) as fault:
            faults[pin.name, pin.version] = str(fault)
    return faults


def _download(roots: Sequence[CratePin], lock: str) -> None:
    """Let cargo fill its own cache; what it cannot get is told one by one afterwards."""
    with tempfile.TemporaryDirectory(prefix="rust-expert-needs-") as name:
        stub = Path(name)
        (stub / "lib.rs").touch()
        (stub / "Cargo.toml").write_text(stub_manifest(roots), encoding="utf-8")
        (stub / "Cargo.lock").write_text(lock, encoding="utf-8")
        told = run_cargo(["fetch", "--quiet", "--color", "never"], stub, "the packages that crates need")
        if told:
            log.debug("cargo fetch: %s", told)


def stub_manifest(roots: Iterable[CratePin]) -> str:
    """The manifest of a package that depends on exactly these crates; a table's lock is made from it."""
    lines = [f'{pin.name} = "={pin.version}"\n' for pin in sorted(roots, key=lambda pin: pin.name)]
    return (
        '[package]\nname = "rust-expert-stub"\nversion = "0.0.0"\nedition = "2024"\n[lib]\npath = "lib.rs"\n'
        "[dependencies]\n" + "".join(lines)
    )
