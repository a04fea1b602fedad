"""Right answers to the problem `depth` with something around them: name, the rule that takes them, the text."""

from tests.clothes.problems import BODY, DEPTH, HEAD, MAIN, WHOLE, WRONG, indented, inner

FENCED: dict[str, tuple[str, str]] = {
    # fences
    "one fence": ("fenced_whole", f"Sure! Here is the function:\n\n```rust\n{WHOLE}```\n\nIt's linear."),
    "a fence without a language": ("fenced_whole", f"```\n{WHOLE}```"),
    "a fence of tildes": ("fenced_whole", f"~~~rust\n{WHOLE}~~~\n"),
    "a long fence": ("fenced_whole", f'````rust\n/// ```\n/// depth("");\n/// ```\n{WHOLE}````\n'),
    "an indented fence": (
        "fenced_whole",
        f"1. The code:\n\n   ```rust\n{indented(WHOLE, '   ')}   ```\n2. Done.",
    ),
    "a fence in a list's first line": ("fenced_whole", f"- ```rust\n{indented(WHOLE, '  ')}  ```\n- Done."),
    "a fence that never closes": ("fenced_whole", f"```rust\n{WHOLE}"),
    "a fence that never opens": ("fenced_whole", f"{WHOLE}```\nThat is all."),
    "a fence after words on its line": ("fenced_whole", f"The code: ```rust\n{WHOLE}```\nDone."),
    "a fence with options": ("fenced_whole", f"```rust,ignore\n{WHOLE}```"),
    "a fence with attributes": ("fenced_whole", f'```{{.rust .numberLines startFrom="1"}}\n{WHOLE}```'),
    "a fence named Rust": ("fenced_whole", f"```Rust\n{WHOLE}```"),
    "the language on a line of its own": ("fenced_whole_in_prose", f"```\nrust\n{WHOLE}```"),
    "words inside the fence": ("fenced_whole_in_prose", f"```rust\nHere is the code:\n\n{WHOLE}```"),
    "a fence in CRLF": ("fenced_whole", f"Hello.\n```rust\n{WHOLE}```\n".replace("\n", "\r\n")),
    "a fence on one line": (
        "fenced_whole",
        "```rust pub fn depth(t: &str) -> Option<usize> { t.chars().try_fold((0usize, 0usize), |(o, d), c| "
        "match c { "
        "'{' => Some((o + 1, d.max(o + 1))), '}' => Some((o.checked_sub(1)?, d)), _ => Some((o, d)) })"
        ".filter(|x| x.0 == 0).map(|x| x.1) }```",
    ),
    # several fences
    "usage first": (
        "fenced_whole",
        f'Use:\n```rust\nlet d = depth("{{}}");\n```\nwith:\n```rust\n{WHOLE}```',
    ),
    "usage last": (
        "fenced_whole",
        f'```rust\n{WHOLE}```\nUse:\n```rust\nlet d = depth("{{}}");\nassert_eq!(d, Some(1));\n```\n',
    ),
    "other languages": (
        "fenced_whole",
        f'```toml\n[package]\nname = "depth"\n```\n```rust\n{WHOLE}```\n```sh\ncargo run\n```\n'
        "```text\npub fn depth: Some(2)\n```\n",
    ),
    "a corrected answer": (
        "fenced_whole",
        f"```rust\n{WRONG}```\nThat is wrong. Better:\n```rust\n{WHOLE}```",
    ),
    "an unfinished second answer": (
        "fenced_whole",
        f"```rust\n{WHOLE}```\nOr with a stack:\n```rust\n{HEAD}    let mut stack = Vec::new();\n"
        f"    for c in",
    ),
    "an outline after the answer": (
        "fenced_whole",
        f"```rust\n{WHOLE}```\nIn a program:\n```rust\n{HEAD}    // as above\n}}\n\n{MAIN}```\n",
    ),
    "an outline before the answer": (
        "fenced_whole",
        f"First the outline:\n```rust\n{HEAD}    todo!()\n}}\n```\nThen the code:\n```rust\n{WHOLE}```\n",
    ),
    "helpers in a block of their own": (
        "fenced_whole",
        "A type:\n```rust\nuse std::fmt;\n#[derive(Default)]\nstruct Count { open: usize, deepest: usize }\n"
        "```\nits methods:\n"
        "```rust\nimpl Count {\n    fn step(&mut self, c: char) -> Option<()> {\n        match c {\n"
        "            '{' => { self.open += 1; note(&mut self.deepest, self.open); }\n"
        "            '}' => self.open = self.open.checked_sub(1)?,\n            _ => {}\n        }\n"
        "        Some(())\n    }\n}\n\n"
        "impl fmt::Display for Count {\n"
        '    fn fmt(&self, f: &mut fmt::Formatter<\'_>) -> fmt::Result { write!(f, "{}", self.open) }\n}\n\n'
        "fn note(deepest: &mut usize, open: usize) { *deepest = open.max(*deepest); }\n```\n"
        f"and\n```rust\n{HEAD}    let mut count = Count::default();\n"
        f"    text.chars().try_for_each(|c| count.step(c))?;\n"
        '    (count.to_string() == "0").then_some(count.deepest)\n}\n```',
    ),
}

BARE: dict[str, tuple[str, str]] = {
    "bare": ("whole", WHOLE),
    "the prompt repeated": ("whole", DEPTH.prompt + BODY),
    "the signature repeated": ("whole", "\n\n" + WHOLE + "\n\n\n"),
    "the body": ("body", BODY),
    "the body without indentation": ("body", "\n".join(line.strip() for line in BODY.splitlines())),
    "the body too far in": ("body", indented(BODY, "        ")),
    "the body without its closing brace": ("body_closed", inner(BODY)),
    "the body with a mark of the end": ("body_closed", inner(BODY) + "<|im_end|>"),
    "the body with marks and another turn": (
        "body_closed",
        inner(BODY) + "\n<|im_end|>\n<|im_start|>user\nThanks {",
    ),
    "the body in a fence": ("fenced_body", f"```rust\n{BODY}```"),
    "the body in a fence, not closed": ("fenced_body_closed", f"```rust\n{inner(BODY)}```"),
    "the body after words": ("body", f"Here is the rest of the function:\n\n{BODY}"),
    "the body and words": (
        "body",
        BODY + '\nThis walks the text once; `checked_sub` returns `None` for "}" and it\'s {fine}.\n',
    ),
    "the body and other functions": (
        "body",
        BODY + "\n\n/// Unrelated.\npub fn width(s: &str) -> usize {\n    s.len()\n}\n",
    ),
    "the body and a function cut off": (
        "body",
        BODY + "\n/// Unrelated.\npub fn width(s: &str) -> usize {\n    s.ch",
    ),
    "the body with a nested function first": (
        "body",
        "    fn step(open: usize, c: char) -> Option<usize> {\n"
        "        match c { '{' => Some(open + 1), '}' => open.checked_sub(1), "
        "_ => Some(open) }\n    }\n    let mut seen = vec![0];\n"
        "    for c in text.chars() { seen.push(step(*seen.last()?, c)?); }\n"
        "    (seen.last() == Some(&0)).then(|| seen.into_iter().max()).flatten()\n}\n",
    ),
    "the body with imports first": (
        "body",
        "    use std::cmp::max;\n" + BODY.replace("deepest.max(open)", "max(deepest, open)"),
    ),
}

AROUND: dict[str, tuple[str, str]] = {
    "words before and after": ("whole_in_prose", f"Here's it:\n\n{WHOLE}\nIt doesn't allocate {{at all}}.\n"),
    "words between": (
        "whole_in_prose",
        f"First a helper:\n\nfn up(n: usize) -> usize {{ n + 1 }}\n\nThen it's used in:\n\n"
        f"{WHOLE.replace('open += 1', 'open = up(open)')}\nThat's it!",
    ),
    "words that begin like code": (
        "whole_in_prose",
        f"fn depth(text) is what we need.\nuse a counter; type it as usize.\nstruct is not needed\n\n{WHOLE}",
    ),
    "the signature in the words": ("whole_in_prose", f"I'll write\n{HEAD.strip()[:-2]} as asked:\n\n{WHOLE}"),
    "a declaration cut short and begun again": (
        "whole_in_prose",
        f"{HEAD}    let n = text.len(\n\nOnce more:\n\n{WHOLE}",
    ),
    "inline code in the words": (
        "whole_in_prose",
        f"`depth` counts `{{` and `}}`:\n\n{WHOLE}\nSee `fn depth(text: &str) -> {{`.",
    ),
    "a heading and a quote": (
        "whole_in_prose",
        f'# Solution\n\n> "Braces {{\n\n{WHOLE}\n---\n*Complexity*: O(n)\n',
    ),
    "marks of a chat": ("whole_in_prose", f"<|im_start|>assistant\n{WHOLE}<|im_end|>\n<|im_start|>user\n"),
    "the end mark": ("whole_in_prose", WHOLE + "</s>"),
    "answer tags": ("whole", f"<answer>\n{WHOLE}</answer>"),
    "answer tags on the same line": ("whole", f"So: <answer>{WHOLE}</answer> and no more."),
    "answer tags around the body": ("body", f"<answer>\n{BODY}</answer>"),
    "answer tags around a fence": ("fenced_whole", f"<answer>\n```rust\n{WHOLE}```\n</answer>"),
    "a draft in thoughts": ("whole", f"<think>\nPerhaps\n```rust\n{WRONG}```\nNo {{.\n</think>\n\n{WHOLE}"),
    "thoughts and the body": ("body", f"<think>\nI count braces {{.\n</think>\n{BODY}"),
    "an extra main": ("whole", f"use std::io;\n\n{WHOLE}\n{MAIN}"),
    "main first": ("whole", f"{MAIN}\n{WHOLE}"),
    "its own tests": (
        "whole",
        f"{WHOLE}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n\n    #[test]\n"
        f'    fn it() {{ assert_eq!(depth(""), Some(0)); }}\n}}\n',
    ),
    "its own tests without cfg": (
        "whole",
        f'{WHOLE}\nmod tests {{\n    #[test]\n    fn it() {{ assert!(super::depth("}}").is_none()); }}\n}}\n',
    ),
    "a call after it": (
        "whole_in_prose",
        f'{WHOLE}\nassert_eq!(depth("{{}}"), Some(1));\nprintln!("{{:?}}", depth(""));\n',
    ),
    "inner attributes and docs": (
        "whole",
        f"#![allow(dead_code)]\n#![warn(missing_docs)]\n//! Braces.\n\n{WHOLE}",
    ),
    "attributes and docs": (
        "whole",
        f'/// The depth.\n///\n/// ```\n/// assert_eq!(depth("{{"), None);\n/// ```\n#[must_use]\n'
        f"#[inline]\n// counts\n{WHOLE}",
    ),
    "imports and helpers around": (
        "whole",
        "use std::cmp::max;\nuse std::{collections::HashMap, fmt::{self, Debug}};\n\n"
        "const OPEN: char = '{';\n"
        "static CLOSE: char = '}';\nstatic TABLE: [(char, i8); 2] = [('{', 1), ('}', -1)];\n\n"
        + WHOLE.replace("'{'", "OPEN")
        .replace("'}'", "_ if close(c)")
        .replace("deepest.max(open)", "max(deepest, open)")
        + "\nfn close(c: char) -> bool { c == CLOSE && TABLE.iter().any(|&(x, n)| x == c && n < 0) }\n",
    ),
    "defined twice": ("whole", f"{WRONG}\n{WHOLE}"),
    "cfg decides between two": (
        "whole",
        f"#[cfg(any())]\n{WRONG}\n#[cfg(not(any()))]\n{WHOLE}\n#[cfg(any())]\nconst N: u8 = 300;\n"
        f"#[cfg(not(any()))]\nconst N: u8 = 3;\n",
    ),
    "cut off in the next function": (
        "whole",
        f"{WHOLE}\n/// Another.\nfn width(s: &str) -> usize {{\n    let mut w = 0;\n    for",
    ),
    "cut off in tests": (
        "whole",
        f"{WHOLE}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n    #[test]\n    fn a() {{ assert_eq!(de",
    ),
    "cut off in a string": ("whole", f'{WHOLE}\nfn main() {{\n    println!("{{:?'),
    "cut off in an attribute": ("whole_in_prose", f"{WHOLE}\n#[derive(De"),
    "cut off in the words": ("fenced_whole", f"```rust\n{WHOLE}```\nThis works because `checked_"),
}
