"""One sample before its tests: compile, run, and what both prove. Nothing here knows of models or files."""

import dataclasses

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Status
from rust_expert.judge.diagnostics import Diagnostic, one_line, read_diagnostics
from rust_expert.judge.harness import (
    ROOT,
    Harness,
    build_harness,
    read_account,
    rebinds_the_library,
    without_random_names,
)
from rust_expert.judge.linked import NO_CRATES, Crates
from rust_expert.judge.rootfile import with_head
from rust_expert.judge.rustc import TEST_BUILD, compile_files, compiler_end
from rust_expert.judge.sandbox import Limits, Outcome
from rust_expert.judge.suite import Suite
from rust_expert.judge.tampering import (
    WATCH,
    changed_given,
    defines_symbols,
    may_define_symbols,
    without_symbols,
)
from rust_expert.judge.testroom import run_once

WALL = 4.0
"""Seconds by the clock for each processor second allowed: a busy machine is slow, a sleeping program must end."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """What the tests said about one piece of code.

    `compiled` is about the code alone: rustc finds no error in its text, whether or not the tests fit to it.
    """

    status: Status
    compiled: bool
    passed: int = 0
    total: int = 0
    codes: tuple[str, ...] = ()
    message: str = ""


def compile_limits(options: JudgeOptions) -> Limits:
    """The limits of one compilation or one run of clippy."""
    return Limits(
        cpu_seconds=options.compile_timeout,
        wall_seconds=WALL * options.compile_timeout,
        memory_mb=options.memory_mb,
        processes=options.max_processes,
        work_mb=options.tmpfs_mb,
        output_kb=8192,
        backend=options.sandbox,
    )


def run_limits(options: JudgeOptions) -> Limits:
    """The limits of one test run."""
    return Limits(
        cpu_seconds=options.run_timeout,
        wall_seconds=WALL * options.run_timeout,
        memory_mb=options.memory_mb,
        processes=options.max_processes,
        open_files=64,
        output_kb=options.output_kb,
        backend=options.sandbox,
    )


def compile_alone(code: str, options: JudgeOptions, crates: Crates = NO_CRATES) -> Trial:
    """Whether the code compiles as a library of its own; the status is `passed` where it does."""
    arguments = ["--crate-type=lib", "--emit=metadata", "-o", "/work/out", "-Awarnings", ROOT]
    files = {ROOT: with_head(code, crates.head)}
    limits = compile_limits(options)
    outcome = compile_files(files, arguments, edition=options.edition, limits=limits, crates=crates)
    if outcome.returncode == 0:
        return Trial("passed", True)
    return not_compiled(outcome, read_diagnostics(outcome.stderr), compiled=False)


def put_to_test(code: str, suite: Suite, options: JudgeOptions) -> Trial:
    """Compile `code` with the tests of `suite` and run them.

    Raises JudgeFault where the sandbox broke.
    """
    total = len(suite.tests.cases)
    if rebinds_the_library(code, suite.crates.names):
        return _untestable("extern crate gives a library's name to something else", code, suite, options)
    if changed := changed_given(code, suite.given):
        return _untestable(f"the problem gives {changed}, and the code has another one", code, suite, options)
    plain = without_symbols(code)
    watched = may_define_symbols(plain)
    harness = build_harness(plain, suite, own_allocator=watched)
    arguments = ["--crate-type=bin", "-Awarnings", *TEST_BUILD, "-o", "/work/program", ROOT]
    arguments += [WATCH] if watched else []
    limits, crates = compile_limits(options), suite.crates
    outcome = compile_files(
        harness.files, arguments, edition=options.edition, limits=limits, keep="program", crates=crates
    )
    if watched and outcome.returncode == 0 and defines_symbols(read_diagnostics(outcome.stderr)):
        return _untestable("the code replaces symbols of the program", code, suite, options)
    if outcome.returncode == 0 and outcome.kept:
        run = run_once(run_limits(options), program=outcome.kept, stdin=harness.secret)
        return judged(harness, suite, run)
    diagnostics = read_diagnostics(outcome.stderr)
    errors = [each for each in diagnostics if each.is_error]
    own = bool(errors) and all(each.file == ROOT for each in errors)
    if (
        own or outcome.killed_by or outcome.signal
    ):  # the compiler did not survive it: no need to see it die again
        return dataclasses.replace(not_compiled(outcome, diagnostics, compiled=False), total=total)
    alone = compile_alone(code, options, crates)
    told = alone if not alone.compiled else not_compiled(outcome, diagnostics, compiled=True)
    return dataclasses.replace(told, total=total)


def _untestable(why: str, code: str, suite: Suite, options: JudgeOptions) -> Trial:
    """A sample whose tests would prove nothing, whatever they say: it fails, where it compiles."""
    alone = compile_alone(code, options, suite.crates)
    total = len(suite.tests.cases)
    if not alone.compiled:
        return dataclasses.replace(alone, total=total)
    return dataclasses.replace(alone, status="failed", total=total, message=one_line(why))


def not_compiled(outcome: Outcome, diagnostics: list[Diagnostic], *, compiled: bool) -> Trial:
    """What to say of a sample that rustc refused, from all that rustc said of it."""
    errors = [each for each in diagnostics if each.is_error]
    codes = tuple(dict.fromkeys(each.code for each in errors if each.code))
    if outcome.timed_out:
        return Trial("timeout", compiled, message="the compiler ran out of time")
    if outcome.killed_by or (not errors and _ran_out_of_memory(outcome)):
        return Trial("resource_limit", compiled, message="the compiler ran out of memory or space")
    first = next((each for each in errors if each.file == ROOT), errors[0] if errors else None)
    message = first.headline if first is not None else compiler_end(outcome)
    return Trial("compile_error", compiled, codes=codes, message=without_random_names(message))


def judged(harness: Harness, suite: Suite, run: Outcome) -> Trial:
    """What a test run proved of a sample that compiles."""
    account = read_account(harness, run.stdout)
    passed, total = len(account.passed), harness.cases
    if passed == total and account.ended and not account.failed and run.returncode == 0 and not run.killed_by:
        return Trial("passed", True, passed, total)
    if run.timed_out:
        return Trial("timeout", True, passed, total, message="the tests ran out of time")
    if run.killed_by or _ran_out_of_memory(run):
        what = {"output": "printed too much", "file size": "wrote too much"}.get(
            run.killed_by, "ran out of memory"
        )
        return Trial("resource_limit", True, passed, total, message=f"the tests {what}")
    if account.failed:
        first = min(account.failed)
        name = suite.tests.cases[first].path.rpartition("::")[2]
        message = one_line(f"{name}: {account.failed[first]}")
    elif run.signal:
        message = f"the tests were ended by {run.signal_name}"
    else:
        message = f"the program left with exit code {run.returncode} before its tests were over"
    return Trial("failed", True, passed, total, message=without_random_names(message))


def _ran_out_of_memory(outcome: Outcome) -> bool:
    text = outcome.stderr[-4000:]
    return outcome.returncode != 0 and any(
        sign in text
        for sign in ("memory allocation of ", "out of memory", "Cannot allocate memory", "No space left")
    )
