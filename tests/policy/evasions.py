"""Code that uses what the policy forbids and hides it: name, the code, the rule that has to be found."""

EVASIONS = {
    "space in an attribute": ('# [ export_name = "odd" ] pub fn f() {}', "#[export_name]"),
    "comments in a path": ("fn f() { std/* a */::/* b */process // c\n :: exit(0) }", "std::process"),
    "a path from the root": ("fn f() { ::std::process::exit(0) }", "std::process"),
    "raw names": ("fn f() { r#std :: r#process :: exit(0) }", "std::process"),
    "a raw macro": ("const X: &str = r#include_str!(file!());", "include"),
    "empty generics": ("fn f() { std::<>::process::<>::exit(0) }", "std::process"),
    "empty generics of a type": ("pub fn f(_: std<>::process<>::Command) {}", "std::process"),
    "nested braces in use": ("use {{std::{{process::{{exit}}}}}};\nfn f() { exit(0) }", "std::process"),
    "self in braces": ("use std::process::{self as p};\nfn f() { p::exit(0) }", "std::process"),
    "a renamed library": ("use std as s;\nfn f() { s::env::args(); }", "std::env"),
    "a library renamed in braces": (
        "use std::{self as s, vec::Vec};\nuse s::process as p;\nfn f() { p::exit(0) }",
        "std::process",
    ),
    "a library renamed twice": (
        "mod a { pub use std as s; }\nmod b { pub use super::a::s as t; }\nfn f() { b::t::process::exit(0) }",
        "std::process",
    ),
    "a name of a name from a crate": (
        "mod m { pub extern crate std as s; pub use self::s as t; }\nfn f() { m::t::process::exit(0) }",
        "std::process",
    ),
    "everything by a glob": ("use std::*;\nfn f() { process::exit(0) }", "std::process"),
    "a glob in another module": (
        "mod a { pub use std::*; }\nfn f() { a::process::exit(0) }",
        "std::process",
    ),
    "a glob of an alias": (
        "mod a { pub use std as s; }\nuse a::s::*;\nfn f() { process::exit(0) }",
        "std::process",
    ),
    "an own module that is not there": (
        "#[cfg(any())] mod process {}\nuse std::*;\nfn f() { process::exit(0) }",
        "std::process",
    ),
    "a type": ("type C = std::process::Command;\nfn f() { C::new(\"x\"); }", "std::process"),
    "a type in angle brackets": ('fn f() { <std::process::Command>::new("x"); }', "std::process"),
    "a re-export": ("mod a { pub use std::process as p; }\nuse a::p as q;\nfn f() { q::exit(0) }", "std::process"),
    "the kind of a function": ("fn f() { let g = std::process::exit; g(0) }", "std::process"),
    "in a macro's arguments": ('fn f() { println!("{:?}", std::env::args()) }', "std::env"),
    "in a macro's body": ("macro_rules! m { () => { std::process::exit(0) } }\nfn f() { m!() }", "std::process"),
    "a path finished by a macro": (
        "macro_rules! m { ($a:ident) => { std::$a::exit(0) } }\nfn f() { m!(process) }",
        "std::process made by a macro",
    ),
    "a path begun by a macro": (
        "macro_rules! m { ($a:ident) => { $a::process::exit(0) } }\nfn f() { m!(std) }",
        "std::process made by a macro",
    ),
    "a path of single tokens": (
        "macro_rules! m { ($a:ident, $b:ident, $c:tt) => { $a $c $b $c exit(0) } }\nfn f() { m!(std, process, ::) }",
        "std::process made by a macro",
    ),
    "a path of repeated names": (
        "macro_rules! m { ($($a:ident),*) => { $($a)::*(0) } }\nfn f() { m!(std, process, exit) }",
        "std::process made by a macro",
    ),
    "a macro that makes the macro": (
        "macro_rules! m { ($d:tt) => { macro_rules! n { ($d a:ident) => { std::$d a::exit(0) } } } }\nm!($);\n"
        "fn f() { n!(process) }",
        "std::process made by a macro",
    ),
    "an alias made by a macro": (
        "macro_rules! m { ($a:path) => { use $a as it; } }\nm!(std);\nfn f() { it::process::exit(0) }",
        "std::process",
    ),
    "an alias named by a macro": (
        "macro_rules! m { ($a:ident) => { use std as $a; } }\nm!(it);\nfn f() { it::process::exit(0) }",
        "standard library named by a macro",
    ),
    "a glob made by a macro": (
        "macro_rules! m { ($a:path) => { use $a::*; } }\nm!(std);\nfn f() { process::exit(0) }",
        "std::process",
    ),
    "a crate named by a macro": (
        "macro_rules! m { ($a:ident) => { extern crate $a as it; } }\nm!(std);\nfn f() { it::process::exit(0) }",
        "std::process",
    ),
    "a renamed own macro": (
        "macro_rules! m { ($a:ident) => { std::$a::exit(0) } }\nuse m as n;\nfn f() { n!(process) }",
        "std::process made by a macro",
    ),
    "an include in another macro": ('const X: &str = concat!("a", include_str!(file!()));', "include"),
    "an include in a doc attribute": ("#[doc = include_str!(file!())] pub fn f() {}", "include"),
    "a renamed include": ("use include_str as text;\nconst X: &str = text!(file!());", "include"),
    "an include from the prelude": (
        "use std::prelude::v1::include_str as text;\nconst X: &str = text!(file!());",
        "include",
    ),
    "an include from a glob": (
        "mod a { pub use std::prelude::v1::*; }\nuse a::include_str as text;\nconst X: &str = text!(file!());",
        "include",
    ),
    "an include named by a macro": (
        "macro_rules! m { ($a:ident) => { $a!(file!()) } }\nconst X: &str = m!(include_str);",
        "include made by a macro",
    ),
    "an own include that comes too late": (
        "const X: &str = include_str!(file!());\nmacro_rules! include_str { () => {} }",
        "include",
    ),
    "an own include that calls the other": (
        "macro_rules! include_str { ($a:expr) => { std::include_str!($a) } }\nconst X: &str = include_str!(file!());",
        "include",
    ),
    "a quote in a line for the shell": ('#!"\nfn f() { std::process::exit(0) } // "', "std::process"),
    "a line for the shell that looks like a comment": (
        "#!/*!\nfn f() { std::process::exit(0); let _ = // */\n[1]; }",
        "std::process",
    ),
    "an own include in an inner scope": (
        "fn f() { macro_rules! include_str { () => {} } }\nconst X: &str = include_str!(file!());",
        "include",
    ),
    "renamed assembly": ('use core::arch::asm as a;\npub fn f() { unsafe { a!("nop") } }', "std::arch"),
    "an attribute inside cfg_attr": (
        '#[cfg_attr(all(), cfg_attr(all(), link_section = ".init_array"))] static X: u8 = 1;',
        "#[link_section]",
    ),
    "an attribute in a macro's body": (
        'macro_rules! m { () => { #[export_name = "odd"] pub fn f() {} } }\nm!();',
        "#[export_name]",
    ),
    "an attribute made by a macro": (
        "macro_rules! m { ($($a:meta),*) => { $(#[$a])* pub fn f() {} } }\nm!(no_mangle);",
        "#[no_mangle] made by a macro",
    ),
    "a section made by a macro": (
        'macro_rules! m { ($a:meta) => { #[$a] static X: u8 = 1; } }\nm!(link_section = ".init_array");',
        "#[link_section] made by a macro",
    ),
    "a renamed allocator": (
        "use std::prelude::v1::global_allocator as g;\n#[g] static A: std::alloc::System = std::alloc::System;",
        "#[global_allocator]",
    ),
    "an attribute that looks like a shebang": ("#!/* */[no_main]", "#[no_main]"),
    "files through a path": (
        'type P = std::path::PathBuf;\nfn f() -> bool { P::from("x").try_exists().is_ok() }',
        "std::path asks the file system",
    ),
    "files through a function of a path": (
        'use std::path::Path as P;\nfn f() -> bool { ["x"].iter().map(P::new).any(P::exists) }',
        "std::path asks the file system",
    ),
    "white space of other alphabets": ("fn f() { std\u2028::\u0085process::exit(0) }", "std::process"),
    "marks of direction in a path": ("fn f() { std\u200e::process::exit(0) }", "control of text direction"),
    "a quote that opens nothing": (
        "fn f<'a>() { let _ = ('\"', b'\\''); std::process::exit(0); let _ = '\"'; }",
        "std::process",
    ),
    "a raw string that ends early": ('fn f() { let _ = r"\\"; std::process::exit(0); let _ = r"\\"; }', "std::process"),
    "a comment that ends early": ("fn f() { /* /* */ */ std::process::exit(0); /*/ */ }", "std::process"),
    "a comment in a string": ('fn f() { let _ = "/*"; std::process::exit(0); let _ = "*/"; }', "std::process"),
    "a Cyrillic letter": ("fn f() { let env\u0430 = 1; let enva = env\u0430; }", "look-alike name"),
    "a name wholly of look-alikes": (
        "fn f(\u0441\u043e\u0440: u8, cop: u8) -> u8 { \u0441\u043e\u0440 + cop }",
        "look-alike name",
    ),
    "letters of full width": ("fn f(\uff46\uff53: u8) -> u8 { \uff46\uff53 }", "look-alike name"),
    "a letter like an exclamation mark": ("fn f(a: bool, a\u01c3: bool) -> bool { a\u01c3 == a }", "look-alike name"),
    "an invisible letter": ("fn f(\u3164: bool) -> bool { \u3164 }", "look-alike name"),
}  # fmt: skip
