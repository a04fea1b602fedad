"""rustc in the sandbox: does this compile, and do these tests pass, one at a time or many at once.

For code that other rooms make or read (tasks, curriculum). Nothing here trusts it with more than the sandbox gives,
but a program may fool its own tests; samples of a model go through rust_expert.judge.trial instead.
"""

import dataclasses
import re
import secrets
from collections.abc import Callable, Iterable, Sequence

from rust_expert.common.parallel import spread
from rust_expert.judge.diagnostics import Diagnostic, one_line, read_diagnostics
from rust_expert.judge.linked import NO_CRATES, Crates
from rust_expert.judge.rootfile import with_head
from rust_expert.judge.sandbox import Limits, Outcome, Sandbox
from rust_expert.judge.testfile import TestFile, read_tests
from rust_expert.judge.testroom import run_once

BATCH = 200
"""Modules in one crate: the cost per module is flat from here on, and a rebuild after an error still cheap."""

TEST_BUILD = (
    "-Copt-level=0",
    "-Cdebuginfo=0",
    "-Cdebug-assertions=on",
    "-Ccodegen-units=1",
    "-Cstrip=symbols",
)
"""What `cargo test` builds, without debug information."""

_RUSTC = "/rust/bin/rustc"
_ALONE = re.compile(
    r"(?<!pub\()\bcrate\b|\b(super|extern)\b|\binclude(_str|_bytes)?!|#!\["
    r"|#\s*\[[^\]]*\b(macro_use|macro_export|no_mangle|export_name|link_section|link|used|global_allocator"
    r"|panic_handler|path|proc_macro\w*|cfg|cfg_attr)\b"
)
"""What means something else inside a module of a shared crate; comments and strings only make it careful."""

_DISTURBED = frozenset(
    {"E0034", "E0119", "E0277", "E0282", "E0283", "E0284", "E0308", "E0369", "E0599", "E0790"}
)
"""Errors that another module's trait implementations can cause by making an inference ambiguous."""

_MODULE = re.compile(r"[mt](\d+)\.rs")


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """Whether a snippet compiles as a library of its own, and what rustc said."""

    ok: bool
    diagnostics: list[Diagnostic]

    @property
    def codes(self) -> list[str]:
        """The distinct error codes, in order of appearance."""
        return list(dict.fromkeys(each.code for each in self.diagnostics if each.is_error and each.code))


@dataclasses.dataclass(frozen=True)
class TestProgram:
    """A solution and its tests (`#[cfg(test)] mod tests { use super::*; #[test] fn .. }`).

    `imports` is what the module around the tests takes from the solution, on one line.
    """

    code: str
    tests: str
    imports: str = "use super::*;"

    __test__ = False


@dataclasses.dataclass(frozen=True)
class TestRun:
    """Whether every test of a program passed; `message` is the first failure's line."""

    ok: bool
    message: str = ""

    __test__ = False


def check(code: str, *, edition: str = "2021", warnings: bool = False) -> CheckResult:
    """Compile one snippet to metadata as a library; with `warnings`, rustc's warnings are reported too."""
    silence = [] if warnings else ["-Awarnings"]
    arguments = ["--crate-type=lib", "--emit=metadata", "-o", "/work/out", *silence, "snippet.rs"]
    outcome = compile_files({"snippet.rs": code}, arguments, edition=edition)
    diagnostics = read_diagnostics(outcome.stderr)
    if outcome.returncode != 0 and not any(each.is_error for each in diagnostics):
        diagnostics.append(Diagnostic("", compiler_end(outcome), "error", 0, "", ()))
    return CheckResult(outcome.returncode == 0, diagnostics)


def check_many(
    codes: Sequence[str],
    *,
    edition: str = "2021",
    diagnostics: bool = True,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[CheckResult]:
    """`check` of each snippet, in order, many in one compilation: 2 ms for a good one instead of 28.

    The results are those of `check`: what fails in a batch is checked again alone. Without `diagnostics`, only
    where its neighbours might be to blame, and the others carry the batch's diagnostics, which may be fewer.
    `progress` is told how many snippets are done each time a batch is.
    """
    results: list[CheckResult | None] = [None] * len(codes)

    def settle(batch: list[int]) -> None:
        good, bad = _check_batch(batch, codes, edition) if len(batch) > 1 else ([], {batch[0]: []})
        for index in good:
            results[index] = CheckResult(True, [])
        for index, seen in bad.items():
            if diagnostics or not seen or any(each.code in _DISTURBED for each in seen):
                results[index] = check(codes[index], edition=edition)
            else:
                results[index] = CheckResult(False, seen)

    batches = _batches(codes)
    for batch, _ in zip(batches, spread(settle, batches, workers), strict=True):
        if progress is not None:
            progress(len(batch))
    return [result for result in results if result is not None]


def explained(codes: Iterable[str]) -> dict[str, str]:
    """The first paragraph of what rustc explains of each error code, on one line; codes that it does not explain are
    left out.
    """
    asked = sorted({code for code in codes if re.fullmatch(r"E\d{4}", code)})
    script = f'for code; do echo "@ $code"; {_RUSTC} --explain "$code"; done'
    told = Sandbox(Limits()).run(["/bin/sh", "-c", script, "explain", *asked]).stdout
    found: dict[str, str] = {}
    for part in re.split(r"^@ ", told, flags=re.MULTILINE)[1:]:
        code, _, text = part.partition("\n")
        paragraphs = [
            each for each in text.split("\n\n") if each.strip() and not each.startswith("#### Note")
        ]
        if paragraphs:
            found[code] = " ".join(paragraphs[0].split())
    return found


def run_tests_many(
    programs: Sequence[TestProgram],
    *,
    edition: str = "2021",
    workers: int = 1,
    run_seconds: int = 10,
    progress: Callable[[int], None] | None = None,
) -> list[TestRun]:
    """Compile and run the tests of each program, in order, many in one binary: about 5 CPU ms for a small one.

    A program without tests is not ok. `run_seconds` is what one program may take; a hanging, crashing or exiting
    program is found and its neighbours are run without it.
    """
    results: list[TestRun | None] = [None] * len(programs)
    suites = [read_tests(program.tests) for program in programs]

    def settle(batch: list[int]) -> None:
        for index, result in _test_batch(batch, programs, suites, edition, run_seconds).items():
            results[index] = result

    batches = _batches([program.code for program in programs])
    for batch, _ in zip(batches, spread(settle, batches, workers), strict=True):
        if progress is not None:
            progress(len(batch))
    return [result for result in results if result is not None]


def compile_files(
    files: dict[str, str],
    arguments: Sequence[str],
    *,
    edition: str,
    limits: Limits | None = None,
    keep: str | None = None,
    crates: Crates = NO_CRATES,
) -> Outcome:
    """rustc on some files in a fresh toolchain room, with JSON diagnostics on standard error."""
    room = Sandbox(limits or Limits(cpu_seconds=20, wall_seconds=80))
    words = [_RUSTC, f"--edition={edition}", "--error-format=json", *crates.arguments, *arguments]
    return room.run(words, files=files, keep=keep, mounts=crates.mounts)


def compiler_end(outcome: Outcome) -> str:
    """Why a compiler without diagnostics stopped."""
    if outcome.killed_by:
        return f"the compiler met the limit: {outcome.killed_by}"
    if outcome.signal:
        return f"the compiler crashed with {outcome.signal_name}"
    return one_line(
        next((line for line in outcome.stderr.splitlines() if line.startswith("error")), "it failed")
    )


def _batches(codes: Sequence[str]) -> list[list[int]]:
    """Indices in groups: what may share a crate by BATCH, the others one by one."""
    shared = [index for index, code in enumerate(codes) if not _ALONE.search(code)]
    alone = [[index] for index, code in enumerate(codes) if _ALONE.search(code)]
    return [shared[start : start + BATCH] for start in range(0, len(shared), BATCH)] + alone


def _batch_limits(count: int) -> Limits:
    return Limits(cpu_seconds=20 + count // 4, wall_seconds=80.0 + count, work_mb=256, output_kb=65536)


def _blamed(diagnostics: list[Diagnostic]) -> dict[int, list[Diagnostic]]:
    """The errors by the number in the name of the file that they point to."""
    blamed: dict[int, list[Diagnostic]] = {}
    for each in diagnostics:
        places = [span.file for span in each.spans if span.primary] + [span.file for span in each.spans]
        match = next((found for place in places if (found := _MODULE.fullmatch(place))), None)
        if each.is_error and match:
            blamed.setdefault(int(match[1]), []).append(each)
    return blamed


def _check_batch(
    batch: list[int], codes: Sequence[str], edition: str
) -> tuple[list[int], dict[int, list[Diagnostic]]]:
    """The snippets that compile together, and the errors of the others (none where only `check` can tell)."""
    bad: dict[int, list[Diagnostic]] = {}
    alive = list(batch)
    while alive:
        files = {f"m{index}.rs": codes[index] for index in alive}
        files["lib.rs"] = "".join(f"mod m{index};" for index in alive)
        arguments = ["--crate-type=lib", "--emit=metadata", "-o", "/work/out", "-Awarnings", "lib.rs"]
        outcome = compile_files(files, arguments, edition=edition, limits=_batch_limits(len(alive)))
        if outcome.returncode == 0:
            return alive, bad
        blamed = _blamed(read_diagnostics(outcome.stderr))
        if not blamed:
            return _halved(alive, codes, edition, bad)
        bad.update(blamed)
        alive = [index for index in alive if index not in blamed]
    return [], bad


def _halved(
    alive: list[int], codes: Sequence[str], edition: str, bad: dict[int, list[Diagnostic]]
) -> tuple[list[int], dict[int, list[Diagnostic]]]:
    """Where an error names no module (a crash, a hang), look in each half for it."""
    good: list[int] = []
    if len(alive) == 1:
        return good, {**bad, alive[0]: []}
    middle = len(alive) // 2
    for half in (alive[:middle], alive[middle:]):
        more, worse = _check_batch(half, codes, edition)
        good += more
        bad.update(worse)
    return good, bad


def _test_batch(
    batch: list[int],
    programs: Sequence[TestProgram],
    suites: Sequence[TestFile],
    edition: str,
    run_seconds: int,
) -> dict[int, TestRun]:
    """Each program's result; what fails to compile beside others is compiled again alone."""
    results = {index: TestRun(False, "it has no tests") for index in batch if not suites[index].cases}
    pending = [[index for index in batch if suites[index].cases]]
    while pending:
        alive = pending.pop()
        if not alive:
            continue
        word = secrets.token_hex(8)
        arguments = ["--crate-type=bin", "-Awarnings", *TEST_BUILD, "-o", "/work/program", "main.rs"]
        files = _test_files(alive, programs, suites, word)
        limits = _batch_limits(len(alive))
        outcome = compile_files(files, arguments, edition=edition, limits=limits, keep="program")
        if outcome.returncode == 0 and outcome.kept:
            results.update(_run_batch(outcome.kept, alive, word, run_seconds))
            continue
        diagnostics = read_diagnostics(outcome.stderr)
        if len(alive) == 1:
            first = next((each.headline for each in diagnostics if each.is_error), compiler_end(outcome))
            results[alive[0]] = TestRun(False, first)
            continue
        blamed = _blamed(diagnostics)
        if blamed:
            pending += [[index] for index in alive if index in blamed]
            pending.append([index for index in alive if index not in blamed])
        else:
            middle = len(alive) // 2
            pending += [alive[:middle], alive[middle:]]
    return results


_TEST_MAIN = """
static PROGRAMS: &[(usize, &[(&str, (bool, &str, fn()))])] = &[@TABLE@];
fn main() {
    let mut first = String::new();
    ::std::io::stdin().read_line(&mut first).unwrap();
    let first: usize = first.trim().parse().unwrap();
    ::std::panic::set_hook(::std::boxed::Box::new(|_| {}));
    for (number, cases) in PROGRAMS.iter().filter(|(number, _)| *number >= first) {
        let mut fault = String::from("ok");
        for (name, (panics, expected, run)) in cases.iter() {
            match ::std::panic::catch_unwind(run) {
                Ok(()) if *panics => fault = format!("{name}: it did not panic"),
                Ok(()) => continue,
                Err(said) => {
                    let said = said.downcast_ref::<&str>().map(|it| it.to_string())
                        .or_else(|| said.downcast_ref::<String>().cloned()).unwrap_or_default();
                    if *panics && said.contains(expected) { continue; }
                    fault = format!("{name}: {}", said.lines().next().unwrap_or(""));
                }
            }
            break;
        }
        println!("\\n@WORD@ {number} {fault}");
    }
    println!("\\n@WORD@ end");
}
"""


def _test_files(
    alive: list[int], programs: Sequence[TestProgram], suites: Sequence[TestFile], word: str
) -> dict[str, str]:
    """The crate: each program as a module with its tests as a child, and a main that calls them by number.

    A single program is the crate's root itself, so that `crate::` paths and crate attributes mean what they say.
    """
    files, table = {}, []
    alone = len(alive) == 1
    for index in alive:
        cases = "".join(f'("{case.path}", {case.entry}),' for case in suites[index].cases)
        table.append(f"({index}, {'' if alone else f'm{index}::'}suite_{word}::CASES_{word})")
        constant = f"pub(crate) const CASES_{word}: &[(&str, (bool, &str, fn()))] = &[{cases}];"
        files[f"t{index}.rs"] = f"{programs[index].imports} {constant}{suites[index].text}"
        child = f'#[path = "t{index}.rs"] pub(crate) mod suite_{word};'
        files["main.rs" if alone else f"m{index}.rs"] = with_head(programs[index].code, child)
    main = _TEST_MAIN.replace("@TABLE@", ", ".join(table)).replace("@WORD@", word)
    if alone:
        files["main.rs"] = with_head(files["main.rs"], main.replace("\n", " "))
    else:
        files["main.rs"] = "".join(f"mod m{index};" for index in alive) + main
    return files


def _run_batch(program: bytes, alive: list[int], word: str, run_seconds: int) -> dict[int, TestRun]:
    """Run the binary to its end, starting again after each program that ended it."""
    results: dict[int, TestRun] = {}
    left = sorted(alive)
    while left:
        limits = Limits(
            cpu_seconds=run_seconds, wall_seconds=4.0 * run_seconds, memory_mb=1024, output_kb=16384
        )
        outcome = run_once(limits, program=program, stdin=f"{left[0]}\n")
        told = [line.split(" ", 2)[1:] for line in outcome.stdout.split("\n") if line.startswith(f"{word} ")]
        for said in told:
            if said[0] != "end":
                results[int(said[0])] = TestRun(said[1] == "ok", "" if said[1] == "ok" else one_line(said[1]))
        left = [index for index in left if index not in results]
        if left:
            results[left[0]] = TestRun(False, _program_end(outcome))
            left = left[1:]
    return results


def _program_end(outcome: Outcome) -> str:
    """Why a test program ended before its last test."""
    if outcome.killed_by:
        return f"it met the limit: {outcome.killed_by}"
    if outcome.signal:
        return f"it was ended by {outcome.signal_name}"
    return f"it left with exit code {outcome.returncode} before its tests were over"
