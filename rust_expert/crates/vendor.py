"""The sources of all that a Cargo.lock names, in one folder, by the cargo client alone.

cargo checks each archive against the checksum in the lock. Nothing is built or run.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rust_expert.common.errors import NetworkError, UserError
from rust_expert.crates.cargo import cause_of, is_network_fault, run_cargo

_TELLING = ("no matching package", "failed to select a version")


@contextmanager
def vendored(package: Path) -> Iterator[Path]:
    """A folder, gone at the end, with a subfolder for each package in `package`/Cargo.lock as `cargo vendor` lays it
    out; only `package`/Cargo.toml and the lock are read. Without network what cargo has fetched before is enough.

    Raises NetworkError where the registry cannot be reached, UserError naming the file where manifest, lock and
    registry do not agree.
    """
    with tempfile.TemporaryDirectory(prefix="rust-expert-vendor-") as name:
        stub, sources = Path(name, "stub"), Path(name, "sources")
        stub.mkdir()
        for file in ("Cargo.toml", "Cargo.lock"):
            (stub / file).write_bytes((package / file).read_bytes())
        (stub / "lib.rs").touch()
        # Without its last flag, cargo would ask the public registry even where the user has a mirror.
        words = ["vendor", "--quiet", "--color", "never", "--locked", "--versioned-dirs", str(sources)]
        words += ["--respect-source-config"]
        if run_cargo(["--offline", *words], stub, "the crates"):
            told = run_cargo(words, stub, "the crates")
            if told:
                raise _fault(told, package)
        sources.mkdir(exist_ok=True)  # cargo makes none for a lock without packages
        _open_up(sources)
        yield sources


def _fault(told: str, package: Path) -> UserError:
    lock = package / "Cargo.lock"
    if "checksum" in told:
        return UserError(
            f"{lock}: what the registry has is not what a checksum there says ({cause_of(told)}); find out why before "
            "you change the lock"
        )
    if "--locked" in told:
        return UserError(
            f"{lock}: it does not fit Cargo.toml beside it; run `cargo generate-lockfile --manifest-path "
            f"{package / 'Cargo.toml'}`"
        )
    if is_network_fault(told):
        return NetworkError(
            f"the crate registry cannot be reached ({cause_of(told)}); connect to the network and start again"
        )
    telling = [line.strip() for line in told.splitlines() if line.strip().startswith(_TELLING)]
    reason = telling[0] if telling else cause_of(told)
    return UserError(f"{package / 'Cargo.toml'}: cargo could not fetch the crates ({reason})")


def _open_up(folder: Path) -> None:
    """Let another user read it, whatever the umask: in the sandbox one does."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
