"""A whole run made up by code, for the report's tests and for looking at the page: nothing in it was ever trained.

  python -m tests.synthetic_run FOLDER

writes the files that a run leaves (summary, provenance, suites, samples, verdicts, manifests, data reports) and
FOLDER/report.html made from them.
"""

import json
import math
import random
import sys
from pathlib import Path
from typing import Any

from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.files import sha256_text, write_json
from rust_expert.common.tables import write_jsonl, write_parquet

STAGES = {"base": None, "phase1": "base", "phase2": "phase1", "rsft1": "phase2"}
SOLVED = {"base": 0.41, "phase1": 0.52, "phase2": 0.63, "rsft1": 0.64}
COMPILED = {"base": 0.60, "phase1": 0.71, "phase2": 0.82, "rsft1": 0.83}
SUITES = {"curriculum": 420, "core": 60}
SAMPLES = 4

HOSTILE = (
    'fn total(values: &[i32]) -> i32 {\n    // </code></pre><script>document.title = "owned"</script>\n'
    '    /* <img src="https://example.invalid/pixel" onerror="alert(1)"> \u202e reversed \x00\x1b[31m */\n'
    "    values.iter().sum::<i32>()   // ]]> &lt; \"'`\n}\n"
)

SHAPES = (
    (
        "sum_of_even",
        "/// Adds up the even numbers of the slice.\nfn sum_of_even_{n}(values: &[{t}]) -> {t} {{\n",
        "    values.iter().filter(|value| *value % 2 == 0).sum()\n}}\n",
        "    values.iter().filter(|value| *value % 2 == 1).sum()\n}}\n",
        "    values.iter().filter(|value| value % 2 == 0).sum::<{t}>() + 0.0\n}}\n",
        ("E0277", "cannot add a float to an integer"),
    ),
    (
        "longest_word",
        "/// The longest word of the text, the first one of equals; None where there is no word.\n"
        "fn longest_word_{n}(text: &str) -> Option<&str> {{\n",
        "    let mut best: Option<&str> = None;\n    for word in text.split_whitespace() {{\n"
        "        if best.map_or(true, |known| word.len() > known.len()) {{\n            best = Some(word);\n        }}\n"
        "    }}\n    best\n}}\n",
        "    text.split_whitespace().max_by_key(|word| word.len())\n}}\n",
        "    let mut best = String::new();\n    for word in text.split_whitespace() {{\n"
        "        if word.len() > best.len() {{\n            best = word;\n        }}\n    }}\n    Some(&best)\n}}\n",
        ("E0308", "mismatched types: expected `String`, found `&str`"),
    ),
    (
        "clamp_all",
        "/// Each value held between the two limits.\nfn clamp_all_{n}(values: &[{t}], low: {t}, high: {t})"
        " -> Vec<{t}> {{\n",
        "    values.iter().map(|value| (*value).clamp(low, high)).collect()\n}}\n",
        "    values.iter().map(|value| (*value).max(low)).collect()\n}}\n",
        "    let mut out = Vec::new();\n    for value in values {{\n        out.push(value.clamp(low, high));\n    }}\n"
        "    drop(out);\n    out\n}}\n",
        ("E0382", "use of moved value: `out`"),
    ),
    (
        "count_matching",
        "/// How many characters of the text are in the set.\nfn count_matching_{n}(text: &str, set: &str) -> usize {{\n",
        "    text.chars().filter(|one| set.contains(*one)).count()\n}}\n",
        "    text.matches(set).count()\n}}\n",
        "    text.chars().filter(|one| set.has(*one)).count()\n}}\n",
        ("E0599", "no method named `has` found for reference `&str` in the current scope"),
    ),
)


def _estimate(share: float, problems: int) -> dict[str, float]:
    half = 1.96 * math.sqrt(max(share * (1 - share), 0.002) / problems) * 0.85
    return {"value": round(share, 6), "low": round(max(share - half, 0), 6), "high": round(min(share + half, 1), 6)}


def _problems(suite: str, number: int) -> list[Problem]:
    made = []
    for index in range(number):
        name, prompt, good, _, _, _ = SHAPES[index % len(SHAPES)]
        kind = ("i32", "u64", "i64", "u8")[index // len(SHAPES) % 4]
        made.append(
            Problem(
                task_id=f"{suite}/{index}",
                prompt=prompt.format(n=index, t=kind),
                canonical_solution=good.format(n=index, t=kind),
                test=f"#[test]\nfn works() {{\n    // the hidden tests of {name}_{index}\n    assert!(true);\n}}\n",
                entry_point=f"{name}_{index}",
                category=name,
                combination=f"{name}/{kind}/{index}",
            )
        )
    return made


def _status(random_: random.Random, skill: float, stage: str) -> str:
    """`skill` is the problem's own; the better the stage, the more of them it solves."""
    noise = skill + random_.gauss(0, 0.07)
    if noise < SOLVED[stage]:
        return "passed"
    if noise < COMPILED[stage]:
        return "failed"
    return random_.choices(
        ["compile_error", "timeout", "no_code", "policy_violation", "resource_limit"], [88, 3, 6, 2, 1]
    )[0]


def _answer(problem: Problem, index: int, status: str, random_: random.Random) -> tuple[str, dict[str, Any]]:
    _, prompt, good, wrong, broken, (code, message) = SHAPES[index % len(SHAPES)]
    kind = ("i32", "u64", "i64", "u8")[index // len(SHAPES) % 4]
    body = {"passed": good, "failed": wrong, "timeout": "    loop {{}}\n}}\n"}.get(status, broken)
    text = (prompt + body).format(n=index, t=kind)
    found: dict[str, Any] = {"compiled": status in ("passed", "failed", "timeout", "resource_limit")}
    if status == "no_code":
        return "I would add up the numbers and then and then and then", {**found, "code": "", "extraction": "none"}
    if status == "policy_violation":
        text = "#![allow(unsafe_code)]\n" + text
        found |= {"policy_findings": ["attribute allow(unsafe_code)"]}
    if status == "compile_error":
        found |= {"error_codes": [code] if random_.random() < 0.9 else [], "message": message}
    if status == "failed":
        found |= {"message": f"assertion failed: {problem.entry_point}(..) left: 3, right: 5"}
    if index == 0 and status != "passed":
        text = HOSTILE
        found |= {"message": 'cannot find value `<b onload="x">` in this scope'}
    tests = {"passed": 5, "failed": random_.randint(0, 4)}.get(status, 0)
    return text, {
        **found,
        "code": text,
        "extraction": "function",
        "tests_passed": tests,
        "tests_total": 5,
        "clippy_warnings": random_.choice([0, 0, 0, 1]) if found["compiled"] else None,
        "idiomatic": 0.9 if found["compiled"] else None,
        "documented": 1.0 if found["compiled"] else None,
    }


def _score(verdicts: list[Verdict], problems: int) -> dict[str, Any]:
    statuses: dict[str, int] = {}
    codes: dict[str, int] = {}
    solved: dict[str, int] = {}
    for verdict in verdicts:
        statuses[verdict.status] = statuses.get(verdict.status, 0) + 1
        solved[verdict.task_id] = solved.get(verdict.task_id, 0) + (verdict.status == "passed")
        for code in verdict.error_codes:
            codes[code] = codes.get(code, 0) + 1
    compiled = sum(verdict.compiled for verdict in verdicts) / len(verdicts)
    asked = len(verdicts) - statuses.get("no_code", 0) - statuses.get("policy_violation", 0)
    return {
        "problems": problems,
        "samples": len(verdicts),
        "pass_at_1": _estimate(sum(solved.values()) / len(verdicts), problems),
        "pass_at_4": _estimate(sum(count > 0 for count in solved.values()) / problems, problems),
        "compile_rate": _estimate(compiled, problems),
        "prefiltered_compile_rate": round(compiled * len(verdicts) / asked, 6),
        "statuses": statuses,
        "error_codes": codes,
        "lints": {"style": len(verdicts) // 14, "complexity": len(verdicts) // 40, "perf": len(verdicts) // 90},
        "idiomatic": 0.91,
        "documented": 0.84,
    }


def _comparisons(stages: dict[str, Any]) -> list[dict[str, Any]]:
    made = []
    for stage, parent in STAGES.items():
        for against in dict.fromkeys(one for one in (parent, "base") if one and stage != "base"):
            for suite in SUITES:
                for metric in ("pass_at_1", "compile_rate"):
                    ours, theirs = (stages[name]["suites"][suite][metric]["value"] for name in (stage, against))
                    half = 0.55 * (stages[stage]["suites"][suite][metric]["high"] - ours) * 1.6
                    low, high = ours - theirs - half, ours - theirs + half
                    made.append(
                        {
                            "stage": stage,
                            "against": against,
                            "suite": suite,
                            "metric": metric,
                            "difference": round(ours - theirs, 6),
                            "low": round(low, 6),
                            "high": round(high, 6),
                            "p_value": round(2 * math.exp(-1.6 * abs(ours - theirs) / half - 0.7), 6),
                            "significant": low > 0 or high < 0,
                            "mcnemar": {"problems": 400, "only_first": 93, "only_second": 8, "p_value": 0.0004},
                        }
                    )
    return made


def _manifest(folder: Path, stage: str, random_: random.Random, trained: bool) -> None:
    steps = {"base": 900, "phase1": 240, "phase2": 160, "rsft1": 40}[stage]
    start, end = {"base": (6.9, 0.62), "phase1": (1.9, 0.55), "phase2": (0.6, 0.44), "rsft1": (0.46, 0.42)}[stage]
    history = []
    for step in range(1, steps + 1, 1 if stage == "base" else 5):
        loss = end + (start - end) * math.exp(-7 * step / steps) + random_.gauss(0, 0.04 + 0.01 * (stage == "base"))
        val = end * 1.07 + (start - end) * math.exp(-6.5 * step / steps)
        told = step % max(steps // 12, 1) < (1 if stage == "base" else 5)
        rate = 0.004 * min(step / 20, 1)
        history.append({"step": step, "loss": loss, "val_loss": val if told else None, "learning_rate": rate})
    if trained:
        write_json(folder / "history.json", history)
        if stage != "base":
            settings = {"steps": steps, "learning_rate": 0.004, "packing": True, "adapter_r": [64], "quant_type": "nf4",
                        "learning_rate_course": [0.1] * 40, "trained_parameters": 211_456, "double_quant": True,
                        "adapter_modules": ["q_proj", "k_proj", "v_proj", "o_proj"], "compute_dtype": "float32"}
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


def _data(folder: Path) -> None:
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
                                              "tenths": {f"{tenth / 10:.1f}": [0, 6, 22, 61, 104, 98, 70, 41, 15, 3][tenth]
                                                         for tenth in range(10)}},
                               "combinations": {"suite": 211, "trained": 2480, "shared_before_removal": [],
                                                "shared": []}},
            },
        },
    )  # fmt: skip
    _corpus(folder, types)
    for name, curriculum_rows, share in (("basics", 14000, 0.02), ("broad", 9000, 0.3), ("sharpened", 8000, 0.1)):
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
            name: {"candidates": number, "kept": number // 2, "lost": {"no rewrite fits": number // 3, "too long": 12}}
            for name, number in types.items()
        }
        write_json(
            folder / "counts" / f"{shard}.json",
            {"items": 9120, "crates": 12, "samples": 3520, "tasks": tasks,
             "units": {"made": 4100, "checked": 2900, "compile": 2310, "self_contained": 900,
                       "not_made": {"fewer lines than min_lines": 3100, "too long for a sample": 800, "no body": 1120}}},
        )  # fmt: skip


def write_run(folder: Path, rsft_trained: bool = True, seed: int = 1, scale: float = 1.0) -> Path:
    """Write all files of a made-up run below `folder`; `scale` shrinks the suites. Returns `folder`."""
    stages: dict[str, Any] = {
        name: {
            "parent": parent,
            "training": {"trained": True, "reason": None, "steps": 100, "final_loss": 0.44, "final_val_loss": 0.47},
            "suites": {},
        }
        for name, parent in STAGES.items()
    }
    if not rsft_trained:
        stages["rsft1"]["training"] = {"trained": False, "reason": "no sample was kept", "steps": 0}
    for suite, number in SUITES.items():
        problems = _problems(suite, max(int(number * scale), 12))
        write_jsonl(folder / "suites" / f"{suite}.jsonl", problems)
        for stage in STAGES:
            rows: list[Completion] = []
            verdicts: list[Verdict] = []
            for index, problem in enumerate(problems):
                skill = random.Random(f"{seed} {suite} {index}").random()
                for sample in range(SAMPLES):
                    random_ = random.Random(f"{seed} {suite} {index} {stage} {sample}")
                    status = _status(random_, skill, stage)
                    text, found = _answer(problem, index, status, random_)
                    rows.append(Completion(task_id=problem.task_id, completion=text, sample=sample))
                    verdicts.append(
                        Verdict.model_validate(
                            {"task_id": problem.task_id, "sample": sample, "status": status, **found}
                        )
                    )
            write_jsonl(folder / "samples" / stage / f"{suite}.jsonl", rows)
            write_parquet(folder / "verdicts" / stage / f"{suite}.parquet", verdicts, Verdict)
            stages[stage]["suites"][suite] = _score(verdicts, len(problems))
    for stage in STAGES:
        _manifest(folder / "models" / stage, stage, random.Random(f"{seed} {stage}"), stage != "rsft1" or rsft_trained)
    _data(folder)
    kept = {"rsft1": {"prompts": 400, "samples": 1600, "kept": 612 if rsft_trained else 0, "prompts_with_kept": 251,
                      "parent_rows": 612, "outcomes": {"kept": 612, "tests not passed": 700, "duplicate": 288}}}  # fmt: skip
    write_json(folder / "metrics.json", {"schema": 1, "stages": stages, "comparisons": _comparisons(stages),
                                       "confidence": 0.95, "bootstrap": 10000, "data": {"rejection_sampling": kept}})
    _provenance(folder)
    return folder


def _provenance(folder: Path) -> None:
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


def report_words(folder: Path) -> list[str]:
    """The words for `python -m scripts.report` that make FOLDER/report.html from `write_run(folder)`."""
    words = ["--summary", f"{folder}/metrics.json", "--provenance", f"{folder}/provenance.json"]
    for suite in SUITES:
        words += ["--suite", suite, f"{folder}/suites/{suite}.jsonl"]
        for stage in STAGES:
            words += ["--answers", stage, suite]
            words += [f"{folder}/samples/{stage}/{suite}.jsonl", f"{folder}/verdicts/{stage}/{suite}.parquet"]
    for stage in STAGES:
        words += ["--model", stage, f"{folder}/models/{stage}/manifest.json"]
    for flag, name in (("--fetched", "fetch"), ("--rejections", "rejections"), ("--counts", "counts")):
        words += [flag, *sorted(str(path) for path in (folder / name).iterdir())]
    words += ["--funnel", f"{folder}/funnel.json", "--decontamination", f"{folder}/decontamination.json"]
    words += ["--mix", *sorted(str(path) for path in (folder / "mix").glob("*.json"))]
    return [*words, "--out", f"{folder}/report.html", "--plots", f"{folder}/plots"]


if __name__ == "__main__":
    import subprocess

    where = write_run(Path(sys.argv[1]), rsft_trained="--rsft-untrained" not in sys.argv)
    subprocess.run([sys.executable, "-m", "scripts.report", *report_words(where)], check=True)
    print(f"{where}/report.html")
