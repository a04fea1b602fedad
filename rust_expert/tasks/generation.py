"""code_generation: requests for items and larger pieces of crates that pass their build, made from documentation,
signatures
and the pattern of a trait's implementation; the answer is the code as it stands in its source.
"""

from collections.abc import Callable, Iterable

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.docs import clean, prose_of
from rust_expert.tasks import wording
from rust_expert.tasks.outline import members_of
from rust_expert.tasks.units import Unit, opened, reason_against
from rust_expert.tasks.writing import Crate, Made, Writer, full_name, noun_of, pick

ALONE = frozenset({"function", "method"})
"""Scales of a single function."""
BLOCKS = frozenset({"type", "trait", "impl", "module", "file"})
"""Scales of several items, asked for by their outline."""
_WORDS = 2
"""Words that a name has at least where it has to say by itself what its function does."""


def generation(crate: Crate, rows: Iterable[ItemRow], options: TasksOptions, rustc: str) -> Made:
    """Samples from a crate's rows, which come in the order in which they are tried."""
    writer = Writer("code_generation", options, rustc, options.generation_rows)
    for row in rows:
        make = pattern_of(row)
        if make is not None and not writer.spent():
            make(row, crate, writer)
    return writer.made


def pattern_of(row: ItemRow) -> Callable[[ItemRow, Crate, Writer], None] | None:
    """The pattern that fits a row; None for rows that are no task."""
    if row.scale in ALONE and not reason_against(row):
        return _alone
    if row.scale == "impl" and row.trait and not reason_against(row):
        return _trait_impl
    if row.scale == "impl_part" and not row.conditional:
        return _members
    if row.scale in BLOCKS and not row.conditional and not row.trait:
        return _block
    return None


def _alone(row: ItemRow, crate: Crate, writer: Writer) -> None:
    """One function, by its documentation, else by its name where that says enough."""
    docs = clean(row.docs)
    if len(prose_of(docs)) >= writer.options.min_request_chars:
        _function(row, crate, writer, "documented", docs)
    elif _speaks(row) and crate.setting(row, writer.options).context != "partial":
        _function(row, crate, writer, "signature", "")
    else:
        writer.lose("neither documentation nor a telling name")


def _speaks(row: ItemRow) -> bool:
    """Whether a function's name says what it does, as far as a name can."""
    return row.name.strip("_").count("_") + 1 >= _WORDS and not row.name.startswith("test")


def _function(row: ItemRow, crate: Crate, writer: Writer, family: str, docs: str) -> None:
    setting = crate.setting(row, writer.options)
    number, template = pick(wording.GENERATION[family], writer.drawn("generation", row))
    prompt = template.format(
        context=setting.shown,
        docs=docs,
        declared_docs=_declared_docs(setting.unit, docs, number == 0),
        declaration=_declaration(setting.unit, family, number),
        flat_declaration=" ".join(row.signature.split()),
        name=full_name(row),
        noun=noun_of(row),
    )
    claims = writer.claim("answer", row, setting)
    answer = setting.unit.answer(row.text)
    writer.write(row, prompt, answer, f"{family}-{number}", claims, context=setting.context)


def _trait_impl(row: ItemRow, crate: Crate, writer: Writer) -> None:
    setting = crate.setting(row, writer.options)
    number, template = pick(wording.GENERATION["trait impl"], writer.drawn("generation", row))
    prompt = template.format(
        context=setting.shown,
        trait=row.trait,
        owner=row.name,
        header=" ".join(row.signature.split()),
        declaration=opened(row.signature),
    )
    claims = writer.claim("answer", row, setting)
    writer.write(row, prompt, row.text, f"trait-impl-{number}", claims, context=setting.context)


def _block(row: ItemRow, crate: Crate, writer: Writer) -> None:
    docs = clean(row.docs)
    if len(prose_of(docs)) < writer.options.min_request_chars:
        writer.lose("no documentation that says what to write")
        return
    setting = crate.setting(row, writer.options)
    number, template = pick(wording.GENERATION["block"], writer.drawn("generation", row))
    prompt = template.format(
        context=setting.shown,
        docs=docs,
        name=row.name or row.path or row.crate,
        noun=noun_of(row),
        outline=members_of(row, crate.within(row)),
    )
    claims = writer.claim("answer", row)
    writer.write(row, prompt, row.text, f"block-{number}", claims, context=setting.context)


def _members(row: ItemRow, crate: Crate, writer: Writer) -> None:
    """Some methods of a block that is too long for one sample; the answer has them in the block's header."""
    setting = crate.setting(row, writer.options)
    number, template = pick(wording.GENERATION["members"], writer.drawn("generation", row))
    prompt = template.format(
        context=setting.shown,
        owner=row.owner,
        header=" ".join(row.header.split()),
        outline=members_of(row, crate.within(row)),
    )
    answer = f"{opened(row.header)}\n{_margin(row)}{row.text}\n}}"
    claims = writer.claim("answer", row)
    writer.write(row, prompt, answer, f"members-{number}", claims, context=setting.context)


def _margin(row: ItemRow) -> str:
    """The white space that the row's first line has lost: that of its last line."""
    last = row.text.rpartition("\n")[2]
    return last[: len(last) - len(last.lstrip())]


def _declaration(unit: Unit, family: str, number: int) -> str:
    """The signature as a template wants it: for a method inside its impl, with the open brace where one follows."""
    margin = unit.opening.rpartition("\n")[2]
    # In the first template for documented items the docs bring the impl along.
    opening = "" if (family, number) == ("documented", 0) else unit.opening
    signature = unit.row.signature
    return opening + (opened(signature, margin) if number in wording.OPENED[family] else signature)


def _declared_docs(unit: Unit, docs: str, wanted: bool) -> str:
    """The docs as a comment above the signature, inside the impl of a method."""
    if not wanted:
        return ""
    margin = unit.opening.rpartition("\n")[2]
    lines = "".join(f"/// {line}".rstrip() + f"\n{margin}" for line in docs.split("\n"))
    return f"{unit.opening}{lines}"
