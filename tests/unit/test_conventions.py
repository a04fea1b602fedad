"""The files by which others find, cite and list this workflow say what is so."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_the_citation_names_this_version_and_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["cff-version"] == "1.2.0" and citation["authors"] and citation["message"]


def test_the_catalog_promises_conda_where_each_rule_has_an_environment() -> None:
    told = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    rules = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*.smk")))
    promised = told["software-stack-deployment"]
    assert promised["conda"] is (rules.count("\nrule ") == rules.count("\n    conda:"))
    assert promised["singularity"] is ("container:" in rules)
    assert told["report"] is ("report(" in rules)
    assert (ROOT / "config/README.md").is_file() and (ROOT / "Snakefile").is_file()
