"""Just enough of Rust's lexical rules to tell code from comments and texts; parsing is the syntax room's work."""

import re
from dataclasses import dataclass
from pathlib import Path

NOT_LIBRARY = {"tests", "test", "benches", "examples", "fuzz", "target"}
"""Folders at the top of a crate that hold no library code."""

_TOKEN = re.compile(
    r"""
      (?P<line>//[^\n]*)
    | (?P<block>/\*)
    | (?P<raw>\bb?c?r(?P<hashes>\#*)"(?:.*?)"(?P=hashes)(?!\#))
    | (?P<text>\b[bc]?"(?:[^"\\]|\\.)*"|"(?:[^"\\]|\\.)*")
    | (?P<char>b?'(?:[^'\\\n]|\\(?:[^u\n]|u\{[0-9a-fA-F_]*\}|x[0-9a-fA-F]{2}))')
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_NOT_NEWLINE = re.compile(r"[^\n]")
_PUBLIC = re.compile(
    r"^[ \t]*pub[ \t]+(?:(?:const|async|unsafe|safe|extern|default)[ \t]+|\"[ \t]*\"[ \t]+)*"
    r"(?:fn|struct|enum|union|trait|type|static|mod)[ \t]+\w+|^[ \t]*pub[ \t]+const[ \t]+\w+[ \t]*:",
    re.MULTILINE,
)
_MODULE_FILE = re.compile(r"\bmod[ \t]+\w+[ \t]*;?")
_UNSAFE = re.compile(r"\bunsafe\b")


@dataclass(frozen=True)
class Measures:
    """Figures of Rust source: counts of lines, characters, public items and uses of `unsafe`."""

    code_lines: int = 0
    full_lines: int = 0
    characters: int = 0
    longest_line: int = 0
    public_items: int = 0
    documented_items: int = 0
    unsafe_uses: int = 0

    def __add__(self, other: "Measures") -> "Measures":
        return Measures(
            code_lines=self.code_lines + other.code_lines,
            full_lines=self.full_lines + other.full_lines,
            characters=self.characters + other.characters,
            longest_line=max(self.longest_line, other.longest_line),
            public_items=self.public_items + other.public_items,
            documented_items=self.documented_items + other.documented_items,
            unsafe_uses=self.unsafe_uses + other.unsafe_uses,
        )


def library_files(root: Path) -> list[Path]:
    """The .rs files of a crate's library and programs, sorted: not its tests, benches, examples or build script."""
    found: list[Path] = []
    for path in root.rglob("*.rs"):
        parts = path.relative_to(root).parts
        if (
            parts[0] not in NOT_LIBRARY
            and parts != ("build.rs",)
            and path.is_file()
            and not path.is_symlink()
        ):
            found.append(path)
    return sorted(found)


def blank_out(source: str) -> tuple[str, set[int]]:
    """`source` with comments and texts replaced by blanks, newlines kept, and the lines (from 0) of outer doc comments.

    Equal length in characters, so positions stay. An unfinished comment or text reaches to the end.
    """
    pieces: list[str] = []
    doc_lines: set[int] = set()
    position = line = 0
    while (found := _TOKEN.search(source, position)) is not None:
        start, end = found.span()
        if found["block"]:
            end = _end_of_block(source, start)
        code, removed = source[position:start], source[start:end]
        line += code.count("\n")
        first = line
        line += removed.count("\n")
        if _is_outer_doc(removed):
            doc_lines.update(range(first, line + 1))
        pieces += [code, _kept(removed)]
        position = end
    pieces.append(source[position:])
    return "".join(pieces), doc_lines


def measure(source: str) -> Measures:
    """The figures of one file. A public item counts as documented where a doc comment or #[doc] stands before it."""
    code, doc_lines = blank_out(source)
    lines = source.split("\n")
    code_lines = code.split("\n")
    public = documented = 0
    for found in _PUBLIC.finditer(code):
        if _MODULE_FILE.search(found[0]) and code[found.end() :].lstrip().startswith(";"):
            continue  # `pub mod name;` is documented inside its own file
        public += 1
        documented += _is_documented(code.count("\n", 0, found.start()), code_lines, lines, doc_lines)
    full = [len(text.rstrip("\r")) for text in lines if text.strip()]
    return Measures(
        code_lines=sum(1 for text in code_lines if text.strip()),
        full_lines=len(full),
        characters=sum(full),
        longest_line=max(full, default=0),
        public_items=public,
        documented_items=documented,
        unsafe_uses=len(_UNSAFE.findall(code)),
    )


def _end_of_block(source: str, start: int) -> int:
    """Where a block comment ends; they nest."""
    depth, position = 0, start
    while (edge := _BLOCK_EDGE.search(source, position)) is not None:
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
        if depth == 0:
            return position
    return len(source)


def _is_outer_doc(removed: str) -> bool:
    if removed.startswith("///"):
        return not removed.startswith("////") and bool(removed[3:].strip())
    return removed.startswith("/**") and not removed.startswith(("/***", "/**/"))


def _kept(removed: str) -> str:
    """Blanks of the same length; the quotes of a text stay, so that `extern "C" fn` keeps its shape."""
    blank = _NOT_NEWLINE.sub(" ", removed)
    return f'"{blank[1:-1]}"' if removed.startswith('"') and len(removed) > 1 else blank


def _is_documented(line: int, code: list[str], lines: list[str], doc_lines: set[int]) -> bool:
    """Whether the lines above `line`, past attributes and plain comments, hold a doc comment."""
    open_brackets = 0
    for above in range(line - 1, -1, -1):
        if above in doc_lines:
            return True
        text = code[above].strip()
        if not text:
            if not lines[above].strip():
                return False  # an empty line: what stands above belongs to something else
            continue
        # Attributes may span lines; read upwards, a closing bracket comes first.
        open_brackets += text.count("]") - text.count("[")
        if text.startswith("#["):
            if re.match(r"#\[\s*doc\b", text):
                return True
        elif open_brackets <= 0 and not text.endswith("]"):
            return False
    return False
