"""Check this machine for everything the workflow needs and print, line by line, what is there and how to mend the rest.

Installs nothing. Exit code 0 where all that is needed is there (a missing GPU or network is only a note), else 2.
"""

import argparse
import functools
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Standard library and tools/ only at this level: the doctor must speak where packages are missing.
from tools import packages, system

ROOT = Path(__file__).resolve().parent.parent
GIGABYTE = 2**30
DISK_TO_WORK = 4 * GIGABYTE
MEMORY_NEEDED = 6 * GIGABYTE


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: `ok`, `note` (nothing to mend) or `FIX`, what was looked at, and what was found."""

    state: str
    what: str
    told: str


def main() -> int:
    """Print every finding; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--offline", action="store_true", help="do not look whether the registry answers")
    parser.add_argument(
        "--configfile",
        nargs="+",
        default=[],
        type=Path,
        metavar="FILE",
        help="profiles to be run: do they need a GPU?",
    )
    arguments = parser.parse_args()
    checks: list[Callable[[], Iterator[Finding]]] = [
        python,
        libraries,
        rust,
        sandbox,
        disk,
        memory,
        functools.partial(gpu, arguments.configfile),
        cache,
    ]
    if not arguments.offline:
        checks.append(registry)
    states: list[str] = []
    for check in checks:
        for finding in check():
            states.append(finding.state)
            print(f"{finding.state:<5} {finding.what:<11} {finding.told}", flush=True)
    faults = states.count("FIX")
    print(
        "everything that is needed is there" if not faults else f"{faults} to mend: see the lines marked FIX"
    )
    return 2 if faults else 0


def python() -> Iterator[Finding]:
    """The interpreter and .venv."""
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        fix = "install one with its venv module (sudo apt-get install python3 python3-venv), then: make setup"
        yield Finding("FIX", "python", f"{version} is not one of 3.11 to 3.13; {fix}")
    elif Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        yield Finding(
            "FIX", "python", f"{version}, but .venv is not there or does not start; run: make setup"
        )
    else:
        yield Finding("ok", "python", f"{version} in .venv")


def libraries() -> Iterator[Finding]:
    """The installed packages against requirements.lock."""
    if Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        return  # said already: there is no .venv
    installed = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    try:
        differences = packages.difference(ROOT / packages.LOCK, installed)
    except (ImportError, OSError) as error:
        yield Finding(
            "FIX", "packages", f"cannot be compared with {packages.LOCK} ({error}); run: make setup"
        )
        return
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        shown = ", ".join(differences[:3])
        yield Finding("FIX", "packages", f"{shown}{more}; run: rm -rf .venv && make setup")
    else:
        yield Finding(
            "ok", "packages", f"as {packages.LOCK} says ({len(packages.locked(ROOT / packages.LOCK))} rows)"
        )


def rust() -> Iterator[Finding]:
    """The toolchain and its linker."""
    missing = {need.what: need for need in system.needs() if "bubblewrap" not in need.what}
    for need in missing.values():
        yield Finding("FIX", "rust", f"{need.what}; run: {need.fix}")
    for name in system.RUST_PROGRAMS:
        code, told = system.output_of(name, "--version")
        if code == 0:
            yield Finding("ok", name, told.splitlines()[0])


def sandbox() -> Iterator[Finding]:
    """bubblewrap, first bare and then as the judge uses it."""
    fault = system.sandbox_fault()
    if fault:
        yield Finding("FIX", "sandbox", fault)
        return
    try:
        from rust_expert.judge.probe import probe

        promises = probe()
    except ImportError as error:
        yield Finding("FIX", "sandbox", f"the judge cannot be loaded ({error}); run: make setup")
        return
    except Exception as error:  # whatever it is, it is what the user must read
        yield Finding("FIX", "sandbox", str(error))
        return
    for promise in promises:
        if not promise.kept:
            yield Finding(
                "FIX", "sandbox", f"does not hold: {promise.text} ({promise.seen}); see docs/judge.md"
            )
    if all(promise.kept for promise in promises):
        version = system.output_of("bwrap", "--version")[1]
        yield Finding(
            "ok", "sandbox", f"{version}, live probe: {len(promises)} of {len(promises)} promises kept"
        )
    yield from firejail()


def firejail() -> Iterator[Finding]:
    """The other backend, which nobody needs: what it keeps here, where it is installed."""
    if shutil.which("firejail") is None:
        return
    from rust_expert.judge.probe import probe

    try:
        promises = probe("firejail")
    except Exception as error:  # it is a matter of choice, so a fault of it is only told
        yield Finding("note", "firejail", f"cannot be used as the judge's sandbox: {error}")
        return
    broken = [promise.text for promise in promises if promise.made and not promise.kept]
    kept = sum(promise.kept for promise in promises)
    told = f"live probe: {kept} of {len(promises)} promises kept"
    yield Finding("note", "firejail", f"{told}; does not hold: {'; '.join(broken)}" if broken else told)


def disk() -> Iterator[Finding]:
    """Free space for results and, before the first set-up, for .venv."""
    needed = DISK_TO_WORK if packages.is_ready(ROOT) else DISK_TO_WORK + packages.DISK_NEEDED
    free = shutil.disk_usage(ROOT).free
    told = f"{free / GIGABYTE:.0f} GB free, {needed / GIGABYTE:.0f} GB needed"
    yield Finding("ok", "disk", told) if free >= needed else Finding("FIX", "disk", f"{told}; free some")


def memory() -> Iterator[Finding]:
    """Memory that is free now."""
    try:
        rows = dict(
            line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        )
        free = int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        yield Finding("note", "memory", "unknown on this system")
        return
    told = f"{free / GIGABYTE:.1f} GB available, {MEMORY_NEEDED / GIGABYTE:.0f} GB needed"
    yield (
        Finding("ok", "memory", told)
        if free >= MEMORY_NEEDED
        else Finding("FIX", "memory", f"{told}; close programs")
    )


def gpu(profiles: Sequence[Path]) -> Iterator[Finding]:
    """Which GPU there is, and whether the profiles that are to be run can use it; the default profile needs none."""
    code, told = system.output_of(
        "nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"
    )
    found = code == 0 and bool(told)
    for line in told.splitlines() if found else ():
        yield Finding("ok", "gpu", line)
    if not profiles:
        if not found:
            yield Finding(
                "note", "gpu", "none found; the default profile runs on the CPU, config/h100.yaml needs one"
            )
        return
    try:
        from rust_expert.common.config.reading import devices_of, read_profile
        from rust_expert.models.process import require_device

        profile = read_profile(ROOT / "config" / "config.yaml", profiles)
        for device in devices_of(profile):
            require_device(device, profile.quantization.compute_dtype)
    except Exception as error:  # whatever it is, it is what the user must read
        yield Finding("FIX", "gpu", str(error))
    else:
        yield Finding(
            "ok", "profile", f"{' '.join(map(str, profiles))}: its keys hold, and its devices are here"
        )


def cache() -> Iterator[Finding]:
    """Whether the folder of crate sources can be written."""
    named = os.environ.get("RUST_EXPERT_CACHE")
    folder = Path(named).expanduser() if named else Path.home() / ".cache" / "rust-expert"
    standing = folder
    while not standing.exists():
        standing = standing.parent
    if os.access(standing, os.W_OK | os.X_OK) and standing.is_dir():
        yield Finding("ok", "cache", f"{folder} can be written")
    else:
        yield Finding(
            "FIX", "cache", f"{folder} cannot be written; set RUST_EXPERT_CACHE to a folder that can"
        )


def registry() -> Iterator[Finding]:
    """Whether cargo reaches its registry; a run whose crates are in the cache does without."""
    if shutil.which("cargo") is None:
        return
    with tempfile.TemporaryDirectory() as elsewhere:
        # Outside the checkout, or cargo would look for a workspace here.
        command = ("env", "-C", elsewhere, "CARGO_NET_RETRY=0", "cargo", "info", "--quiet", "itoa")
        code, _ = system.output_of(*command, timeout=20)
    if code == 0:
        yield Finding("ok", "registry", "cargo reaches the crate registry")
    else:
        yield Finding(
            "note", "registry", "cargo does not reach it; only a run whose crates are cached will work"
        )


if __name__ == "__main__":
    sys.exit(main())
