"""Problems, and right answers to them that others are made of."""

from rust_expert.common.contracts import Problem

DEPTH = Problem(
    task_id="depth",
    prompt=(
        "/// How deep the braces of a text are nested; None where they do not match.\n"
        "pub fn depth(text: &str) -> Option<usize> {\n"
    ),
    canonical_solution="",
    entry_point="depth",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn nested() { assert_eq!(depth("a{b}c{{d}}"), Some(2)); assert_eq!(depth("{{{}}}"), Some(3)); }
    #[test]
    fn flat() { assert_eq!(depth(""), Some(0)); }
    #[test]
    fn unmatched() { assert_eq!(depth("}{"), None); assert_eq!(depth("{"), None); }
}
""",
)
MERGE = Problem(
    task_id="merge",
    prompt=(
        "use std::collections::BTreeMap;\n\n/// A range of places.\n#[derive(Debug, Clone, PartialEq)]\n"
        "pub struct Span {\n    start: usize,\n    end: usize,\n}\n\n/// Joins spans that touch, in order.\n"
        "pub fn merge(spans: &[Span]) -> Vec<Span> {\n"
    ),
    canonical_solution="",
    entry_point="merge",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    fn span(start: usize, end: usize) -> Span { Span { start, end } }
    #[test]
    fn joins() { assert_eq!(merge(&[span(4, 6), span(1, 4), span(8, 9)]), vec![span(1, 6), span(8, 9)]); }
    #[test]
    fn nothing() { assert_eq!(merge(&[]), vec![]); }
}
""",
)
MOST = Problem(
    task_id="most",
    prompt=(
        "/// The greatest item, the first of equal ones.\n"
        "pub fn most<'a, T>(items: &'a [T]) -> Option<&'a T>\nwhere\n    T: PartialOrd,\n{\n"
    ),
    canonical_solution="",
    entry_point="most",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn numbers() { assert_eq!(most(&[1, 3, 2]), Some(&3)); }
    #[test]
    fn words() { assert_eq!(most(&["b", "a"]), Some(&"b")); assert_eq!(most::<u8>(&[]), None); }
}
""",
)
CLAMP = Problem(  # the HumanEval-X shape: the declaration stands apart, and imports what nobody needs
    task_id="clamp",
    prompt="\n/*\n Keeps `x` between 0 and 255.\n*/\n",
    declaration="\nuse std::collections::HashMap;\nuse rand::Rng;\nuse md5;\nfn clamp(x: i64) -> u8{\n",
    canonical_solution="",
    test="""
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn all() { assert_eq!(clamp(-1), 0); assert_eq!(clamp(7), 7); assert_eq!(clamp(300), 255); }
}
""",
)
PROBLEMS = {problem.task_id: problem for problem in (DEPTH, MERGE, MOST, CLAMP)}

BODY = """\
    let (mut open, mut deepest) = (0usize, 0);
    for c in text.chars() {
        match c {
            '{' => { open += 1; deepest = deepest.max(open); }
            '}' => open = open.checked_sub(1)?,
            _ => {}
        }
    }
    (open == 0).then_some(deepest)
}
"""
HEAD = "pub fn depth(text: &str) -> Option<usize> {\n"
WHOLE = HEAD + BODY
WRONG = HEAD + "    Some(text.len())\n}\n"
MERGE_BODY = """\
    let mut sorted = spans.to_vec();
    sorted.sort_by_key(|span| span.start);
    let mut joined: Vec<Span> = Vec::new();
    for span in sorted {
        match joined.last_mut() {
            Some(last) if last.end >= span.start => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}
"""
MERGE_WHOLE = "pub fn merge(spans: &[Span]) -> Vec<Span> {\n" + MERGE_BODY
MOST_BODY = "    let mut items = items.iter();\n    let first = items.next()?;\n"
MOST_BODY += "    Some(items.fold(first, |best, item| if item > best { item } else { best }))\n}\n"
MOST_WHOLE = "pub fn most<'a, T>(items: &'a [T]) -> Option<&'a T>\nwhere\n    T: PartialOrd,\n{\n" + MOST_BODY
MAIN = 'fn main() {\n    println!("{:?}", depth("{}"));\n}\n'


def inner(code: str) -> str:
    """A function's body without its closing brace."""
    return code.rstrip().removesuffix("}")


def indented(code: str, by: str) -> str:
    return "".join(by + line for line in code.splitlines(keepends=True))
