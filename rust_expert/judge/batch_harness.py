"""The program around many samples: each is a module of one crate with its tests as a child module.

`main` reads from its input which sample's tests to run, and runs those and no others: one process tests one sample.
What rust_expert.judge.harness promises holds for each sample: its tests come before its first item, take by name what
the problem names and nothing else, and prove with a secret of this one run and a key of this one sample what they did.
"""

import dataclasses
import secrets
from collections.abc import Sequence

from rust_expert.judge.harness import Harness, between
from rust_expert.judge.rootfile import with_head
from rust_expert.judge.suite import Suite

ROOT = "main.rs"

_MAIN = """#![allow(warnings)]
mod run_@W@ {
    fn word(text: &[u8; 32], start: usize) -> u64 {
        let (mut word, mut place) = (0u64, start);
        while place < start + 16 {
            let digit = text[place];
            word = word << 4 | (if digit > 57 { digit - 87 } else { digit - 48 }) as u64;
            place += 1;
        }
        word
    }
    fn mixed(state: u64, word: u64) -> u64 {
        let mut state = (state ^ word).wrapping_add(0x9E3779B97F4A7C15);
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D049BB133111EB);
        state ^ (state >> 31)
    }
    pub(crate) fn all(cases: &[(bool, &'static str, fn())], key: u64, last: u64) {
        let mut input = [0u8; 32];
        if ::std::io::Read::read_exact(&mut ::std::io::stdin(), &mut input).is_err() { return; }
        let (first, second) = (word(&input, 0) ^ key, word(&input, 16) ^ last);
        let count = cases.len() as u64;
        tell(first, second, count * 2 + 1, count, last, "");
        let mut number = 0u64;
        while number < count {
            let (panics, expected, run) = cases[number as usize];
            let (passed, text) = match &::std::panic::catch_unwind(run) {
                Ok(()) => (!panics, if panics { "it did not panic" } else { "" }),
                Err(said) => {
                    let text = if let Some(text) = said.downcast_ref::<&'static str>() { *text }
                        else if let Some(text) = said.downcast_ref::<::std::string::String>() { text.as_str() }
                        else { "" };
                    tell(first, second, number * 2 + (panics && text.contains(expected)) as u64, number, last, text);
                    number += 1;
                    continue;
                }
            };
            tell(first, second, number * 2 + passed as u64, number, last, text);
            number += 1;
        }
        tell(first, second, count * 2, count, last, "");
    }
    fn tell(first: u64, second: u64, what: u64, number: u64, last: u64, text: &str) {
        let proof = mixed(mixed(mixed(first, second), what), last);
        ::std::print!("\\n{proof:016x} {number} {text}\\n");
    }
}
fn main() {
    let mut which = [0u8; 4];
    if ::std::io::Read::read_exact(&mut ::std::io::stdin(), &mut which).is_err() { return; }
    match &which { @ARMS@ _ => {} }
}
"""

_TESTS = """#![allow(warnings)] @IMPORTS@
pub(crate) fn main_@W@() {
    let cases: [(bool, &'static str, fn()); @COUNT@] = [@CASES@];
    crate::run_@B@::all(&cases, @K0@, @K1@);
}
@SIGNATURE@
"""


@dataclasses.dataclass(frozen=True)
class Batch:
    """The files of one build, and for each sample what is needed to believe its run. Everything is used once."""

    files: dict[str, str]
    harnesses: dict[int, Harness]
    samples: dict[str, int]
    tests: dict[str, int]
    names: str

    def stdin(self, number: int) -> str:
        """What the program reads to run the tests of one sample."""
        return f"{number:04x}{self.harnesses[number].secret}"


def build_batch(chosen: Sequence[tuple[int, str, Suite]]) -> Batch:
    """One program for some samples: their numbers, code and suites. Numbers are under 65,536; the suites have the same
    crates.

    `samples` and `tests` of the result give the number of each sample's own file and of its tests' file; `names` is
    in the name of each sample's module, and in no sample.
    """
    shared = secrets.token_hex(8)
    files: dict[str, str] = {}
    harnesses: dict[int, Harness] = {}
    samples: dict[str, int] = {}
    tests: dict[str, int] = {}
    crates, modules, arms = [chosen[0][2].crates.head], [], []
    for number, code, suite in chosen:
        word, secret = secrets.token_hex(8), secrets.token_hex(16)
        key = (secrets.randbits(64), secrets.randbits(64))
        module = f"m{number}_{shared}"
        own, test = f"{module}.rs", f"in_{word}.rs"
        files[own] = with_head(code, f'#[path = "{test}"] pub(crate) mod in_{word};')
        files[test] = _tests(code, suite, word, key, shared)
        harnesses[number] = Harness({}, secret, key, len(suite.tests.cases), word)
        samples[own], tests[test] = number, number
        crates.append(f"extern crate std as std_{word};")
        modules.append(f"mod {module};")
        arms.append(f'b"{number:04x}" => {module}::in_{word}::main_{word}(),')
    main = _MAIN.replace("@W@", shared).replace("@ARMS@", " ".join(arms))
    files[ROOT] = main + "\n".join([*crates, *modules]) + "\n"
    return Batch(files, harnesses, samples, tests, shared)


def _tests(code: str, suite: Suite, word: str, key: tuple[int, int], shared: str) -> str:
    cases = suite.tests.cases
    replacements = {
        **between(code, suite),
        "@CASES@": ", ".join(case.entry for case in cases).replace("::std::", f"::std_{word}::"),
        "@COUNT@": str(len(cases)),
        "@K0@": f"{key[0]:#x}",
        "@K1@": f"{key[1]:#x}",
        "@B@": shared,
    }
    text = _TESTS
    for mark, value in replacements.items():
        text = text.replace(mark, value)
    return text.replace("@W@", word) + suite.tests.text
