"""What a set of crates needs: every package that cargo resolves for them, by the cargo client alone.

One manifest names them all and is resolved once, as anybody's is; one `cargo fetch` brings what it takes on this
machine. Nothing is built or run.
"""

import fnmatch
import re
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rust_expert.common.errors import NetworkError, UserError
from rust_expert.crates.cargo import cargo_says, cause_of, has_archive, is_network_fault, run_cargo
from rust_expert.crates.needs import stub_manifest
from rust_expert.crates.table import CratePin

_TELLING = ("no matching package", "failed to select a version")


def resolved(roots: Iterable[str], names: str) -> list[CratePin]:
    """The crates `roots` and what they depend on, in the newest versions that fit together and the Rust at hand.

    Sorted by name, one version of each: the newest in the graph. Checksums are those of cargo's lock, the archives are
    in cargo's cache; the licence is left empty. What only other platforms take is not among them. `names` is the file
    that the roots come from.
    Raises NetworkError where the registry cannot be reached, UserError where cargo finds no solution.
    """
    with tempfile.TemporaryDirectory(prefix="rust-expert-resolve-") as made:
        stub = Path(made)
        (stub / "lib.rs").touch()
        # Edition 2024 brings the resolver that minds the Rust version that a crate asks for.
        (stub / "Cargo.toml").write_text(
            '[package]\nname = "rust-expert-stub"\nversion = "0.0.0"\nedition = "2024"\n[lib]\npath = "lib.rs"\n'
            "[dependencies]\n" + "".join(f'{root} = "*"\n' for root in sorted(set(roots))),
            encoding="utf-8",
        )
        for words in (["generate-lockfile"], ["fetch", "--locked", "--target", "host-tuple"]):
            told = run_cargo([*words, "--quiet", "--color", "never"], stub, "the crates")
            if told:
                raise _fault(names, told)
        pins = _newest_of(tomllib.loads((stub / "Cargo.lock").read_text(encoding="utf-8")))
        return [pin for pin in pins if has_archive(pin)]


def locked(pins: Iterable[CratePin], before: str | None, table: str) -> tuple[str, dict[str, str]]:
    """The text of a Cargo.lock for all of `pins` together, and the newest version of each package by its name.

    What the lock `before` holds stays; None takes the newest that fit together and the Rust at hand. `table` is the
    file that the pins come from. Raises NetworkError where the registry cannot be reached, UserError where cargo
    finds no solution.
    """
    with tempfile.TemporaryDirectory(prefix="rust-expert-lock-") as made:
        stub = Path(made)
        (stub / "lib.rs").touch()
        (stub / "Cargo.toml").write_text(stub_manifest(pins), encoding="utf-8")
        words = ["generate-lockfile"]
        if before is not None:
            (stub / "Cargo.lock").write_text(before, encoding="utf-8")
            words = ["update", "--workspace"]
        told = run_cargo([*words, "--quiet", "--color", "never"], stub, "the crates")
        if told:
            raise _fault(table, told)
        text = (stub / "Cargo.lock").read_text(encoding="utf-8")
        # A lock of its own: of what others hold back cargo tells no newer versions.
        known = tomllib.loads(text)
        (stub / "Cargo.lock").unlink()
        (stub / "Cargo.toml").write_text(_any_versions_of(known), encoding="utf-8")
        failed, said = cargo_says(["generate-lockfile", "--verbose", "--color", "never"], stub, "the crates")
        if failed:
            raise _fault(table, said)
        return text, _newest(known, tomllib.loads((stub / "Cargo.lock").read_text(encoding="utf-8")), said)


def _any_versions_of(lock: dict[str, Any]) -> str:
    """The manifest of a package that depends on all that a lock holds, whatever the version."""
    names = sorted({package["name"] for package in lock["package"] if "checksum" in package})
    return stub_manifest([]) + "".join(
        f'{name} = {{ version = "*", default-features = false }}\n' for name in names
    )


_TOLD = re.compile(r"^ *Adding (\S+) v\S+ \([^)]*\bavailable: v(\S+)\)$", re.MULTILINE)


def _newest(known: dict[str, Any], fresh: dict[str, Any], said: str) -> dict[str, str]:
    """The newest version of each package in the lock `known`: there, in one made anew, or available as cargo said."""
    of_lock = {package["name"] for package in known["package"] if "checksum" in package}
    versions = [(package["name"], package["version"]) for package in known["package"] + fresh["package"]]
    newest: dict[str, str] = {}
    for name, version in [*versions, *_TOLD.findall(said)]:
        if name in of_lock and (name not in newest or _order(version) > _order(newest[name])):
            newest[name] = version
    return dict(sorted(newest.items()))


def kept(pins: list[CratePin], left_out: Iterable[str]) -> list[CratePin]:
    """The pins whose name no pattern of `left_out` (`*-sys`) matches."""
    patterns = list(left_out)
    return [pin for pin in pins if not any(fnmatch.fnmatchcase(pin.name, pattern) for pattern in patterns)]


def _fault(names: str, told: str) -> UserError:
    if is_network_fault(told):
        return NetworkError(
            f"the crate registry cannot be reached ({cause_of(told)}); connect to the network and start again"
        )
    telling = [line.strip() for line in told.splitlines() if any(sign in line for sign in _TELLING)]
    reason = telling[0].removeprefix("error: ") if telling else cause_of(told)
    return UserError(f"{names}: cargo finds no versions that fit together ({reason}); mend the list")


def _newest_of(lock: dict[str, Any]) -> list[CratePin]:
    best: dict[str, CratePin] = {}
    for package in lock["package"]:
        if "checksum" not in package:
            continue  # the stub itself
        pin = CratePin(
            name=package["name"], version=package["version"], sha256=package["checksum"], licence=""
        )
        if pin.name not in best or _order(pin.version) > _order(best[pin.name].version):
            best[pin.name] = pin
    return [best[name] for name in sorted(best)]


def _order(version: str) -> tuple[list[int], bool]:
    """What versions are compared by: the numbers, and a release after its candidates."""
    numbers, _, candidate = version.partition("+")[0].partition("-")
    return [int(number) for number in numbers.split(".")], not candidate
