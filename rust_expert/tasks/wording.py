"""The words of the prompts: several templates per task, drawn by seed and row.

A template is a text with `{fields}`; its name in a sample's `_template` is its task and place in the list here, so
new ones are added at the end.
"""

GENERATION = (
    "{context}{declared_docs}{declaration}\n",
    "{context}Write the Rust {noun} `{name}` with this signature:\n\n```rust\n{declaration}\n```\n\n{docs}",
    "{context}Implement `{name}` in Rust.\n\n{docs}\n\nSignature:\n\n```rust\n{declaration}\n```",
    "{context}{docs}\n\nComplete this Rust {noun}:\n\n```rust\n{declaration}\n```",
    "{context}Write idiomatic, documented Rust code for `{name}`. What it has to do:\n\n{docs}\n\n"
    "Use exactly this signature: `{flat_declaration}`.",
    "{context}I need the following in Rust.\n\n{docs}\n\nIt should be declared as\n\n```rust\n{declaration}\n```",
)
"""Asks for an item. The first is the shape of the HumanEval problems: docs, signature, open brace."""

OPENED = frozenset({0, 3})
"""The places of those whose declaration ends with an open brace."""

CONTEXT = "These definitions are in scope:\n\n```rust\n{surroundings}\n```\n\n"

FIXING = (
    "This Rust code does not compile:\n\n```rust\n{broken}\n```\n\nThe compiler says:\n\n```text\n{message}\n```\n\n"
    "Fix {target}.",
    "Fix the compile error in {target}.\n\n```rust\n{broken}\n```\n\n```text\n{message}\n```",
    "rustc rejects `src/lib.rs`:\n\n```text\n{message}\n```\n\nThe file is\n\n```rust\n{broken}\n```\n\n"
    "Correct {target} so that it compiles.",
    "What is wrong here, and how does the corrected code look?\n\n```rust\n{broken}\n```\n\nrustc reports:\n\n"
    "```text\n{message}\n```\n\nShow {target}, corrected.",
    "I get {code} from rustc:\n\n```text\n{message}\n```\n\nHere is my code:\n\n```rust\n{broken}\n```\n\n"
    "Please repair {target}.",
)
"""Asks for the correction of code that does not compile; the message is rustc's own."""

TRANSFORMATION = (
    "{context}{request}:\n\n```rust\n{plain}\n```",
    "{context}Refactor this Rust code. {request}, and keep what it does.\n\n```rust\n{plain}\n```",
    "{context}```rust\n{plain}\n```\n\nMake this more idiomatic: {small_request}.",
    "{context}Rewrite `{name}` in idiomatic Rust. {request}.\n\n```rust\n{plain}\n```",
    "{context}The code below works, but it can be said better in Rust. {request}.\n\n```rust\n{plain}\n```",
)
"""Asks for the idiomatic form of code that compiles."""

EXPLANATION = (
    "What does this Rust {noun} do?\n\n```rust\n{code}\n```",
    "Explain `{name}`:\n\n```rust\n{code}\n```",
    "Write the documentation of this Rust {noun}.\n\n```rust\n{code}\n```",
    "```rust\n{code}\n```\n\nDescribe what `{name}` is for and how it behaves.",
    "I am reading Rust code and found this {noun}. What is its purpose?\n\n```rust\n{code}\n```",
)
"""Asks what code does; the answer is its own documentation."""

NOUNS = {
    "function": "function",
    "method": "method",
    "impl": "implementation",
    "struct": "struct",
    "enum": "enum",
    "trait": "trait",
    "union": "union",
}
