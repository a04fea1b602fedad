"""Right answers in awkward clothes: each is taken out of its text, compiled, and passes its tests in the sandbox.

All are judged as one batch of one run; each case then looks at its own verdict.
"""

import functools

import pytest

from rust_expert.common.config.judge import JudgeOptions
from rust_expert.common.contracts import Completion, Verdict
from rust_expert.common.files import sha256_text
from rust_expert.judge.verdicts import judge
from tests.clothes.code import CODE, OTHERS, REFUSED
from tests.clothes.problems import PROBLEMS
from tests.clothes.wrapped import AROUND, BARE, FENCED

CASES = {name: ("depth", *case) for name, case in (FENCED | BARE | AROUND | CODE).items()} | OTHERS
OPTIONS = JudgeOptions(run_timeout=2, lints=False)


@functools.cache
def verdicts() -> dict[str, Verdict]:
    """All in one batch."""
    texts = {name: (task, text) for name, (task, _, text) in CASES.items()}
    texts |= {name: ("depth", text) for name, text in REFUSED.items()}
    rows = [
        Completion(task_id=task, sample=place, completion=text)
        for place, (task, text) in enumerate(texts.values())
    ]
    return dict(zip(texts, judge(rows, PROBLEMS, OPTIONS), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_a_right_answer_passes(name: str) -> None:
    task, rule, text = CASES[name]
    found = verdicts()[name]
    assert (found.status, found.message) == ("passed", ""), found.code
    assert found.tests_passed == found.tests_total == PROBLEMS[task].test.count("#[test]")
    assert (found.extraction, found.completion_sha256) == (rule, sha256_text(text))
    assert found.policy_findings == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_text_that_is_no_right_answer_does_not_pass(name: str) -> None:
    assert verdicts()[name].status in ("compile_error", "failed"), verdicts()[name].code
