"""What a verdict was made with: it goes into the metrics, and a change of it starts the judging anew."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.closure import code_fingerprint
from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Problem
from rust_expert.common.files import sha256_json
from rust_expert.common.toolchain import rustc_version
from rust_expert.judge.conditions import sandbox_facts
from rust_expert.judge.linked import Crates

ROOT = Path(__file__).resolve().parents[2]


def judging_facts(options: JudgeOptions) -> dict[str, Any]:
    """The sandbox and its limits, the policy, the edition, whether clippy ran, and the compiler.

    How many samples shared a crate is not among them: it changes no verdict.
    """
    return {
        "sandbox": sandbox_facts(options),
        "policy": options.policy,
        "forbid_threads": options.forbid_threads,
        "lints": options.lints,
        "edition": options.edition,
        "rustc": rustc_version(),
    }


def fingerprint(
    samples: Sequence[Completion], problems: Sequence[Problem], options: JudgeOptions, crates: Crates
) -> str:
    """The hash of all that the verdicts depend on: samples, problems, options, compiler, and the judge's own code."""
    return sha256_json(
        {
            "samples": [[sample.task_id, sample.sample, sample.completion] for sample in samples],
            "problems": [problem.model_dump(mode="json") for problem in problems],
            "crates": [list(each) for each in crates.files],
            "options": options.model_dump(mode="json", exclude={"batch"}),
            "made with": judging_facts(options),
            "code": code_fingerprint("scripts.judge", ROOT),
        }
    )
