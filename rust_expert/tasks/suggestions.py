"""Clippy's suggestions that a machine may apply, each as the form of one item."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rust_expert.judge.diagnostics import Diagnostic, Span
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.parser import field, is_whole
from rust_expert.tasks.code import Code, Edit
from rust_expert.tasks.composed import Form
from rust_expert.tasks.mutations.operator import functions

GROUPS = frozenset({"style", "complexity", "perf", "pedantic"})
"""The groups of lints that are about better ways to say the same."""


def suggested(
    rows: Sequence[ItemRow],
    tree: Callable[[ItemRow], Code],
    warnings: Iterable[Diagnostic],
    groups: Mapping[str, str],
) -> Iterator[tuple[Form, Diagnostic]]:
    """Each item's form with one suggestion of one warning applied, in the order of the warnings.

    Only suggestions whose edits all lie inside bodies of the item's functions: others are about documentation,
    attributes and signatures. `tree` gives an item's tree; `groups`: the group of each lint.
    """
    by_file: dict[str, list[ItemRow]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)
    for warning in warnings:
        if groups.get(warning.code) not in GROUPS:
            continue
        for child in warning.children:
            spans = [span for span in child.spans if span.replacement is not None]
            if not spans or len(spans) != len(child.spans):
                continue
            holder = _holder(by_file.get(spans[0].file, ()), spans)
            text = _applied(tree(holder), holder, spans) if holder is not None else None
            if holder is not None and text is not None:
                yield Form(holder, warning.code, text), warning
                break


def _holder(rows: Iterable[ItemRow], spans: Sequence[Span]) -> ItemRow | None:
    for row in rows:
        if all(
            span.file == row.file
            and row.start <= span.byte_start
            and span.byte_end <= row.end
            and not span.callers
            for span in spans
        ):
            return row
    return None


def _applied(code: Code, row: ItemRow, spans: Sequence[Span]) -> str | None:
    """The item's text with the suggestion made; None where it reaches out of the bodies or leaves no whole item."""
    edits = sorted(
        (
            Edit(span.byte_start - row.start, span.byte_end - row.start, span.replacement or "")
            for span in spans
        ),
        key=lambda edit: (edit.start, edit.end),
    )
    if any(left.end > right.start for left, right in zip(edits, edits[1:], strict=False)):
        return None
    bodies = [body for function in functions(code) if (body := field(function, "body")) is not None]
    if not all(any(b.start_byte < edit.start and edit.end < b.end_byte for b in bodies) for edit in edits):
        return None
    text = code.edited(edits)
    return text if is_whole(text.encode()) and text != row.text else None
