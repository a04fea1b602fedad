"""What rustc and clippy report, read from their JSON lines."""

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

_PATHS = re.compile(r"(?<![\w.>)\]<:])/(?:[\w.+-]+/)+[\w.+-]*")
_ADDRESSES = re.compile(r"0x[0-9a-fA-F]{6,}")
MESSAGE_LENGTH = 300


@dataclasses.dataclass(frozen=True)
class Place:
    """A stretch of a file, in bytes."""

    file: str
    byte_start: int
    byte_end: int


@dataclasses.dataclass(frozen=True)
class Span:
    """Where a diagnostic points: bytes of the file it names, lines and columns from 1.

    `callers`: where it lies in what a macro of the user's own gave, the places that called it, the innermost first.
    `replacement`: what a suggestion puts there; None where it suggests nothing, or nothing that a machine may apply.
    """

    file: str
    byte_start: int
    byte_end: int
    line: int
    column: int
    primary: bool
    label: str = ""
    callers: tuple[Place, ...] = ()
    replacement: str | None = None


@dataclasses.dataclass(frozen=True)
class Diagnostic:
    """One report. `code` is an error code or a lint's name, "" where there is none; `line` is 0 without a span.

    `children`: the notes and helps below it, each with spans of its own.
    """

    code: str
    message: str
    level: str
    line: int
    rendered: str
    spans: tuple[Span, ...]
    children: tuple["Diagnostic", ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether it stops the compilation."""
        return self.level.startswith("error")

    @property
    def file(self) -> str:
        """The file of the first primary span, "" without one."""
        return next((span.file for span in self.spans if span.primary), "")

    @property
    def headline(self) -> str:
        """One line such as `error[E0308]: mismatched types`."""
        code = f"[{self.code}]" if self.code else ""
        return one_line(f"{'error' if self.is_error else self.level}{code}: {self.message}")


def one_line(text: str, paths: bool = False) -> str:
    """The first line of a message: no addresses or control characters, at most 300 characters; without `paths` no paths
    either.
    """
    first = next((line for line in text.splitlines() if line.strip()), "").strip()
    if not first.isprintable():
        first = "".join(letter if letter.isprintable() else "\ufffd" for letter in first)
    return _ADDRESSES.sub("0x_", first if paths else _PATHS.sub("_", first))[:MESSAGE_LENGTH]


def read_diagnostics(stderr: str) -> list[Diagnostic]:
    """The diagnostics in `--error-format=json` output, in the compiler's order.

    The closing summary (`aborting due to ...`) is left out; lines that are not what rustc prints, such as the last
    words of a crashing compiler, are skipped: a procedural macro can print whatever it likes.
    """
    found = (
        diagnostic_of(row)
        for row in read_rows(stderr)
        if row.get("$message_type", "diagnostic") == "diagnostic" and _counts(row)
    )
    return [each for each in found if each is not None]


def read_rows(told: str) -> Iterator[dict[str, Any]]:
    """The JSON objects among the lines of what a compiler or cargo said."""
    # Not splitlines: rustc prints the other ends of lines that Unicode knows as they are.
    for found in _JSON_LINE.finditer(told):
        # A ValueError that is no JSONDecodeError: a number of thousands of digits.
        with contextlib.suppress(ValueError, RecursionError):
            yield json.loads(found[0])


_JSON_LINE = re.compile(r"^\{[^\n]*", re.MULTILINE)


def _counts(row: dict[str, Any]) -> bool:
    message = row.get("message")
    if row.get("level") == "failure-note" or not isinstance(message, str):
        return False
    summary = not row.get("spans") and message.startswith(("aborting due to", "could not compile"))
    return not summary and not re.fullmatch(r"\d+ warnings? emitted", message)


def diagnostic_of(row: dict[str, Any]) -> Diagnostic | None:
    """A diagnostic from the object that rustc prints for it; None from one that rustc does not print."""
    try:
        return _diagnostic(row, tuple(_diagnostic(child) for child in row.get("children", [])))
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def _diagnostic(row: dict[str, Any], children: tuple[Diagnostic, ...] = ()) -> Diagnostic:
    """A diagnostic; those below one have none below them."""
    spans = tuple(_outermost(span) for span in row.get("spans", []))
    primary = next((span for span in spans if span.primary), None)
    return Diagnostic(
        code=_text((row.get("code") or {}).get("code", "")),
        message=_text(row["message"]),
        level=_text(row["level"]),
        line=primary.line if primary else 0,
        rendered=_text(row.get("rendered") or ""),
        spans=spans,
        children=children,
    )


def _text(value: Any) -> str:
    """A text that can be written in UTF-8, unlike half of a pair of surrogates."""
    if not isinstance(value, str):
        raise TypeError(value)
    value.encode()
    return value


def _number(value: Any) -> int:
    """A place in a file."""
    if type(value) is not int or not 0 <= value < 2**32:
        raise TypeError(value)
    return value


def _outermost(span: dict[str, Any]) -> Span:
    """The span in the user's own text: where it lies in a macro of the library, the place that called the macro."""
    primary, label = bool(span.get("is_primary")), _text(span.get("label") or "")
    replacement = span.get("suggested_replacement")
    if span.get("suggestion_applicability") != "MachineApplicable":
        replacement = None
    while span.get("expansion") and _is_foreign(span["file_name"]):
        span = span["expansion"]["span"]
    callers = []
    outer = span
    while outer.get("expansion"):
        outer = outer["expansion"]["span"]
        callers.append(_place(outer))
    place = _place(span)
    return Span(
        file=place.file,
        byte_start=place.byte_start,
        byte_end=place.byte_end,
        line=_number(span["line_start"]),
        column=_number(span["column_start"]),
        primary=primary,
        label=label,
        callers=tuple(callers),
        replacement=None if replacement is None else _text(replacement),
    )


def _place(span: dict[str, Any]) -> Place:
    return Place(_text(span["file_name"]), _number(span["byte_start"]), _number(span["byte_end"]))


def _is_foreign(file: str) -> bool:
    return file.startswith(("/", "<"))
