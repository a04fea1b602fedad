"""A whole run made up by code, for the report's tests and for looking at the page: nothing in it was ever trained.

  python -m tests.synthetic_run FOLDER [--rsft-untrained] [--three-seeds]

writes the files that a run leaves (summary, provenance, suites, samples, verdicts, manifests, data reports) and
FOLDER/report.html made from them.
"""

import math
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.files import write_json
from rust_expert.common.tables import write_jsonl, write_parquet
from tests.synthetic_data import write_data
from tests.synthetic_files import write_manifest, write_provenance
from tests.synthetic_seeds import seeds_of

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
        "        if best.map_or(true, |known| word.len() > known.len()) {{\n"
        "            best = Some(word);\n        }}\n"
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
        "/// How many characters of the text are in the set.\n"
        "fn count_matching_{n}(text: &str, set: &str) -> usize {{\n",
        "    text.chars().filter(|one| set.contains(*one)).count()\n}}\n",
        "    text.matches(set).count()\n}}\n",
        "    text.chars().filter(|one| set.has(*one)).count()\n}}\n",
        ("E0599", "no method named `has` found for reference `&str` in the current scope"),
    ),
)


def _estimate(share: float, problems: int) -> dict[str, float]:
    half = 1.96 * math.sqrt(max(share * (1 - share), 0.002) / problems) * 0.85
    return {
        "value": round(share, 6),
        "low": round(max(share - half, 0), 6),
        "high": round(min(share + half, 1), 6),
    }


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
        return "I would add up the numbers and then and then and then", {
            **found,
            "code": "",
            "extraction": "none",
        }
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
        "prefiltered_compile_rate": _estimate(min(compiled * len(verdicts) / asked, 1), problems),
        "policy_pass_at_1": _estimate(0.97 * sum(solved.values()) / len(verdicts), problems),
        "statuses": statuses,
        "error_codes": codes,
        "lints": {
            "style": len(verdicts) // 14,
            "complexity": len(verdicts) // 40,
            "perf": len(verdicts) // 90,
        },
        "idiomatic": _estimate(0.7 + compiled / 4, problems),
        "documented": _estimate(0.84, problems),
        "sizes": [
            {"lines": "no code", "samples": statuses.get("no_code", 0), "compile_rate": 0, "pass_rate": 0},
            {"lines": "1-4", "samples": 40, "compile_rate": 0.8, "pass_rate": 0.75},
            {
                "lines": "5-49",
                "samples": len(verdicts) - 40 - statuses.get("no_code", 0),
                "compile_rate": round(compiled, 6),
                "pass_rate": round(sum(solved.values()) / len(verdicts), 6),
            },
        ],
        "policy_findings": statuses.get("policy_violation", 0),
    }


def _comparisons(stages: dict[str, Any]) -> list[dict[str, Any]]:
    made = []
    for stage, parent in STAGES.items():
        for against in dict.fromkeys(one for one in (parent, "base") if one and stage != "base"):
            for suite in SUITES:
                for metric in ("pass_at_1", "compile_rate"):
                    ours, theirs = (
                        stages[name]["suites"][suite][metric]["value"] for name in (stage, against)
                    )
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
                            "mcnemar": {
                                "problems": 400,
                                "only_first": 93,
                                "only_second": 8,
                                "p_value": 0.0004,
                            },
                        }
                    )
    return made


def write_run(
    folder: Path,
    rsft_trained: bool = True,
    seed: int = 1,
    scale: float = 1.0,
    seeds: Sequence[int] = (0,),
) -> Path:
    """Write all files of a made-up run below `folder`; `scale` shrinks the suites. Returns `folder`."""
    stages: dict[str, Any] = {
        name: {
            "parent": parent,
            "training": {
                "trained": True,
                "reason": None,
                "steps": 100,
                "final_loss": 0.44,
                "final_val_loss": 0.47,
            },
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
    for stage, parent in STAGES.items():
        write_manifest(
            folder / "models" / stage,
            stage,
            random.Random(f"{seed} {stage}"),
            stage != "rsft1" or rsft_trained,
            parent,
        )
    write_data(folder)
    kept = {
        "rsft1": {
            "prompts": 400,
            "samples": 1600,
            "kept": 612 if rsft_trained else 0,
            "prompts_with_kept": 251,
            "parent_rows": 612,
            "outcomes": {"kept": 612, "tests not passed": 700, "duplicate": 288},
        }
    }
    write_json(
        folder / "metrics.json",
        {
            "schema": 1,
            "stages": stages,
            "comparisons": _comparisons(stages),
            "confidence": 0.95,
            "bootstrap": 10000,
            "data": {"rejection_sampling": kept},
            "judge": {"sandbox": ["bubblewrap"], "policy": ["report"]},
            **({"seeds": seeds_of(stages, _comparisons(stages), seeds)} if len(seeds) > 1 else {}),
        },
    )
    write_provenance(folder)
    return folder


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
    for flag, name in (
        ("--fetched", "fetch"),
        ("--rejections", "rejections"),
        ("--builds", "builds"),
        ("--counts", "counts"),
    ):
        words += [flag, *sorted(str(path) for path in (folder / name).iterdir())]
    words += ["--rows", f"{folder}/clean.parquet"]
    words += ["--funnel", f"{folder}/funnel.json", "--decontamination", f"{folder}/decontamination.json"]
    words += ["--mix", *sorted(str(path) for path in (folder / "mix").glob("*.json"))]
    return [*words, "--out", f"{folder}/report.html", "--plots", f"{folder}/plots"]


if __name__ == "__main__":
    import subprocess

    where = write_run(
        Path(sys.argv[1]),
        rsft_trained="--rsft-untrained" not in sys.argv,
        seeds=(0, 1, 2) if "--three-seeds" in sys.argv else (0,),
    )
    subprocess.run([sys.executable, "-m", "scripts.report", *report_words(where)], check=True)
    print(f"{where}/report.html")
