"""The crates that suites need: built in the sandbox once, and in reach of the problems that need them alone."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.judge.crate_table import TABLE, read_table
from rust_expert.judge.dependencies import built, crates_for
from rust_expert.judge.harness import build_harness
from rust_expert.judge.linked import Crates
from rust_expert.judge.rustc import TEST_BUILD, compile_files
from rust_expert.judge.sandbox import Limits
from rust_expert.judge.suite import suite_of
from rust_expert.judge.testroom import run_once
from rust_expert.judge.verdicts import judge
from tests.vendored_crates import sources, table_of

OPTIONS = JudgeOptions(lints=True)
DICE = "pub trait Die { fn throw(&self) -> u8; }\nimpl Die for u8 { fn throw(&self) -> u8 { inner::ONE + *self } }\n"
CRATES = {
    "dice": {"src/lib.rs": DICE},
    "other-dice": {"src/lib.rs": "pub fn four() -> u8 { 4 }\n"},
    "inner": {"src/lib.rs": "pub const ONE: u8 = 1;\n"},
}


def problem(task_id: str, solution: str, test: str, prompt: str = "fn f(x: u8) -> u8 {\n") -> Problem:
    return Problem(task_id=task_id, prompt=prompt, canonical_solution=solution, test=test, entry_point="f")


# As in HumanEval-X, each declares crates that it may not need, and `use super::*;` brings the trait in.
DECLARED = "use dice::Die;\nuse other_dice;\nfn f(x: u8) -> u8 {\n"
IN_TEST = problem(
    "in_test",
    "    x + 1\n}\n",
    "mod tests { use super::*; #[test] fn t() { let d = dice::Die::throw(&3); assert_eq!(f(3), d); "
    "assert_eq!(f(4), 4u8.throw()); } }",
    DECLARED,
)
IN_SOLUTION = problem(
    "in_solution", "    x + other_dice::four()\n}\n", "#[test] fn t() { assert_eq!(f(3), 7); }", DECLARED
)
NONE = problem("none", "    x + 1\n}\n", "#[test] fn t() { assert_eq!(f(3), 4); }", DECLARED)
PROBLEMS = {each.task_id: each for each in (IN_TEST, IN_SOLUTION, NONE)}


@pytest.fixture(scope="module")
def crates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crates]:
    folder = tmp_path_factory.mktemp("crates")
    before = os.environ.get("RUST_EXPERT_CACHE")
    os.environ["RUST_EXPERT_CACHE"] = str(folder / "cache")
    table = read_table(table_of(folder / "table", CRATES, ("dice", "other-dice")))
    yield crates_for(list(PROBLEMS.values()), sources, table=table)
    if before is None:
        del os.environ["RUST_EXPERT_CACHE"]
    else:
        os.environ["RUST_EXPERT_CACHE"] = before


def judged(crates: Crates, task_id: str, *codes: str, batch: int = 64) -> list[Verdict]:
    rows = [Completion(task_id=task_id, sample=place, completion=code) for place, code in enumerate(codes)]
    return judge(rows, PROBLEMS, OPTIONS.model_copy(update={"batch": batch}), crates=crates)


def test_each_problem_gets_what_it_needs(crates: Crates) -> None:
    assert crates.names == ("dice", "other_dice")
    reached = {name: suite_of(each, crates).crates.names for name, each in PROBLEMS.items()}
    assert reached == {"in_test": ("dice",), "in_solution": ("other_dice",), "none": ()}
    for name, each in PROBLEMS.items():
        found = judged(crates, name, each.canonical_solution)[0]
        assert (found.status, found.message) == ("passed", "")


def test_a_sample_sees_the_crates_of_its_problem_alone(crates: Crates) -> None:
    uses = "use dice::Die;\nfn f(x: u8) -> u8 { x.throw() }"
    assert judged(crates, "in_test", uses)[0].status == "passed"
    for name in ("in_solution", "none"):
        found = judged(crates, name, uses)[0]
        assert (found.status, found.compiled) == ("compile_error", False) and "E0432" in found.error_codes
    needed_in_turn = judged(crates, "in_test", "fn f(x: u8) -> u8 { x + inner::ONE }")[0]
    assert (needed_in_turn.status, needed_in_turn.compiled) == ("compile_error", False)
    named = judged(crates, "in_test", "extern crate inner;\nfn f(x: u8) -> u8 { x + inner::ONE }")[0]
    assert (named.status, named.error_codes) == ("compile_error", ["E0463"])


def test_batches_of_problems_with_crates_change_no_verdict(crates: Crates) -> None:
    codes = [
        "    x + 1\n}\n",
        "use dice::Die;\nfn f(x: u8) -> u8 { x.throw() }",
        "fn f(x: u8) -> u8 { x }",
        "fn f(x: u8) -> u8 { x.throw() }",
        "fn f(x: u8) -> u8 { return other_dice::four(); }",
        "use std::cmp::max;\nfn f(x: u8) -> u8 { return max(x + 1, 1); }",
    ]
    rows = [
        Completion(task_id=name, sample=place, completion=code)
        for place, code in enumerate(codes)
        for name in PROBLEMS
    ]
    together = judge(rows, PROBLEMS, OPTIONS, crates=crates)
    alone = judge(rows, PROBLEMS, OPTIONS.model_copy(update={"batch": 1}), crates=crates)
    assert together == alone
    assert [each.status for each in alone if each.task_id == "in_test"] == [
        "passed", "passed", "failed", "compile_error", "compile_error", "passed",
    ]  # fmt: skip


def test_a_crate_cannot_be_replaced_under_the_tests(crates: Crates) -> None:
    sly = (
        "extern crate self as dice;\npub trait Die { fn throw(&self) -> u8; }\n"
        "impl Die for u8 { fn throw(&self) -> u8 { f(*self) } }\nfn f(_: u8) -> u8 { 9 }\n"
    )
    found = judged(crates, "in_test", sly)[0]
    assert (found.status, found.compiled) == ("failed", True)
    # Where nothing looked for it, the tests would compare the sample with itself, and prove that they passed.
    suite = suite_of(IN_TEST, crates)
    harness = build_harness(sly, suite)
    arguments = ["--crate-type=bin", "-Awarnings", *TEST_BUILD, "-o", "/work/program", "sample.rs"]
    outcome = compile_files(harness.files, arguments, edition="2021", keep="program", crates=suite.crates)
    run = run_once(Limits(), program=outcome.kept, stdin=harness.secret)
    assert harness.proof(1) in run.stdout


BUILD_SCRIPT = """
use std::{fs, net::TcpStream, process::Command};
fn main() {
    let mut seen = String::new();
    if fs::read_to_string("@SECRET@").is_ok() { seen += "a file of the host, "; }
    if fs::write("@SECRET@.new", "x").is_ok() { seen += "writing there, "; }
    if fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/new"), "x").is_ok() { seen += "writing to the sources, "; }
    if TcpStream::connect("127.0.0.1:@PORT@").is_ok() { seen += "the network, "; }
    if std::env::var("SECRET_TOKEN").is_ok() { seen += "the environment, "; }
    if Command::new("/bin/cat").arg("@SECRET@").status().map_or(false, |it| it.success()) { seen += "by cat, "; }
    println!("cargo:rustc-env=SEEN={seen}");
}
"""


def test_a_build_script_reaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SECRET_TOKEN", "x")
    secret = tmp_path / "secret"
    secret.write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: [server.accept() for _ in range(2)], daemon=True).start()
        script = BUILD_SCRIPT.replace("@SECRET@", str(secret)).replace("@PORT@", str(server.getsockname()[1]))
        files = {"src/lib.rs": 'pub const SEEN: &str = env!("SEEN");\n', "build.rs": script}
        table = read_table(table_of(tmp_path / "table", {"spy": files}, ("spy",)))
        # The control: outside the sandbox it succeeds in all of it.
        (tmp_path / "build.rs").write_text(script)
        environment = {**os.environ, "CARGO_MANIFEST_DIR": str(tmp_path)}
        subprocess.run(["rustc", "build.rs"], cwd=tmp_path, env=environment, check=True, timeout=60)
        told = subprocess.run([tmp_path / "build"], capture_output=True, text=True, timeout=60).stdout
        ways = "a file of the host, writing there, writing to the sources, the network, the environment, by cat, "
        assert f"SEEN={ways}" in told
        crates = built(table, sources)
        spied = problem("spied", "    x\n}\n", '#[test] fn t() { assert_eq!(spy::SEEN, ""); f(1); }')
        found = judge(
            [Completion(task_id="spied", completion="    x\n}\n")], {"spied": spied}, OPTIONS, crates=crates
        )
    assert (found[0].status, found[0].message) == ("passed", "")


@contextmanager
def never(_: Path) -> Iterator[Path]:
    raise AssertionError("nothing is to be fetched")
    yield


def test_what_is_built_stays_and_what_needs_nothing_fetches_nothing(crates: Crates, tmp_path: Path) -> None:
    assert crates.folder is not None
    table = read_table(crates.folder.parents[2] / "table")
    assert crates_for(list(PROBLEMS.values()), never, table=table) == crates
    other = read_table(table_of(tmp_path / "table", CRATES, ("dice", "other-dice")))
    assert crates_for([NONE], never, table=other).names == ()
    assert crates_for([IN_TEST], never, named=[], table=other).names == ()
    (crates.folder / crates.files[0][1]).write_bytes(b"")  # a damaged library is built again
    again = crates_for(list(PROBLEMS.values()), sources, table=table)
    assert (crates.folder / crates.files[0][1]).stat().st_size > 0 and again.names == crates.names


def test_what_does_not_build_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUST_EXPERT_CACHE", str(tmp_path / "cache"))
    table = read_table(table_of(tmp_path / "table", {"bad": {"src/lib.rs": "pub fn f( {}\n"}}, ("bad",)))
    with pytest.raises(UserError, match=r"Cargo\.toml: its crates do not build in the sandbox \(error"):
        built(table, sources)
    assert list((tmp_path / "cache" / "suite-crates").iterdir()) == []


def test_faults_of_the_table_name_the_file(tmp_path: Path, crates: Crates) -> None:
    assert crates.folder is not None
    table = read_table(crates.folder.parents[2] / "table")
    with pytest.raises(
        UserError, match=r"--crates names crate serde, which .*Cargo\.toml does not list \(it has dice"
    ):
        crates_for([NONE], never, named=["serde"], table=table)
    asks = NONE.model_copy(update={"dependencies": {"other-dice": "2"}})
    with pytest.raises(UserError, match=r"problem none needs other_dice 2, and .*Cargo\.toml has 1\.0\.0"):
        crates_for([asks], never, table=table)
    agrees = NONE.model_copy(update={"dependencies": {"other-dice": "^1.0"}})
    assert crates_for([agrees], never, table=table).names == ("other_dice",)
    broken = table_of(tmp_path / "table", CRATES, ("dice",))
    (broken / "Cargo.toml").write_text((broken / "Cargo.toml").read_text() + 'serde = "=1.0.0"\n')
    with pytest.raises(UserError, match=r"Cargo\.lock: serde is missing there; run `cargo generate-lockfile"):
        read_table(broken)
    (broken / "Cargo.lock").write_text("[[package")
    with pytest.raises(UserError, match=r"Cargo\.lock: not valid TOML"):
        read_table(broken)
    (broken / "Cargo.lock").unlink()
    with pytest.raises(UserError, match=r"Cargo\.lock: cannot be read"):
        read_table(broken)


def test_the_projects_table_is_whole_and_exact() -> None:
    table = read_table(TABLE)
    assert table.crates["rand"][1].startswith("0.4.") and table.crates["regex"][1].startswith("1.")
    assert table.crates["md5"][1].startswith("0.7.")
    for name, (package, version) in table.crates.items():
        assert f'{package} = "={version}"' in table.manifest, f"{name} is not pinned exactly"
