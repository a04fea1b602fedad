"""The hostile crates of tests/fixtures, run outside the sandbox on purpose: each attack works where it is not held.

Only what is harmless there is run, in a folder of its own and within limits. test_crates_hostile_builds.py shows that
the same crates reach nothing from inside.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rust_expert.judge.rooms import sysroot

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = ROOT / "tests" / "fixtures" / "hostile"
PATIENCE = 60


def copied(folder: Path, name: str, where: str = "") -> Path:
    """A copy of a crate that aims at `where`."""
    root = folder / "crates" / name
    shutil.copytree(HOSTILE / name, root)
    for place in (root / "where.txt", root / "macro" / "where.txt"):
        if place.is_file():
            place.write_text(where)
    (folder / "outside" / "src").mkdir(parents=True)
    return root


def rustc(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [str(sysroot() / "bin" / "rustc"), "--edition=2021", "-Awarnings", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)  # type: ignore[call-overload,no-any-return]


def script_of(root: Path) -> list[str]:
    """The command that runs a crate's build script."""
    program = root.parent.parent / "script"
    told = rustc(root / "build.rs", "-o", program)
    assert told.returncode == 0, told.stderr
    return [str(program)]


def run(root: Path, *before: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a crate's build script as cargo would, without the sandbox, after the words `before`."""
    out = root.parent.parent / "out"
    out.mkdir(exist_ok=True)
    environment = os.environ | {"OUT_DIR": str(out), **variables}
    return subprocess.run(
        [*before, *script_of(root)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_writing(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    assert run(copied(tmp_path, "writes-outside", f"{outside}/touched")).returncode == 0
    assert (outside / "touched").read_text() == "touched"
    shutil.rmtree(tmp_path / "outside")
    assert run(copied(tmp_path, "writes-home", str(outside)), HOME=str(tmp_path)).returncode == 0
    assert (outside / ".profile").read_text() == (tmp_path / ".profile").read_text() == "touched"
    shutil.rmtree(tmp_path / "outside")
    own = copied(tmp_path, "writes-own-sources")
    assert run(own).returncode == 0
    assert "CHANGED" in (own / "src" / "lib.rs").read_text()
    shutil.rmtree(tmp_path / "outside")
    neighbour = copied(tmp_path, "writes-neighbour", str(outside))
    (neighbour.parent / "mini-ring" / "src").mkdir(parents=True)
    assert run(neighbour).returncode == 0
    assert (outside / "src" / "lib.rs").read_text() == "touched"
    assert (neighbour.parent / "mini-ring" / "src" / "lib.rs").read_text() == "touched"


def test_reading_the_environment(tmp_path: Path) -> None:
    told = run(copied(tmp_path, "reads-environment"), RUST_EXPERT_SECRET="what-nobody-may-know")
    assert told.returncode == 101 and "found what-nobody-may-know" in told.stderr


def test_connecting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        assert run(copied(tmp_path, "connects", "{}:{}".format(*server.getsockname()))).returncode == 0
        server.accept()[0].close()


def test_a_daemon_goes_on(tmp_path: Path) -> None:
    root, own = copied(tmp_path, "leaves-a-daemon"), str(10_000_000 + os.getpid())
    script = root / "build.rs"  # in the meantime other tests look for what they left
    script.write_text(script.read_text().replace("424202", own))
    assert run(root).returncode == 0
    deadline = time.monotonic() + PATIENCE  # the script does not wait until it has become `sleep`
    while not (left := running(own)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(left) == 1
    os.kill(left[0], signal.SIGKILL)


def running(seconds: str) -> list[int]:
    """The processes that sleep for so long."""
    found = Path("/proc").glob("[0-9]*/cmdline")
    return [int(path.parent.name) for path in found if f"sleep\0{seconds}\0".encode() in read(path)]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextlib.contextmanager
def started(command: list[str], root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended in any case."""
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["never-ends", "sleeps"])
def test_it_does_not_end(tmp_path: Path, name: str) -> None:
    root = copied(tmp_path, name)
    with started(script_of(root), root) as process, pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)


def test_the_compiler_does_not_end(tmp_path: Path) -> None:
    root = copied(tmp_path, "computes-without-end")
    command = [
        str(sysroot() / "bin" / "rustc"),
        "--edition=2021",
        "--crate-type=lib",
        "--emit=metadata",
        "src/lib.rs",
    ]
    with started(command, root) as process, pytest.raises(subprocess.TimeoutExpired):
        process.wait(4)


def test_printing_without_end(tmp_path: Path) -> None:
    root = copied(tmp_path, "prints-endlessly")
    with started(script_of(root), root) as process:
        assert process.stdout is not None
        assert len(process.stdout.read(50 << 20)) == 50 << 20


def test_killing_its_parent(tmp_path: Path) -> None:
    root = copied(tmp_path, "kills-its-parent")
    told = run(root, "sh", "-c", '"$0"; echo survived')
    assert (told.returncode, told.stdout) == (-signal.SIGKILL, "")


def test_memory_and_disk_are_taken_up_to_a_limit(tmp_path: Path) -> None:
    told = run(copied(tmp_path, "fills-the-memory"), "prlimit", f"--data={200 << 20}", "--core=0")
    assert told.returncode == -signal.SIGABRT and "memory allocation" in told.stderr
    shutil.rmtree(tmp_path / "outside")
    root = copied(tmp_path, "fills-the-disk")
    with started(["env", f"OUT_DIR={tmp_path / 'outside'}", *script_of(root)], root) as process:
        while sum(1 for _ in (tmp_path / "outside").iterdir()) < 20:
            assert process.poll() is None


def test_the_compiler_reads_the_host(tmp_path: Path) -> None:
    for name in ("includes-a-file-of-the-host", "is-not-utf8"):
        root = copied(tmp_path, name)
        told = rustc("--crate-type=lib", "--emit=metadata", "-o", tmp_path / "out", root / "src" / "lib.rs")
        assert (told.returncode == 0) == (name != "is-not-utf8"), told.stderr
        shutil.rmtree(tmp_path / "outside")


def macro_of(root: Path, out: Path) -> list[str]:
    """The words that let rustc compile a crate with its macro."""
    name = f"{root.name.removeprefix('macro-').replace('-', '_')}_macro"
    built = rustc(
        "--crate-type=proc-macro",
        "--extern=proc_macro",
        f"--crate-name={name}",
        "--out-dir",
        out,
        root / "macro/src/lib.rs",
    )
    assert built.returncode == 0, built.stderr
    return ["--crate-type=lib", "--emit=metadata", "--out-dir", str(out), f"--extern={name}={out}/lib{name}.so",
            str(root / "src" / "lib.rs")]  # fmt: skip


def test_macros(tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    out.mkdir()
    reading = copied(tmp_path, "macro-reads-a-file", f"{outside}/secret")
    (outside / "secret").write_text("what-nobody-may-know")
    told = rustc(*macro_of(reading, out))
    assert told.returncode == 0 and "found what-nobody-may-know" in told.stderr
    shutil.rmtree(outside)
    assert (
        rustc(*macro_of(copied(tmp_path, "macro-writes-outside", f"{outside}/touched"), out)).returncode == 0
    )
    assert (outside / "touched").read_text() == "touched"
    shutil.rmtree(outside)
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [
                str(sysroot() / "bin" / "rustc"),
                "--edition=2021",
                *macro_of(copied(tmp_path, "macro-never-ends"), out),
            ],
            timeout=3,
        )


def cargo(root: Path, word: str = "check") -> subprocess.CompletedProcess[str]:
    """cargo itself, outside the sandbox, in a target folder of its own."""
    environment = os.environ | {"CARGO_TARGET_DIR": str(root.parent.parent / "target")}
    command = [str(sysroot() / "bin" / "cargo"), word, "--offline"]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )


def test_cargo_takes_what_lies_outside(tmp_path: Path) -> None:
    """A build script, a library, a dependency beside the crate's folder; a file for the linker."""
    outside = tmp_path / "outside"
    root = copied(tmp_path, "build-script-outside")
    (outside / "build.rs").write_text(f'fn main() {{ std::fs::write("{outside}/touched", "").unwrap(); }}\n')
    assert cargo(root).returncode == 0 and (outside / "touched").is_file()
    shutil.rmtree(outside)
    root = copied(tmp_path, "library-outside")
    (outside / "src" / "lib.rs").write_text("pub fn f() -> u8 { true }\n")
    assert "outside/src/lib.rs:1" in cargo(root).stderr
    shutil.rmtree(outside)
    root = copied(tmp_path, "needs-a-folder-outside")
    (outside / "Cargo.toml").write_text(
        '[package]\nname = "outside"\nversion = "1.0.0"\nedition = "2021"\n[workspace]\n'
    )
    (outside / "src" / "lib.rs").write_text("pub fn f() {}\n")
    assert cargo(root).returncode == 0
    shutil.rmtree(outside)
    root = copied(tmp_path, "names-a-file-to-the-linker")
    (outside / "script").write_text("/* nothing */\n")
    script = root / "build.rs"
    assert "passwd" in cargo(root, "build").stderr, "the linker reads it, and takes it for no library"
    script.write_text(script.read_text().replace("/etc/passwd", f"{outside}/script"))
    assert cargo(root, "build").returncode == 0, "one that it understands is taken"
