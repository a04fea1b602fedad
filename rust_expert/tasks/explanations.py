"""explanations: what code does and what a signature promises, in the words of its documentation; why code does not
compile, in the words of rustc's own message about it.
"""

import re
from collections.abc import Iterable, Mapping

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.docs import clean, prose_of, sections, without_docs
from rust_expert.tasks import wording
from rust_expert.tasks.pairs import PairRow
from rust_expert.tasks.units import opened
from rust_expert.tasks.writing import Crate, Made, Writer, full_name, noun_of, pick

EXPLAINED = frozenset({"function", "method", "struct", "enum", "trait", "union"})
_SCALES = EXPLAINED | {"impl"}
PROMISES = {
    "errors": "It returns an error in these cases.",
    "panics": "It panics in these cases.",
    "safety": "Whoever calls it has to see to this.",
    "returns": "What it returns:",
}
"""The sections of documentation that say what can be expected of a call, and the words before each in an answer."""

_OPEN_ENDS = ("todo", "fixme", "xxx", "<a ", "<div", "<img", "<p>", "<table", "](", "```mermaid")
_BESIDE_THE_POINT = ("see ", "refer to", "like ", "same as")


def explanations(
    crate: Crate,
    rows: Iterable[ItemRow],
    pairs: Iterable[PairRow],
    facts: Mapping[str, str],
    options: TasksOptions,
    rustc: str,
) -> Made:
    """Samples from a crate's items that may be explained and from broken forms, in the order given.

    `facts`: what rustc explains in general of an error code. Of what a crate may give, a third is about errors.
    """
    writer = Writer("explanations", options, rustc, options.explanation_rows)
    errors = 0
    for pair in pairs:
        if 3 * errors >= options.explanation_rows:
            writer.lose("the crate has explained enough errors")
        else:
            errors += _error(pair, crate, facts, writer)
    for row in rows:
        if not writer.spent():
            _documented(row, writer)
    return writer.made


def may_be_explained(row: ItemRow) -> bool:
    """Whether an item is of the kinds that are explained, and documented."""
    return bool(row.docs) and row.kind in EXPLAINED and row.scale in _SCALES


def _documented(row: ItemRow, writer: Writer) -> None:
    docs = clean(row.docs)
    reason = _reason_against(row, docs, writer.options)
    if reason:
        writer.lose(reason)
        return
    promises = _promises(row) if row.kind in ("function", "method") else ""
    drawn = writer.drawn("explanation", row)
    if promises and drawn.random() < 0.5:
        number, template = pick(wording.PROMISE, drawn)
        declaration = row.signature
        if row.kind == "method":
            declaration = f"{opened(row.header)}\n    {row.signature};\n}}"
        prompt = template.format(declaration=declaration, name=full_name(row), noun=noun_of(row))
        writer.write(row, prompt, promises, f"promise-{number}", [])
        return
    number, template = pick(wording.EXPLANATION, drawn)
    code = without_docs(row.text.encode()).decode().replace("\r\n", "\n").strip("\n")
    if row.kind == "method":
        code = f"{opened(row.header)}\n    {code.lstrip()}\n}}"
    prompt = template.format(code=code, name=full_name(row), noun=noun_of(row))
    writer.write(row, prompt, docs, f"documentation-{number}", [])


def _promises(row: ItemRow) -> str:
    """What the documentation says of errors, panics and safety; "" where it says nothing."""
    found = sections(clean(row.docs))
    told = [f"{words}\n\n{found[name]}" for name, words in PROMISES.items() if found.get(name)]
    return "\n\n".join(told)


def _error(pair: PairRow, crate: Crate, facts: Mapping[str, str], writer: Writer) -> bool:
    """A sample about a broken form: its answer is made of what rustc's message says, and of the code that is right."""
    row, code = crate.by_key[pair.key], pair.codes[0]
    change = changed_lines(pair.text, row.text)
    if len(pair.codes) > 1 or not pair.notes or change is None:
        writer.lose("the error has no one reason that can be told")
        return False
    number, template = pick(wording.ERROR, writer.drawn("error", row, pair.way, pair.text))
    told = facts.get(code, "")
    setting = crate.setting(row, writer.options)
    prompt = template.format(
        broken=setting.unit.answer(pair.text),
        message=pair.message,
        code=code,
        facts=wording.FACTS.format(code=code, facts=told.replace("\n", "\n> ")) if told else "",
    )
    broken, right = change
    headline = re.sub(r"^error(\[E\d+\])?: ", "", pair.message.split("\n", 1)[0])
    notes = "\n".join(f"- {note}" for note in pair.notes)
    gen = f"`{code}`: {headline}.\n\n{notes}\n\n"
    gen += f"Instead of\n\n```rust\n{broken}\n```\n\n" if broken else ""
    gen += f"it has to say\n\n```rust\n{right}\n```" if right else "these lines have to go."
    claims = [f"the code fails in its crate: {code} ({writer.rustc}, edition {row.edition})"]
    return writer.write(
        row, prompt, gen, f"error-{number}/{code}", claims, before=pair.text, codes=pair.codes
    )


def changed_lines(before: str, after: str) -> tuple[str, str] | None:
    """The lines of both texts between what they have in common at their beginnings and ends, unindented alike; None
    where
    nothing differs.
    """
    left, right = before.split("\n"), after.split("\n")
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    parts = left[start : len(left) - end], right[start : len(right) - end]
    if parts == ([], []):
        return None
    lines = [line for part in parts for line in part if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    told = ["\n".join(line[margin:] for line in part) for part in parts]
    return told[0], told[1]


def _reason_against(row: ItemRow, docs: str, options: TasksOptions) -> str:
    """Why an item's documentation explains nothing; "" where it does."""
    prose = prose_of(docs)
    small = prose.lower()
    if len(prose) < options.min_doc_chars:
        return "documentation too short"
    if "#[doc(hidden)]" in row.text or "#[deprecated" in row.text:
        return "deprecated or hidden"
    if any(word in small for word in _OPEN_ENDS) or small.startswith(_BESIDE_THE_POINT):
        return "documentation is no explanation"
    if not prose[0].isalpha() and prose[0] != "`":
        return "documentation is no explanation"
    if sum(letter.isascii() for letter in prose) < 0.9 * len(prose):
        return "documentation not in English"
    if row.text.count("\n") < options.min_lines or not row.has_body:
        return "item too short"
    return ""
