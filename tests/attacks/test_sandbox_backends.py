"""The backends of the sandbox: which one is taken, who may use it, and what a killed judge leaves behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from rust_expert.common.config.judge import JudgeOptions, SandboxName
from rust_expert.common.contracts import Completion, Problem
from rust_expert.common.errors import UserError
from rust_expert.judge import bubblewrap, firejail
from rust_expert.judge.conditions import sandbox_facts
from rust_expert.judge.lints import lint_groups
from rust_expert.judge.probe import require_sandbox
from rust_expert.judge.rooms import named_by, rules_the_machine, sysroot
from rust_expert.judge.sandbox import Limits, Sandbox
from rust_expert.judge.testroom import warden
from rust_expert.judge.verdicts import judge

ROOT = Path(__file__).resolve().parents[2]
ALL: list[SandboxName] = ["bubblewrap", "firejail", "none"]
HALF = Problem(
    task_id="half",
    prompt="pub fn half(x: i32) -> Option<i32> {\n",
    canonical_solution="    if x % 2 == 0 { Some(x / 2) } else { None }\n}\n",
    test="#[cfg(test)]\nmod tests {\n  use super::*;\n  #[test]\n  fn even() { assert_eq!(half(4), Some(2)); }\n}\n",
    entry_point="half",
)
ANSWERS = (
    "pub fn half(x: i32) -> Option<i32> { if x % 2 == 0 { Some(x / 2) } else { None } }",
    "pub fn half(x: i32) -> Option<i32> { Some(x) }",
    'pub fn half(x: i32) -> Option<i32> { "x" }',
    "pub fn half(x: i32) -> Option<i32> { std::process::exit(0) }",
    "pub fn half(x: i32) -> Option<i32> { loop {} }",
)


def options_for(backend: SandboxName, **more: int) -> JudgeOptions:
    return JudgeOptions(sandbox=backend, unsafe_no_sandbox=backend == "none", run_timeout=1, **more)


@pytest.fixture(params=ALL)
def backend(request: pytest.FixtureRequest) -> SandboxName:
    if request.param == "firejail" and shutil.which("firejail") is None:
        pytest.skip("firejail is not installed: apt-get install firejail")
    name: SandboxName = request.param
    return name


def test_every_backend_gives_the_same_verdicts(backend: SandboxName, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_asked_for() -> str:
        raise AssertionError("another backend than the one asked for")

    lint_groups.cache_clear()
    warden.cache_clear()
    if backend != "bubblewrap":
        monkeypatch.setattr(bubblewrap, "program", not_asked_for)
    samples = [
        Completion(
            task_id="half", sample=place, completion=answer, sampling="", seed=0, tokens=1, finished=True
        )
        for place, answer in enumerate(ANSWERS)
    ]
    verdicts = judge(samples, {"half": HALF}, options_for(backend))
    monkeypatch.undo()
    assert [each.status for each in verdicts] == ["passed", "failed", "compile_error", "failed", "timeout"]
    assert verdicts == judge(samples, {"half": HALF}, options_for("bubblewrap", batch=1))


def test_no_sandbox_has_to_be_said_twice() -> None:
    for given in ({"sandbox": "none"}, {"sandbox": "firejail", "unsafe_no_sandbox": True}):
        with pytest.raises(ValidationError, match="unsafe_no_sandbox"):
            JudgeOptions.model_validate(given)
    assert JudgeOptions(unsafe_no_sandbox=True).sandbox == "none"
    assert JudgeOptions.model_validate(JudgeOptions(unsafe_no_sandbox=True).model_dump()).sandbox == "none"


def test_the_flag_stands_alone_and_the_key_does_not(tmp_path: Path) -> None:
    suite, samples = tmp_path / "suite.jsonl", tmp_path / "samples.jsonl"
    suite.write_text(HALF.model_dump_json() + "\n")
    samples.write_text(json.dumps({"task_id": "half", "completion": ANSWERS[0], "sample": 0}) + "\n")
    command = [
        sys.executable,
        "-m",
        "scripts.judge",
        samples,
        "--suite",
        suite,
        "--out",
        tmp_path / "out.jsonl",
    ]

    def told(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], capture_output=True, text=True, cwd=ROOT)

    refused = told("--sandbox", "none")
    assert refused.returncode == 2
    assert "unsafe_no_sandbox" in refused.stderr
    assert not (tmp_path / "out.jsonl").exists()
    allowed = told("--unsafe-no-sandbox")
    assert json.loads((tmp_path / "out.jsonl").read_text())["status"] == "passed"
    assert "sandbox none does not promise that" in allowed.stderr


@pytest.mark.parametrize(("name", "package"), [("bubblewrap", bubblewrap), ("firejail", firejail)])
def test_a_missing_backend_stops_the_judge_and_no_other_is_taken(
    name: SandboxName, package: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rustc = shutil.which("rustc")
    assert rustc is not None
    (tmp_path / "rustc").symlink_to(rustc)
    monkeypatch.setenv("PATH", str(tmp_path))
    package.program.cache_clear()  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=f"apt-get install {name}"):
        Sandbox(Limits(backend=name)).run(["/bin/true"])
    (tmp_path / ("bwrap" if name == "bubblewrap" else name)).write_text("#!/bin/sh\necho version 0.1.0\n")
    (tmp_path / ("bwrap" if name == "bubblewrap" else name)).chmod(0o755)
    with pytest.raises(UserError, match="or newer is needed: `apt-get install"):
        Sandbox(Limits(backend=name)).run(["/bin/true"])
    package.program.cache_clear()  # type: ignore[attr-defined]


def test_what_is_said_of_the_sandbox_depends_on_the_options_alone() -> None:
    facts = sandbox_facts(JudgeOptions(memory_mb=512, run_timeout=3))
    assert facts == json.loads(json.dumps(facts))
    assert (facts["backend"], facts["not_promised"]) == ("bubblewrap", [])
    assert (facts["run"]["cpu_seconds"], facts["run"]["memory_mb"]) == (3, 512)
    assert facts["compile"]["work_mb"] == JudgeOptions().tmpfs_mb
    assert "no /proc" in sandbox_facts(JudgeOptions(sandbox="firejail"))["not_promised"]
    assert sandbox_facts(JudgeOptions(unsafe_no_sandbox=True))["backend"] == "none"


def test_words_are_renamed_where_they_name_a_place() -> None:
    named = named_by({"/work": "/tmp", "/in": "/tmp/x/in", "/rust": "/home/a/rust"})
    assert named("/rust/bin/rustc") == "/home/a/rust/bin/rustc"
    assert named("--extern=rand=/work/librand.rlib") == "--extern=rand=/tmp/librand.rlib"
    assert [named(word) for word in ("/workshop", "a/work", "/usr/in", "-O")] == [
        "/workshop",
        "a/work",
        "/usr/in",
        "-O",
    ]


LONG_ROOM = """
import sys
from rust_expert.judge.sandbox import Limits, Sandbox
from rust_expert.judge.testroom import TestRoom
backend, kind, mark = sys.argv[1:]
limits = Limits(wall_seconds=300, backend=backend)
if kind == "toolchain":
    Sandbox(limits).run(["/bin/sh", "-c", f"sleep {mark} & sleep {mark}"])
with TestRoom(limits, ["/bin/sh", "-c", f"exec sleep {mark}"]) as room:
    room.run()
"""


def started_with(word: str) -> list[int]:
    """The processes that are `sleep WORD`, here or in a room."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if words[:2] == [b"sleep", word.encode()]:
            found.append(int(path.parent.name))
    return found


def wait_until(true: object, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize("kind", ["toolchain", "run"])
def test_a_killed_judge_leaves_nothing(backend: SandboxName, kind: str, tmp_path: Path) -> None:
    mark = str(910000 + os.getpid() % 90000)
    folder = tmp_path if str(tmp_path).startswith("/tmp/") else Path("/tmp")
    before = set(folder.glob("rust-expert-*"))
    judging = subprocess.Popen(
        [sys.executable, "-c", LONG_ROOM, backend, kind, mark],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        assert wait_until(lambda: started_with(mark)), "the room never began"
    finally:
        judging.send_signal(signal.SIGKILL)
        judging.wait()
    assert wait_until(lambda: not started_with(mark), 10), "processes are left"
    assert wait_until(lambda: set(folder.glob("rust-expert-*")) <= before, 10), "files are left"
    assert mark not in Path("/proc/mounts").read_text()


AS_AN_ORDINARY_USER = """
import sys
from rust_expert.common.errors import UserError
from rust_expert.judge.probe import probe
from rust_expert.judge.rooms import rules_the_machine
assert not rules_the_machine()
for promise in probe(sys.argv[1]):
    print("kept" if promise.kept else "not made" if not promise.made else "BROKEN", promise.text, promise.seen)
"""
PREPARE = """
set -e
base=$1 home=$2; shift 2
mkdir -p "$base/copy" "$base/home"
mount --bind "$home" "$base/copy"
mount -t tmpfs -o mode=755 none "$home"
for it in "$@"; do
    case $it in
        "$home"/*) mkdir -p "$it"; mount --bind "$base/copy${it#"$home"}" "$it";;
    esac
done
cp /etc/passwd "$base/passwd"
echo "judge-tester:x:54321:54321::$base/home:/bin/sh" >> "$base/passwd"
mount --bind "$base/passwd" /etc/passwd
chown 54321:54321 "$base/home"
"""
"""In a mount namespace of its own: root's home shows only the tools, and there is one more user."""


def as_ordinary_user(tmp_path: Path, *command: str, drop: str = "") -> subprocess.CompletedProcess[str]:
    """A command as a user without rights who sees Python, the toolchain and this checkout."""
    if not rules_the_machine():
        pytest.skip("only root can become another user; run the tests as that user instead")
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
        folder.chmod(0o755)
    tools = [sys.base_prefix, sys.prefix, str(sysroot()), str(ROOT)]
    variables = [f"HOME={tmp_path}/home", f"PATH={sysroot()}/bin:/usr/local/bin:/usr/bin:/bin"]
    become = f"setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps=-all {drop} env -i"
    script = f'{PREPARE}\ncd "{ROOT}"\nexec {become} "$COMMAND_HOME" "$COMMAND_PATH" /bin/sh -c "$COMMAND"'
    return subprocess.run(
        [
            "unshare",
            "--mount",
            "--propagation=private",
            "/bin/sh",
            "-c",
            script,
            "sh",
            tmp_path,
            Path.home(),
            *tools,
        ],
        env={
            **os.environ,
            "COMMAND": " ".join(command),
            "COMMAND_HOME": variables[0],
            "COMMAND_PATH": variables[1],
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("name", ["bubblewrap", "firejail"])
def test_an_ordinary_user_has_the_same_promises(name: SandboxName, tmp_path: Path) -> None:
    if name == "firejail" and shutil.which("firejail") is None:
        pytest.skip("firejail is not installed: apt-get install firejail")
    script = tmp_path / "probe.py"
    script.write_text(AS_AN_ORDINARY_USER)
    told = as_ordinary_user(tmp_path, f"PYTHONPATH={ROOT}", sys.executable, str(script), name)
    assert told.returncode == 0, told.stderr
    assert "BROKEN" not in told.stdout
    assert len(re.findall("^kept", told.stdout, re.MULTILINE)) >= 11
    assert ("not made" in told.stdout) == (name == "firejail")


def in_a_container(tmp_path: Path, before: str) -> subprocess.CompletedProcess[str]:
    """The probe by the root of a user namespace, which is what a container without privileges is made of."""
    script = tmp_path / "probe.py"
    script.write_text(AS_AN_ORDINARY_USER)
    command = f"{before} PYTHONPATH={ROOT} exec {sys.executable} {script} bubblewrap"
    return as_ordinary_user(tmp_path, "exec unshare --user --map-root-user /bin/sh -c", f"'{command}'")


def test_in_a_container_without_privileges_the_promises_hold(tmp_path: Path) -> None:
    told = in_a_container(tmp_path, "")
    assert told.returncode == 0, told.stderr
    assert (told.stdout.count("kept"), told.stdout.count("BROKEN")) == (len(told.stdout.splitlines()), 0)


def test_where_namespaces_are_forbidden_the_fix_is_named(tmp_path: Path) -> None:
    told = in_a_container(tmp_path, "echo 0 > /proc/sys/user/max_user_namespaces;")
    assert told.returncode == 1
    assert "UserError: the sandbox may not make namespaces here" in told.stderr
    assert "max_user_namespaces" in told.stderr


@pytest.mark.parametrize("left", ["-all", "-all,+setfcap"])
def test_a_root_without_rights_is_told_to_be_somebody_else(tmp_path: Path, left: str) -> None:
    if not rules_the_machine():
        pytest.skip("only root can lose its rights")
    script = tmp_path / "probe.py"
    script.write_text(AS_AN_ORDINARY_USER)
    told = subprocess.run(
        ["setpriv", f"--bounding-set={left}", "--inh-caps=-all", sys.executable, script, "bubblewrap"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    # With CAP_SETFCAP, which containers leave, it can make a room; but the kernel counts no processes of its user 0.
    broken = [line for line in told.stdout.splitlines() if line.startswith("BROKEN")]
    assert [line.startswith("BROKEN processes are limited") for line in broken] == [True] * ("+" in left)
    assert "judge as an ordinary user" in told.stdout + told.stderr


def test_the_sandbox_that_was_asked_for_is_the_one_that_is_tried(backend: SandboxName) -> None:
    require_sandbox(backend)
