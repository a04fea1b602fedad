"""error_fixing and transformations: confirmed forms become questions, the better code is the answer."""

from collections.abc import Iterable

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.syntax.corpus import ItemRow
from rust_expert.tasks import wording
from rust_expert.tasks.pairs import PairRow
from rust_expert.tasks.rewrites.catalogue import BY_NAME
from rust_expert.tasks.writing import Crate, Made, Setting, Writer, full_name, pick, target


def fixing(crate: Crate, pairs: Iterable[PairRow], options: TasksOptions, rustc: str) -> Made:
    """Broken code with rustc's message; the answer is the original item."""
    writer = Writer("error_fixing", options, rustc, options.fixing_rows)
    for pair in pairs:
        row = crate.by_key[pair.key]
        if writer.spent():
            continue
        setting = crate.setting(row, options)
        number, template = pick(wording.FIXING, writer.drawn("fixing", row, pair.way, pair.text))
        prompt = template.format(
            context=setting.shown,
            broken=setting.unit.answer(pair.text),
            message=pair.message,
            file=row.file,
            target=target(row),
            code=f"error {pair.codes[0]}",
        )
        claims = writer.claim("answer", row, setting)
        told = f"{', '.join(pair.codes)} ({rustc}, edition {row.edition})"
        claims.append(f"broken form fails in its crate: {told}")
        writer.write(
            row, prompt, setting.unit.answer(row.text), f"{number}/{pair.way}", claims,
            context=setting.context, before=pair.text, codes=pair.codes,
        )  # fmt: skip
    return writer.made


def transformations(crate: Crate, pairs: Iterable[PairRow], options: TasksOptions, rustc: str) -> Made:
    """Plain code with a request for the idiom, whose answer is the original item; and code that clippy warns about,
    whose answer is what it suggests.
    """
    writer = Writer("transformations", options, rustc, options.transformation_rows)
    for pair in pairs:
        row = crate.by_key[pair.key]
        if writer.spent():
            continue
        setting = crate.setting(row, options)
        if pair.kind == "plain":
            _plain(pair, row, setting, writer)
        else:
            _suggested(pair, row, setting, writer)
    return writer.made


def _plain(pair: PairRow, row: ItemRow, setting: Setting, writer: Writer) -> None:
    drawn = writer.drawn("transformation", row, pair.way)
    number, template = pick(wording.TRANSFORMATION, drawn)
    request = drawn.choice(BY_NAME[pair.way].requests)
    prompt = template.format(
        context=setting.shown,
        request=request,
        small_request=request[0].lower() + request[1:],
        plain=setting.unit.answer(pair.text),
        name=full_name(row),
    )
    claims = [*writer.claim("answer", row, setting), *writer.claim("plain form", row)]
    writer.write(
        row, prompt, setting.unit.answer(row.text), f"{number}/{pair.way}", claims,
        context=setting.context, before=pair.text,
    )  # fmt: skip


def _suggested(pair: PairRow, row: ItemRow, setting: Setting, writer: Writer) -> None:
    number, template = pick(wording.SUGGESTION, writer.drawn("suggestion", row, pair.way, pair.text))
    prompt = template.format(
        context=setting.shown,
        plain=setting.unit.answer(row.text),
        message=pair.message,
        target=target(row),
        lint=pair.way,
    )
    claims = [*writer.claim("answer", row), *writer.claim("original", row, setting)]
    claims.append(f"{pair.way} no longer warns ({writer.rustc})")
    writer.write(
        row, prompt, setting.unit.answer(pair.text), f"{number}/{pair.way}", claims,
        context=setting.context, before=row.text,
    )  # fmt: skip
