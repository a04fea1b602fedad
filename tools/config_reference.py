"""Writes config/README.md, the reference of every config key, from the schema of the profile.

python -m tools.config_reference          writes it
python -m tools.config_reference --check  says whether it is up to date (exit code 1 where it is not)
"""

import json
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rust_expert.common.config.profile import Profile
from rust_expert.common.config.stages import METHODS
from rust_expert.common.files import write_text

TARGET = Path(__file__).resolve().parent.parent / "config" / "README.md"

HEAD = """# The keys of a profile

Made from the schema by `python -m tools.config_reference`; a test fails where the two differ. `config.yaml` is the
default profile; `--configfile FILE` lays another one over it. A key marked *size* depends on the size of the model or
the machine: every profile states it itself, and a test fails where one would inherit the tiny value of the default
profile.
An unknown key is an error that names the one that was probably meant.
"""


def reference() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, field in Profile.model_fields.items():
        parts.append(f"\n## `{name}`\n\n{_told(field)}")
        models = (
            list(METHODS.items())
            if name == "stages"
            else [("", model) for model in models_in(field.annotation)]
        )
        for method, model in models:
            above = f"{name}.<name>" if typing.get_origin(field.annotation) is dict else name
            title = f"\nWith `method: {method}`. " if method else "\n"
            parts.append(f"{title}{_first_paragraph(model)}\n")
            parts.append("| key | type | default | what it is |\n|---|---|---|---|")
            parts += list(_rows(model, above))
    return "\n".join(parts) + "\n"


def _told(field: FieldInfo) -> str:
    return (field.description or "") + ("\n" if field.description else "")


def _first_paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").strip().split("\n\n")[0].split())


def _rows(model: type[BaseModel], above: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{above}.{field.alias or name}"
        nested = models_in(field.annotation)
        size = isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("size_dependent")
        told = (field.description or "").replace("|", "\\|") + (" *(size)*" if size else "")
        yield f"| `{key}` | {_kind(field.annotation)} | {_default(field)} | {told} |"
        below = f"{key}.<name>" if typing.get_origin(field.annotation) is dict else key
        for inner in nested:
            yield from _rows(inner, below)


def models_in(kind: Any) -> list[type[BaseModel]]:
    """The section models that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for argument in typing.get_args(kind) for model in models_in(argument)]


def _kind(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(f"`{argument}`" for argument in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(argument) for argument in arguments)
    if origin is list:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"mapping to {_kind(arguments[1])}"
    if kind is Any:
        return "anything"
    if kind is type(None):
        return "null"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "section"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(kind, str(kind))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(value, ensure_ascii=False)}`".replace("|", "\\|")


def main() -> int:
    """Write the page, or compare it with the one that stands."""
    page = reference()
    if "--check" in sys.argv[1:]:
        same = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == page
        print(
            "config/README.md is up to date"
            if same
            else "config/README.md differs: python -m tools.config_reference"
        )
        return 0 if same else 1
    write_text(TARGET, page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
