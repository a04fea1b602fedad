"""The way back from a figure: the files that it was counted from, what made each, down to what was not made here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rust_expert.common import cli
from rust_expert.common.errors import UserError

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Making:
    """How a file was made: the rule, what it read, the fingerprint of its code, its options as words of a command."""

    rule: str
    inputs: tuple[str, ...]
    code: str | None = None
    compiler: str | None = None
    options: tuple[str, ...] = ()
    others: tuple[Any, ...] = ()


def kind_of(parameter: Any) -> str:
    """What a rule's parameter is: `code`, `options`, `data` (JSON), `digest`, `toolchain`, `text`, or its type."""
    if not isinstance(parameter, str):
        return type(parameter).__name__
    if _FINGERPRINT.fullmatch(parameter):
        return "code"
    if parameter.startswith("--"):
        return "options"
    if parameter.startswith(("{", "[")):
        return "data"
    if _DIGEST.fullmatch(parameter):
        return "digest"
    return "toolchain" if parameter.startswith("rustc ") else "text"


def making(rule: str, inputs: Iterable[str], params: Iterable[Any]) -> Making:
    """Tell a rule's parameters apart by what they are."""
    kinds: dict[str, list[Any]] = {}
    for value in params:
        kind = kind_of(value)
        kinds.setdefault(kind if kind in ("code", "options", "toolchain") else "others", []).append(value)
    return Making(
        rule,
        tuple(sorted(inputs)),
        code=next(iter(kinds.get("code", [])), None),
        compiler=next(iter(kinds.get("toolchain", [])), None),
        options=tuple(sorted(kinds.get("options", []))),
        others=tuple(kinds.get("others", [])),
    )


def sections(config: BaseModel) -> list[tuple[str, str]]:
    """The parts of a configuration, such as `evaluate.sampling`, each behind the words of a command that spell it."""
    return [(cli.flags(section), path) for path, section in _below(config, "")]


def lineage(
    targets: Iterable[str],
    makings: Mapping[str, Making],
    named: Mapping[str, Sequence[str]],
) -> dict[str, dict[str, Any]]:
    """All files that the targets come from, themselves included, each with how it was made.

    `named` are the configuration's sections with the words that may spell each (`sections`). A file without `rule` was
    not made here.
    """
    found: dict[str, dict[str, Any]] = {}
    waiting = sorted(targets)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = {}
        made = makings.get(path)
        if made is None:
            continue
        found[path] |= {"rule": made.rule, "inputs": list(made.inputs), "code": made.code}
        if made.compiler is not None:
            found[path]["compiler"] = made.compiler
        keys = sorted(name for name, spelt in named.items() if set(spelt) & set(made.options))
        seeds = {seed for words in made.options for seed in _seeds(words)}
        found[path] |= {"config": keys, "seeds": sorted(seeds), "options": list(made.options)}
        found[path]["others"] = list(made.others)
        waiting += made.inputs
    return dict(sorted(found.items()))


def files_of(figure: str, figures: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The files that a figure of metrics.json was counted from, by the longest part of its path that is known.

    Raises UserError where nothing is known of it.
    """
    parts = figure.split(".")
    for length in range(len(parts), 0, -1):
        if (found := figures.get(".".join(parts[:length]))) is not None:
            return found
    raise UserError(
        f"{figure} is no figure of metrics.json; parts that are known: {', '.join(sorted(figures))}"
    )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every single value in metrics.json by its path; comparisons are named by stage, parent and suite."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for each in value:
            name = [str(each[key]) for key in ("stage", "against", "suite", "metric") if key in each]
            yield from leaves(each, ".".join([path, *name]))
    else:
        yield path, value


def way_back(path: str, files: Mapping[str, Mapping[str, Any]], now: Mapping[str, str | None]) -> list[str]:
    """The lines of a tree: a file, what made it, and below it what that read; each file once in full.

    `now` are the hashes that the files have today; a file that has another one than in the provenance is marked.
    """
    shown: set[str] = set()

    def lines(name: str, margin: str) -> Iterator[str]:
        file = files.get(name)
        if file is None:
            yield f"{margin}{name}  (not in provenance.json)"
            return
        digest = str(file.get("sha256") or "")
        changed = (
            ""
            if now.get(name) == file.get("sha256")
            else "  CHANGED SINCE"
            if now.get(name)
            else "  not here"
        )
        again = name in shown and bool(file.get("inputs"))
        yield f"{margin}{name}  sha256 {digest[:12]}{changed}{'  (see above)' if again else ''}"
        if again or "rule" not in file:
            return
        shown.add(name)
        told = [f"rule {file['rule']}", f"code {file['code']}"]
        told += [f"config {', '.join(file['config'])}"] if file["config"] else []
        told += [f"seed {', '.join(map(str, file['seeds']))}"] if file["seeds"] else []
        told += [str(file["compiler"])] if file.get("compiler") else []
        yield f"{margin}  by {'; '.join(told)}"
        for each in file["inputs"]:
            yield from lines(each, margin + "    ")

    return list(lines(path, ""))


def _seeds(words: str) -> Iterator[int]:
    parts = words.split()
    for name, value in zip(parts, parts[1:], strict=False):
        if (name == "--seed" or (name.startswith("--") and name.endswith("-seed"))) and value.isdigit():
            yield int(value)


def _below(value: Any, path: str) -> Iterator[tuple[str, BaseModel]]:
    if isinstance(value, BaseModel):
        if path:
            yield path, value
        for name, info in type(value).model_fields.items():
            key = info.alias or name
            yield from _below(getattr(value, name), f"{path}.{key}" if path else key)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _below(each, f"{path}.{key}")
