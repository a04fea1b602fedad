"""The data of a made-up run: accounts from crates to data sets whose figures add up, and some rows."""

import json
import random
from pathlib import Path
from typing import Any

from rust_expert.common.contracts import Sample
from rust_expert.common.files import sha256_text, write_json
from rust_expert.common.tables import write_parquet
from rust_expert.dataset.shards import write_manifest, write_shards

TASKS = {"code_generation": 4100, "transformations": 640, "error_fixing": 1320, "explanations": 980}
"""Rows of each task that both shards together gave."""
TWICE = 40
"""Rows that two candidates gave."""
LOST = {"empty answers": (3, 0), "exact duplicates": (310, 904), "near duplicates": (422, 1210),
        "decontamination": (7, 31), "duplicates across the split": (12, 204)}  # fmt: skip
"""Rows removed by each step, of those from crates and of the curriculum's."""
CURRICULUM = 24000
OPERATORS = ("argument dropped", "borrowed mutably twice", "clone dropped", "field misspelt", "import dropped",
             "lifetime dropped", "moved before use", "mut dropped", "other return type", "reference added",
             "return type forgotten", "semicolon after the tail expression", "trait bound dropped",
             "type misspelt")  # fmt: skip
REWRITES = (
    "? as match",
    "for instead of loop",
    "if let as match",
    "is_empty",
    "let else",
    "map and collect",
    "ok_or",
)
LINTS = ("clippy::needless_borrow", "clippy::redundant_closure", "clippy::uninlined_format_args")
MADE_BY = {"broken": OPERATORS, "plain": REWRITES, "suggested": LINTS, "stands": ("alone", "beside")}
CODES = ("E0308", "E0382", "E0499", "E0502", "E0277", "E0425", "E0061", "E0596", "E0433", "E0599", "E0053")
LICENCES = ("MIT OR Apache-2.0", "MIT", "Apache-2.0", "ISC", "BSD-3-Clause")

HOSTILE_ROW = (
    '/// </code></pre><script>document.title = "owned"</script> <img src=x onerror=alert(1)>\n'
    'fn owned() -> &\'static str {\n    "\u202e ``` | `"\n}\n'
)


def write_data(folder: Path) -> None:
    """All accounts, `clean.parquet` and one whole data set, `set/`, with its files and manifest."""
    _corpus(folder)
    rows_in = {"crates": sum(TASKS.values()) - TWICE, "curriculum": CURRICULUM}
    left = dict(rows_in)
    steps = []
    for name, (crates, curriculum) in LOST.items():
        before = sum(left.values())
        left = {"crates": left["crates"] - crates, "curriculum": left["curriculum"] - curriculum}
        steps.append({"step": name, "in": before, "removed": crates + curriculum, "out": sum(left.values()),
                      "removed_by_source": {"crates": crates, "curriculum": curriculum}})  # fmt: skip
    whole = sum(left.values())
    write_json(
        folder / "funnel.json",
        {
            "schema": 1,
            "rows_in": {"rows": sum(rows_in.values()), "by_task_type": TASKS, "by_source": rows_in},
            "steps": steps,
            "rows_out": {"rows": whole, "by_source": left, "by_split": {"train": whole - 1400, "val": 1400}},
        },
    )
    _decontamination(folder)
    for name, curriculum, share in (("basics", 14000, 0.02), ("broad", 9000, 0.3), ("sharpened", 8000, 0.1)):
        write_json(folder / "mix" / f"{name}.json", _mix(name, curriculum, share, whole))
    rows = made_up_rows()
    write_parquet(folder / "clean.parquet", rows, Sample)
    write_set(folder / "set", rows)


def write_set(folder: Path, rows: list[Sample]) -> None:
    """A data set as the workflow lays it down, with the account of its draw."""
    parts = {split: [row for row in rows if row.split == split] for split in ("train", "val")}
    files = [entry for split, part in parts.items() for entry in write_shards(folder, split, part, 2)]
    write_manifest(folder, "made_up", files)
    drawn = {split: len(part) for split, part in parts.items()}
    own = {"read": len(rows), "passed": len(rows), "filtered": {}, "drawn": drawn, "repeated": 0}
    write_json(
        folder / "mix.json",
        {"dataset": "made_up", "train": {"rows": drawn["train"]}, "val": {"rows": drawn["val"]},
         "sources": {"own": own}},
    )  # fmt: skip


def made_up_rows(number: int = 30) -> list[Sample]:
    """`number` rows of each kind; one holds what a page must never take for markup."""
    rows = []
    for kind in ("curriculum", *TASKS):
        for index in range(number):
            random_ = random.Random(f"{kind} {index}")
            answer = "fn total(values: &[u32]) -> u32 {\n" + "".join(
                f"    let step_{line} = values.iter().sum::<u32>() + {line + index};\n"
                for line in range(int(random_.expovariate(0.15)))
            ) + "    values.iter().sum()\n}\n"  # fmt: skip
            if index == 0:
                answer = HOSTILE_ROW
            rows.append(_row(kind, index, answer, random_))
    return rows


def _row(kind: str, index: int, answer: str, random_: random.Random) -> Sample:
    broken = answer.replace("sum()", "sun()")
    code = random_.choices(CODES, range(len(CODES), 0, -1))[0]
    crate, split = index % 12, "val" if index % 12 == 11 else "train"
    original = "answer compiles in its crate (rustc 1.95.0, edition 2021)"
    told: dict[str, Any] = {
        "source": "crates", "source_crate": f"crate{crate}", "source_version": "1.0.0", "source_file": "src/lib.rs",
        "span": [100, 100 + len(answer)], "license": LICENCES[crate % len(LICENCES)], "scale": "function",
        "split": split, "task_type": kind, "doc": True, "tokens": len(answer) // 4,
    }  # fmt: skip
    if kind == "curriculum":
        task = {"source": "curriculum", "license": "Apache-2.0", "scale": "task", "template": "which", "doc": True,
                "verified": ["compiles", "tests pass"], "family": "sums", "combination": f"sums/u32/{index}",
                "entry_point": "total", "tests": "#[test]\nfn works() {}\n", "split": split,
                "task_type": "code_generation"}  # fmt: skip
        return Sample.make(prompt=f"Don't panic: add up the numbers, way {index}.", gen=answer, **task)
    if kind == "error_fixing":
        prompt = (f"This doesn't compile ({index}):\n\n```rust\n{broken}```\n\n```text\nerror[{code}]: no `sun`\n  --> "
                  "src/lib.rs:2:5\n```\n\nFix the function `total`.")  # fmt: skip
        claims = [original, f"broken form fails in its crate: {code} (rustc 1.95.0, edition 2021)"]
        template = f"error_fixing/1/{random_.choice(OPERATORS)}"
        return Sample.make(
            prompt=prompt,
            gen=answer,
            template=template,
            verified=claims,
            error_codes=[code],
            before=broken,
            **told,
        )
    if kind == "transformations":
        prompt = f"Use an iterator ({index}):\n\n```rust\n{broken}```"
        claims = [original, "plain form compiles in its crate (rustc 1.95.0, edition 2021)"]
        template = f"transformations/0/{random_.choice(REWRITES)}"
        return Sample.make(
            prompt=prompt,
            gen=answer,
            template=template,
            verified=claims,
            before=broken,
            context="none",
            **told,
        )
    if kind == "explanations":
        prompt = f"What does this Rust function do ({index})?\n\n```rust\n{answer}```"
        prose = f"Adds up the numbers of way {index}.\n\n# Panics\nWhere it doesn't fit."
        return Sample.make(prompt=prompt, gen=prose, template="explanations/0", **told)
    prompt = f"/// Adds up the numbers of way {index}.\nfn total(values: &[u32]) -> u32 {{\n"
    return Sample.make(prompt=prompt, gen=answer, template="code_generation/0", verified=[original], **told)


def _mix(name: str, curriculum: int, share: float, offered: int) -> dict[str, Any]:
    """A data set that asked for more mended errors than there are, and filtered a tenth."""
    types = {key: round(number * share) for key, number in TASKS.items()}
    rows = curriculum + sum(types.values())
    part = {"rows": rows, "curriculum_rows": curriculum, "crate_rows": sum(types.values()), "task_types": types,
            "families": {f"family{index}": 10 for index in range(34)},
            "crates": {f"crate{index}": 10 for index in range(26)},
            "licenses": {"MIT OR Apache-2.0": 900, "MIT": 300, "Apache-2.0": 40, "ISC": 9, "Zlib": 2}}  # fmt: skip
    filtered = {"too long": offered // 12, "not documented": offered // 60}
    own = {"read": offered, "passed": offered - sum(filtered.values()), "filtered": filtered,
           "drawn": {"train": rows, "val": 400}, "repeated": 0}  # fmt: skip
    lack = {"error_fixing": {"asked": types["error_fixing"] + 17, "found": types["error_fixing"]}}
    return {"schema": 2, "dataset": name, "train": part, "val": {**part, "rows": 400}, "sources": {"own": own},
            "shortages": {"train": lack if name == "broad" else {}, "val": {}},
            "duplicates_across_split": 0}  # fmt: skip


def _decontamination(folder: Path) -> None:
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


def _corpus(folder: Path) -> None:
    """The way from crates to samples, in two shards of 14 crates."""
    for shard in range(2):
        names = [f"crate{index}" for index in range(14 * shard, 14 * shard + 14)]
        crates = [
            {"name": name, "version": "1.0.0", "sha256": "0" * 64, "license": "MIT", "edition": "2021",
             "status": "failed" if name == "crate13" else "ok",
             "reason": "the registry's checksum differs" if name == "crate13" else ""}
            for name in names
        ]  # fmt: skip
        write_json(folder / "fetch" / f"{shard}.json", {"crates": crates})
        losses = [
            {"crate": names[0], "version": "1.0.0", "file": None, "gate": "unsafe",
             "reason": "more than 20 uses of unsafe per 1,000 lines", "figure": 31.25},
            {"crate": names[1], "version": "1.0.0", "file": "src/a.rs", "gate": "syntax",
             "reason": "does not parse, first at byte 10", "figure": 1},
            {"crate": names[2], "version": "1.0.0", "file": "src/b.rs", "gate": "syntax",
             "reason": "does not parse, first at byte 7", "figure": 2},
        ]  # fmt: skip
        path = folder / "rejections" / f"{shard}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in losses), encoding="utf-8")
        # Of the crates past the gates one has no item.
        tried = [name for name in names[2:] if name != "crate13"]
        write_json(folder / "builds" / f"{shard}.json", {"rustc": "rustc 1.95.0", "crates": _builds(tried)})
        write_json(folder / "counts" / f"{shard}.json", _counts(len(tried)))


def _builds(names: list[str]) -> list[dict[str, Any]]:
    outcomes = {
        0: ("blocked", "clippy::correctness: eq_op"),
        1: ("cannot_build", "a native library is missing: z"),
    }
    return [
        {"name": name, "version": "1.0.0", "outcome": outcomes.get(place, ("passes", ""))[0],
         "reason": outcomes.get(place, ("", ""))[1], "lints": {"style": place, "pedantic": 7 * place},
         "pairs": {"broken": 20, "plain": 9, "suggested": 4, "stands": 30}, "files": ["src/lib.rs"]}
        for place, name in enumerate(names)
    ]  # fmt: skip


def _counts(crates: int) -> dict[str, Any]:
    tasks = {
        name: {"candidates": number // 2 + number // 3 + 12, "kept": number // 2,
               "lost": {"no rewrite fits": number // 3, "too long": 12}}
        for name, number in TASKS.items()
    }  # fmt: skip
    forms = {
        form: {"tried": {name: 40 - place for place, name in enumerate(names)},
               "kept": {name: 31 - 2 * place for place, name in enumerate(names)},
               "lost": {"it compiles": sum(9 + place for place, _ in enumerate(names))}, "codes": {}}
        for form, names in MADE_BY.items()
    }  # fmt: skip
    chunks = {"function": 6000, "impl": 1900, "impl_part": 920, "module": 300}
    return {"items": 9120, "crates": crates, "chunks": chunks, "forms": forms, "tasks": tasks,
            "samples": (sum(TASKS.values()) - TWICE) // 2}  # fmt: skip
