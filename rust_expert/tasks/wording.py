"""The words of the prompts: several templates per task, drawn by seed and row.

A template is a text with `{fields}`; its name in a sample's `_template` is its task, the list here that it stands in
and its place there, so new ones are added at the end. Nothing here names a crate that code might use: an asynchronous
function is called just that, whatever runs it.
"""

CONTEXT = "These definitions are in scope:\n\n```rust\n{surroundings}\n```\n\n"
"""Stands before a request where the answer needs just these."""

AROUND = "The code is part of the crate `{crate}`, in `{file}`. Around it there is:\n\n```rust\n{surroundings}\n```\n\n"
PLACE = "The code is part of the crate `{crate}`, in `{file}`.\n\n"
"""Stand before a request where the answer may need more than that."""

GENERATION: dict[str, tuple[str, ...]] = {
    "documented": (
        "{context}{declared_docs}{declaration}\n",
        "{context}Write the Rust {noun} `{name}` with this signature:\n\n```rust\n{declaration}\n```\n\n{docs}",
        "{context}Implement `{name}` in Rust.\n\n{docs}\n\nSignature:\n\n```rust\n{declaration}\n```",
        "{context}{docs}\n\nComplete this Rust {noun}:\n\n```rust\n{declaration}\n```",
        "{context}Write idiomatic, documented Rust code for `{name}`. What it has to do:\n\n{docs}\n\n"
        "Use exactly this signature: `{flat_declaration}`.",
        "{context}I need the following in Rust.\n\n{docs}\n\nIt should be declared as\n\n```rust\n{declaration}\n```",
        "{context}Fill in the body of the {noun} `{name}`.\n\n```rust\n{declaration}\n```\n\n"
        "Its documentation says:\n\n{docs}",
        "{context}How would you write `{name}` in Rust? {docs}\n\nStart from\n\n```rust\n{declaration}\n```",
    ),
    "signature": (
        "{context}Write the body of this Rust {noun}:\n\n```rust\n{declaration}\n```",
        "{context}Implement `{name}`, going by its name and its signature:\n\n```rust\n{declaration}\n```",
        "{context}Complete the {noun} `{name}`. Its signature is `{flat_declaration}`.",
    ),
    "trait impl": (
        "{context}Implement the trait `{trait}` for `{owner}`.",
        "{context}Write the `{header}` block.",
        "{context}`{owner}` needs an implementation of `{trait}`. Write it.",
        "{context}Complete the implementation:\n\n```rust\n{declaration}\n```",
    ),
    "block": (
        "{context}Write the Rust {noun} `{name}`.\n\n{docs}\n\nIt has these members:\n\n```rust\n{outline}\n```",
        "{context}{docs}\n\nImplement this in Rust as `{name}`, with the following outline:\n\n```rust\n{outline}\n```",
        "{context}Here is the outline of the {noun} `{name}`:\n\n```rust\n{outline}\n```\n\n{docs}\n\nFill it in.",
        "{context}I need the {noun} `{name}` in Rust. {docs}\n\nUse these signatures:\n\n```rust\n{outline}\n```",
    ),
    "members": (
        "{context}Write these methods of the block `{header}`:\n\n```rust\n{outline}\n```",
        "{context}Implement the following members of `{owner}`:\n\n```rust\n{outline}\n```",
        "{context}Complete this part of `{header}`:\n\n```rust\n{outline}\n```",
    ),
}
"""Ask for an item. The first of `documented` is the shape of the HumanEval problems: docs, signature, open brace."""

OPENED = {"documented": frozenset({0, 3, 6, 7}), "signature": frozenset({0}), "trait impl": frozenset({3})}
"""The places of those whose declaration ends with an open brace."""

FIXING = (
    "{context}This Rust code does not compile:\n\n```rust\n{broken}\n```\n\n"
    "The compiler says:\n\n```text\n{message}\n```\n\nFix {target}.",
    "{context}Fix the compile error in {target}.\n\n```rust\n{broken}\n```\n\n```text\n{message}\n```",
    "{context}rustc rejects `{file}`:\n\n```text\n{message}\n```\n\nThe code there is\n\n```rust\n{broken}\n```\n\n"
    "Correct {target} so that it compiles.",
    "{context}What is wrong here, and how does the corrected code look?\n\n```rust\n{broken}\n```\n\nrustc reports:\n\n"
    "```text\n{message}\n```\n\nShow {target}, corrected.",
    "{context}I get {code} from rustc:\n\n```text\n{message}\n```\n\nHere is my code:\n\n```rust\n{broken}\n```\n\n"
    "Please repair {target}.",
    "{context}`cargo build` stops with\n\n```text\n{message}\n```\n\nin\n\n```rust\n{broken}\n```\n\nMend {target}.",
)
"""Ask for the correction of code that does not compile; the message is rustc's own."""

TRANSFORMATION = (
    "{context}{request}:\n\n```rust\n{plain}\n```",
    "{context}Refactor this Rust code. {request}, and keep what it does.\n\n```rust\n{plain}\n```",
    "{context}```rust\n{plain}\n```\n\nMake this more idiomatic: {small_request}.",
    "{context}Rewrite `{name}` in idiomatic Rust. {request}.\n\n```rust\n{plain}\n```",
    "{context}The code below works, but it can be said better in Rust. {request}.\n\n```rust\n{plain}\n```",
)
"""Ask for the idiomatic form of code that compiles."""

SUGGESTION = (
    "{context}Clippy has something to say about this code:\n\n```rust\n{plain}\n```\n\n```text\n{message}\n```\n\n"
    "Rewrite {target} so that the warning goes away.",
    "{context}```rust\n{plain}\n```\n\nApply what clippy suggests:\n\n```text\n{message}\n```",
    "{context}Improve {target}. The linter reports\n\n```text\n{message}\n```\n\nfor\n\n```rust\n{plain}\n```",
    "{context}Make clippy silent about `{lint}` in this code without changing what it does:\n\n```rust\n{plain}\n```",
)
"""Ask for code that a warning of clippy is no longer true of."""

EXPLANATION = (
    "What does this Rust {noun} do?\n\n```rust\n{code}\n```",
    "Explain `{name}`:\n\n```rust\n{code}\n```",
    "Write the documentation of this Rust {noun}.\n\n```rust\n{code}\n```",
    "```rust\n{code}\n```\n\nDescribe what `{name}` is for and how it behaves.",
    "I am reading Rust code and found this {noun}. What is its purpose?\n\n```rust\n{code}\n```",
    "Document `{name}` for its users.\n\n```rust\n{code}\n```",
)
"""Asks what code does; the answer is its own documentation."""

PROMISE = (
    "What does this signature promise, and what does it ask of its callers?\n\n```rust\n{declaration}\n```",
    "`{name}` is declared as\n\n```rust\n{declaration}\n```\n\nWhat can go wrong when it is called?",
    "Before I call this Rust {noun}: under which conditions does it fail?\n\n```rust\n{declaration}\n```",
)
"""Asks what can be expected of a call; the answer is what the documentation says of errors, panics and safety."""

ERROR = (
    "Explain why this Rust code does not compile.\n\n```rust\n{broken}\n```\n\n```text\n{message}\n```{facts}",
    "What does {code} mean here?\n\n```rust\n{broken}\n```\n\n```text\n{message}\n```{facts}",
    "I do not understand this error:\n\n```text\n{message}\n```\n\nIt is about\n\n```rust\n{broken}\n```{facts}\n\n"
    "What is the matter?",
)
"""Asks for the reason of an error; the message, and what rustc says of the error in general, are the question's."""

FACTS = "\n\nIn general, `rustc --explain {code}` says:\n\n> {facts}"

NOUNS = {
    "function": "function",
    "method": "method",
    "impl": "implementation",
    "struct": "struct",
    "enum": "enum",
    "trait": "trait",
    "union": "union",
    "type": "type",
    "module": "module",
    "file": "module",
}
