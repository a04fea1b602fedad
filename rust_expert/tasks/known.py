"""Names that an item may use without bringing them along: what the compiler and the prelude of std give."""

PRIMITIVES = frozenset(
    {
        "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        "f32", "f64",
    }
)  # fmt: skip

ROOTS = frozenset({"std", "core"})
"""Crates that every snippet may name in a path."""

PRELUDE_HOMES = {
    "Option": "option", "Result": "result", "Vec": "vec", "String": "string", "ToString": "string", "Box": "boxed",
    "ToOwned": "borrow", "Copy": "marker", "Send": "marker", "Sized": "marker", "Sync": "marker", "Unpin": "marker",
    "Drop": "ops", "Fn": "ops", "FnMut": "ops", "FnOnce": "ops", "AsyncFn": "ops", "AsyncFnMut": "ops",
    "AsyncFnOnce": "ops", "drop": "mem", "size_of": "mem", "size_of_val": "mem", "align_of": "mem",
    "align_of_val": "mem", "AsMut": "convert", "AsRef": "convert", "From": "convert", "Into": "convert",
    "TryFrom": "convert", "TryInto": "convert", "Clone": "clone", "Default": "default", "Eq": "cmp", "Ord": "cmp",
    "PartialEq": "cmp", "PartialOrd": "cmp", "DoubleEndedIterator": "iter", "ExactSizeIterator": "iter",
    "Extend": "iter", "IntoIterator": "iter", "Iterator": "iter", "FromIterator": "iter",
}  # fmt: skip
"""The prelude's names and the module of std that each comes from."""

PRELUDE = frozenset(PRELUDE_HOMES) | {"Some", "None", "Ok", "Err"}

LATE_PRELUDE = frozenset({"TryFrom", "TryInto", "FromIterator"})
"""What only edition 2021 brought into the prelude."""

MACROS = frozenset(
    [
        "assert",
        "assert_eq",
        "assert_ne",
        "debug_assert",
        "debug_assert_eq",
        "debug_assert_ne",
        "cfg",
        "column",
        "compile_error",
        "concat",
        "dbg",
        "eprint",
        "eprintln",
        "file",
        "format",
        "format_args",
        "line",
        "matches",
        "module_path",
        "panic",
        "print",
        "println",
        "stringify",
        "thread_local",
        "todo",
        "unimplemented",
        "unreachable",
        "vec",
        "write",
        "writeln",
        "env",
        "option_env",
        "include",
        "include_bytes",
        "include_str",
    ]
) - {
    "cfg",
    "env",
    "option_env",
    "include",
    "include_bytes",
    "include_str",
    "file",
    "line",
    "column",
    "module_path",
}
"""Macros of std, less those whose value depends on where or how they are compiled."""

TRAIT_SIGNS = {
    "Write": r"\bwrite(ln)?!|\.write_|\.flush\(",
    "Read": r"\.read_to_|\.read\(|\.read_exact\(|\.bytes\(\)|\.by_ref\(",
    "BufRead": r"\.read_line\(|\.lines\(|\.read_until\(|\.fill_buf\(|\.consume\(",
    "Seek": r"\.seek\(|\.stream_position\(|\.rewind\(",
    "FromStr": r"::from_str\(",
    "Hash": r"\.hash\(",
    "Hasher": r"\.finish\(|\.write_",
    "BuildHasher": r"\.build_hasher\(|\.hash_one\(",
    "Borrow": r"\.borrow\(",
}
"""Signs that an item calls a method of a std trait which it does not name."""

STD_DERIVES = frozenset({"Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"})

SUPERTRAITS = {
    "Copy": ("Clone",),
    "Eq": ("PartialEq",),
    "PartialOrd": ("PartialEq",),
    "Ord": ("PartialOrd", "Eq", "PartialEq"),
    "DoubleEndedIterator": ("Iterator",),
    "ExactSizeIterator": ("Iterator",),
    "FusedIterator": ("Iterator",),
    "DerefMut": ("Deref",),
    "IndexMut": ("Index",),
    "Error": ("Debug", "Display"),
    "BorrowMut": ("Borrow",),
    "FnMut": ("FnOnce",),
}
"""What a type must have before it can have a trait of std."""
