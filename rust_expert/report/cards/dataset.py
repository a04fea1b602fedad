"""The card of a data set: README.md beside its files, with the front matter that the Hub and its tools read."""

from collections.abc import Iterable, Mapping
from typing import Any

from rust_expert.report.cards import story
from rust_expert.report.cards.data_set import SPLITS, DataSet
from rust_expert.report.cards.fields import Column, columns
from rust_expert.report.cards.licences import hub_names
from rust_expert.report.cards.markdown import code, folded, front_matter, table, text
from rust_expert.report.wording import THIN, count, listed, megabytes, plural

_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
_MOST_ROWS = 2000
"""Rows of one table; a card stays readable whatever the names in the rows are."""


def dataset_card(data: DataSet) -> str:
    """The card as Markdown.

    Raises UserError where the files were made with another contract.
    """
    fields = columns(data.manifest.rows.columns)
    parts = [
        front_matter(_front(data, fields)),
        f"# Rust Expert: {data.name}\n",
        f"{story.description(data)}\n",
        "## What is in it\n",
        _contents(data),
        "## How to load it\n",
        _loading(data),
        "## Fields\n",
        table(["column", "type", "what it holds"], [_field(one) for one in fields]),
        "## Licences\n",
        _licences(data),
        "## Crates\n",
        _crates(data),
        "## What was checked\n",
        _checks(data),
        "## How it was made\n",
        _bullets([*story.made(data), *story.steps(data)]),
        "## Held out\n",
        _held_out(data),
        "## Files\n",
        _files(data),
        "## Limits\n",
        _bullets([*story.limits(data), *story.biases(data), story.personal(data)]),
        *_publisher(data),
    ]
    return "\n".join(parts).replace(THIN, " ")


def _front(data: DataSet, fields: Iterable[Column]) -> dict[str, Any]:
    """The metadata of a card, see the Hub's documentation on dataset cards and on manual configuration."""
    size = next((name for power, name in enumerate(_SIZES, 3) if data.rows.rows < 10**power), "other")
    found = {"found"} if data.rows.crates else set()
    made = {"machine-generated"} if data.rows.rows else set()
    return {
        "pretty_name": f"Rust Expert: {data.name}",
        "license": hub_names(data.licences()) or ["other"],
        "language": ["en", "code"],
        "task_categories": ["text-generation"],
        "size_categories": [size],
        "annotations_creators": ["machine-generated"],
        "language_creators": sorted(found | made),
        "source_datasets": ["original"],
        "tags": ["rust", "code", "instruction-tuning", "croissant"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": spoken, "path": _paths(data, split)} for split, spoken in _filled(data).items()
                ],
            }
        ],
        "dataset_info": {
            "features": [{"name": one.name, "list" if one.is_list else "dtype": one.kind} for one in fields],
            "splits": [
                {
                    "name": spoken,
                    "num_bytes": data.arrow_bytes[split],
                    "num_examples": data.rows.of_split(split),
                }
                for split, spoken in _filled(data).items()
            ],
            "download_size": sum(data.bytes_of[one.file] for one in data.files()),
            "dataset_size": sum(data.arrow_bytes.values()),
        },
    }


def _filled(data: DataSet) -> dict[str, str]:
    """The splits that hold rows."""
    return {split: spoken for split, spoken in SPLITS.items() if data.rows.of_split(split)}


def _paths(data: DataSet, split: str) -> str | list[str]:
    """Where a split lies. A Parquet file without rows must not be named: the datasets library stops at it."""
    files = data.files(split)
    if all(one.rows for one in files):
        return f"{split}-*.parquet"
    return [one.file for one in files if one.rows]


def _contents(data: DataSet) -> str:
    rows = data.rows
    kinds = sorted({kind for _, kind in rows.kinds})
    sources = sorted({source for _, source in rows.sources})
    scales = sorted(rows.scales.items(), key=lambda one: (one[0][0], -one[1], one[0][1]))
    heads = ["", *SPLITS.values(), "both"]
    return "\n".join(
        [
            table(["kind", *heads[1:]], [_counted(kind, {split: rows.kinds[split, kind] for split in SPLITS})
                                         for kind in kinds]),
            table(["source", *heads[1:]], [_counted(name, {split: rows.sources[split, name] for split in SPLITS})
                                           for name in sources]),
            folded("Rows by kind and scale", table(
                ["kind", "scale", "rows"],
                [[text(kind), text(scale), count(number)] for (kind, scale), number in scales[:_MOST_ROWS]],
            )),
            _again(data),
        ]
    )  # fmt: skip


def _counted(name: str, numbers: Mapping[str, int]) -> list[str]:
    return [text(name), *(count(number) for number in numbers.values()), count(sum(numbers.values()))]


def _again(data: DataSet) -> str:
    if not data.mix.repeated:
        return "No row stands in it twice.\n"
    return f"{plural(data.mix.repeated, 'training row')} stand in it once more than once: `_id` is no key.\n"


def _loading(data: DataSet) -> str:
    return (
        "With this folder as it is, from disk or from the Hugging Face Hub:\n\n"
        "```python\nfrom datasets import load_dataset\n\n"
        'rows = load_dataset("path/to/this/folder")  # rows["train"], rows["validation"]\n```\n\n'
        "`prompt` and `gen` are all that training needs; names that begin with `_` are metadata. The JSONL files"
        " hold the same rows. `croissant.json` describes all of it for machines (Croissant 1.1, with its vocabulary for"
        " responsible AI):\n\n"
        "```python\nimport mlcroissant\n\n"
        'rows = mlcroissant.Dataset("path/to/this/folder/croissant.json").records("rows")\n```\n'
    )  # fmt: skip


def _field(one: Column) -> list[str]:
    return [code(one.name), f"list of {one.kind}" if one.is_list else one.kind, one.told]


def _licences(data: DataSet) -> str:
    rows = [[text(name), count(number)] for name, number in list(data.licences().items())[:_MOST_ROWS]]
    return (
        table(["licence of the row", "rows"], rows)
        + "\nThe column `_license` says the licence of each row; it is that of the code that the row is made of. Who"
        " passes rows on keeps to it, notices included.\n"
    )


def _crates(data: DataSet) -> str:
    splits: dict[tuple[str, str, str], dict[str, int]] = {}
    for (name, version, licence, split), number in data.rows.crates.items():
        splits.setdefault((name, version, licence), {})[split] = number
    both = [name for (name, _, _), found in splits.items() if len(found) > 1]
    rows = [
        [*map(text, key), count(sum(found.values())), listed(SPLITS.get(one, one) for one in sorted(found))]
        for key, found in sorted(splits.items())[:_MOST_ROWS]
    ]
    if not rows:
        return "No row is made from a crate.\n"
    told = (
        f"{listed(map(text, both[:5]))} give rows to both splits."
        if both
        else "No crate gives rows to both splits."
    )
    made = table(["crate", "version", "licence", "rows", "split"], rows)
    return folded(plural(len(splits), "crate"), made) + f"\n{told}\n"


def _checks(data: DataSet) -> str:
    rows = data.rows
    claims = sorted(rows.claims.items(), key=lambda one: (one[0][0], -one[1], one[0][1]))
    by = listed(story.checked_by(data))
    parts = [
        "Each claim stands in `_verified`" + (f"; the compiler was {by}.\n" if by else ".\n"),
        table(
            ["kind", "claim", "rows"],
            [[text(kind), text(claim), count(number)] for (kind, claim), number in claims[:_MOST_ROWS]],
        ),
    ]
    if rows.codes:
        codes = sorted(rows.codes.items(), key=lambda one: (one[0][0], -one[1], one[0][1]))
        parts += [
            "Error codes of the broken code in the questions:\n",
            table(
                ["kind", "code", "rows"],
                [[text(kind), text(code), count(number)] for (kind, code), number in codes[:_MOST_ROWS]],
            ),
        ]
    return "\n".join(parts)


def _held_out(data: DataSet) -> str:
    if data.decontamination is None:
        return "No account of the decontamination was given.\n"
    lines = []
    for name, suite in data.decontamination.suites.items():
        told = (
            f"{text(name)}: {plural(suite.problems, 'problem')}; {plural(len(suite.removed), 'row')} removed"
        )
        if suite.combinations:
            held = suite.combinations
            told += (
                f"; {count(held.suite)} combinations in the suite, {count(held.trained)} in the data,"
                f" {count(len(held.shared))} in both"
            )
        lines.append(told + ".")
    return _bullets(lines) if lines else "No suite was given.\n"


def _files(data: DataSet) -> str:
    rows = [
        [code(one.file), count(one.rows), megabytes(data.bytes_of[one.file] / 1e6) if data.bytes_of[one.file] > 5e5
         else f"{count(data.bytes_of[one.file] / 1e3)} kB", code(one.sha256)]
        for one in data.manifest.files
    ]  # fmt: skip
    return table(["file", "rows", "size", "sha256"], rows) + (
        f"\nColumns of version {code(data.manifest.rows.version)}; `manifest.json` holds the same figures.\n"
    )


def _publisher(data: DataSet) -> list[str]:
    options = data.options
    told = {
        "version": options.version, "made by": options.creator, "page": options.url, "published": options.published,
    }  # fmt: skip
    parts = ["## Version\n", _bullets(f"{name}: {text(value)}" for name, value in told.items() if value)]
    if options.citation:
        parts += ["## Citation\n", f"```bibtex\n{options.citation.replace('```', '')}\n```\n"]
    return parts


def _bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)
