"""Python values as Rust expressions of a given type, for the asserts of a test."""

from typing import Any


class Rust(str):
    """Text that is a Rust expression already."""


def arguments_of(kind: str) -> list[str]:
    """The type arguments of `Name<A, B>` or the parts of `(A, B)`, split at the outer commas."""
    inner = kind[kind.index("<") + 1 : -1] if kind.endswith(">") else kind[1:-1]
    parts, depth, start = [], 0, 0
    for place, char in enumerate(inner):
        depth += (char in "<([") - (char in ">)]")
        if char == "," and depth == 0:
            parts.append(inner[start:place].strip())
            start = place + 1
    return [*parts, inner[start:].strip()]


def quoted(text: str) -> str:
    """A Rust string literal."""
    for char, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(char, escape)
    return f'"{text}"'


def render(kind: str, value: Any) -> str:
    """`value` as a Rust expression of type `kind`.

    Integers, floats, bool, char, &str, String, (), tuples, slices, arrays, Vec, Option, Result, HashMap and
    BTreeMap; a `Rust` value stands as it is. Raises ValueError for any other type.
    """
    if isinstance(value, Rust):
        return value
    if kind in ("f32", "f64"):
        return repr(float(value))
    if kind == "bool":
        return "true" if value else "false"
    if kind == "char":
        return "'\\n'" if value == "\n" else "'\\''" if value == "'" else f"'{value}'"
    if kind in ("&str", "&'static str"):
        return quoted(value)
    if kind == "String":
        return f"String::from({quoted(value)})"
    if kind[:1] in "iu" and kind[1:].isdigit() or kind in ("usize", "isize"):
        return str(value)
    if kind.startswith("&["):
        return "&[" + ", ".join(render(kind[2:-1], item) for item in value) + "]"
    if kind.startswith("&"):
        return "&" + render(kind[1:], value)
    if kind.startswith("["):
        return "[" + ", ".join(render(kind[1:].split(";")[0], item) for item in value) + "]"
    if kind.startswith("("):
        parts = arguments_of(kind)
        return "(" + ", ".join(render(part, item) for part, item in zip(parts, value, strict=True)) + ")"
    return _generic(kind, value)


def _generic(kind: str, value: Any) -> str:
    name = kind.split("<")[0]
    inner = arguments_of(kind) if "<" in kind else []
    if name == "Vec" and not value and inner[0].startswith("&"):
        return f"Vec::<{inner[0]}>::new()"
    if name == "Vec":
        return "vec![" + ", ".join(render(inner[0], item) for item in value) + "]"
    if name == "Option":
        return "None" if value is None else f"Some({render(inner[0], value)})"
    if name == "Result":
        ok, held = value
        return f"Ok({render(inner[0], held)})" if ok else f"Err({render(inner[1], held)})"
    if name in ("HashMap", "BTreeMap"):
        pairs = [f"({render(inner[0], key)}, {render(inner[1], held)})" for key, held in value.items()]
        return f"{name}::from([{', '.join(pairs)}])" if pairs else f"{name}::new()"
    raise ValueError(f"no way to write a {kind}")
