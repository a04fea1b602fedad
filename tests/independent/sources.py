"""The crates' sources by ways of its own: cargo's archives, unpacked here; what they need by `cargo vendor`."""

import hashlib
import os
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

Crate = tuple[str, str]


def table(path: Path) -> dict[Crate, tuple[str, str]]:
    """Checksum and licence of each crate of a table, by name and version."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {
        (name, version): (sha, licence)
        for name, version, sha, licence in (row.split("\t") for row in lines[1:])
    }


def unpacked(crate: Crate, sha256: str, folder: Path) -> Path:
    """The crate's files, from the archive in cargo's cache, whose checksum is compared."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for archive in home.glob(f"registry/cache/*/{crate[0]}-{crate[1]}.crate"):
        if hashlib.sha256(archive.read_bytes()).hexdigest() == sha256:
            with tarfile.open(archive) as pack:
                pack.extractall(folder, filter="data")
            return folder / f"{crate[0]}-{crate[1]}"
    raise SystemExit(f"{crate[0]} {crate[1]}: its archive is not in cargo's cache; fetch it first")


def vendored(crates: Iterable[Crate], lock: Path, folder: Path) -> Path:
    """What the crates need, in a folder that cargo takes for the registry."""
    stub = folder / "stub"
    (stub / "src").mkdir(parents=True)
    (stub / "src/lib.rs").touch()
    needs = "".join(f'{name} = "={version}"\n' for name, version in sorted(crates))
    head = '[package]\nname = "rust-expert-stub"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n'
    (stub / "Cargo.toml").write_text(head + needs)
    (stub / "Cargo.lock").write_bytes(lock.read_bytes())
    subprocess.run(
        ["cargo", "vendor", "--quiet", "--versioned-dirs", "--respect-source-config", "../vendor"],
        cwd=stub, check=True, capture_output=True,
    )  # fmt: skip
    for path in [folder / "vendor", *(folder / "vendor").rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    return folder / "vendor"
