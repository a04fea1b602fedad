"""One version of a package everywhere, every version exact, and each rule's imports in its environment."""

import importlib.metadata
import re
from pathlib import Path

import pytest
import yaml

from tests.environments import ENVIRONMENTS, ROOT, foreign, imports_of, uses
from tools.lock import APART, constraint, direct, environment
from tools.packages import locked

UNSEEN = {
    "accelerate": "transformers' Trainer imports it",
    "bitsandbytes": "transformers imports it for 4-bit weights",
}
"""Direct needs that no import statement of ours shows."""

NOT_HERE = {"vllm": ["vllm"]}
"""Imports, with their distributions, that only an environment of its own has."""


def third_party(script: str) -> set[str]:
    """The distributions that the import closure of a script names."""
    distributions = {**NOT_HERE, **importlib.metadata.packages_distributions()}
    names = {module.split(".")[0] for module, _ in foreign(imports_of(script))}
    assert names <= set(distributions), (
        f"{script} imports what is not installed: {names - set(distributions)}"
    )
    return {re.sub(r"[-_.]+", "-", distributions[name][0]).lower() for name in names}


def test_there_are_rules_and_environments() -> None:
    assert ENVIRONMENTS == ["data", "judge", "report", "sample", "sample-vllm", "train"]
    assert len(uses()) >= 15
    assert {environment for _, environment in uses()} == set(ENVIRONMENTS)


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.smk")), ids=lambda path: path.stem)
def test_a_rule_names_one_environment(path: Path) -> None:
    for rule in re.split(r"^rule ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        stated = re.findall(r'\bcode=code_of\(\s*"scripts\.(\w+)",\s*"([\w-]+)"', rule)
        conda = re.findall(r"envs/([\w-]+)\.yaml", rule)
        started = re.findall(r"python -m scripts\.(\w+)", rule)
        assert started, f"{rule.split(':')[0]} starts no script"
        assert [script for script, _ in stated] == started
        assert [environment for _, environment in stated] == conda


@pytest.mark.parametrize(("script", "environment"), uses())
def test_imports_are_in_the_environment(script: str, environment: str) -> None:
    stated = set(direct(ROOT / "envs" / f"{environment}.in"))
    missing = third_party(script) - stated
    assert not missing, (
        f"envs/{environment}.in lacks {sorted(missing)}, which scripts.{script} imports; add it, make lock"
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_idle_in_an_environment(environment: str) -> None:
    used = set().union(*(third_party(script) for script, env in uses() if env == environment))
    idle = set(direct(ROOT / "envs" / f"{environment}.in")) - used - set(UNSEEN)
    assert not idle, f"envs/{environment}.in states {sorted(idle)}, which no rule of it imports"


@pytest.mark.parametrize("name", ["requirements.lock", *(f"envs/{name}.lock" for name in ENVIRONMENTS)])
def test_every_version_is_exact_and_no_host_is_named(name: str) -> None:
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        assert "://" not in line
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[^ ;*]+( ; .+)?", line), line


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_pins_agree_everywhere(name: str) -> None:
    everything = locked(ROOT / "requirements.lock")
    lock = locked(ROOT / "envs" / f"{name}.lock")
    shared = direct(ROOT / "envs" / f"{name}.in") if name in APART else lock
    for package, rows in lock.items():
        if package not in shared or (name in APART and package not in everything):
            continue
        assert {version for version, _ in rows} <= {version for version, _ in everything[package]}, package
    path = ROOT / "envs" / f"{name}.lock"
    text = path.with_suffix(".yaml").read_text(encoding="utf-8")
    assert text == environment(path), "make lock was not run"
    pip = yaml.safe_load(text)["dependencies"][-1]["pip"]
    assert pip == [row for row in path.read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    assert set(direct(path.with_suffix(".in"))) <= {row.split("==")[0] for row in pip}


def test_an_environment_apart_keeps_to_the_versions_that_it_states(tmp_path: Path) -> None:
    source = ROOT / "envs" / "sample-vllm.in"
    rows = constraint(source, tmp_path).read_text(encoding="utf-8").splitlines()
    assert "torch==2.13.0" in rows and "transformers==5.23.0" in rows
    assert {row.split("==")[0] for row in rows} == set(direct(source)) - {"vllm"}
    assert constraint(ROOT / "envs" / "sample.in", tmp_path) == ROOT / "requirements.lock"


def test_the_workflow_itself_is_locked() -> None:
    everything = locked(ROOT / "requirements.lock")
    for package in direct(ROOT / "requirements.in"):
        assert package in everything
    assert everything["torch"] == [("2.13.0", "")]
