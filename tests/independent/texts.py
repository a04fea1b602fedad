"""What can be checked of rows without a compiler: spans, licences, the split, likeness across it, suites."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

Row = dict[str, Any]

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "Unicode-3.0",
    "Unlicense", "Zlib",
}  # fmt: skip
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+")
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|(?P<token>b?r(#*)".*?"\2|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^\n']+|\\'|[^'\\\n])'|'\w+|"""
    r"""\d\w*(?:\.\d\w*)?|\w+|::|->|=>|[=!<>]=|&&|\|\||\.\.=?|[^\w\s])""",
    re.DOTALL,
)
"""Tokens of Rust; a comment is none."""


def kind_of(row: Row) -> str:
    """The kind of claim: the task type, and for transformations whose idea the better form is."""
    if row["_task_type"] == "transformations":
        return f"transformations {'clippy' if 'clippy::' in row['_template'] else 'rewrite'}"
    if row["_task_type"] == "explanations":
        return f"explanations {'error' if row['_error_codes'] else 'documentation'}"
    return str(row["_task_type"])


def faults(
    rows: list[Row], roots: dict[Any, Path], pins: dict[Any, tuple[str, str]], suites: list[Path]
) -> list[str]:
    """Everything that does not hold."""
    crates = [row for row in rows if row["_source"] == "crates"]
    found = [
        f"{row['_id'][:12]} {row['_template']}: {fault}"
        for row in crates
        for fault in _of_row(row, roots, pins)
    ]
    print(f"spans and licences of {len(crates)} rows: {len(found)} faults")
    sides = defaultdict(set)
    for row in crates:
        sides[row["_source_crate"]].add(row["split"])
    both = [f"{crate} is on both sides of the split" for crate, names in sides.items() if len(names) > 1]
    print(f"{len(sides)} crates: {len(both)} on both sides of the split")
    near = _across(crates)
    runs = _shared_runs(rows, suites)
    return found + both + near + runs


def _of_row(row: Row, roots: dict[Any, Path], pins: dict[Any, tuple[str, str]]) -> list[str]:
    crate, (start, end) = (row["_source_crate"], row["_source_version"]), row["_span"]
    item = (roots[crate] / row["_source_file"]).read_bytes()[start:end].decode("utf-8")
    found = []
    words = set(re.findall(r"[A-Za-z0-9.-]+", row["_license"])) - {"OR", "AND", "WITH"}
    if row["_license"] != pins[crate][1] or not words & ALLOWED:
        found.append(f"licence {row['_license']}")
    if row["_task_type"] == "explanations":
        return found
    suggested = row["_before"] == item
    if not suggested and item not in row["gen"]:
        found.append("the answer does not hold the bytes of its span")
    if row["_before"] is not None and row["_before"] not in row["prompt"]:
        found.append("the question does not hold the form that it is about")
    if (
        len(row["prompt"]) + len(row["gen"]) > 8000
        or (row["prompt"] + "\n" + row["gen"]).count("\n") + 1 > 200
    ):
        found.append("longer than the limits")
    return found


def _runs(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[place : place + size]) for place in range(len(words) - size + 1)}


def _tokens(row: Row) -> list[str]:
    """An answer's tokens of Rust without comments; of prose its words."""
    if row["_task_type"] == "explanations":
        return re.findall(r"[a-z0-9_]+", row["gen"].lower())
    return [match["token"] for match in TOKEN.finditer(row["gen"]) if match["token"]]


def _across(rows: list[Row]) -> list[str]:
    """Validation rows whose answer is like a training row's: runs of five tokens, 0.7 in common, 20 tokens at least."""
    sets: dict[str, list[tuple[Row, set[tuple[str, ...]]]]] = {"train": [], "val": []}
    for row in rows:
        if len(tokens := _tokens(row)) >= 20:
            sets[row["split"]].append((row, _runs(tokens, 5)))
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, (_, grams) in enumerate(sets["val"]):
        for gram in grams:
            holders[gram].append(place)
    found = []
    for row, grams in sets["train"]:
        shared: dict[int, int] = defaultdict(int)
        for gram in grams:
            for place in holders.get(gram, ()):
                shared[place] += 1
        for place, both in shared.items():
            other, theirs = sets["val"][place]
            if both / (len(grams) + len(theirs) - both) >= 0.7:
                found.append(
                    f"{row['_id'][:12]} (train) is like {other['_id'][:12]} (val): {row['_template']}"
                )
    print(
        f"{len(sets['train'])} training and {len(sets['val'])} validation rows compared: {len(found)} alike"
    )
    return found


def _shared_runs(rows: list[Row], suites: list[Path]) -> list[str]:
    """Rows from crates that share a run of ten words, not all of them numbers, with a problem."""
    known: dict[tuple[str, ...], str] = {}
    for path in suites:
        for line in path.read_text().splitlines():
            problem = json.loads(line)
            if problem.get("combination"):
                continue
            for key in ("prompt", "declaration", "canonical_solution", "test"):
                for gram in _runs(WORD.findall(problem.get(key) or ""), 10):
                    if not all(word.isdigit() for word in gram):
                        known[gram] = problem["task_id"]
    found = []
    for row in rows:
        if row["_source"] != "crates":
            continue
        hit = next(
            (
                gram
                for text in (row["prompt"], row["gen"])
                for gram in _runs(WORD.findall(text), 10)
                if gram in known
            ),
            None,
        )
        if hit is not None:
            found.append(f"{row['_id'][:12]} shares {' '.join(hit)!r} with {known[hit]}")
    print(f"{len(known)} runs of ten words of {len(suites)} suites: {len(found)} rows share one")
    return found
