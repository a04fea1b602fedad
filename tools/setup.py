"""Set up the machine and .venv for `make run` and `make test`; start it through tools/setup.sh.

Checks the compiler, the linker and the sandbox first (and installs what is missing where that is possible), because
that is quick; fetches the Python packages after. Standard library only.
"""

import argparse
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from tools import packages, system
from tools.packages import SetupFault

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Do the set-up; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--for-image", action="store_true", help="do not try the sandbox: the image is started elsewhere"
    )
    arguments = parser.parse_args()
    for kind in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, lambda number, _frame: sys.exit(128 + number))
    try:
        # One set-up at a time; the lock vanishes with the process.
        with open(ROOT / packages.LOCK, encoding="utf-8") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            _system(try_sandbox=not arguments.for_image)
            asked = os.environ.get("PYTHON")
            packages.ensure(ROOT, f"{sys.version_info[0]}.{sys.version_info[1]}" if asked else "")
    except SetupFault as fault:
        print(f"set-up: {fault}", file=sys.stderr)
        return fault.code
    except KeyboardInterrupt:
        return 130
    return 0


def _system(try_sandbox: bool) -> None:
    """Install what the system lacks, or say how.

    Raises SetupFault with the exact command for each thing that could not be installed.
    """
    missing = system.needs()
    if missing:
        _install(missing)
        missing = system.needs()
    if missing:
        # A toolchain that apt's rustup has yet to fetch shows up as a new need only now.
        _install([need for need in missing if need.command])
        missing = system.needs()
    if missing:
        rows = "\n".join(f"  {need.what}; run: {need.fix}" for need in missing)
        raise SetupFault(f"something is missing that could not be installed from here:\n{rows}")
    fault = system.sandbox_fault() if try_sandbox else ""
    if fault:
        raise SetupFault(fault)


def _install(missing: list[system.Need]) -> None:
    packages_wanted = [name for need in missing for name in need.apt]
    prefix = system.root_prefix()
    if packages_wanted and prefix is not None and system.output_of("apt-get", "--version")[0] == 0:
        print(f"set-up: apt-get install {' '.join(packages_wanted)}", flush=True)
        subprocess.run([*prefix, "apt-get", "update", "-qq"], stdout=subprocess.DEVNULL)
        subprocess.run(
            [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq",
             "--no-install-recommends", *packages_wanted],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    for need in missing:
        if need.command:
            print(f"set-up: {' '.join(need.command)}", flush=True)
            subprocess.run(need.command)


if __name__ == "__main__":
    sys.exit(main())
