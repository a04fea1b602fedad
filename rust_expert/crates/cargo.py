"""Getting one .crate file out of cargo's registry, with the cargo client alone.

`cargo info NAME@VERSION` downloads just that crate (0.1 s), not what it depends on, and so there is nothing to resolve
and no conflict between versions. It does not see yanked versions; for those a stub package with a lock that names the
version and its checksum makes `cargo fetch` take it all the same, as it does for everybody's old Cargo.lock.
Nothing of a crate is built or run. cargo uses the user's own configuration (mirrors, proxies).
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from rust_expert.common.errors import NetworkError, UserError
from rust_expert.common.files import sha256_file
from rust_expert.common.toolchain import require_tool
from rust_expert.crates.table import CratePin

ATTEMPTS = "2"
"""How often cargo tries again; each try costs seconds where there is no network."""
PUBLIC_REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
"""What every Cargo.lock calls the public registry, whatever mirror serves it: a name, not where cargo connects."""
PATIENCE = 600.0
"""Seconds for one call of cargo."""

_NETWORK = (
    "could not resolve", "couldn't resolve", "could not connect", "couldn't connect", "failed to connect",
    "spurious network error", "download of config.json failed", "timed out", "timeout was reached",
    "failed to download from", "ssl", "network is unreachable", "failed to receive", "recv failure", "got 5",
    "attempting to make an http request, but --offline", "you're in the `--offline` mode",
)  # fmt: skip

_REFUSED = re.compile(r"got 4(?!29|08)\d\d")


class NotInRegistry(Exception):
    """The registry does not have that crate or version: recorded, the run goes on."""


class ChecksumFault(Exception):
    """What the registry has is not what the table pins."""


def crate_file(pin: CratePin) -> Path:
    """The .crate file of a pin, in cargo's own cache, its SHA-256 checked; fetched where it is not there yet.

    Raises ChecksumFault where the bytes are others than the pin says, NotInRegistry where there is no such version,
    NetworkError where the registry cannot be reached, UserError where cargo itself does not work.
    """
    found = _in_cargo_cache(pin)
    if found is not None:
        return found
    # Named, the registry is also found where the user's configuration replaces it by a mirror.
    info = ["info", "--quiet", "--color", "never", "--registry", "crates-io", f"{pin.name}@{pin.version}"]
    told = _cargo(info, pin)
    if not _cached(pin) and not is_network_fault(told):
        told = _cargo(["fetch", "--quiet", "--color", "never"], pin)
    found = _in_cargo_cache(pin)
    if found is not None:
        return found
    others = _cached(pin)
    if others or "checksum" in told:
        has = sha256_file(others[0]) if others else "another checksum"
        raise ChecksumFault(f"what cargo fetched has {has}")
    if _is_unknown(told) or _REFUSED.search(told):
        raise NotInRegistry(f"the registry has no version {pin.version} of it")
    if is_network_fault(told):
        raise NetworkError(
            f"the crate registry cannot be reached ({cause_of(told)}); connect to the network and start again, "
            "what is fetched already stays"
        )
    errors = [line for line in told.splitlines() if line.startswith("error")]
    raise UserError(
        f"cargo could not fetch {pin.name} {pin.version} ({(errors or ['it kept no .crate file'])[0]}); "
        "mend cargo's configuration and start again"
    )


def is_network_fault(told: str) -> bool:
    """Whether what cargo said is about the network, and not about what it asked for."""
    return _REFUSED.search(told) is None and any(sign in told.lower() for sign in _NETWORK)


def _is_unknown(told: str) -> bool:
    signs = ("could not find", "failed to select a version", "no matching package", "failed to parse")
    return any(sign in told for sign in signs)


def cause_of(told: str) -> str:
    """The innermost reason that cargo gives."""
    lines = [line.strip() for line in told.splitlines() if line.strip() and "Caused by" not in line]
    return lines[-1][:160] if lines else "no message"


def _cargo_home() -> Path:
    named = os.environ.get("CARGO_HOME")
    return Path(named) if named else Path.home() / ".cargo"


def _cached(pin: CratePin) -> list[Path]:
    return sorted(_cargo_home().glob(f"registry/cache/*/{pin.name}-{pin.version}.crate"))


def _in_cargo_cache(pin: CratePin) -> Path | None:
    return next((path for path in _cached(pin) if sha256_file(path) == pin.sha256), None)


def _cargo(words: list[str], pin: CratePin) -> str:
    """Run cargo in a stub package that depends on the pin alone; returns what it said on stderr."""
    with tempfile.TemporaryDirectory(prefix="rust-expert-stub-") as name:
        # `info` must not see the stub, or cargo would resolve all that the crate depends on.
        stub, empty = Path(name, "stub"), Path(name, "empty")
        _write_stub(stub, pin)
        empty.mkdir()
        return run_cargo(words, empty if words[0] == "info" else stub, pin.name)


def run_cargo(words: list[str], folder: Path, what: str) -> str:
    """Run cargo in a folder outside the checkout, whose toolchain it uses all the same; returns what it said on stderr
    where it failed, "" where it did not. `what` is what it fetches.

    Raises NetworkError where it takes too long, UserError where cargo is missing.
    """
    failed, said = cargo_says(words, folder, what)
    return said or "cargo failed and said nothing" if failed else ""


def cargo_says(words: list[str], folder: Path, what: str) -> tuple[bool, str]:
    """Run cargo as `run_cargo` does; returns whether it failed, and what it said on stderr."""
    program = require_tool("cargo", "install Rust, as `make doctor` says")
    (folder / "rust-toolchain.toml").write_text('[toolchain]\nchannel = "stable"\n', encoding="utf-8")
    environment = {"CARGO_NET_RETRY": ATTEMPTS} | os.environ | {"CARGO_TERM_PROGRESS_WHEN": "never"}
    try:
        done = subprocess.run(
            [program, *words], cwd=folder, env=environment, capture_output=True, text=True, errors="replace",
            timeout=PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NetworkError(
            f"the crate registry did not deliver {what} within {PATIENCE:.0f} s; start again later"
        ) from None
    return done.returncode != 0, done.stderr


def _write_stub(folder: Path, pin: CratePin) -> None:
    """A package that depends on the pin alone, with a lock that states its checksum."""
    folder.mkdir()
    (folder / "lib.rs").touch()
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "rust-expert-stub"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
        f'[dependencies]\n{pin.name} = {{ version = "={pin.version}", default-features = false }}\n',
        encoding="utf-8",
    )
    (folder / "Cargo.lock").write_text(
        f'version = 4\n\n[[package]]\nname = "rust-expert-stub"\nversion = "0.0.0"\ndependencies = ["{pin.name}"]\n\n'
        f'[[package]]\nname = "{pin.name}"\nversion = "{pin.version}"\nsource = "{PUBLIC_REGISTRY}"\n'
        f'checksum = "{pin.sha256}"\n',
        encoding="utf-8",
    )


def has_archive(pin: CratePin) -> bool:
    """Whether cargo's own cache holds the archive that a pin names, its SHA-256 checked."""
    return _in_cargo_cache(pin) is not None
