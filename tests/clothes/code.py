"""Right answers whose code itself is odd: name, the problem where it is not `depth`, the rule, the text."""

from tests.clothes.problems import (
    BODY,
    HEAD,
    MERGE,
    MERGE_BODY,
    MERGE_WHOLE,
    MOST_BODY,
    MOST_WHOLE,
    WHOLE,
    WRONG,
)

CODE: dict[str, tuple[str, str]] = {
    "CRLF": ("whole", WHOLE.replace("\n", "\r\n")),
    "tabs": ("whole", WHOLE.replace("    ", "\t")),
    "a byte order mark": ("whole", "\ufeff" + WHOLE),
    "a byte order mark in a fence": ("fenced_whole", f"```rust\n\ufeff{WHOLE}```"),
    "other alphabets": (
        "whole",
        "/// 深さ — глубина 🦀\n"
        + WHOLE.replace("deepest", "größte").replace("open", "открыто").replace("'}' =>", "/* «}» */ '}' =>"),
    ),
    "another parameter": ("whole", WHOLE.replace("text", "input")),
    "seen in the crate": ("whole", WHOLE.replace("pub fn", "pub(crate) fn")),
    "private": ("whole", WHOLE.replace("pub fn", "fn")),
    "a lifetime and a condition": (
        "whole",
        WHOLE.replace("depth(text: &str)", "depth<'a>(text: &'a str)").replace(
            "usize> {", "usize>\nwhere\n    &'a str: Into<String>,\n{", 1
        ),
    ),
    "generic where nobody asked": (
        "whole",
        WHOLE.replace("depth(text: &str)", "depth<'a, S>(text: S)")
        .replace("Option<usize> {", "Option<usize>\nwhere\n    S: AsRef<str> + 'a,\n{", 1)
        .replace("text.", "text.as_ref()."),
    ),
    "anything that is text": (
        "whole",
        WHOLE.replace("depth(text: &str)", "depth(text: impl Into<String>)").replace("text.", "text.into()."),
    ),
    "a constant function": (
        "whole",
        "pub const fn depth(text: &str) -> Option<usize> {\n"
        "    let (b, mut i, mut open, mut most) = (text.as_bytes(), 0, 0usize, 0);\n"
        "    while i < b.len() {\n        if b[i] == b'{' { open += 1; if open > most { most = open; } }\n"
        "        if b[i] == b'}' { if open == 0 { return None; } open -= 1; }\n        i += 1;\n    }\n"
        "    if open == 0 { Some(most) } else { None }\n}\n",
    ),
    "literals with braces": (
        "body",
        '    let _ = (r#"}" {"#, b"}}", br##"{"#"##, \'"\', b\'{\', \'\\\'\', "\\"}", r"\\");\n'
        "    let _lifetime: &'static str = \"'\";\n" + BODY,
    ),
    "comments with braces": (
        "body",
        "    // } don't\n    /* } /* { */ \" */\n    /** } */ let _x = 1;\n" + BODY,
    ),
    "its own macro": (
        "whole",
        "macro_rules! most {\n    ($a:expr) => { $a };\n"
        "    ($a:expr, $($b:expr),+) => {{ let (a, b) = ($a, most!($($b),+)); if a > b { a } else { b } "
        "}};\n}\n\n" + WHOLE.replace("deepest.max(open)", "most!(deepest, open)"),
    ),
    "a macro stated twice": (
        "whole",
        "macro_rules! one { () => { 1 } }\nconst A: usize = one!();\nmacro_rules! one { () => { 2 } }\n"
        "const B: usize = one!();\n" + WHOLE.replace("open += 1", "open += B - A"),
    ),
    "a macro that makes functions": (
        "whole",
        "macro_rules! make { ($n:ident, $c:literal) => { fn $n(c: char) -> bool { c == $c } } }\n"
        "make!(is_open, '{');\nmake! { is_close, '}' }\n"
        + WHOLE.replace("'{' =>", "c if is_open(c) =>").replace("'}' =>", "c if is_close(c) =>"),
    ),
    "a type with an impl and a trait": (
        "whole",
        "trait Step { fn step(&mut self, c: char) -> Option<()>; }\n\n"
        "#[derive(Debug, Default, Clone, Copy)]\nstruct Count(usize, usize);\n\n"
        "impl Step for Count {\n    fn step(&mut self, c: char) -> Option<()> {\n        match c {\n"
        "            '{' => { self.0 += 1; self.1 = self.1.max(self.0) }\n"
        "            '}' => self.0 = self.0.checked_sub(1)?,\n"
        "            _ => (),\n        }\n        Some(())\n    }\n}\n\nimpl Count {\n"
        "    const ZERO: Self = Self(0, 0);\n}\n\n"
        f"{HEAD}    let mut count = Count::ZERO;\n    for c in text.chars() {{ count.step(c)?; }}\n"
        f"    (count.0 == 0).then_some(count.1)\n}}\n",
    ),
    "an enum and a module": (
        "whole",
        "mod brace {\n    #[derive(Clone, Copy)]\n    pub enum Kind { Open, Close, None }\n"
        "    impl From<char> for Kind {\n"
        "        fn from(c: char) -> Self { match c { '{' => Kind::Open, '}' => Kind::Close, _ => "
        "Kind::None } }\n    }\n}\nuse brace::Kind;\n\n"
        + WHOLE.replace("match c {", "match Kind::from(c) {")
        .replace("'{' =>", "Kind::Open =>")
        .replace("'}' =>", "Kind::Close =>")
        .replace("_ => {}", "Kind::None => {}"),
    ),
    "labels, or-patterns, turbofish": (
        "body",
        "    let braces = text.chars().filter(|c| matches!(c, '{' | '}')).collect::<Vec<char>>();\n"
        "    let (mut open, mut deepest) = (0usize, 0usize);\n    'outer: for c in &braces {\n"
        "        let step = 'step: {\n"
        "            if let '{' = c { break 'step 1isize; } else if let '}' = c { break 'step -1; } else { "
        "continue 'outer; }\n        };\n"
        "        let Some(next) = open.checked_add_signed(step) else { return None };\n"
        "        (open, deepest) = (next, deepest.max(next));\n    }\n"
        "    match (open, deepest) { (0, d @ (0 | 1..)) => Some(d), _ => None }\n}\n",
    ),
    "closures that return braces": (
        "body",
        "    let brace = |up: bool| -> char { if up { '{' } else { '}' } };\n"
        "    let mut step = { let mut open = 0usize; move |c: char| { if c == brace(true) { open += 1 } "
        "else if c == brace(false) { open = open.checked_sub(1)? }; Some(open) } };\n"
        "    let all = text.chars().map(|c| { step(c) }).collect::<Option<Vec<_>>>()?;\n"
        "    if all.last().is_some_and(|&n| n > 0) { return None; }\n"
        "    Some(all.into_iter().max().unwrap_or_else(|| { 0 }))\n}\n",
    ),
    "formats with braces": (
        "body",
        '    let _ = format!("{{{}}} {{ {text:?}", "}");\n    debug_assert!(true, "}} {{");\n' + BODY,
    ),
}

OTHERS: dict[str, tuple[str, str, str]] = {
    "the body uses a given type": ("merge", "body", MERGE_BODY),
    "the function uses a given type": ("merge", "fenced_whole", f"```rust\n{MERGE_WHOLE}```"),
    "the given type is stated again": ("merge", "whole", MERGE.prompt + MERGE_BODY),
    "the given type is stated otherwise": (
        "merge",
        "whole",
        "use std::collections::BTreeMap;\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\n"
        "pub struct Span { pub start: usize, pub end: usize }\n" + MERGE_WHOLE,
    ),
    "an impl for a given type": (
        "merge",
        "whole",
        "impl Span {\n    fn touches(&self, other: &Span) -> bool { self.end >= other.start }\n}\n"
        + MERGE_WHOLE.replace("last.end >= span.start", "last.touches(&span)"),
    ),
    "a given import is used": (
        "merge",
        "body",
        "    let sorted: BTreeMap<usize, &Span> = spans.iter().map(|s| (s.start, s)).collect();\n"
        "    let mut joined: Vec<Span> = vec![];\n"
        "    for s in sorted.into_values() {\n"
        "        if let Some(last) = joined.last_mut() { if last.end >= s.start { last.end = "
        "last.end.max(s.end); continue; } }\n"
        "        joined.push(s.clone());\n    }\n    joined\n}\n",
    ),
    "generics by the body": ("most", "body", MOST_BODY),
    "generics stated again": ("most", "whole", MOST_WHOLE),
    "generics stated otherwise": (
        "most",
        "fenced_whole",
        "```rust\npub fn most<T: PartialOrd>(items: &[T]) -> Option<&T> {\n" + MOST_BODY + "```",
    ),
    "a declaration apart": ("clamp", "body", "    x.clamp(0, 255) as u8\n}\n"),
    "a declaration with its imports": (
        "clamp",
        "whole",
        "use std::collections::HashMap;\nfn clamp(x: i64) -> u8{\n"
        "    let _unused: HashMap<u8, u8> = HashMap::new();\n    x.clamp(0, 255) as u8\n}\n",
    ),
}

REFUSED = {  # what is not undone: the text is judged as it stands
    "HTML entities": WHOLE.replace("&str", "&amp;str").replace("<", "&lt;").replace(">", "&gt;"),
    "typographic quotes": WHOLE.replace("'", "\u2019"),
    "no-break spaces": WHOLE.replace("    ", "\u00a0\u00a0"),
    "a missing brace in the middle": WHOLE.replace(
        "            _ => {}\n        }\n", "            _ => {}\n"
    ),
    "the wrong answer last": f"```rust\n{WHOLE}```\nNo:\n```rust\n{WRONG}```",
    "the answer cut off": WHOLE[:200],
}
