"""A data set for machines: Croissant 1.1 with the vocabulary for responsible AI, as JSON-LD.

Specifications: http://mlcommons.org/croissant/1.1 and http://mlcommons.org/croissant/RAI/1.0. Everything in the file
follows from the data set and its options, so the same data set gives the same bytes; what nobody stated (creator, page,
day of publication) is left out, of which MLCommons' validator warns.
"""

from collections.abc import Sequence
from typing import Any

from rust_expert.report.cards import story
from rust_expert.report.cards.data_set import SPLITS, DataSet, ShardFile
from rust_expert.report.cards.fields import Column, columns
from rust_expert.report.cards.licences import addresses, unknown
from rust_expert.report.rows import CURRICULUM
from rust_expert.report.wording import THIN, listed

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{
        term: f"cr:{term}"
        for term in (
            "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject",
            "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
            "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
            "separator", "source", "subField", "transform",
        )
    },
}  # fmt: skip
"""The terms of the specification's own context."""

_TYPES = {"string": "sc:Text", "int64": "cr:Int64", "float64": "cr:Float64", "bool": "sc:Boolean"}
_PARQUET, _JSONL = "application/x-parquet", "application/jsonlines"
_FILES = "parquet-files"


def croissant(data: DataSet) -> dict[str, Any]:
    """The JSON-LD document; places of files are relative to it.

    Raises UserError where the files were made with another contract.
    """
    options = data.options
    stated = {
        "creator": {"@type": "sc:Organization", "name": options.creator} if options.creator else None,
        "url": options.url,
        "datePublished": options.published,
        "citeAs": options.citation,
    }
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": f"rust-expert-{data.name}",
        "description": story.description(data),
        "version": options.version,
        **{key: value for key, value in stated.items() if value is not None},
        "license": [*addresses(data.licences()), *_other_licences(data)],
        "inLanguage": ["en"],
        "keywords": ["rust", "code", "instruction tuning"],
        "isLiveDataset": False,
        "distribution": [*(_file(data, one) for one in data.manifest.files), _file_set()],
        "recordSet": [_splits(), _records(data)],
        **_responsible(data),
    }
    return {key: _without_thin(value) for key, value in document.items()}


def _other_licences(data: DataSet) -> list[dict[str, str]]:
    """Licences that are no known SPDX identifier, by what the rows call them."""
    return [{"@type": "sc:CreativeWork", "name": name[:200]} for name in unknown(data.licences())[:50]]


def _file(data: DataSet, one: ShardFile) -> dict[str, Any]:
    described = {
        "@type": "cr:FileObject",
        "@id": one.file,
        "name": one.file,
        "description": f"{one.rows} rows of the {SPLITS[one.split]} split",
        "contentUrl": one.file,
        "contentSize": f"{data.bytes_of[one.file]} B",
        "encodingFormat": _PARQUET if one.is_parquet else _JSONL,
        "sha256": one.sha256,
    }
    return described if one.is_parquet else {**described, "sameAs": one.file.replace(".jsonl", ".parquet")}


def _file_set() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": _FILES,
        "name": _FILES,
        "description": "All Parquet files of both splits",
        "encodingFormat": _PARQUET,
        "includes": [f"{split}-*.parquet" for split in SPLITS],
    }


def _splits() -> dict[str, Any]:
    meanings = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit"}
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "What the values of `split` mean",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": ["sc:URL", "cr:Split"]},
        ],
        "data": [{"splits/name": name, "splits/url": url} for name, url in meanings.items()],
    }


def _records(data: DataSet) -> dict[str, Any]:
    fields: Sequence[Column] = columns(data.manifest.rows.columns)
    # A row that stands in the data set twice has its id twice.
    key = {} if data.mix.repeated else {"key": {"@id": "rows/_id"}}
    return {
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        "description": "A row: prompt, answer, and where they come from",
        **key,
        "field": [_field(one) for one in fields],
    }


def _field(one: Column) -> dict[str, Any]:
    described: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"rows/{one.name}",
        "name": one.name,
        "description": one.told,
        "dataType": _TYPES[one.kind],
        "source": {"fileSet": {"@id": _FILES}, "extract": {"column": one.name}},
    }
    if one.is_list:
        described |= {"isArray": True, "arrayShape": "-1"}
    if one.name == "split":
        described |= {"references": {"field": {"@id": "splits/name"}}}
    return described


def _responsible(data: DataSet) -> dict[str, Any]:
    """Of the vocabulary for responsible AI what is known; nobody annotated anything, so that part is short."""
    kinds = ["Secondary Data analysis"] if data.rows.crates else []
    if data.rows.of_kind(CURRICULUM):
        kinds.append("Others: generated by a program from a seed")
    compilers = story.checked_by(data)
    crates = {(name, version) for name, version, _, _ in data.rows.crates}
    told: dict[str, Any] = {
        "dataCollection": " ".join(story.made(data)),
        "dataCollectionType": kinds,
        "dataCollectionRawData": f"Source code of {len(crates)} published crates, each in one pinned version"
        if crates
        else None,
        "dataCollectionMissingData": "A column that says nothing about a row is null in it, such as `_family` in rows"
        " from crates.",
        "dataPreprocessingProtocol": story.steps(data),
        "dataManipulationProtocol": "Code in questions of `error_fixing` and `transformations` was changed by a"
        " program; so was code in answers that take up a suggestion of clippy."
        if data.rows.of_kind("error_fixing") or data.rows.of_kind("transformations")
        else None,
        "dataAnnotationProtocol": "Nobody labelled rows by hand. The claims of `_verified` were written by the program"
        " that ran the check.",
        "machineAnnotationTools": compilers,
        "dataUseCases": ["Fine-tuning, with the training split", "Validation, with the validation split"],
        "dataBiases": story.biases(data),
        "dataLimitations": story.limits(data),
        "personalSensitiveInformation": story.personal(data),
    }
    return {f"rai:{key}": value for key, value in told.items() if value}


def _without_thin(value: Any) -> Any:
    """The narrow spaces of figures as plain ones."""
    if isinstance(value, str):
        return value.replace(THIN, " ")
    if isinstance(value, dict):
        return {key: _without_thin(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_thin(inner) for inner in value]
    return value


def publisher_facts_missing(data: DataSet) -> str:
    """The keys of the profile that a publisher has still to state, in words; empty where all are."""
    options = data.options
    given = {"creator": options.creator, "url": options.url, "published": options.published}
    return listed(f"cards.{key}" for key, value in given.items() if value is None)
