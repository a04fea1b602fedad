"""Crates made here, as `cargo vendor` lays them out, with the table that pins them: tests of suites need no network."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_CHECKSUM = "0" * 64


def table_of(folder: Path, crates: Mapping[str, Mapping[str, str]], direct: tuple[str, ...]) -> Path:
    """Write a table of crates, all in version 1.0.0: the files of each by their names. `direct` are what suites may
    name; each of these needs all the others."""
    folder.mkdir(parents=True)
    needed = "".join(f'{name} = "=1.0.0"\n' for name in direct)
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "suite-crates"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
        f"[dependencies]\n{needed}"
    )
    inner = [name for name in crates if name not in direct]
    parts = [_locked("suite-crates", "0.0.0", list(direct))]
    parts += [_locked(name, "1.0.0", inner if name in direct else [], _CHECKSUM) for name in sorted(crates)]
    (folder / "Cargo.lock").write_text("version = 4\n\n" + "\n".join(sorted(parts)))
    for name, files in crates.items():
        place = folder / "vendored" / name
        build = 'build = "build.rs"\n' if "build.rs" in files else ""
        needs = "".join(f'{other} = "1"\n' for other in inner) if name in direct else ""
        manifest = (
            f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n{build}[dependencies]\n{needs}'
        )
        for path, text in {"Cargo.toml": manifest, **files}.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text)
        (place / ".cargo-checksum.json").write_text(json.dumps({"files": {}, "package": _CHECKSUM}))
    return folder


@contextmanager
def sources(table: Path) -> Iterator[Path]:
    """What rust_expert.crates.vendor.vendored gives for a real table."""
    yield table / "vendored"


def _locked(name: str, version: str, needs: list[str], checksum: str = "") -> str:
    lines = ["[[package]]", f'name = "{name}"', f'version = "{version}"']
    if checksum:
        lines.append('source = "registry+https://github.com/rust-lang/crates.io-index"')
        lines.append(f'checksum = "{checksum}"')
    if needs:
        lines.append("dependencies = [" + ", ".join(f'"{each}"' for each in sorted(needs)) + "]")
    return "\n".join(lines) + "\n"
