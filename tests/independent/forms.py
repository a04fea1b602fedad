"""What a row claims, as changes of its crate that can be compiled, and whether what the compiler said bears it out."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.independent.rooms import Said

Row = dict[str, Any]


@dataclass
class Check:
    """One claim: the crate with `content` in `file` (None: as it is) compiles, or fails with `codes`."""

    row: Row
    what: str
    file: str
    content: bytes | None
    codes: list[str] | None = None
    span: tuple[int, int] = (0, 0)
    same_message: bool = True


def checks_of(row: Row, root: Path) -> list[Check]:
    """The claims of a row that a compiler can bear out."""
    file, (start, end) = row["_source_file"], row["_span"]
    source = (root / file).read_bytes()
    item, kind = source[start:end].decode(), row["_task_type"]
    whole = Check(row, f"{kind}: the crate compiles as it is", file, None)
    before = row["_before"]
    if before is None:
        return [whole] if kind == "code_generation" else []

    def placed(text: str, what: str, codes: list[str] | None = None) -> Check:
        made = source[:start] + text.encode() + source[end:]
        return Check(row, f"{kind}: {what}", file, made, codes, (start, start + len(text.encode())))

    if row["_error_codes"]:
        return [whole, placed(before, "the broken form fails as stated", row["_error_codes"])]
    if before != item:
        return [whole, placed(before, "the question's form compiles")]
    return [whole, placed(answered(row, before), "the answer compiles in its place")]


def answered(row: Row, before: str) -> str:
    """The item in the answer, whose surroundings are those that the same item has in the question."""
    for block in re.findall(r"```rust\n(.*?)\n```", row["prompt"], re.DOTALL):
        if before in block:
            opening, closing = block.split(before, 1)
            if row["gen"].startswith(opening) and row["gen"].endswith(closing):
                return str(row["gen"])[len(opening) : len(row["gen"]) - len(closing)]
    return ""


def verdict(check: Check, said: Said, files: set[str]) -> str:
    """Why a claim does not hold; "" where it does."""
    if check.file not in files:
        return f"{check.file} is no part of the build"
    if check.codes is None:
        return "" if said.ok else f"it fails: {[each['message'] for each in said.errors][:2]}"
    if said.ok:
        return "it compiles"
    codes = {(each["code"] or {}).get("code", "-") for each in said.errors}  # type: ignore[attr-defined]
    if codes != set(check.codes):
        return f"it fails with {sorted(codes)}, stated are {check.codes}"
    for each in said.errors:
        for span in each["spans"]:  # type: ignore[attr-defined]
            own = _in_the_crate(span)
            inside = check.span[0] <= own["byte_start"] and own["byte_end"] <= check.span[1]
            if span["is_primary"] and not (own["file_name"].endswith(check.file) and inside):
                return f"an error points to {own['file_name']}:{own['line_start']}, outside the item"
    shown = _plain("\n".join(re.findall(r"```text\n(.*?)\n```", check.row["prompt"], re.DOTALL)))
    for each in said.errors:
        message = _plain(str(each["rendered"]))
        if _head(message) not in shown:
            return f"the question does not show\n{message}\nbut\n{shown}"
        check.same_message = check.same_message and message in shown
    return ""


def _in_the_crate(span: dict[str, Any]) -> dict[str, Any]:
    """Where a span lies in a macro of another crate, the place of the crate that called it."""
    while span["expansion"] and span["file_name"].startswith(("/rustc/", "/rust/", "/vendor/")):
        span = span["expansion"]["span"]
    return span


def _head(message: str) -> str:
    """What is said of the place itself: notes behind it list other types in an order that is not always the same."""
    return re.split(r"\n(?:help|note|warning)|\n *= (?:help|note)", message)[0]


def _plain(message: str) -> str:
    """A message without places on a machine, and without the width of the column of numbers: it hangs on whether the
    compiler sees the sources of other packages, which these rows do not quote.
    """
    message = re.sub(r"(--> |::: |@)/(?:work/crate|vendor)/", r"\1", message)
    message = re.sub(r"(?m)^ *(\d*) *(\||-->|:::|=)", r"\1 \2", message)
    return re.sub(r"/rustc/\w+/library|/rust/lib/rustlib/src/rust/library", "library", message).strip()
