"""The files of a made-up run other than its answers and scores: manifests, data reports, provenance."""

import json
import math
import random
from pathlib import Path
from typing import Any

from rust_expert.common.files import sha256_text, write_json


def write_manifest(folder: Path, stage: str, random_: random.Random, trained: bool) -> None:
    steps = {"base": 900, "phase1": 240, "phase2": 160, "rsft1": 40}[stage]
    start, end = {"base": (6.9, 0.62), "phase1": (1.9, 0.55), "phase2": (0.6, 0.44), "rsft1": (0.46, 0.42)}[
        stage
    ]
    history = []
    for step in range(1, steps + 1, 1 if stage == "base" else 5):
        loss = (
            end
            + (start - end) * math.exp(-7 * step / steps)
            + random_.gauss(0, 0.04 + 0.01 * (stage == "base"))
        )
        val = end * 1.07 + (start - end) * math.exp(-6.5 * step / steps)
        told = step % max(steps // 12, 1) < (1 if stage == "base" else 5)
        rate = 0.004 * min(step / 20, 1)
        history.append({"step": step, "loss": loss, "val_loss": val if told else None, "learning_rate": rate})
    if trained:
        write_json(folder / "history.json", history)
        if stage != "base":
            settings = {
                "steps": steps,
                "learning_rate": 0.004,
                "packing": True,
                "adapter_r": [64],
                "quant_type": "nf4",
                "learning_rate_course": [0.1] * 40,
                "trained_parameters": 211_456,
                "double_quant": True,
                "adapter_modules": ["q_proj", "k_proj", "v_proj", "o_proj"],
                "compute_dtype": "float32",
            }
            write_json(folder / "effective.json", settings)  # fmt: skip
    if stage == "base":
        made: dict[str, Any] = {
            "kind": "base", "origin": "scratch", "parameters": 1_412_864,
            "training": {"rows": 14210, "rows_too_long": 31, "steps": steps, "tokens": 3_400_000, "val_loss": 0.66},
        }  # fmt: skip
    else:
        made = {
            "kind": "stage", "stage": stage, "method": "rsft" if stage.startswith("rsft") else "sft",
            "trained": trained, "reason": None if trained else "no sample was kept",
            "rows": 9800 if trained else 0, "rows_too_long": 12, "steps": steps if trained else 0,
        }  # fmt: skip
    write_json(folder / "manifest.json", made)


def write_data(folder: Path) -> None:
    types = {"code_generation": 4100, "error_fixing": 1320, "explanations": 980, "transformations": 640}
    lost = {"empty answers": (3, 0), "exact duplicates": (310, 904), "near duplicates": (422, 1210),
            "decontamination": (7, 31), "duplicates across the split": (12, 204)}  # fmt: skip
    crates, curriculum = sum(types.values()), 24000
    steps = []
    for name, (first, second) in lost.items():
        before = crates + curriculum
        crates, curriculum = crates - first, curriculum - second
        steps.append({"step": name, "in": before, "removed": first + second, "out": before - first - second,
                      "removed_by_source": {"crates": first, "curriculum": second}})  # fmt: skip
    write_json(
        folder / "funnel.json",
        {
            "schema": 1,
            "rows_in": {"rows": 31040, "by_task_type": types, "by_source": {"crates": 7040, "curriculum": 24000}},
            "steps": steps,
            "rows_out": {"rows": crates + curriculum, "by_source": {"crates": crates, "curriculum": curriculum},
                         "by_split": {"train": crates + curriculum - 1400, "val": 1400}},
        },
    )  # fmt: skip
    removed = [
        {"row": sha256_text(str(index)), "problem": f"core/{index}", "reason": "same solution", "source": "bytes",
         "matched": "fn a(b: &[u8]) -> usize { b.iter().filter(|c| **c == b'<').count() }"}
        for index in range(7)
    ]  # fmt: skip
    write_json(
        folder / "decontamination.json",
        {
            "schema": 1, "gram_words": 10, "rows_checked": 28191, "removed": 38,
            "suites": {
                "core": {"problems": 60, "rows_checked": 28191, "removed": removed,
                         "removed_by_reason": {"same solution": 7}},
                "curriculum": {"problems": 420, "rows_checked": 28191, "removed": [], "removed_by_reason": {},
                               "similarity": {"problems": 420, "maximum": 0.94, "mean": 0.52,
                                              "tenths": {f"{tenth / 10:.1f}": 10 * tenth * (9 - tenth)
                                                         for tenth in range(10)}},
                               "combinations": {"suite": 211, "trained": 2480, "shared_before_removal": [],
                                                "shared": []}},
            },
        },
    )  # fmt: skip
    _corpus(folder, types)
    for name, curriculum_rows, share in (
        ("basics", 14000, 0.02),
        ("broad", 9000, 0.3),
        ("sharpened", 8000, 0.1),
    ):
        task_types = {key: round(number * share) for key, number in types.items()}
        part = {"rows": curriculum_rows + sum(task_types.values()), "curriculum_rows": curriculum_rows,
                "crate_rows": sum(task_types.values()), "task_types": task_types,
                "families": {f"family{index}": 10 for index in range(34)},
                "crates": {f"crate{index}": 10 for index in range(26)},
                "licenses": {"MIT OR Apache-2.0": 900, "MIT": 300, "Apache-2.0": 40, "ISC": 9, "Zlib": 2}}  # fmt: skip
        val = {**part, "rows": 400}
        write_json(folder / "mix" / f"{name}.json", {"schema": 1, "dataset": name, "train": part, "val": val})


def _corpus(folder: Path, types: dict[str, int]) -> None:
    """The way from crates to samples, in two shards."""
    for shard in range(2):
        crates = [
            {"name": f"crate{index}", "version": "1.0.0", "sha256": "0" * 64, "license": "MIT", "edition": "2021",
             "status": "failed" if index == 13 else "ok",
             "reason": "the registry's checksum differs" if index == 13 else ""}
            for index in range(14 * shard, 14 * shard + 14)
        ]  # fmt: skip
        write_json(folder / "fetch" / f"{shard}.json", {"crates": crates})
        losses = [
            {"crate": f"crate{14 * shard}", "version": "1.0.0", "file": None, "gate": "unsafe",
             "reason": "more than 20 uses of unsafe per 1,000 lines", "figure": 31.25},
            {"crate": f"crate{14 * shard + 1}", "version": "1.0.0", "file": "src/a.rs", "gate": "syntax",
             "reason": "does not parse, first at byte 10", "figure": 1},
        ]  # fmt: skip
        path = folder / "rejections" / f"{shard}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in losses), encoding="utf-8")
        tasks = {
            name: {
                "candidates": number,
                "kept": number // 2,
                "lost": {"no rewrite fits": number // 3, "too long": 12},
            }
            for name, number in types.items()
        }
        write_json(
            folder / "counts" / f"{shard}.json",
            {"items": 9120, "crates": 12, "samples": 3520, "tasks": tasks,
             "units": {"made": 4100, "checked": 2900, "compile": 2310, "self_contained": 900,
                       "not_made": {"fewer lines than min_lines": 3100, "too long for a sample": 1920}}},
        )  # fmt: skip


def write_provenance(folder: Path) -> None:
    rules = {"base": 118.2, "train": 214.0, "judge": 96.5, "tasks": 41.7, "sample": 77.0, "curriculum": 55.1,
             "clean": 12.4, "mix": 6.0, "items": 9.8, "fetch": 21.3}  # fmt: skip
    write_json(
        folder / "provenance.json",
        {
            "schema": 1, "made": "2031-01-02T03:04:05+00:00", "python": "3.11.7",
            "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": True},
            "tools": {"rustc": "rustc 1.95.0 (synthetic)", "cargo": "cargo 1.95.0", "clippy": "clippy 0.1.95",
                      "bubblewrap": "bubblewrap 0.8.0", "git": "git version 2.39.5"},
            "machine": {"cpu": "A made-up processor at 2.0 GHz", "cores": 2, "cores_usable": 2, "memory_mb": 24000,
                        "system": "Debian GNU/Linux 12", "kernel": "6.1.0", "gpus": []},
            "packages": {"torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0", "peft": "0.21.0",
                         "bitsandbytes": "0.50.2", "snakemake": "9.27.1", "numpy": "2.4.6", "pyarrow": "26.0.1"},
            "seeds": {"clean.seed": 17, "evaluate.sampling.seed": 17}, "config": {},
            "rules": {name: {"jobs": 4, "wall_s": wall, "longest_s": wall / 2, "cpu_s": wall * 0.9,
                             "peak_memory_mb": 14 * wall} for name, wall in rules.items()},
            "total": {"jobs": 40, "wall_s": 652.0, "cpu_s": 586.8, "peak_memory_mb": 2996.0},
        },
    )  # fmt: skip
