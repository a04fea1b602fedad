"""Samples as they are written: the metadata, the limits, what is claimed, and why candidates give none."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from rust_expert.common.config.tasks import TasksOptions
from rust_expert.common.contracts import Sample, TaskType
from rust_expert.common.seeds import rng
from rust_expert.syntax.chunks import CHUNK_KINDS
from rust_expert.syntax.corpus import ItemRow
from rust_expert.tasks import wording
from rust_expert.tasks.crate_index import CrateIndex
from rust_expert.tasks.outline import outline_of
from rust_expert.tasks.pairs import PairRow
from rust_expert.tasks.units import Unit, unit_of

Keyed = TypeVar("Keyed", ItemRow, PairRow)

_ASYNC = re.compile(r"(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|unsafe)\s+)*async\b")


@dataclass
class Made:
    """The samples of one task type, and why candidates gave none: `candidates` is the sum of both."""

    rows: list[Sample] = field(default_factory=list)
    candidates: int = 0
    lost: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Setting:
    """What a prompt shows around an item, and whether the answer needs more: `context` is the contract's field."""

    unit: Unit
    shown: str
    context: str


class Crate:
    """One crate that passed its build: its items, those of them that were compiled, and which of these stand without
    it.
    """

    def __init__(self, rows: Sequence[ItemRow], files: frozenset[str], standing: Mapping[str, str]) -> None:
        self.rows = [row for row in rows if row.file in files]
        self.index = CrateIndex(rows)
        self.by_key = {row.key: row for row in self.rows if row.kind not in CHUNK_KINDS}
        self._by_file: dict[str, list[ItemRow]] = defaultdict(list)
        for row in self.rows:
            self._by_file[row.file].append(row)
        self._standing = standing
        self._settings: dict[str, Setting] = {}

    def standing_first(self, rows: Sequence[Keyed]) -> list[Keyed]:
        """Rows, or forms of them, in their order, but before the others those that compile without the crate: where it
        gives no more than it may, these are the ones to keep, for their prompts say all that is to be known.
        """
        return sorted(rows, key=lambda row: row.key not in self._standing)

    def within(self, row: ItemRow) -> list[ItemRow]:
        """The items inside a larger piece of code, itself and what is such a piece left out, in the order of the
        source.
        """
        return [
            item
            for item in self._by_file[row.file]
            if row.start <= item.start
            and item.end <= row.end
            and item.key != row.key
            and item.kind not in CHUNK_KINDS
        ]

    def setting(self, row: ItemRow, options: TasksOptions) -> Setting:
        """What stands around an item in prompts."""
        if row.key not in self._settings:
            self._settings[row.key] = self._made(row, options)
        return self._settings[row.key]

    def _made(self, row: ItemRow, options: TasksOptions) -> Setting:
        way = self._standing.get(row.key)
        if way is not None:
            unit = unit_of(row, self.index, options.context_lines)
            if way == "alone":
                return Setting(unit, "", "none")
            return Setting(unit, wording.CONTEXT.format(surroundings=unit.surroundings), "complete")
        shown = outline_of(row, self.index, options.context_lines)
        words = wording.AROUND if shown else wording.PLACE
        told = words.format(crate=row.crate, file=row.file, surroundings=shown)
        return Setting(Unit.bare(row), told, "partial")


class Writer:
    """Writes a crate's samples of one task type within the limits: at most so many, and none that is too long."""

    def __init__(self, task: TaskType, options: TasksOptions, rustc: str, most: int) -> None:
        self.task, self.options, self.rustc, self.most = task, options, rustc, most
        self.made = Made()

    def drawn(self, purpose: str, row: ItemRow, *more: str) -> random.Random:
        """The random choices of one row's words."""
        return rng(self.options.seed, "prompt", purpose, row.key, *more)

    def claim(self, what: str, row: ItemRow, setting: Setting | None = None) -> list[str]:
        """What the compiler has confirmed of an answer, in its crate, and outside where that was asked."""
        where = f"({self.rustc}, edition {row.edition})"
        claims = [f"{what} compiles in its crate {where}"]
        if setting is not None and setting.context != "partial":
            beside = "alone" if setting.context == "none" else "beside the prompt's definitions"
            claims.append(f"{what} compiles {beside} {where}")
        return claims

    def spent(self) -> bool:
        """Whether the crate has given as much as it may; if so, a candidate is counted as lost for that."""
        if len(self.made.rows) < self.most:
            return False
        self.lose("the crate has given enough")
        return True

    def lose(self, reason: str) -> None:
        """Count a candidate that gives no sample."""
        self.made.candidates += 1
        self.made.lost[reason] += 1

    def write(
        self,
        row: ItemRow,
        prompt: str,
        gen: str,
        template: str,
        claims: list[str],
        *,
        context: str | None = None,
        before: str | None = None,
        codes: Sequence[str] = (),
    ) -> bool:
        """Add a sample about an item, or count why it is none; returns whether it was added."""
        self.made.candidates += 1
        reason = self._reason_against(prompt, gen)
        if reason:
            self.made.lost[reason] += 1
            return False
        self.made.rows.append(
            Sample.make(
                prompt=prompt,
                gen=gen,
                task_type=self.task,
                source="crates",
                source_crate=row.crate,
                source_version=row.version,
                source_file=row.file,
                span=[row.start, row.end],
                license=row.license,
                scale=row.scale,
                template=f"{self.task}/{template}",
                verified=claims,
                entry_point=row.name if row.kind == "function" else None,
                doc=bool(row.docs),
                before=before,
                error_codes=list(codes),
                context=context,
            )
        )
        return True

    def _reason_against(self, prompt: str, gen: str) -> str:
        if prompt.count("\n") + gen.count("\n") + 2 > self.options.max_lines:
            return "more lines than max_lines"
        if len(prompt) + len(gen) > self.options.max_chars:
            return "more characters than max_chars"
        return ""


def pick(templates: Sequence[str], drawn: random.Random) -> tuple[int, str]:
    """A template and its place."""
    number = drawn.randrange(len(templates))
    return number, templates[number]


def noun_of(row: ItemRow) -> str:
    """What a prompt calls an item."""
    noun = wording.NOUNS.get(row.scale, wording.NOUNS.get(row.kind, "code"))
    return f"asynchronous {noun}" if _ASYNC.match(row.signature) else noun


def full_name(row: ItemRow) -> str:
    """How a prompt names an item."""
    if row.kind == "impl" and row.trait:
        return f"{row.trait} for {row.name}"
    return f"{row.owner}::{row.name}" if row.kind == "method" else row.name


def target(row: ItemRow) -> str:
    """What a prompt asks to be given back."""
    if row.kind == "impl":
        return f"the implementation of `{row.trait}` for `{row.name}`"
    if row.kind == "method":
        return f"the method `{row.name}` (answer with its `impl` block)"
    return f"the function `{row.name}`"
