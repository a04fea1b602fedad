"""Rows with `prompt` and `gen` alone, as others publish them, from their file to an adapter trained on them."""

import dataclasses
import json
from pathlib import Path

import tiny_models

from rust_expert.common.config.dataset import CleanOptions, DatasetSpec
from rust_expert.dataset.admission import Others
from rust_expert.dataset.mixing import mix
from rust_expert.dataset.shards import write_shards
from rust_expert.dataset.sources import samples_of
from rust_expert.models.manifest import StageManifest, read_manifest
from rust_expert.models.stage import train_stage
from rust_expert.syntax import row_code


def test_bare_rows_load_filter_and_train(tmp_path: Path) -> None:
    bare = [{"prompt": sample.prompt, "gen": sample.gen} for sample in tiny_models.samples(60)]
    rows = [*bare, {"prompt": "Long", "gen": "x" * 900}, {"prompt": "Nothing", "gen": ""}, bare[0]]
    (tmp_path / "theirs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = DatasetSpec.model_validate(
        {
            "curriculum_rows": 0, "crate_rows": 0, "max_chars": 400, "val_rows": 10,
            "sources": {"theirs": {"from": f"local:{tmp_path}/theirs.jsonl"}},
        }
    )  # fmt: skip
    read = {name: samples_of(name, source) for name, source in spec.sources.items()}
    made = mix([], "d", spec, row_code, Others(read, [], CleanOptions(val_fraction=0.2)))
    assert made.report["sources"]["theirs"]["filtered"] == {"duplicate": 1, "empty": 1, "too long": 1}
    for split, samples in (("train", made.train), ("val", made.val)):
        assert (
            sum(entry["rows"] for entry in write_shards(tmp_path, split, samples, 1)) == 2 * len(samples) > 0
        )
    order = dataclasses.replace(
        tiny_models.order(tmp_path / "stage" / "manifest.json"),
        train=[str(tmp_path / "train-00000.parquet")],
        val=[str(tmp_path / "val-00000.parquet")],
    )
    train_stage(order)
    manifest = read_manifest(order.out)
    assert isinstance(manifest, StageManifest)
    assert manifest.trained and (manifest.rows, manifest.steps) == (len(made.train), 6)
