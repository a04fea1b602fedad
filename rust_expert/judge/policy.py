"""What a sample may not use: ways out of the language and of the machine. Reported apart from compilation.

Everything is read from the language's tokens: in a macro there is nothing else, and they are what the compiler sees.
So a comment or a string that names a forbidden thing is no finding, and what hides in a macro's arguments is one. Paths
are followed through `use`, renamings and globs (rust_expert.judge.paths), and through the code's own macros
(rust_expert.judge.macros). What cannot be followed but could lead to a forbidden place counts as if it did.
docs/judge.md lists the rules.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from rust_expert.judge.lookalikes import misleading
from rust_expert.judge.macros import Macros, macros_of
from rust_expert.judge.paths import LIBRARIES, Library, Mention, library_of, read_paths, text_at
from rust_expert.judge.tokens import MARKS, UNCLEAR, Token, read_tokens

_MACROS = {
    "asm": "asm", "global_asm": "asm", "naked_asm": "asm", "include": "include", "include_str": "include",
    "include_bytes": "include", "env": "env", "option_env": "env",
}  # fmt: skip
_MODULES: dict[str, frozenset[str]] = {
    "arch": frozenset(),
    "env": frozenset(),
    "fs": frozenset(),
    "intrinsics": frozenset(),
    "net": frozenset(
        {
            "AddrParseError", "IpAddr", "Ipv4Addr", "Ipv6Addr", "Ipv6MulticastScope", "SocketAddr", "SocketAddrV4",
            "SocketAddrV6",
        }
    ),
    "os": frozenset({"raw"}),
    "process": frozenset({"ExitCode", "Termination"}),
    "thread": frozenset({"LocalKey", "AccessError"}),
}  # fmt: skip
"""Forbidden modules of the standard library, each with what is harmless in it: values that reach nothing."""
_CORE = frozenset({"arch", "intrinsics"})
_FILE_METHODS = frozenset(
    {
        "canonicalize", "exists", "is_dir", "is_file", "is_symlink", "metadata", "read_dir", "read_link",
        "symlink_metadata", "try_exists",
    }
)  # fmt: skip
"""What a std::path::Path asks the file system."""
_ATTRIBUTES = frozenset(
    {
        "alloc_error_handler", "export_name", "ffi_const", "ffi_pure", "global_allocator", "lang", "link", "link_args",
        "link_name", "link_ordinal", "link_section", "linkage", "naked", "no_link", "no_main", "no_mangle",
        "panic_handler", "path", "proc_macro", "proc_macro_attribute", "proc_macro_derive", "used",
    }
)  # fmt: skip
_PRIMITIVES = frozenset(
    {
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32",
        "u64", "u128", "usize",
    }
)  # fmt: skip
_STD_MODULES = frozenset(
    {
        "any", "array", "ascii", "borrow", "boxed", "cell", "clone", "cmp", "collections", "convert",
        "default", "error", "ffi", "fmt", "future", "hash", "hint", "io", "iter", "marker", "mem", "num",
        "ops", "option", "panic", "path", "pin", "prelude", "primitive", "ptr", "rc", "result", "slice",
        "string", "sync", "task", "thread", "time", "vec", "atomic", "mpsc", "binary_heap", "btree_map",
        "btree_set", "hash_map", "hash_set", "linked_list", "vec_deque", "consts",
    }
)  # fmt: skip
"""Modules that a glob of the standard library may bring in."""
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_TOOLS = frozenset({"clippy", "diagnostic", "miri", "rustdoc", "rustfmt"})
"""What attributes may name without its being a crate."""
_SCOPES = frozenset({"enum", "mod", "struct", "trait", "type", "union"})
_DEFINING = _SCOPES | {"const", "fn", "static"}

Seen = tuple[str, int]
"""A rule and the line where it is broken."""


def policy_findings(code: str, *, threads: bool = True, crates: Collection[str] = ()) -> list[str]:
    """What `code` uses against the policy: each rule once, with its first line, in the order of the lines.

    Such as `std::fs (line 3)`, `unsafe (line 7)`. `threads`: std::thread is allowed. `crates`: the names, as code
    writes them, of crates beside the standard ones that are allowed.
    """
    every = read_tokens(code)
    tokens = [token for token in every if token.text not in MARKS]
    mentions = read_paths(tokens)
    macros = macros_of(tokens, mentions)
    library = library_of(mentions, made=macros.names)
    forbidden = frozenset(_MODULES) - ({"thread"} if threads else set())
    first: dict[str, int] = {}
    for rule, line in chain(
        _words_found(tokens, macros),
        _attributes_found(tokens),
        _paths_found(mentions, library, forbidden),
        _renamed_macros(tokens, mentions, library),
        _files_found(tokens, mentions, library),
        _made_by_macros(macros, library, forbidden),
        _crates_found(tokens, mentions, macros, library, crates),
        misleading(code, every, forbidden | LIBRARIES | _MACROS.keys()),
    ):
        first[rule] = min(line, first.get(rule, line))
    return [f"{rule} (line {line})" for rule, line in sorted(first.items(), key=lambda each: each[::-1])]


def _words_found(tokens: Sequence[Token], macros: Macros) -> Iterator[Seen]:
    for place, token in enumerate(tokens):
        word, after = token.text, text_at(tokens, place + 1)
        if word == "unsafe":
            yield "unsafe", token.line
        elif word == "extern" and after != "crate":
            yield "extern", token.line
        elif word == UNCLEAR:
            yield "unclear literal", token.line
        elif word == "mod" and text_at(tokens, place + 2) == ";":
            yield "module in another file", token.line
        elif after == "!" and word in _MACROS:
            own = text_at(tokens, place - 1) != "::" and place >= macros.certain.get(word, len(tokens))
            if not own:
                yield _MACROS[word], token.line


def _attributes_found(tokens: Sequence[Token]) -> Iterator[Seen]:
    """Forbidden names at the head of an attribute: in `#[..]` and `#![..]`, within `unsafe(..)` and `cfg_attr(..)`."""
    heads: list[bool] = []  # of the brackets open since an attribute began: whether attributes stand in them
    for place, token in enumerate(tokens):
        before = text_at(tokens, place - 1)
        if not heads:
            marked = before == "#" or (before == "!" and text_at(tokens, place - 2) == "#")
            heads += [True] if token.text == "[" and marked else []
        elif token.text in _OPEN:
            heads.append(heads[-1] and before in ("unsafe", "cfg_attr") or before == "#")
        elif token.text in _CLOSE:
            heads.pop()
        elif token.text in _ATTRIBUTES and heads[-1] and before in ("[", "(", ","):
            yield f"#[{token.text}]", token.line


def _paths_found(mentions: Sequence[Mention], library: Library, forbidden: frozenset[str]) -> Iterator[Seen]:
    for each in mentions:
        if "global_allocator" in each.path and (each.imported or len(each.path) > 1):
            yield "#[global_allocator]", each.line
        if each.alias.startswith("$") and each.alias in library.names:
            yield "standard library named by a macro", each.line
        for root, name, member in library.members(each):
            if name in forbidden and (root == "std" or name in _CORE):
                if member not in _MODULES[name]:
                    yield f"std::{name}", each.line
            elif each.imported and each.path[-1] in _MACROS:
                yield _MACROS[each.path[-1]], each.line


def _renamed_macros(tokens: Sequence[Token], mentions: Sequence[Mention], library: Library) -> Iterator[Seen]:
    """`use include_str as text;` needs no path. A function or module of one's own may be called so and renamed."""
    globs = any(each.path[-1] == "*" and not library.names.keys().isdisjoint(each.path) for each in mentions)
    own = frozenset() if globs else _defined(tokens, _DEFINING)
    for each in mentions:
        name = each.path[-1]
        if each.imported and name in _MACROS and each.alias != name and name not in own:
            yield _MACROS[name], each.line


def _files_found(tokens: Sequence[Token], mentions: Sequence[Mention], library: Library) -> Iterator[Seen]:
    """Questions to the file system about a path; paths themselves are only text."""
    members = [(each, name, member) for each in mentions for _, name, member in library.members(each)]
    if any(name == "path" for _, name, _ in members):
        for place, token in enumerate(tokens):
            if token.text in _FILE_METHODS and text_at(tokens, place - 1) in (".", "::"):
                yield "std::path asks the file system", token.line
    for each, name, member in members:
        if (name, member) == ("path", "absolute"):
            yield "std::path asks the file system", each.line


def _made_by_macros(macros: Macros, library: Library, forbidden: frozenset[str]) -> Iterator[Seen]:
    """Forbidden things that an own macro could put together from the tokens that it is given."""
    reach = library.globbed or any(each.may_lead and each.text in library.names for each in macros.given)
    for each in macros.given:
        word = each.text
        if not each.is_name:
            continue
        if macros.paths and reach and word in forbidden and each.may_follow:
            yield f"std::{word} made by a macro", each.line
        if macros.calls and word in _MACROS and each.may_lead and each.after != "!":
            yield f"{_MACROS[word]} made by a macro", each.line
        if macros.attributes and _may_be_attribute(word, each.after):
            yield f"#[{word}] made by a macro", each.line


def _may_be_attribute(word: str, after: str) -> bool:
    """Whether a bare word has the form of a forbidden attribute; `path` and the like are usual names otherwise."""
    if word in ("link", "linkage", "path", "lang") or word.startswith(("link_", "export_")):
        return word in _ATTRIBUTES and after in ("=", "(")
    return word in _ATTRIBUTES and word != "used"


def _crates_found(
    tokens: Sequence[Token],
    mentions: Sequence[Mention],
    macros: Macros,
    library: Library,
    crates: Collection[str],
) -> Iterator[Seen]:
    """Crates that are neither standard nor allowed. A small name that nothing defines is taken to be one."""
    known = LIBRARIES | frozenset(crates) | _TOOLS | {"self", "super", "crate", "Self", "*"}
    own = _defined(tokens, _SCOPES) | _parameters(tokens) | _PRIMITIVES
    own |= {each.text for each in macros.given}
    own |= {each.alias for each in mentions if each.imported and each.path != (each.alias,)}
    called = {token.text for place, token in enumerate(tokens) if text_at(tokens, place + 1) == "!"}
    if library.globbed or any(each.path[-1] == "*" and each.path[0] in LIBRARIES for each in mentions):
        own |= _STD_MODULES | _MODULES.keys()
    for each in mentions:
        head = each.path[0]
        if head in known or head.startswith("$") or each.relative:
            continue
        if each.path == (head,) and each.alias in called:  # `use vec as list;`
            continue
        small = head[:1].islower() and head not in own
        if each.absolute or (small and (each.imported or len(each.path) > 1)):
            yield f"crate {head}", each.line


def _defined(tokens: Sequence[Token], keywords: frozenset[str]) -> frozenset[str]:
    return frozenset(
        text_at(tokens, place + 1) for place, token in enumerate(tokens) if token.text in keywords
    )


def _parameters(tokens: Sequence[Token]) -> frozenset[str]:
    """Names that stand as type parameters do: `<t>`, `<t: Copy>`."""
    return frozenset(
        token.text
        for place, token in enumerate(tokens)
        if text_at(tokens, place - 1) in ("<", ",") and text_at(tokens, place + 1) in (">", ":", ",")
    )
