"""The program around one sample: the sample is the crate's root, the tests are a child module, `main` is ours.

The tests' file is declared before the sample's first item, so that no textual macro of the sample reaches it, and
under a random name. `main` reads a secret from its input before any test, calls each test, and after each prints a
proof: a number made from the secret and a key that is compiled in. A sample that leaves early, prints what a passing
run prints, or replaces macros and panic hooks, has no proof for the tests that it did not pass.
"""

import dataclasses
import re
import secrets
from collections.abc import Collection

from rust_expert.judge.rootfile import with_head
from rust_expert.judge.suite import Suite, is_generic
from rust_expert.judge.tokens import tokens_of
from rust_expert.syntax.parser import field, parse, text_of

ROOT = "sample.rs"

MODULE_WORDS = frozenset({"Err", "Ok", "bool", "str", "u64", "u8", "usize"})
"""Names of the language that the tests' module uses beside the tests: a problem that defines one changes it."""

_LIBRARIES = frozenset({"std", "core", "alloc"})
_MASK = (1 << 64) - 1
_RANDOM = re.compile(r"\b([a-z_]+)_[0-9a-f]{16}\b")

# Written for a short compilation: what is generic or formatted here is compiled again for each sample.
_TESTS = """#![allow(warnings)] @IMPORTS@
fn word_@W@(text: &[u8; 32], start: usize) -> u64 {
    let (mut word, mut place) = (0u64, start);
    while place < start + 16 {
        let digit = text[place];
        word = word << 4 | (if digit > 57 { digit - 87 } else { digit - 48 }) as u64;
        place += 1;
    }
    word
}
fn mixed_@W@(state: u64, word: u64) -> u64 {
    let mut state = (state ^ word).wrapping_add(0x9E3779B97F4A7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D049BB133111EB);
    state ^ (state >> 31)
}
pub(super) fn main_@W@() {
    let mut input = [0u8; 32];
    if ::std_@W@::io::Read::read_exact(&mut ::std_@W@::io::stdin(), &mut input).is_err() { return; }
    let (first, second) = (word_@W@(&input, 0) ^ @K0@, word_@W@(&input, 16) ^ @K1@);
    let cases: [(bool, &'static str, fn()); @COUNT@] = [@CASES@];
    let mut number = 0;
    while number < @COUNT@ {
        let (panics, expected, run) = cases[number];
        let (passed, text) = match &::std_@W@::panic::catch_unwind(run) {
            Ok(()) => (!panics, if panics { "it did not panic" } else { "" }),
            Err(said) => {
                let text = if let Some(text) = said.downcast_ref::<&'static str>() { *text }
                    else if let Some(text) = said.downcast_ref::<::std_@W@::string::String>() { text.as_str() }
                    else { "" };
                tell_@W@(first, second, number as u64 * 2 + (panics && @EXPECTED@) as u64, number as u64, text);
                number += 1;
                continue;
            }
        };
        tell_@W@(first, second, number as u64 * 2 + passed as u64, number as u64, text);
        number += 1;
    }
    tell_@W@(first, second, @COUNT@ * 2, @COUNT@, "");
}
fn tell_@W@(first: u64, second: u64, what: u64, number: u64, text: &str) {
    let proof = mixed_@W@(mixed_@W@(mixed_@W@(first, second), what), @K1@);
    ::std_@W@::print!("\\n{proof:016x} {number} {text}\\n");
}
@SIGNATURE@
"""


@dataclasses.dataclass(frozen=True)
class Harness:
    """The files of one test build, and what is needed to believe its output. Everything in it is used once."""

    files: dict[str, str]
    secret: str
    key: tuple[int, int]
    cases: int
    word: str

    def proof(self, number: int) -> str:
        """What `main` prints for test `n`: number 2n+1 where it passed, 2n where it failed; at the end 2 * cases.

        In a batch, 2 * cases + 1 before the first test.
        """
        first, second = (int(part, 16) for part in (self.secret[:16], self.secret[16:]))
        state = first ^ self.key[0]
        for word in (second ^ self.key[1], number, self.key[1]):
            state = ((state ^ word) + 0x9E3779B97F4A7C15) & _MASK
            state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
            state ^= state >> 31
        return f"{state:016x}"


@dataclasses.dataclass(frozen=True)
class Account:
    """What a run proved: the tests that passed, those that failed with their words, and that it reached its end.

    `started` says that it reached its first test; only a sample in a batch proves that.
    """

    passed: frozenset[int]
    failed: dict[int, str]
    ended: bool
    started: bool = False


def build_harness(code: str, suite: Suite, *, own_allocator: bool = False) -> Harness:
    """The program that puts `code` to the tests of `suite`; with `own_allocator`, a second one is an error."""
    word, secret = secrets.token_hex(8), secrets.token_hex(16)
    key = (secrets.randbits(64), secrets.randbits(64))
    cases = suite.tests.cases
    expects = any(case.expected != '""' for case in cases)
    replacements = {
        **between(code, suite),
        "@CASES@": ", ".join(case.entry for case in cases).replace("::std::", f"::std_{word}::"),
        "@COUNT@": str(len(cases)),
        "@EXPECTED@": "text.contains(expected)" if expects else "true",
        "@K0@": f"{key[0]:#x}",
        "@K1@": f"{key[1]:#x}",
    }
    text = _TESTS
    for mark, value in replacements.items():
        text = text.replace(mark, value)
    text = text.replace("@W@", word) + suite.tests.text
    head = f"mod in_{word}; extern crate std as std_{word}; fn main() {{ in_{word}::main_{word}() }}"
    if own_allocator:
        system = f"std_{word}::alloc::System"
        head += f" #[global_allocator] static ALLOCATOR_{word.upper()}: {system} = {system};"
    head = f"{head} {suite.crates.head}".rstrip()
    files = {ROOT: with_head(code, head), f"in_{word}.rs": text}
    return Harness(files, secret, key, len(cases), word)


def read_account(harness: Harness, stdout: str) -> Account:
    """The proofs in a run's output; a line that carries none counts for nothing, whatever else it says."""
    passing = {harness.proof(2 * number + 1): number for number in range(harness.cases)}
    failing = {harness.proof(2 * number): number for number in range(harness.cases)}
    end, start = harness.proof(2 * harness.cases), harness.proof(2 * harness.cases + 1)
    passed: set[int] = set()
    failed: dict[int, str] = {}
    ended = started = False
    for line in stdout.split("\n"):
        proof, _, rest = line.partition(" ")
        if proof in passing:
            passed.add(passing[proof])
        elif proof in failing:
            failed[failing[proof]] = rest.partition(" ")[2]
        elif proof == end:
            ended = True
        elif proof == start:
            started = True
    return Account(frozenset(passed), failed, ended, started)


def without_random_names(message: str) -> str:
    """A message of rustc without the names that are new in each run."""
    return _RANDOM.sub(r"\1", message)


def signature_check(suite: Suite) -> str:
    """Rust that compiles only where the entry point, which is not generic, returns the declared type.

    Otherwise a sample could return a type of its own that equals everything. Only the returned type is held to the
    declaration.
    """
    declared = suite.signature
    if declared is None:
        return ""
    names = [f"P{number}" for number in range(declared.count)]
    kinds = ", ".join(names)
    marker = "::std_@W@::marker::PhantomData"
    return (
        f"fn kind_of_@W@<{', '.join([*names, 'R'])}>(_: fn({kinds}) -> R) -> {marker}<R> {{ {marker} }} "
        f"fn returned_@W@() {{ let _: {marker}<{declared.returned}> = kind_of_@W@({suite.entry}); }}"
    )


def between(code: str, suite: Suite) -> dict[str, str]:
    """What stands between the tests and a sample, by its mark in a template: imports, and what holds it to its
    signature. A generic entry point is called through a wrapper, which the check then sees in its place."""
    return {
        "@IMPORTS@": suite.head(generic=_entry_is_generic(code, suite.entry)),
        "@SIGNATURE@": signature_check(suite),
    }


def _entry_is_generic(code: str, entry: str) -> bool:
    source = code.encode()
    for node in parse(source).root_node.children:
        name = field(node, "name")
        if node.type == "function_item" and name is not None and text_of(name, source) == entry:
            return is_generic(node)
    return False


def rebinds_the_library(code: str, crates: Collection[str] = ()) -> bool:
    """Whether an `extern crate` of the sample could give the name `std` (or core, alloc, one of `crates`) to something
    else.

    Such an item at the crate's root changes what absolute paths mean everywhere, the tests included.
    """
    words = tokens_of(code)
    for place in range(len(words) - 2):
        if words[place : place + 2] == ["extern", "crate"]:
            origin, *rest = words[place + 2 : place + 5]
            name = rest[1] if rest[:1] == ["as"] and len(rest) > 1 else origin
            if (
                origin == "self"
                or "$" in origin + name
                or (name in {*_LIBRARIES, *crates} and name != origin)
            ):
                return True
    return False
