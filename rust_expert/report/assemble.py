"""The report put together from what a run left on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rust_expert.common.config.report import ReportOptions
from rust_expert.common.contracts import Problem
from rust_expert.common.errors import UserError
from rust_expert.report.data import Data
from rust_expert.report.deviations import deviations
from rust_expert.report.evidence import Answer, Choice, choose
from rust_expert.report.findings import find
from rust_expert.report.journey import Decontamination
from rust_expert.report.page.answers import answers_section
from rust_expert.report.page.data import data_section
from rust_expert.report.page.document import document
from rust_expert.report.page.lineage import lineage_section
from rust_expert.report.page.method import method_section, provenance_section
from rust_expert.report.page.rerun import rerun_section
from rust_expert.report.page.scores import hero, scores_section
from rust_expert.report.page.seeds import seeds_section
from rust_expert.report.page.training import training_section
from rust_expert.report.page.verdicts import verdicts_section
from rust_expert.report.runs import TrainingRun
from rust_expert.report.summary import Summary
from rust_expert.report.wording import count, seconds, short_count


@dataclass(frozen=True)
class Material:
    """All that a report is made of. Only the summary must be there; a part that is missing is not shown.

    `suites` holds problems by suite, the first of them the one that the headline speaks of; `answers` is by suite,
    stage, task id; `runs` by stage;
    `excluded` has, by suite, the problems that judge nobody, and why.
    """

    summary: Summary
    provenance: dict[str, Any] = field(default_factory=dict)
    suites: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Mapping[str, Answer]]] = field(default_factory=dict)
    runs: Mapping[str, TrainingRun] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    links: Sequence[tuple[str, str]] = ()
    excluded: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def main_suite(material: Material) -> str:
    """The suite that the headline speaks of: the first one given, else the largest.

    Raises UserError where no stage was evaluated.
    """
    known = material.summary.suites()
    if not known:
        raise UserError("the summary holds no score of any stage on any suite; evaluate at least one stage")
    return next((suite for suite in material.suites if suite in known), known[0])


def build(material: Material, options: ReportOptions) -> str:
    """The page, as one HTML file."""
    summary = material.summary
    suite = main_suite(material)
    finding = find(summary, suite)
    answers = in_chain_order(summary, material.answers.get(suite, {}))
    choices = _choices(material, suite, finding.base, finding.stage, answers, options)
    return document(
        "Rust Expert: " + finding.headline,
        [
            hero(summary, finding, glance(material, suite)),
            seeds_section(summary, finding.stage, suite),
            scores_section(summary, finding.stage, suite),
            verdicts_section(summary, suite),
            answers_section(choices, answers, suite, options.code_lines),
            training_section(summary, material.runs),
            data_section(material.data, options.code_lines),
            method_section(summary, suite, _held_out(material.data.decontamination, suite)),
            lineage_section(summary, finding, material.provenance),
            provenance_section(material.provenance, material.links),
            rerun_section(material.provenance, _deviations(material), material.excluded),
        ],
    )


def _deviations(material: Material) -> list[str]:
    return deviations(
        material.summary, material.runs, material.data.mixes, material.excluded, material.provenance
    )


def _held_out(checks: Decontamination | None, suite: str) -> bool:
    held = checks.suites[suite].combinations if checks and suite in checks.suites else None
    return held is not None and not held.shared


def glance(material: Material, suite: str) -> list[tuple[str, str]]:
    """The size of the run in a few figures: answers judged, weights, rows, crates, work, machine."""
    scores = [score for stage in material.summary.stages.values() for score in stage.suites.values()]
    runs = len(material.summary.seeds.numbers) if material.summary.seeds else 1
    judged = runs * sum(score.samples for score in scores)
    problems = max(score.problems for score in material.summary.scores(suite).values())
    tiles = [(count(judged), f"answers judged; {count(problems)} problems in {suite}")]
    base = material.runs.get(material.summary.base)
    if base and base.parameters:
        tiles.append((short_count(base.parameters), "parameters in the base model"))
    if material.data.funnel:
        tiles.append((count(material.data.funnel.rows_out.rows), "cleaned rows to train and validate on"))
    if material.data.mixes:
        tiles.append(
            (
                count(len(set().union(*(mix.train.crates for mix in material.data.mixes)))),
                "real crates among them",
            )
        )
    total, machine = material.provenance.get("total"), material.provenance.get("machine")
    if isinstance(total, dict) and isinstance(machine, dict) and total.get("cpu_s"):
        gpus = machine.get("gpus") or []
        where = str(gpus[0].get("name")) if gpus else f"{machine.get('cores_usable')} cores, no GPU"
        tiles.append((seconds(float(total["cpu_s"])), f"of CPU time on {where}"))
    return tiles


def in_chain_order(
    summary: Summary, answers: Mapping[str, Mapping[str, Answer]]
) -> dict[str, Mapping[str, Answer]]:
    """Answers by stage, each stage after its parent."""
    return {stage: answers[stage] for stage in summary.stages if stage in answers}


def _choices(
    material: Material,
    suite: str,
    base: str,
    best: str,
    answers: Mapping[str, Mapping[str, Answer]],
    options: ReportOptions,
) -> list[Choice]:
    if options.examples == 0 or base not in answers or best not in answers:
        return []
    return choose(material.suites.get(suite, ()), answers, base, best, options.examples, options.seed)
