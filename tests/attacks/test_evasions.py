"""What the policy forbids is found in any dress; a search for words finds nothing, and with the policy off it works."""

import functools

import pytest

from rust_expert.common.contracts import Verdict
from tests.attacks.attack import OPTIONS, judged
from tests.attacks.evasions import EVASIONS, HOLE, SUBSTRINGS, Evasion


@functools.cache
def verdicts(policy: str) -> dict[str, Verdict]:
    return judged([*EVASIONS, HOLE], OPTIONS.model_copy(update={"policy": policy}))


@pytest.mark.parametrize("evasion", EVASIONS, ids=lambda evasion: evasion.name)
def test_the_policy_finds_it(evasion: Evasion) -> None:
    verdict = verdicts("enforce")[evasion.name]
    assert verdict.status == "policy_violation" and verdict.compiled, verdict
    assert any(evasion.finding in finding for finding in verdict.policy_findings), verdict


@pytest.mark.parametrize("evasion", EVASIONS, ids=lambda evasion: evasion.name)
def test_it_works_with_the_policy_off_and_evades_a_search_for_words(evasion: Evasion) -> None:
    assert not [word for word in SUBSTRINGS if word in evasion.code]
    verdict = verdicts("off")[evasion.name]
    assert verdict.status == "passed" and not verdict.policy_findings, verdict


@pytest.mark.xfail(
    strict=True, reason="nothing of the code is forbidden: the fault is rustc's own (docs/judge.md)"
)
def test_the_policy_finds_a_hole_of_the_compiler() -> None:
    assert verdicts("off")[HOLE.name].status == "passed"
    assert verdicts("enforce")[HOLE.name].policy_findings
