"""Why a build failed, in one line, from what cargo said in the sandbox."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from rust_expert.judge.diagnostics import diagnostic_of, one_line, read_rows
from rust_expert.judge.sandbox import LIMIT_SIGNALS, Outcome

_PROGRAM_FAILED = "  process didn't exit successfully: "
_ENDED = re.compile(r"\(((?:exit status|signal): \d+[^()]*)\)$")
_SIGNALLED = re.compile(r"signal: (\d+)")
_SIGNS = {
    "memory": re.compile(
        r"memory allocation of \d+ bytes failed|[Cc]annot allocate memory|LLVM ERROR: out of memory"
    ),
    "space for files": re.compile(r"[Nn]o space left on device|tar: .*Wrote only \d+ of \d+ bytes"),
    "processes": re.compile(r"[Rr]esource temporarily unavailable|Cannot fork"),
}
"""What programs say where they met a limit that no signal tells of."""
END_OF_WORDS = "@ what cargo said in JSON"
"""A line after what cargo, and what it ran, said in words; after it come the last of its messages."""
_MOST_WORDS = 150_000
"""Characters of these words that are looked at, the last."""


@dataclass(frozen=True)
class Fault:
    """`hurried`: it ran out of time, or was killed as the kernel kills what takes too much of a machine, so that
    another time it may end well.
    """

    reason: str
    hurried: bool = False


def fault_of(done: Outcome) -> Fault:
    """Why a run of cargo failed: a limit, the first error of rustc, or the first and the innermost of cargo's words."""
    said, mark, messages = done.stderr.rpartition(f"\n{END_OF_WORDS}\n")
    told = [line for line in (said if mark else messages)[-_MOST_WORDS:].split("\n") if line.strip()]
    error, ended = _compile_error(messages), _ended(done, told)
    signalled = int(found[1]) if (found := _SIGNALLED.match(ended)) else 0
    limit = done.killed_by or LIMIT_SIGNALS.get(signalled) or _limit_in([error, *told])
    if limit:
        return Fault(f"building it met the limit: {limit}", hurried=limit in ("cpu", "wall"))
    if signalled == signal.SIGKILL:
        return Fault("a program that built it was killed (SIGKILL)", hurried=True)
    if error:
        return Fault(one_line(f"error: {error}", paths=True))
    words = _first_words(told) + ([ended, *_last_words(told)] if ended else _causes(told)[-2:])
    return Fault(one_line(": ".join(word.strip() for word in words), paths=True))


def _compile_error(told: str) -> str:
    """The first error among cargo's messages."""
    for row in read_rows(told):
        message = row.get("message")
        if isinstance(message, dict) and message.get("level") == "error":
            found = diagnostic_of(message)
            if found is None:
                return str(message.get("message"))
            panicked = found.message.endswith("panicked")  # a procedural macro; what it said stands below
            return ": ".join([found.message, *(child.message for child in found.children[:panicked])])
    return ""


def _ended(done: Outcome, told: Sequence[str]) -> str:
    """How the program that failed ended, `signal: 9, SIGKILL` or `exit status: 1`; cargo itself where no other did."""
    ends = [
        found[1]
        for line in told
        if line.startswith(_PROGRAM_FAILED) and (found := _ENDED.search(line[-300:]))
    ]
    if done.signal:
        ends = [f"signal: {done.signal}, {done.signal_name}"]
    return ends[0] if ends else ""


def _limit_in(words: Sequence[str]) -> str:
    return next((limit for limit, sign in _SIGNS.items() if any(map(sign.search, words))), "")


def _first_words(told: Sequence[str]) -> list[str]:
    for place, line in enumerate(told):
        if line.startswith("error"):
            return [line.removesuffix(":"), *told[place + 1 : place + 1 + line.endswith(":")]]
    return ["cargo failed", *told[-1:]]


def _causes(told: Sequence[str]) -> list[str]:
    return [after for line, after in zip(told, told[1:], strict=False) if line == "Caused by:"]


def _last_words(told: Sequence[str]) -> list[str]:
    """What a build script said last, as cargo quotes it; what a compiler said of its own end."""
    marks = [place for place, line in enumerate(told) if line in ("  --- stderr", "  --- stdout")]
    if marks:
        return [line for line in told[marks[-1] + 1 :] if not line.strip().startswith("note: ")][-1:]
    return ["it overflowed its stack"] if any("has overflowed its stack" in line for line in told) else []
