"""The files of a made-up run other than its answers, scores and data: manifests and provenance."""

import math
import random
from pathlib import Path
from typing import Any

from rust_expert.common.files import sha256_file, write_json


def write_manifest(
    folder: Path, stage: str, random_: random.Random, trained: bool, parent: str | None
) -> None:
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
            speed = {"seconds_per_step": 0.31, "tokens_per_second": 6612.4, "data_wait_share": 0.004}
            write_json(folder / "timing.json", {"device": "CPU", "ranks": 1, "speed": speed})
    if stage == "base":
        made: dict[str, Any] = {
            "kind": "base", "origin": "scratch", "parameters": 1_412_864,
            "training": {"rows": 14210, "rows_too_long": 31, "steps": steps, "tokens": 3_400_000, "val_loss": 0.66},
        }  # fmt: skip
    else:
        made = {
            "kind": "stage", "stage": stage, "method": "rsft" if stage.startswith("rsft") else "sft",
            "trained": trained, "reason": None if trained else "no sample was kept",
            "parent_sha256": sha256_file(folder.parent / str(parent) / "manifest.json"),
            "rows": 9800 if trained else 0, "rows_too_long": 12, "steps": steps if trained else 0,
        }  # fmt: skip
    write_json(folder / "manifest.json", made)


def made_up_lineage() -> dict[str, Any]:
    """Figures and files of provenance.json: from scores of four stages on two suites back to a table of crates."""
    files: dict[str, Any] = {"config/crates.tsv": {"sha256": f"{1:064x}"}}

    def add(path: str, rule: str, inputs: list[str], config: str, seeds: list[int]) -> None:
        files[path] = {
            "rule": rule, "inputs": inputs, "code": f"{len(rule):016x}", "config": [config], "seeds": seeds,
            "options": [], "others": [], "sha256": f"{len(files) + 1:064x}",
        }  # fmt: skip

    add("results/dataset/clean.parquet", "clean", ["config/crates.tsv"], "clean", [17])
    figures: dict[str, list[str]] = {}
    for number, stage in enumerate(("base", "phase1", "phase2", "rsft1")):
        model = f"results/models/{stage}/manifest.json"
        add(
            model,
            "train_sft" if number else "base",
            ["results/dataset/clean.parquet"],
            f"stages.{stage}",
            [17 + number],
        )
        for suite in ("curriculum", "core"):
            verdicts = f"results/verdicts/{stage}/{suite}.parquet"
            add(verdicts, "judge", [model], "judge", [])
            add(f"results/metrics/{stage}/{suite}.json", "score", [verdicts], "score", [17])
            figures[f"stages.{stage}.suites.{suite}"] = [f"results/metrics/{stage}/{suite}.json"]
            if number:
                figures[f"comparisons.{stage}.base.{suite}"] = [
                    f"results/metrics/{one}/{suite}.json" for one in (stage, "base")
                ]
    return {"figures": figures, "files": files}


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
            "energy": {"of": "the machine", "read": [], "not_read": {"cpu": "no RAPL counter", "gpu": "no driver"}},
            **made_up_lineage(),
        },
    )  # fmt: skip
