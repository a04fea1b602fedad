"""Nothing of the host is reached, by the compiler or by the program; each attempt succeeds where its defence is not."""

import functools
import platform
import subprocess
from pathlib import Path

import pytest

from rust_expert.common.contracts import Verdict
from rust_expert.judge.rustc import compile_files
from tests.attacks.attack import OPTIONS, Attack, judged
from tests.attacks.escapes import (
    AT_COMPILE_TIME,
    AT_RUN_TIME,
    NEEDS_THE_MACHINE,
    CompileEscape,
    as_program,
    as_sample,
)

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the calls have x86_64's numbers")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the host: with code that can be included, and the program of all attempts."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "module.rs").write_text("const HOST: u8 = 1;\n")
    (folder / "code.s").write_text(".long 1\n")
    built = compile_files(
        {"prober.rs": as_program()},
        ["-Awarnings", "-o", "/work/program", "prober.rs"],
        edition="2021",
        keep="program",
    )
    assert built.kept is not None, built.stderr
    (folder / "prober").write_bytes(built.kept)
    (folder / "prober").chmod(0o755)
    return folder


@functools.cache
def compile_verdicts(folder: Path) -> dict[str, Verdict]:
    return judged(Attack(each.name, each.code.replace("@HOST@", str(folder))) for each in AT_COMPILE_TIME)


@pytest.mark.parametrize("escape", AT_COMPILE_TIME, ids=lambda each: each.name)
def test_the_compiler_finds_nothing_of_the_host(escape: CompileEscape, host: Path) -> None:
    verdict = compile_verdicts(host)[escape.name]
    assert verdict.status in ("compile_error", "failed") and not verdict.tests_passed, verdict
    assert verdict.status == "compile_error" or escape.name.startswith("assembles"), verdict


@pytest.mark.parametrize("escape", AT_COMPILE_TIME, ids=lambda each: each.name)
def test_the_compiler_finds_it_outside(escape: CompileEscape, host: Path) -> None:
    source = host / "sample.rs"
    source.write_text(escape.code.replace("@HOST@", str(host)))
    emit = "--emit=obj" if escape.codegen else "--emit=metadata"
    command = ["rustc", "--edition=2021", "--crate-type=lib", "-Awarnings", emit, "-o", host / "out", source]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr


@functools.cache
def run_verdicts() -> dict[str, Verdict]:
    return judged([Attack(name, as_sample(code)) for name, code in AT_RUN_TIME.items()], OPTIONS)


@pytest.mark.parametrize("name", AT_RUN_TIME)
def test_a_run_reaches_nothing(name: str) -> None:
    verdict = run_verdicts()[name]
    assert verdict.status in ("failed", "resource_limit") and not verdict.tests_passed, verdict
    assert "held" in verdict.message or name.startswith("starts a p"), verdict


@pytest.mark.parametrize("name", AT_RUN_TIME)
def test_the_attempt_succeeds_outside(name: str, host: Path) -> None:
    number = str(list(AT_RUN_TIME).index(name))
    told = subprocess.run([host / "prober", number], capture_output=True, text=True, timeout=20)
    if told.stdout == "no" and name in NEEDS_THE_MACHINE:
        pytest.skip("this host itself refuses it")
    assert told.stdout == "yes", told
