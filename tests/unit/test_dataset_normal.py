"""Tokens and normal forms: what counts as the same program."""

import random
import time

import pytest

from rust_expert.dataset.lexing import code_in, code_tokens, fenced, tokens, words
from rust_expert.dataset.normal import alpha_form, functions, plain_code, plain_text, solution_forms


def form(code: str) -> str:
    return alpha_form(code_tokens(code))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("'a' 'b", ["char", "lifetime"]),
        ("'\\'' '\\u{1F600}' b'\\x7f'", ["char", "char", "char"]),
        ('"a \\" // no comment" x', ["string", "ident"]),
        ('r#"a " b"# r"c\\" br##"x"#y"##', ["string", "string", "string"]),
        ("/* a /* b */ c */ x // y", ["comment", "ident", "comment"]),
        ("/* never closed /* x", ["comment"]),
        ("1..2 1.5e-3 0xFFu8 1_000", ["number", "punct", "number", "number", "number", "number"]),
        ("r#type for_ λ", ["ident", "ident", "ident"]),
        ("a::<B>() -> c != d", ["ident", "punct", "punct", "ident"]),
    ],
)
def test_tokens(text: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in tokens(text)][: len(kinds)] == kinds


def test_every_character_but_white_space_is_in_a_token() -> None:
    rnd = random.Random(5)
    for _ in range(300):
        text = "".join(rnd.choice("a1'\"/*\\r#{}()<>-=.:| \nλ_") for _ in range(rnd.randrange(60)))
        told = "".join(word for _, word in tokens(text))
        assert "".join(told.split()) == "".join(text.split())


def test_a_hostile_text_is_read_in_linear_time() -> None:
    start = time.process_time()
    for text in ("/*" * 50_000, '"' + "\\" * 100_001, "(" * 100_000, "/* */" * 30_000, "'" * 100_000):
        tokens(text)
    assert time.process_time() - start < 5


def test_plain_code_ignores_layout_and_comments_only() -> None:
    first = "/// Doc.\nfn f(x: i32) -> i32 {\n    x + 1 // one more\n}\n"
    assert plain_code(first) == plain_code("fn f ( x:i32 )->i32{ x+1 /* that is it */ }")
    assert plain_code(first) != plain_code(first.replace("x", "y"))
    assert plain_code('f("a  b")') != plain_code('f("a b")')
    assert plain_text(" a\n\tb ") == "a b"


SAME = [
    ("fn add(a: i32, b: i32) -> i32 { a + b }", "pub fn plus(left: i32, right: i32) -> i32 { left + right }"),
    (
        "fn f(v: &[i32]) -> usize { let mut count = 0; for x in v { if *x > 0 { count += 1; } } count }",
        "fn g(xs: &[i32]) -> usize { let mut n = 0; for y in xs { if *y > 0 { n += 1; } } n }",
    ),
    (
        "fn f(v: Vec<i32>) -> i32 { let len = v.len(); v.iter().map(|x| x * len as i32).sum() }",
        "fn f(w: Vec<i32>) -> i32 { let size = w.len(); w.iter().map(|q| q * size as i32).sum() }",
    ),
    (
        "struct Pair { a: i32, b: i32 }\nfn sum(p: &Pair) -> i32 { p.a + p.b }",
        "struct Entry { min: i32, max: i32 }\nfn sum(e: &Entry) -> i32 { e.min + e.max }",
    ),
    ("fn f<'a>(s: &'a str) -> &'a str { s }", "fn g<'long>(t: &'long str) -> &'long str { t }"),
    ('fn f(n: u8) -> String { format!("{n}!") }', 'fn g(k: u8) -> String { format!("{k}!") }'),
    ("#[inline]\n#[must_use]\nfn f() -> u32 { 1_000 }", "use std::fmt;\nfn g() -> u32 { 1000 }"),
    ("pub(crate) fn f(x: u8,) -> u8 { g(x,) }", "fn f(x: u8) -> u8 { g(x) }"),
    (
        "fn f(g: Option<fn(u8) -> u8>) -> u8 { match g { Some(h) => h(1), None => twice(1) } }"
        " fn twice(a: u8) -> u8 { a }",
        "fn f(x: Option<fn(u8) -> u8>) -> u8 { match x { Some(y) => y(1), None => same(1) } }"
        " fn same(z: u8) -> u8 { z }",
    ),
    (
        "struct A<T> { t: T }\nimpl<T: Clone> A<T> { const MAX: u8 = 3; fn get(&self) -> T { self.t.clone() } }",
        "struct Holder<U> { u: U }\nimpl<U: Clone> Holder<U> { const TOP: u8 = 3;"
        " fn it(&self) -> U { self.u.clone() } }",
    ),
    ("fn main() {}\nfn f() -> u8 { 2 }", "fn f() -> u8 { 2 }"),
    (
        "enum Kind { Small, Large }\nfn f(k: Kind) -> u8 { match k { Kind::Small => 1, Kind::Large => 2 } }",
        "enum Size { Low, High }\nfn f(s: Size) -> u8 { match s { Size::Low => 1, Size::High => 2 } }",
    ),
]

DIFFERENT = [
    ("fn f(a: i32, b: i32) -> i32 { a + b }", "fn f(a: i64, b: i64) -> i64 { a + b }"),
    ("fn f(a: i32, b: i32) -> i32 { a - b }", "fn f(a: i32, b: i32) -> i32 { b - a }"),
    (
        "fn f(v: &[i32]) -> Option<&i32> { v.iter().max() }",
        "fn f(v: &[i32]) -> Option<&i32> { v.iter().min() }",
    ),
    ("fn f(x: i32) -> i32 { x + 1 }", "fn f(x: i32) -> i32 { x + 2 }"),
    ('fn f() -> &\'static str { "a" }', 'fn f() -> &\'static str { "b" }'),
    ("fn f(v: Vec<i32>) -> i32 { v[0] }", "fn f(v: VecDeque<i32>) -> i32 { v[0] }"),
    ('fn f() { println!("x") }', 'fn f() { eprintln!("x") }'),
    ("fn f(a: u8, b: u8) -> u8 { g(a, a) }", "fn f(a: u8, b: u8) -> u8 { g(a, b) }"),
    (
        "fn f(a: u8) -> u8 { a.twice() }",
        "fn f(a: u8) -> u8 { a.thrice() }",
    ),  # from elsewhere, not this author's
    ("fn f(a: u8) -> u8 { shape::area(a) }", "fn f(a: u8) -> u8 { shape::edge(a) }"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_alpha_form_ignores_names(first: str, second: str) -> None:
    assert form(first) == form(second)


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_alpha_form_keeps_meaning(first: str, second: str) -> None:
    assert form(first) != form(second)


def test_alpha_form_of_any_renaming_is_the_same() -> None:
    """Every injective renaming of the author's names to fresh ones leaves the form as it is."""
    body = (
        "fn NAME0(NAME1: &[i64], NAME2: usize) -> Option<i64> { let mut NAME3 = 0i64; "
        "for (NAME4, NAME5) in NAME1.iter().enumerate() { if NAME4 % NAME2 == 0 { NAME3 += NAME5; } } "
        "let NAME6 = |NAME7: i64| NAME7 * NAME3; if NAME3 > 10 { Some(NAME6(NAME3)) } else { None } }"
    )
    pool = [
        "count",
        "total",
        "max",
        "len",
        "values",
        "acc",
        "position",
        "step",
        "item",
        "sum",
        "zip",
        "key",
        "q9",
    ]
    rnd = random.Random(11)
    forms = set()
    for _ in range(200):
        code = body
        for place, name in enumerate(rnd.sample(pool, 8)):
            code = code.replace(f"NAME{place}", name)
        forms.add(form(code))
    assert len(forms) == 1


def test_functions_are_cut_at_their_braces() -> None:
    code = 'impl A { fn one(&self) -> [u8; 2] { if x { "}" } else { y } } fn two(); '
    code += "fn three<T: Fn(u8)>() { fn four() {} } }"
    cut = [" ".join(word for _, word in part) for part in functions(code_tokens(code))]
    assert [text.split()[1] for text in cut] == ["one", "three", "four"]
    assert cut[0].endswith("} }")
    assert cut[1].endswith("{ } }")


def test_solution_forms_of_an_answer_in_prose() -> None:
    plain = "fn f(a: u8) -> u8 { a + 1 }"
    answer = f"Sure, here's the code:\n\n```rust\n{plain}\n```\nIt's simple."
    assert form(plain) in solution_forms(answer)
    assert solution_forms("This function isn't code, it's prose about fn and braces {}.") == set()
    assert form(plain) in solution_forms(f"struct S;\nimpl S {{ {plain} }}")


def test_fences() -> None:
    assert fenced("a\n```rust\nx\n```\nb\n~~~\ny\n~~~\n") == ["x\n", "y\n"]
    assert fenced("```\nnever closed") == ["never closed"]
    assert code_in("plain") == ["plain"]
    assert words("a_1 b-c 12 'x'") == ["a_1", "b", "c", "12", "x"]
