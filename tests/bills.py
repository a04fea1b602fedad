"""A made-up run's bill of materials, and what CycloneDX's own validator says of one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.validation.json import JsonStrictValidator

from rust_expert.report.bom.document import SCHEMA


def faults(document: dict[str, Any]) -> list[str]:
    """What the strict validator of the newest schema finds; empty where the document is valid."""
    found = JsonStrictValidator(SCHEMA).validate_str(json.dumps(document), all_errors=True)
    return [str(one.data.message) for one in found or ()]


def bom_words(run: Path, out: Path) -> list[str]:
    """The command that makes the bill of a run of `tests.synthetic_run`."""
    words = [sys.executable, "-m", "scripts.bom", "--summary", f"{run}/metrics.json", "--out", str(out)]
    words += [
        "--provenance",
        f"{run}/provenance.json",
        "--fetched",
        *map(str, sorted((run / "fetch").iterdir())),
    ]
    for stage in ("base", "phase1", "phase2", "rsft1"):
        words += ["--model", stage, f"{run}/models/{stage}/manifest.json"]
    for stage in ("base", "phase1"):
        words += ["--dataset", stage, f"{run}/set/manifest.json"]
    for suite in ("curriculum", "core"):
        words += ["--suite", suite, f"{run}/suites/{suite}.jsonl"]
    return [*words, "--mix", *map(str, sorted((run / "mix").glob("*.json")))]


def make_bom(run: Path, *more: str) -> dict[str, Any]:
    """The bill of a made-up run."""
    out = run / "bom.cdx.json"
    subprocess.run([*bom_words(run, out), *more], check=True, capture_output=True)
    made: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return made
