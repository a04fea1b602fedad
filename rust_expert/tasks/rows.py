"""Instruction samples from checked units and documented items: the prompt's words, the metadata, the limits."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample, TaskType
from rust_expert.common.seeds import rng
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.docs import clean, prose_of, without_docs
from rust_expert.tasks import wording
from rust_expert.tasks.pairs import Broken, Plain
from rust_expert.tasks.rewrites.catalogue import BY_NAME
from rust_expert.tasks.units import Unit, opened

EXPLAINED = frozenset({"function", "method", "struct", "enum", "trait", "union"})

_OPEN_ENDS = ("todo", "fixme", "xxx", "<a ", "<div", "<img", "<p>", "<table", "](", "```mermaid")


@dataclass
class Made:
    """The samples of one task type, and why candidates gave none."""

    rows: list[Sample] = field(default_factory=list)
    candidates: int = 0
    lost: Counter[str] = field(default_factory=Counter)


class Maker:
    """Makes samples within the limits: a crate gives each task type at most so many, long ones are left out."""

    def __init__(self, options: TasksOptions, rustc: str) -> None:
        self.options, self.rustc = options, rustc

    def generation(self, units: Iterable[Unit], checked: bool = True) -> Made:
        """Requests for documented functions and methods; the answer is the item as it stands in its source."""
        made = Made()
        room = Room(self.options.generation_rows)
        for unit in units:
            row = unit.row
            docs = clean(row.docs)
            if row.kind not in ("function", "method") or len(prose_of(docs)) < self.options.min_request_chars:
                continue
            made.candidates += 1
            drawn = self._drawn("generation", row)
            number, template = _pick(wording.GENERATION, drawn)
            prompt = template.format(
                context=_context(unit),
                docs=docs,
                declared_docs=_declared_docs(unit, docs, number == 0),
                declaration=_declaration(unit, number),
                flat_declaration=" ".join(row.signature.split()),
                name=_full_name(row),
                noun=wording.NOUNS[row.kind],
            )
            claims = [self._claim("original", unit)] if checked else []
            self._add(made, room, "code_generation", unit, prompt, f"code_generation/{number}", claims)
        return made

    def fixing(self, forms: Iterable[Broken]) -> Made:
        """Broken code with rustc's message; the answer is the original item."""
        made = Made()
        room = Room(self.options.fixing_rows)
        for form in forms:
            made.candidates += 1
            number, template = _pick(wording.FIXING, self._drawn("fixing", form.unit.row, form.operator))
            prompt = template.format(
                broken=form.unit.file(form.text).rstrip("\n"),
                message=form.message,
                target=_target(form.unit.row),
                code=f"error {form.codes[0]}",
            )
            claims = [
                self._claim("original", form.unit),
                f"broken form fails: {', '.join(form.codes)} ({self.rustc}, edition {form.unit.row.edition})",
            ]
            template_name = f"error_fixing/{number}/{form.operator}"
            self._add(made, room, "error_fixing", form.unit, prompt, template_name, claims)
        return made

    def transformations(self, forms: Iterable[Plain]) -> Made:
        """Plain code with a request for the idiom; the answer is the original item."""
        made = Made()
        room = Room(self.options.transformation_rows)
        for form in forms:
            made.candidates += 1
            drawn = self._drawn("transformation", form.unit.row, form.rewrite)
            number, template = _pick(wording.TRANSFORMATION, drawn)
            request = drawn.choice(BY_NAME[form.rewrite].requests)
            prompt = template.format(
                context=_context(form.unit),
                request=request,
                small_request=request[0].lower() + request[1:],
                plain=form.unit.answer(form.text),
                name=_full_name(form.unit.row),
            )
            claims = [self._claim("original", form.unit), self._claim("plain form", form.unit)]
            template_name = f"transformations/{number}/{form.rewrite}"
            self._add(made, room, "transformations", form.unit, prompt, template_name, claims)
        return made

    def explanations(self, rows: Iterable[ItemRow]) -> Made:
        """Code without its docs; the answer is the documentation that it had."""
        made = Made()
        room = Room(self.options.explanation_rows)
        for row in rows:
            if row.kind not in EXPLAINED or not row.docs:
                continue
            made.candidates += 1
            docs = clean(row.docs)
            reason = self._reason_against(row, docs)
            if reason:
                made.lost[reason] += 1
                continue
            code = without_docs(row.text.encode()).decode().replace("\r\n", "\n").strip("\n")
            if row.kind == "method":
                code = f"{opened(row.header)}\n    {code.lstrip()}\n}}"
            number, template = _pick(wording.EXPLANATION, self._drawn("explanation", row))
            prompt = template.format(code=code, name=_full_name(row), noun=wording.NOUNS[row.kind])
            self._add(made, room, "explanations", Unit(row), prompt, f"explanations/{number}", [], gen=docs)
        return made

    def _reason_against(self, row: ItemRow, docs: str) -> str:
        """Why an item's documentation explains nothing; "" where it does."""
        prose = prose_of(docs)
        small = prose.lower()
        if len(prose) < self.options.min_doc_chars:
            return "documentation too short"
        if "#[doc(hidden)]" in row.text or "#[deprecated" in row.text:
            return "deprecated or hidden"
        if any(word in small for word in _OPEN_ENDS) or small.startswith(
            ("see ", "refer to", "like ", "same as")
        ):
            return "documentation is no explanation"
        if not prose[0].isalpha() and prose[0] != "`":
            return "documentation is no explanation"
        if sum(letter.isascii() for letter in prose) < 0.9 * len(prose):
            return "documentation not in English"
        if row.text.count("\n") < self.options.min_lines or not row.has_body:
            return "item too short"
        return ""

    def _drawn(self, *key: object) -> random.Random:
        words = [part.key if isinstance(part, ItemRow) else part for part in key]
        return rng(self.options.seed, "prompt", *words)

    def _claim(self, what: str, unit: Unit) -> str:
        beside = "" if unit.self_contained else " beside the prompt's definitions"
        return f"{what} compiles{beside} ({self.rustc}, edition {unit.row.edition})"

    def _add(
        self,
        made: Made,
        room: "Room",
        task: TaskType,
        unit: Unit,
        prompt: str,
        template: str,
        claims: list[str],
        gen: str = "",
    ) -> None:
        row, answer = unit.row, gen or unit.answer(unit.row.text)
        lines = prompt.count("\n") + answer.count("\n") + 2
        if lines > self.options.max_lines:
            made.lost["more lines than max_lines"] += 1
        elif len(prompt) + len(answer) > self.options.max_chars:
            made.lost["more characters than max_chars"] += 1
        elif not room.takes(row.crate):
            made.lost["the crate has given enough"] += 1
        else:
            made.rows.append(
                Sample.make(
                    prompt=prompt,
                    gen=answer,
                    task_type=task,
                    source="crates",
                    source_crate=row.crate,
                    source_version=row.version,
                    source_file=row.file,
                    span=[row.start, row.end],
                    license=row.license,
                    scale=row.kind,
                    template=template,
                    verified=claims,
                    entry_point=row.name if row.kind == "function" else None,
                    doc=bool(row.docs),
                )
            )


class Room:
    """How many samples each crate may still give."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.given: Counter[str] = Counter()

    def takes(self, crate: str) -> bool:
        """Whether a crate has room for one more; it is counted."""
        if self.given[crate] >= self.most:
            return False
        self.given[crate] += 1
        return True


def _pick(templates: tuple[str, ...], drawn: random.Random) -> tuple[int, str]:
    number = drawn.randrange(len(templates))
    return number, templates[number]


def _context(unit: Unit) -> str:
    return wording.CONTEXT.format(surroundings=unit.surroundings) if unit.surroundings else ""


def _full_name(row: ItemRow) -> str:
    if row.kind == "impl":
        return f"{row.trait} for {row.name}"
    return f"{row.owner}::{row.name}" if row.kind == "method" else row.name


def _target(row: ItemRow) -> str:
    if row.kind == "impl":
        return f"the implementation of `{row.trait}` for `{row.name}`"
    if row.kind == "method":
        return f"the method `{row.name}` (answer with its `impl` block)"
    return f"the function `{row.name}`"


def _declaration(unit: Unit, number: int) -> str:
    """The signature as a template wants it: for a method inside its impl, with the open brace where one follows."""
    margin = unit.opening.rpartition("\n")[2]
    opening = "" if number == 0 else unit.opening  # in the first template the docs bring the impl along
    signature = unit.row.signature
    return opening + (opened(signature, margin) if number in wording.OPENED else signature)


def _declared_docs(unit: Unit, docs: str, wanted: bool) -> str:
    """The docs as a comment above the signature, inside the impl of a method."""
    if not wanted:
        return ""
    margin = unit.opening.rpartition("\n")[2]
    lines = "".join(f"/// {line}".rstrip() + f"\n{margin}" for line in docs.split("\n"))
    return f"{unit.opening}{lines}"
