"""Families over strings and characters."""

import string
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

from rust_expert.curriculum.drafts import Draft, Draw, Param, chain, family, if_else, singles
from rust_expert.curriculum.integers import FOUR, TYPES
from rust_expert.curriculum.rendering import quoted, render
from rust_expert.curriculum.vocabulary import FOLDS

LETTERS = tuple("aeiorstnlm")
WORDS = (
    "apple", "River", "stone", "Tea", "42", "moon", "Lamp", "x1", "sea", "tree", "a", "Rust", "ñandú", "über", "no",
)  # fmt: skip

# Each test of a character: its Rust, its English, its Python.
CHARS: dict[str, tuple[str, str, str, Callable[[str, str], bool]]] = {
    "digit": ("c.is_ascii_digit()", "a digit", "digits", lambda c, k: c in string.digits),
    "alphabetic": ("c.is_alphabetic()", "a letter", "letters", lambda c, k: c.isalpha()),
    "upper": ("c.is_uppercase()", "an uppercase letter", "uppercase letters", lambda c, k: c.isupper()),
    "lower": ("c.is_lowercase()", "a lowercase letter", "lowercase letters", lambda c, k: c.islower()),
    "space": ("c.is_whitespace()", "white space", "white space", lambda c, k: c.isspace()),
    "punctuation": ("c.is_ascii_punctuation()", "punctuation", "punctuation", lambda c, k: c in string.punctuation),
    "vowel": ("\"aeiou\".contains(c)", "a vowel", "vowels", lambda c, k: c in "aeiou"),
    "ascii": ("c.is_ascii()", "an ASCII character", "ASCII characters", lambda c, k: ord(c) < 128),
    "same": ("c == '{k}'", "'{k}'", "'{k}'", lambda c, k: c == k),
}  # fmt: skip


def phrases(random: Random, near: str = "") -> list[str]:
    """Lines worth testing: the empty one first, then words, numbers, marks, umlauts, and the letter `near`."""
    made = ["", f"{near}Rust 2024, ok!", "ÄÖ éa"]
    for _ in range(6):
        parts = [random.choice((*WORDS, near * 2)) for _ in range(random.randint(1, 3))]
        made.append(
            random.choice((" ", "-", ", ", "")).join(parts) + random.choice(("", "!", "?", " ", near))
        )
    return made


_USES: dict[str, tuple[str, str, Callable[[list[str], str, Callable[[str], bool]], Any]]] = {
    "count": ("usize", "the number of characters in `{s}` that are {many}", lambda kept, s, holds: len(kept)),
    "any": ("bool", "whether any character of `{s}` is {what}", lambda kept, s, holds: bool(kept)),
    "all": ("bool", "whether every character of `{s}` is {what}", lambda kept, s, holds: len(kept) == len(s)),
    "position": (
        "Option<usize>", "the position of the first character of `{s}` that is {what}",
        lambda kept, s, holds: next((place for place, c in enumerate(s) if holds(c)), None),
    ),
    "find": (
        "Option<char>", "the first character of `{s}` that is {what}",
        lambda kept, s, holds: kept[0] if kept else None,
    ),
    "keep": ("String", "`{s}` with only the characters that are {many}", lambda kept, s, holds: "".join(kept)),
    "remove": (
        "String", "`{s}` without the characters that are {many}",
        lambda kept, s, holds: "".join(c for c in s if not holds(c)),
    ),
}  # fmt: skip


@family(
    lambda use, test, order: (
        (use, test) != ("all", "ascii") and (order == "forward" or use in ("find", "keep", "remove"))
    ),
    use=_USES,
    test=CHARS,
    order=("forward", "reverse"),
)
def chars(draw: Draw, use: str, test: str, order: str) -> Draft:
    """The characters of a string that pass a test: counted, found, kept, removed."""
    (returns, phrase, run), (form, what, many, check) = _USES[use], CHARS[test]
    k = draw.constant(LETTERS) if "{k}" in form else ""
    s, code = draw.text(), form.format(k=k)
    closure = {
        "count": (f"filter(|&c| {code})", "count()"),
        "keep": (f"filter(|&c| {code})", "collect()"),
        "remove": (f"filter(|&c| !{code})" if test != "same" else f"filter(|&c| c != '{k}')", "collect()"),
        "find": (f"find(|&c| {code})",),
    }.get(use, (f"{use}(|c| {code})",))
    turn = ("rev()",) if order == "reverse" else ()
    told = phrase.format(s=s, what=what.format(k=k), many=many.format(k=k))
    if turn:
        told = told.replace("the first", "the last") if use == "find" else f"{told}, in reverse"
    verb = draw.one("Checks", "Tells") if use in ("any", "all") else draw.verb()
    names = (
        (f"last_{test}", f"find_last_{test}")
        if turn and use == "find"
        else (f"{use}_{test}", f"{test}_{use}")
    )
    if turn and use != "find":
        names = (f"{use}_{test}_reverse", f"reverse_{use}_{test}")

    def reference(s: str) -> Any:
        s = s[::-1] if turn else s
        return run([c for c in s if check(c, k)], s, lambda c: check(c, k))

    lines = phrases(draw.cases, k)
    only = ["".join(c for c in line if check(c, k)) for line in lines[1:5]]
    alone = ["b", "B", "e", "7", "?", " ", "ß", k or "t"]
    return Draft(
        name=draw.one(*names),
        params=(Param(s, "&str"),),
        returns=returns,
        doc=f"{verb} {told}.",
        body=chain(s, "chars()", *turn, *closure),
        reference=reference,
        inputs=singles([*lines, *only, *alone]),
    )


_SPLITS: dict[str, tuple[str, str, Callable[[str], list[str]], str]] = {
    "words": ("split_whitespace()", "words", lambda s: s.split(), " "),
    "fields": ("split(',')", "comma-separated fields", lambda s: s.split(","), ","),
    "lines": ("lines()", "lines", lambda s: s.splitlines(), "\n"),
}
_WORD_TESTS: dict[str, tuple[str, str, Callable[[str, Any], bool]]] = {
    "longer": ("w.len() > {k}", "longer than {k} bytes", lambda w, k: len(w.encode()) > k),
    "shorter": ("w.len() < {k}", "shorter than {k} bytes", lambda w, k: len(w.encode()) < k),
    "starting": ("w.starts_with('{k}')", "starting with '{k}'", lambda w, k: w.startswith(k)),
    "ending": ("w.ends_with('{k}')", "ending with '{k}'", lambda w, k: w.endswith(k)),
    "holding": ("w.contains('{k}')", "containing '{k}'", lambda w, k: k in w),
}


@family(split=_SPLITS, test=_WORD_TESTS, fold=("count", "any", "all", "find", "collect"))
def words(draw: Draw, split: str, test: str, fold: str) -> Draft:
    """The parts of a text that pass a test: counted, found, collected."""
    (call, plural, cut, glue), (form, what, check) = _SPLITS[split], _WORD_TESTS[test]
    k = draw.constant((2, 3, 4, 5)) if test in ("longer", "shorter") else draw.constant(LETTERS)
    s, code, told = draw.text(), form.format(k=k), what.format(k=k)
    closure = {
        "count": (f"filter(|w| {code})", "count()"),
        "collect": (f"filter(|w| {code})", "collect()"),
        "find": (f"find(|w| {code})",),
    }.get(fold, (f"{fold}(|w| {code})",))
    doc = {
        "count": f"{draw.one('Counts', 'Returns the number of')} the {plural} of `{s}` {told}.",
        "any": f"{draw.one('Checks', 'Tells')} whether any of the {plural} of `{s}` is {told}.",
        "all": f"{draw.one('Checks', 'Tells')} whether all {plural} of `{s}` are {told}.",
        "find": f"{draw.one('Returns', 'Finds')} the first of the {plural} of `{s}` {told}.",
        "collect": f"{draw.one('Returns', 'Collects')} the {plural} of `{s}` {told}.",
    }[fold].replace("number of the", "number of")

    def reference(s: str) -> Any:
        kept = [w for w in cut(s) if check(w, k)]
        if fold == "find":
            return kept[0] if kept else None
        return {"count": len(kept), "any": bool(kept), "all": len(kept) == len(cut(s))}.get(fold, kept)

    near = str(k) * 2
    texts, passing = (
        [""],
        {"longer": "bbbbbb", "shorter": "z", "ending": f"b{k}", "holding": f"b{k}b"}.get(test, f"{k}b"),
    )
    for _ in range(7):
        parts = [draw.cases.choice((*WORDS, f"{near}b", f"b{near}")) for _ in range(draw.cases.randint(1, 4))]
        texts.append(glue.join(parts))
    returns = {"count": "usize", "any": "bool", "all": "bool", "find": "Option<&str>", "collect": "Vec<&str>"}
    return Draft(
        name=draw.one(f"{fold}_{test}_{split}", f"{fold}_{split}_{test}", f"{test}_{split}_{fold}"),
        params=(Param(s, "&str"),),
        returns=returns[fold],
        doc=doc,
        body=chain(s, call, *closure),
        reference=reference,
        inputs=singles([*texts, passing, f"{passing}{glue}zz", "zz", "b b,z zzzz", "zz z\nbbbb", "zzzzzz,b"]),
    )


BRACKETS = {
    "bare": ("", ""),
    "round": ("(", ")"),
    "square": ("[", "]"),
    "angle": ("<", ">"),
    "bar": ("|", "|"),
}
MARKS = {"dash": "-", "colon": ":", "comma": ", ", "slash": "/", "equals": "="}


@family(
    kind=("i32", "u64", "char", "&str"),
    bracket=BRACKETS,
    mark=MARKS,
)  # fmt: skip
def formatting(draw: Draw, kind: str, bracket: str, mark: str) -> Draft:
    """Two values written with a mark between and brackets around."""
    (left, right), sep = BRACKETS[bracket], MARKS[mark]
    a, b = draw.pair()
    pool: dict[str, tuple[Any, ...]] = {
        "i32": (0, -7, 12, 305, -40, 9),
        "u64": (0, 7, 12, 305, 40, 9),
        "char": tuple("xyzKé7"),
        "&str": ("", "red", "Blue", "é", "a b", "42"),
    }
    values = draw.cases.sample(pool[kind], len(pool[kind]))

    def text(value: Any) -> str:
        return str(value)

    around = f", inside `{left}` and `{right}`" if left else ""
    return Draft(
        name=draw.one(f"format_{mark}_{bracket}", f"join_{mark}_{bracket}", f"{bracket}_{mark}"),
        params=(Param(a, kind), Param(b, kind)),
        returns="String",
        doc=f"{draw.one('Joins', 'Formats', 'Writes')} `{a}` and `{b}` with {quoted(sep)} between them{around}.",
        body=(f'format!("{left}{{{a}}}{sep}{{{b}}}{right}")',),
        reference=lambda a, b: f"{left}{text(a)}{sep}{text(b)}{right}",
        inputs=list(pairwise(values)),
        show=quoted,
    )


_CUTS: dict[str, tuple[str, str, str, Callable[[str, str], str | None]]] = {
    "before": ("split_once", "(a, _)", "the part of `{s}` before the first '{k}'",
               lambda s, k: s.partition(k)[0] if k in s else None),
    "after": ("split_once", "(_, b)", "the part of `{s}` after the first '{k}'",
              lambda s, k: s.partition(k)[2] if k in s else None),
    "before_last": ("rsplit_once", "(a, _)", "the part of `{s}` before the last '{k}'",
                    lambda s, k: s.rpartition(k)[0] if k in s else None),
    "after_last": ("rsplit_once", "(_, b)", "the part of `{s}` after the last '{k}'",
                   lambda s, k: s.rpartition(k)[2] if k in s else None),
    "no_prefix": ("strip_prefix", "a", "`{s}` without a leading '{k}'",
                  lambda s, k: s[1:] if s.startswith(k) else None),
    "no_suffix": ("strip_suffix", "a", "`{s}` without a trailing '{k}'",
                  lambda s, k: s[:-1] if s.endswith(k) else None),
}  # fmt: skip
_TIDY: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "trimmed": (".trim()", "trimmed", lambda part: part.strip()),
    "start": (".trim_start()", "trimmed at its start", lambda part: part.lstrip()),
    "end": (".trim_end()", "trimmed at its end", lambda part: part.rstrip()),
}
_ELSE = {
    "option": ("map(", "`None`"),
    "empty": ('map_or("", ', "an empty string"),
    "whole": ("map_or({s}, ", "`{s}`"),
}


@family(cut=_CUTS, tidy=_TIDY, other=_ELSE)
def str_parts(draw: Draw, cut: str, tidy: str, other: str) -> Draft:
    """A borrowed part of a string, trimmed, or something else where it is not there."""
    (call, pattern, phrase, run), (trim, how, strip), (head, fallback) = _CUTS[cut], _TIDY[tidy], _ELSE[other]
    k = draw.constant(tuple(":=/,-;@#"))
    s = draw.text()
    part = pattern.strip("(), _")
    closure = f"|{pattern}| {part}{trim}" if pattern.startswith("(") else f"str::{trim[1:-2]}"

    def reference(s: str) -> str | None:
        found = run(s, k)
        return strip(found) if found is not None else {"option": None, "empty": "", "whole": s}[other]

    pieces = ["key", " on ", "x ", " 7", "é", ""]
    texts = ["", "plain"]
    for _ in range(6):
        texts.append(k.join(draw.cases.choice(pieces) for _ in range(draw.cases.randint(2, 3))))
    return Draft(
        name=draw.one(f"{cut}_{tidy}_or_{other}", f"{tidy}_{cut}_or_{other}"),
        params=(Param(s, "&str"),),
        returns="Option<&str>" if other == "option" else "&str",
        doc=f"{draw.gives()} {phrase.format(s=s, k=k)}, {how}, or {fallback.format(s=s)} if there is none.",
        body=chain(s, f"{call}('{k}')", f"{head.format(s=s)}{closure})"),
        reference=reference,
        inputs=singles([*texts, f" a{k} b", f"{k} c{k}d ", f"e {k}"]),
    )


_SEPARATORS: dict[str, tuple[str, str, str]] = {
    "comma": ("split(',')", "comma-separated", ","),
    "semicolon": ("split(';')", "semicolon-separated", ";"),
    "space": ("split_whitespace()", "space-separated", " "),
    "line": ("lines()", "newline-separated", "\n"),
}


@family(kind=FOUR, mark=_SEPARATORS, fold=("sum", "max", "min", "collect"))
def parse_list(draw: Draw, kind: str, mark: str, fold: str) -> Draft:
    """The numbers written in a text, folded; what is no number is passed over."""
    t, f, (split, phrase, glue) = TYPES[kind], FOLDS[fold], _SEPARATORS[mark]
    s = draw.text()

    def reference(s: str) -> Any:
        parts = s.split() if mark == "space" else s.splitlines() if mark == "line" else s.split(glue)
        low = 0 if not t.signed else -1000
        numbers = [int(part) for part in parts if part.isascii() and part.lstrip("-").isdigit()]
        return f.run(t, [number for number in numbers if number >= low])

    texts = ["", "a"]
    for _ in range(6):
        parts = [str(draw.cases.randint(-20, 40)) for _ in range(draw.cases.randint(2, 5))]
        texts.append(glue.join([*parts, draw.cases.choice(("x", "8"))]))
    texts += ["12 30\n5", "4;9,6", "7,3;2 1"]
    return Draft(
        name=draw.one(f"{fold}_{mark}_numbers", f"parse_{mark}_{fold}", f"{mark}_{fold}"),
        params=(Param(s, "&str"),),
        returns=f.returns(t),
        doc=f"{draw.verb()} {f.of(f'{phrase} numbers')} in `{s}`, skipping what is not a number.",
        body=chain(s, split, f"filter_map(|p| p.parse::<{kind}>().ok())", f.call),
        reference=reference,
        inputs=singles(texts),
    )


_CHOICES: dict[str, tuple[str, str, Callable[[Any, Any], bool]]] = {
    "longer": ("{a}.len() {op} {b}.len()", "the longer", lambda a, b: a > b),
    "shorter": ("{b}.len() {op} {a}.len()", "the shorter", lambda a, b: a < b),
}


@family(
    lambda kind, choice, tie: tie == "first" or choice in ("longer", "shorter"),
    kind=("str", "[i32]", "[i64]", "[u8]", "[u64]", "[char]"),
    choice=("longer", "shorter", "greater", "lesser"),
    tie=("first", "second"),
)
def lifetimes(draw: Draw, kind: str, choice: str, tie: str) -> Draft:
    """One of two borrowed strings or slices, with a lifetime in the signature."""
    a, b = draw.two(("a", "b"), ("x", "y"), ("p", "q"))
    sizes = choice in ("longer", "shorter")
    less = choice in ("shorter", "lesser")
    op = ("<" if less else ">") + ("=" if tie == "first" else "")
    test = f"{a}.len() {op} {b}.len()" if sizes else f"{a} {op} {b}"

    def reference(a: Any, b: Any) -> Any:
        left, right = (
            (len(a.encode()) if kind == "str" else len(a), len(b.encode()) if kind == "str" else len(b))
            if sizes
            else (a, b)
        )
        if left == right:
            return a if tie == "first" else b
        return a if (left < right) == less else b

    def value() -> Any:
        if kind == "str":
            return draw.cases.choice(("", "pear", "fig", "apple", "kiwi", "über", "Zoo"))
        size = draw.cases.randint(0, 3)
        if kind == "[char]":
            return draw.cases.sample("abcxyz", size)
        return [draw.cases.randint(0, 9) for _ in range(size)]

    equal = (
        ("ab", "cd") if kind == "str" else (["a", "b"], ["c", "d"]) if kind == "[char]" else ([1, 2], [3, 4])
    )
    name = {"greater": "greater", "lesser": "lesser"}.get(choice, choice)
    odd: list[tuple[Any, Any]] = (
        [("b", "aaa"), ("ab", "b")] if kind in ("str", "[char]") else [([2], [1, 1]), ([1, 2], [2])]
    )
    if kind == "[char]":
        odd = [(list(left), list(right)) for left, right in odd]
    on_tie = f", or the {tie} one on a tie" if sizes else ""
    what = "strings" if kind == "str" else "slices"
    return Draft(
        name=draw.one(
            *(f"{name}_or_{tie}", f"{name}_{tie}", f"pick_{name}_{tie}")
            if sizes
            else (f"{name}_of", f"pick_{name}")
        ),
        generics="<'a>",
        params=(
            Param(a, f"&'a {kind}", lambda v: render(f"&{kind}", v)),
            Param(b, f"&'a {kind}", lambda v: render(f"&{kind}", v)),
        ),
        returns=f"&'a {kind}",
        doc=f"{draw.gives()} the {choice} of the {what} `{a}` and `{b}`{on_tie}.",
        body=if_else(test, a, b),
        reference=reference,
        inputs=[
            equal,
            *((value(), value()) for _ in range(8)),
            equal[::-1],
            *odd,
            *(pair[::-1] for pair in odd),
        ],
        show=lambda v: render(f"&{kind}", v),
    )
