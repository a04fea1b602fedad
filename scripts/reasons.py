"""Why Snakemake would run a job, in plain words: from the reasons that its plan gives."""

import ast
import contextlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rust_expert.report.lineage import kind_of
from scripts.records import UNKNOWN

_PARAMS = "Params have changed since last execution: "
_BEFORE = re.compile(r"before: (?P<before>.*?) now: (?P<now>.*)$")
_NOTHING = "<nothing exclusive>"
_DERIVED = "Input files updated by another job: "
_WORDS = {
    "Missing output files: ": "not made yet: {}",
    "Updated input files: ": "newer than what was made from it, with another content: {}",
    "Incomplete output files: ": "was being made when a run was ended: {}",
    "Code has changed since last execution": "the rule itself was changed",
    "Set of input files has changed since last execution": "it has other files to read than before",
    "Software environment definition has changed since last execution": "its environment was changed",
    "Forced execution": "it was asked for with --force",
}
_LONGEST = 100


def causes(reason: str, code: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The causes in a reason that are the job's own; none where it runs since another one does.

    `code` has the files behind each fingerprint (scripts.records.keep).
    """
    found: list[str] = []
    told, _, params = reason.partition(_PARAMS)
    if params:
        found += _params(params, code)
    for part in told.split("; "):
        for start, words in _WORDS.items():
            if part.startswith(start):
                found.append(words.format(part.removeprefix(start)))
    for start, words in _WORDS.items():  # what stands behind the parameters
        if params and f"; {start}" in params:
            found.append(words.format(params.partition(f"; {start}")[2].partition("; ")[0]))
    if not found and reason and not reason.startswith(_DERIVED):
        found.append(reason)
    return found


def _params(text: str, code: Mapping[str, Mapping[str, str]]) -> list[str]:
    sides = _BEFORE.search(text)
    if sides is None:
        return ["its options were changed"]
    # Where a value holds the words between both sides, a later place is the right one.
    for place in re.finditer(r" now: ", text):
        before = _literals(text[text.index("before: ") + len("before: ") : place.start()])
        now = _literals(text[place.end() :])
        if before is not None and now is not None:
            return list(_changes(before, now, code))
    return ["its options were changed"]


def _literals(text: str) -> list[Any] | None:
    """The values in a list of Python literals; None where it is none. What follows the last one is passed over."""
    text = text.strip()
    if text.startswith(_NOTHING):
        return []
    ends = [len(text), *(found.start() for found in re.finditer("; ", text))]
    for end in ends:
        try:
            return list(ast.literal_eval(f"({text[:end]},)"))
        except (SyntaxError, ValueError):
            continue
    return None


def _changes(
    before: Sequence[Any], now: Sequence[Any], code: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    if UNKNOWN in before:
        yield "nobody recorded what made it, or it was changed by hand"
        return
    left = sorted(now, key=str)
    for one in sorted(before, key=str):
        # Snakemake tells them in no order; what has the most names in common is the same parameter.
        alike = [each for each in left if kind_of(each) == kind_of(one)]
        other = max(alike, key=lambda each: len(_names(one) & _names(each)), default=None)
        if other is not None:
            left.remove(other)
        yield from _change(one, other, code)
    for other in left:
        yield from _change(None, other, code)


def _names(value: Any) -> frozenset[str]:
    """The names of the options or of the leaves that a parameter consists of."""
    kind = kind_of(value)
    return frozenset(_options(value) if kind == "options" else _leaves(value, "") if kind == "data" else ())


def _change(one: Any, other: Any, code: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    kinds = {kind_of(value) for value in (one, other) if value is not None}
    if kinds == {"code"}:
        yield _code(one, other, code)
    elif kinds == {"options"}:
        yield from _differ(_options(one), _options(other))
    elif kinds == {"data"}:
        yield from _differ(_leaves(one or "{}", ""), _leaves(other or "{}", ""))
    elif kinds == {"list"}:
        yield from _listed(one or [], other or [])
    elif kinds == {"toolchain"}:
        yield f"the compiler: {_short(one)} -> {_short(other)}"
    elif kinds == {"digest"}:
        yield f"what a hash stands for, {str(one)[:8]} -> {str(other)[:8]}"
    else:
        yield f"a parameter: {_short(one)} -> {_short(other)}"


def _code(one: Any, other: Any, code: Mapping[str, Mapping[str, str]]) -> str:
    before, now = code.get(str(one)), code.get(str(other))
    if before is None or now is None:
        return "its code or its environment's lock was changed"
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return f"code: {', '.join(names)}"


def _options(text: str | None) -> dict[str, Any]:
    words = shlex.split(text or "")
    found: dict[str, Any] = {}
    for word, value in zip(words[::2], words[1::2], strict=False):
        name = word[2:].replace("-", "_")
        found.update(_leaves(value, name))
    return found


def _leaves(text: str, name: str) -> dict[str, Any]:
    """The leaves of JSON by their paths below a name; any other text is itself one."""
    if kind_of(text) == "data":
        with contextlib.suppress(json.JSONDecodeError):
            return dict(_paths(json.loads(text), name))
    return {name or "a parameter": text}


def _paths(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _paths(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for each in value:
            yield f"{path} {_name(each)}".strip(), each
    else:
        yield path, value


def _name(value: Any) -> str:
    """What tells an entry of a list from the others: its name, or the first of its fields."""
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else json.dumps(value)


def _differ(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*before, *now}):
        if key not in now:
            yield f"{key}: {_short(before[key])} is gone"
        elif key not in before:
            yield f"{key}: {_short(now[key])} is new"
        elif before[key] != now[key]:
            yield f"{key}: {_short(before[key])} -> {_short(now[key])}"


def _listed(before: Iterable[Any], now: Iterable[Any]) -> Iterator[str]:
    old, new = list(before), list(now)
    yield from (f"{_short(each)} is new" for each in new if each not in old)
    yield from (f"{_short(each)} is gone" for each in old if each not in new)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
