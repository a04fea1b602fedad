"""What a set of crates needs: every package that cargo resolves for them, by the cargo client alone.

One manifest names them all and is resolved once, as anybody's is; one `cargo fetch` brings what it takes on this
machine. Nothing is built or run.
"""

import fnmatch
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rust_expert.common.errors import NetworkError, UserError
from rust_expert.crates.cargo import cause_of, has_archive, is_network_fault, run_cargo
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
