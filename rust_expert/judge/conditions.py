"""What a result says of the sandbox in which it was made."""

import dataclasses
from typing import Any

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.judge.backends import not_promised
from rust_expert.judge.sandbox import Limits
from rust_expert.judge.trial import compile_limits, run_limits


def sandbox_facts(options: JudgeOptions) -> dict[str, Any]:
    """The backend, what it does not promise (names of rust_expert.judge.probe), and the limits of both kinds of room.

    Plain values for JSON, the same on every machine: they depend on the options alone.
    """
    return {
        "backend": options.sandbox,
        "not_promised": sorted(not_promised(options.sandbox)),
        "compile": _told(compile_limits(options)),
        "run": _told(run_limits(options)),
    }


def _told(limits: Limits) -> dict[str, Any]:
    told = dataclasses.asdict(limits)
    del told["backend"]
    return told
