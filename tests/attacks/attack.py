"""What a hostile sample is, the problems that it pretends to solve, and the harnesses that it would fool."""

import dataclasses
import functools
from collections.abc import Iterable

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.judge.sandbox import Limits, Sandbox
from rust_expert.judge.verdicts import judge

OPTIONS = JudgeOptions(
    run_timeout=1, compile_timeout=2, memory_mb=512, output_kb=64, max_processes=32, lints=False
)


def _problem(task_id: str, prompt: str, solution: str, entry: str, *tests: str) -> Problem:
    functions = "".join(f"    #[test]\n    fn t{place}() {{ {body} }}\n" for place, body in enumerate(tests))
    test = f"\n#[cfg(test)]\nmod tests {{\n    use super::*;\n{functions}}}\n"
    return Problem(task_id=task_id, prompt=prompt, canonical_solution=solution, entry_point=entry, test=test)


ADD = _problem(
    "add",
    "/// The sum of `a` and `b`.\nfn add(a: i32, b: i32) -> i32 {\n",
    "    a + b\n}\n",
    "add",
    "assert_eq!(add(1, 2), 3); assert!(add(20, 22) == 42);",
    "assert_eq!(add(-1, -2), -3);",
)
EVENS = _problem(
    "evens",
    "/// The even numbers.\nfn evens(xs: &[i32]) -> Vec<i32> {\n",
    "    xs.iter().copied().filter(|x| x % 2 == 0).collect()\n}\n",
    "evens",
    "assert_eq!(evens(&[1, 2, 3, 4]), vec![2, 4]);",
)
FIND = _problem(
    "find",
    "/// The even numbers.\nfn evens(xs: &[i32]) -> Vec<i32> {\n",
    "    xs.iter().copied().filter(|x| x % 2 == 0).collect()\n}\n",
    "evens",
    "let found = evens(&[1, 2, 3, 4]); assert!(found.contains(&2) && found.contains(&4));",
)
MOVED = _problem(
    "moved",
    "#[derive(Debug, Clone, PartialEq)]\nstruct Point {\n    x: i32,\n}\n\nimpl Point {\n"
    "    fn at(&self) -> i32 {\n        self.x\n    }\n}\n\n"
    "/// The point one further.\nfn moved(p: Point) -> Point {\n",
    "    Point { x: p.x + 1 }\n}\n",
    "moved",
    "assert_eq!(moved(Point { x: 1 }), Point { x: 2 }); assert_eq!(moved(Point { x: 3 }).at(), 4);",
)
DECODE = _problem(
    "decode",
    "fn encode(s: &str) -> String {\n    s.chars().rev().collect()\n}\n\n"
    "/// Takes back what `encode` does.\nfn decode(s: &str) -> String {\n",
    "    s.chars().rev().collect()\n}\n",
    "decode",
    'assert_eq!(decode(&encode("abc")), "abc");',
)
LARGEST = _problem(
    "largest",
    "/// The largest.\nfn largest<T: PartialOrd + Copy>(xs: &[T]) -> T {\n",
    "    let mut top = xs[0];\n    for &x in xs {\n        if x > top {\n            top = x;\n        }\n    }\n"
    "    top\n}\n",
    "largest",
    "assert_eq!(largest(&[1, 7, 3]), 7);",
)
COUNT = _problem(
    "count",
    "/// Counts from 0 without end.\nfn count() -> impl Iterator<Item = u32> {\n",
    "    0..\n}\n",
    "count",
    "assert_eq!(count().take(3).collect::<Vec<_>>(), vec![0, 1, 2]);",
)
_HALF = _problem(
    "half",
    "/// Half of an even number; panics with `odd` for others.\nfn half(n: i32) -> i32 {\n",
    '    if n % 2 != 0 {\n        panic!("odd");\n    }\n    n / 2\n}\n',
    "half",
    "assert_eq!(half(4), 2);",
)
PANICS = _HALF.model_copy(
    update={
        "test": _HALF.test.rstrip().removesuffix("}")
        + '    #[test]\n    #[should_panic(expected = "odd")]\n    fn odd() { half(3); }\n}\n'
    }
)
PROBLEMS = {problem.task_id: problem for problem in (ADD, EVENS, FIND, MOVED, DECODE, LARGEST, COUNT, PANICS)}


@dataclasses.dataclass(frozen=True)
class Attack:
    """A sample that is no solution. `fools` says what believes it: `exit`, a naive harness that believes the exit code;
    `says`, one that believes what is printed; `leaks`, one that leaves a secret where the sample finds it."""

    name: str
    code: str
    problem: str = "add"
    fools: str = "exit"


WRONG = {
    "add": "fn add(a: i32, b: i32) -> i32 { 0 }\n",
    "evens": "fn evens(xs: &[i32]) -> Vec<i32> { vec![0, 0] }\n",
    "find": "fn evens(xs: &[i32]) -> Vec<i32> { Vec::new() }\n",
}
"""What an attack returns where it has to return something."""


def judged(attacks: Iterable[Attack], options: JudgeOptions = OPTIONS) -> dict[str, Verdict]:
    """The verdicts on some attacks, judged together as the answers of one hostile model, by the attacks' names."""
    listed = list(attacks)
    rows = [
        Completion(task_id=attack.problem, sample=number, completion=attack.code)
        for number, attack in enumerate(listed)
    ]
    found = judge(rows, PROBLEMS, options, workers=2)
    return {attack.name: verdict for attack, verdict in zip(listed, found, strict=True)}


SECRET = "7b1e55ed"

_NAIVE = """
cd /work; cp /in/*.rs .; echo @SECRET@ > secret.txt
for it in *.rs; do
    case $it in
    leaks*) kind="";;
    *) kind="--test";;
    esac
    /rust/bin/rustc $kind --edition=2021 -Awarnings -o program $it >/dev/null 2>&1 || continue
    words=$([ -z "$kind" ] && echo @SECRET@)
    # Into a file: a child that is left over would keep a pipe open.
    (ulimit -t 2; echo @SECRET@ | SECRET=@SECRET@ timeout 4 ./program $words >said 2>/dev/null)
    code=$?; said=$(head -c 2000000 said | tr -d '\\0')
    case $said in *"test result: ok"*) echo "$it says";; esac
    case $said in *@SECRET@*) echo "$it leaks";; esac
    [ $code = 0 ] && echo "$it exit"
    rm -f program
done
true
""".replace("@SECRET@", SECRET)


@functools.cache
def naive_beliefs(attacks: tuple[Attack, ...]) -> dict[str, set[str]]:
    """What a harness believes that compiles code and tests in one file with libtest: `exit`, the exit code says that
    all passed; `says`, the output does. `leaks` is for a harness with a secret that it leaves on the command line, in
    the environment, on standard input, in a file and in the program. All in one sandbox, where they may do it."""
    files = {}
    for number, attack in enumerate(attacks):
        leaks = attack.fools == "leaks"
        rest = f'fn main() {{ add(1, 2); }}\n#[used] static KEY: &str = "{SECRET}";' if leaks else ""
        files[f"{'leaks' if leaks else 'tests'}-{number:03}.rs"] = (
            with_tests(attack) if not leaks else attack.code + rest
        )
    limits = Limits(cpu_seconds=60, wall_seconds=300, processes=64, output_kb=1024)
    outcome = Sandbox(limits).run(["/bin/sh", "-c", _NAIVE], files=files)
    assert outcome.returncode == 0 and not outcome.killed_by, outcome
    found: dict[str, set[str]] = {attack.name: set() for attack in attacks}
    for line in outcome.stdout.splitlines():
        file, belief = line.split()
        found[attacks[int(file[6:9])].name].add(belief)
    return found


def with_tests(attack: Attack) -> str:
    """The sample and its problem's tests in one file, as naive harnesses have them."""
    return attack.code + "\n" + PROBLEMS[attack.problem].test
