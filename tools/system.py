"""What the workflow needs from the system: compiler, linker, sandbox; what is missing, and the command that mends it.

Standard library only: this runs before any package is installed.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST_RUSTC = (1, 85)
"""The first rustc that knows edition 2024 (the same as rust_expert.common.toolchain says)."""

RUST_PROGRAMS = ("rustc", "cargo", "clippy-driver", "rustfmt")
DISTRIBUTION_RUST = ("rustc", "cargo", "rust-clippy", "rustfmt")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

TOOLCHAIN_COMMAND = "rustup toolchain install stable --profile minimal --component clippy --component rustfmt"
RUSTUP_COMMAND = (
    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs"
    " | sh -s -- -y --profile minimal --component clippy --component rustfmt"
)
"""What the Rust project itself says; printed for a person to decide on, never run from here."""


@dataclass(frozen=True)
class Need:
    """Something that is missing: what, which apt packages or command would bring it, and what a person can type."""

    what: str
    apt: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    advice: str = ""

    @property
    def fix(self) -> str:
        """The command for a person to type."""
        if self.advice:
            return self.advice
        return " ".join(self.command) if self.command else "sudo apt-get install " + " ".join(self.apt)


def output_of(*command: str, timeout: float = 60) -> tuple[int, str]:
    """Exit status and both streams of a command; 127 where it does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()


def version_in(text: str) -> tuple[int, int]:
    """Major and minor of the first version number in a text; (0, 0) where there is none."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def apt_candidate(package: str) -> str:
    """The version that apt would install; empty where it knows none."""
    code, told = output_of("apt-cache", "policy", package)
    found = re.search(r"Candidate: (\S+)", told) if code == 0 else None
    return "" if found is None or found[1] == "(none)" else found[1]


def rust_needs() -> list[Need]:
    """What is missing of rustc, cargo, clippy and rustfmt; empty where all start and are new enough."""
    failing = [name for name in RUST_PROGRAMS if output_of(name, "--version")[0] != 0]
    if not failing:
        told = output_of("rustc", "--version")[1]
        if version_in(told) >= OLDEST_RUSTC:
            return []
        what = f"{told.splitlines()[0]} is too old for edition 2024 (1.85 or newer is needed)"
    else:
        what = f"{', '.join(failing)} {'is' if len(failing) == 1 else 'are'} missing or cannot start"
    if shutil.which("rustup"):
        verb = TOOLCHAIN_COMMAND if failing else "rustup update stable"
        return [Need(what, command=tuple(verb.split()))]
    if version_in(apt_candidate("rustc")) >= OLDEST_RUSTC:
        return [Need(what, apt=DISTRIBUTION_RUST)]
    if apt_candidate("rustup"):
        return [Need(what, apt=("rustup",), advice=f"sudo apt-get install rustup && {TOOLCHAIN_COMMAND}")]
    return [Need(f"{what}, and this system has no package that is new enough", advice=RUSTUP_COMMAND)]


def needs() -> list[Need]:
    """Everything that is missing from the system, in the order in which to mend it."""
    found: list[Need] = []
    if not CERTIFICATES.exists() and not os.environ.get("SSL_CERT_FILE"):
        found.append(Need("the certificates of the system are missing", apt=("ca-certificates",)))
    if not shutil.which("cc"):
        found.append(Need("a C linker (cc), which rustc calls, is missing", apt=("gcc", "libc6-dev")))
    found += rust_needs()
    if not shutil.which("bwrap"):
        found.append(Need("bubblewrap (bwrap), the judge's sandbox, is missing", apt=("bubblewrap",)))
    return found


def sandbox_fault() -> str:
    """Why bubblewrap cannot make a sandbox here, with the fix; empty where it can."""
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed; run: sudo apt-get install bubblewrap"
    command = ("bwrap", "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "true")
    code, told = output_of(*command, timeout=20)
    if code == 0:
        return ""
    first = (told.splitlines() or ["no message"])[0]
    return f"bubblewrap cannot make a sandbox here ({first}); {_namespace_fix()}"


def _namespace_fix() -> str:
    """Which switch of this kernel keeps an ordinary user from making namespaces."""
    for path, bad, fix in (
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ):
        try:
            value = Path("/proc/sys", path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == bad:
            return f"run: sudo sysctl -w {fix}"
    other = "judge as an ordinary user; " if os.geteuid() == 0 else ""
    return (
        f"{other}in a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
        "--security-opt systempaths=unconfined"
    )


def root_prefix() -> list[str] | None:
    """The words before a command that must run as root; None where that is not possible without a password."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and output_of("sudo", "-n", "true")[0] == 0:
        return ["sudo", "-n"]
    return None
