"""The columns of a data set with their types and meanings, as the cards tell them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.common.tables import schema_of

_TOLD = {
    "prompt": "what the model is asked",
    "gen": "what it is to answer",
    "split": "train or val",
    "_task_type": "code_generation, transformations, error_fixing or explanations",
    "_source_crate": "the crate that the row is made from",
    "_source_version": "the version of that crate",
    "_source_file": "the file in that crate",
    "_license": "licence of the code that the row is made of, as an SPDX expression",
    "_scale": "what was cut out of the file: function, method, impl, struct and so on; task for the curriculum",
    "_template": "which wording of the prompt was drawn, and the operator or rewrite where there is one",
    "_verified": "what was checked, each claim with its compiler",
    "_family": "family of the curriculum's task",
    "_combination": "family, types and operation of the curriculum's task",
    "_entry_point": "the function that is asked for",
    "_tests": "tests that the answer passes; the curriculum's rows have them",
}
"""What the contract itself does not say of a column."""

_BASIC = {"string": "string", "int64": "int64", "double": "float64", "bool": "bool"}


@dataclass(frozen=True)
class Column:
    """A column: its name, the name of its values' type (string, int64, float64, bool), and whether it holds lists."""

    name: str
    kind: str
    is_list: bool
    told: str


def columns(stated: Mapping[str, str]) -> list[Column]:
    """The columns of the contract, in their order; `stated` are those of the files, by name, as Arrow spells types.

    Raises UserError where the files were made with another contract, TypeError for a type that no card can tell.
    """
    schema = schema_of(Sample)
    if dict(stated) != {column.name: str(column.type) for column in schema}:
        differ = sorted(set(stated) ^ set(schema.names)) or ["a type"]
        raise UserError(
            f"the data set was made with other columns ({', '.join(differ[:3])} differ); make it again"
        )
    meanings = {field.alias or name: field.description for name, field in Sample.model_fields.items()}
    return [_column(one, _TOLD.get(one.name) or meanings[one.name] or "") for one in schema]


def _column(one: pa.Field, told: str) -> Column:
    is_list = pa.types.is_list(one.type)
    kind = _BASIC.get(str(one.type.value_type if is_list else one.type))
    if kind is None:
        raise TypeError(f"{one.name}: a card cannot tell of columns of type {one.type}")
    return Column(one.name, kind, is_list, told)
