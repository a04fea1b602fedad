"""What a sample may not use: ways out of the language and of the machine. Reported apart from compilation.

Everything is read from the parser's tokens, so a comment or a string that names a forbidden thing is no finding, and
what hides in a macro's arguments is one. Paths are followed through `use`, renamings and globs.
"""

from collections.abc import Iterator

from rust_expert.judge.tokens import tokens_of

_MACROS = {
    "asm": "asm", "global_asm": "asm", "naked_asm": "asm", "include": "include", "include_str": "include",
    "include_bytes": "include", "env": "env", "option_env": "env",
}  # fmt: skip
_MODULES = ("arch", "env", "fs", "intrinsics", "net", "os", "process")
_ATTRIBUTES = frozenset(
    {
        "export_name", "ffi_const", "ffi_pure", "global_allocator", "link", "link_name", "link_section", "linkage",
        "no_main", "no_mangle", "panic_handler", "path", "proc_macro", "proc_macro_attribute", "proc_macro_derive",
        "start", "used",
    }
)  # fmt: skip
_LIBRARIES = frozenset({"std", "core", "alloc"})

Path = tuple[str, ...]


def policy_findings(code: str) -> list[str]:
    """What `code` uses against the policy, sorted: such as `unsafe`, `extern`, `asm`, `include`, `env`, `std::fs`,
    `#[no_mangle]`."""
    words = tokens_of(code)
    found = set(_words_found(words)) | set(_attributes_found(words))
    aliases: dict[str, Path] = {}
    paths: list[Path] = []
    for path, alias in _paths(words):
        paths.append(path)
        if alias and len(path) >= 1:
            aliases.setdefault(alias, path)
        if path[-1] == "*" and len(path) > 1:
            globbed = _expanded(path[:-1], aliases)
            if globbed[0] in _LIBRARIES and len(globbed) == 1:
                aliases.update({name: (globbed[0], name) for name in _MODULES if name not in aliases})
    for path in paths:
        full = _expanded(path, aliases)
        if len(full) > 1 and full[0] in _LIBRARIES:
            if full[1] in _MODULES:
                found.add(f"std::{full[1]}")
            elif full[1].startswith("$"):
                found.add("std path made by a macro")
    return sorted(found)


def _words_found(words: list[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ""
        if word == "unsafe":
            yield "unsafe"
        elif word == "extern" and after != "crate":
            yield "extern"
        elif after == "!" and word in _MACROS:
            yield _MACROS[word]


def _attributes_found(words: list[str]) -> Iterator[str]:
    """Names inside `#[..]` and `#![..]`, `cfg_attr` and macros' arguments included."""
    for place, word in enumerate(words):
        start = place + 2 if words[place + 1 : place + 2] == ["!"] else place + 1
        if word != "#" or words[start : start + 1] != ["["]:
            continue
        depth = 0
        for name in words[start:]:
            depth += (name in "[(") - (name in "])")
            if depth <= 0:
                break
            if name in _ATTRIBUTES:
                yield f"#[{name}]"


def _paths(words: list[str]) -> Iterator[tuple[Path, str]]:
    """Every path with the name that it is bound to ("" outside `use` and `extern crate`)."""
    place = 0
    while place < len(words):
        word = words[place]
        if word == "use":
            place = _skip_root(words, place + 1)
            found, place = _use_tree(words, place, ())
            yield from found
        elif words[place : place + 2] == ["extern", "crate"]:
            name = words[place + 2 : place + 3]
            renamed = words[place + 4 : place + 5] if words[place + 3 : place + 4] == ["as"] else name
            yield from [((name[0],), renamed[0])] if name and renamed else []
            place += 3
        elif _is_name(word):
            path = [word]
            place += 1
            while _at(words, place) == "::" and _is_name(_at(words, place + 1)):
                path.append(words[place + 1])
                place += 2
            yield tuple(path), ""
        else:
            place += 1


def _use_tree(words: list[str], place: int, prefix: Path) -> tuple[list[tuple[Path, str]], int]:
    """One tree of a `use`, and the place after it."""
    path = list(prefix)
    while True:
        word = _at(words, place)
        if word == "{":
            found: list[tuple[Path, str]] = []
            place += 1
            while place < len(words) and words[place] != "}":
                if words[place] in (",", "::"):
                    place += 1
                    continue
                before = place
                more, place = _use_tree(words, place, tuple(path))
                found += more
                place = max(place, before + 1)
            return found, place + 1
        if word == "*":
            return [((*path, "*"), "")], place + 1
        if not _is_name(word):
            return ([(tuple(path), path[-1])] if path else []), place
        if word != "self" or not path:
            path.append(word)
        place += 1
        if _at(words, place) == "as":
            return [(tuple(path), _at(words, place + 1))], place + 2
        if _at(words, place) != "::":
            return [(tuple(path), path[-1])], place
        place += 1


def _skip_root(words: list[str], place: int) -> int:
    return place + 1 if _at(words, place) == "::" else place


def _at(words: list[str], place: int) -> str:
    return words[place] if place < len(words) else ""


def _is_name(word: str) -> bool:
    """A name, or a macro's variable that stands for one."""
    return word.removeprefix("$").isidentifier() and word not in ("as", "use", "extern", "unsafe")


def _expanded(path: Path, aliases: dict[str, Path]) -> Path:
    """The path with its first name followed through the renamings; `self::` and `crate::` in front are dropped."""
    for _ in range(8):
        while len(path) > 1 and path[0] in ("self", "crate", "super"):
            path = path[1:]
        known = aliases.get(path[0])
        if known is None or known[0] == path[0] and len(known) == 1:
            break
        path = (*known, *path[1:])
        if known[0] == path[0] and known[0] in _LIBRARIES:
            break
    return path
