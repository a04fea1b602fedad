"""The base and the adapters as components, with the model cards that CycloneDX has for them.

The library (11.12) has no model cards, so they are laid into its JSON; the schema that checks the whole knows them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cyclonedx.model.component import Component, ComponentType
from packageurl import PackageURL
from pydantic import Field

from rust_expert.report.bom.parts import file_component, licence, properties
from rust_expert.report.journey import Read
from rust_expert.report.runs import HubSource
from rust_expert.report.summary import Estimate, SuiteScore, Summary

APPROACH = "supervised"
"""The nearest of the schema's words, for the loss of next tokens that every stage here minimises."""


class ModelFiles(Read):
    """The part of a model's manifest that names its files, each with its hash."""

    kind: str
    origin: str | None = None
    hub: HubSource | None = None
    parameters: int | None = None
    method: str | None = None
    trained: bool = True
    reason: str | None = None
    parent_sha256: str | None = Field(default=None, description="of the manifest of what it goes on from")
    architecture: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """The base or an adapter of a run, by its stage's name there, and the data sets that it learned from."""

    stage: str
    manifest_sha256: str
    told: ModelFiles
    data: Sequence[str] = ()


def reference(stage: str) -> str:
    """The reference of a stage's model in the document."""
    return f"model:{stage}"


def model_component(model: Model, spelt_licence: str) -> Component:
    """A base or an adapter with its files; its card is not in it (`model_card`). The licence is empty where unknown."""
    told, hub = model.told, model.told.hub
    kind = "base model" if told.kind == "base" else f"LoRA adapter ({told.method})"
    return Component(
        name=hub.name if hub else f"rust-expert-{model.stage}",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=reference(model.stage),
        version=hub.revision if hub and hub.revision else model.manifest_sha256[:12],
        description=kind if told.trained else f"{kind}, not trained: {told.reason or 'no reason recorded'}",
        licenses=licence(spelt_licence),
        purl=_address(hub) if hub else None,
        components=[file_component(reference(model.stage), *one) for one in sorted(told.files.items())],
        properties=properties(
            {"sha256 of its manifest": model.manifest_sha256}
            | ({"parameters": told.parameters} if told.parameters else {})
        ),
    )


def _address(hub: HubSource) -> PackageURL:
    owner, _, name = hub.name.rpartition("/")
    return PackageURL("huggingface", owner or None, name, hub.revision or None)


def model_card(model: Model, architecture: str | None, summary: Summary) -> dict[str, Any]:
    """The card in the schema's own terms; the figures of metrics.json with their intervals."""
    scores = summary.stages[model.stage].suites if model.stage in summary.stages else {}
    parameters: dict[str, Any] = {
        "approach": {"type": APPROACH},
        "task": "text generation: Rust code from a description",
        "architectureFamily": architecture,
        "datasets": [{"ref": f"data:{name}"} for name in model.data],
        "inputs": [{"format": "string"}],
        "outputs": [{"format": "string"}],
    }
    return {
        "modelParameters": {key: value for key, value in parameters.items() if value},
        "quantitativeAnalysis": {"performanceMetrics": list(_metrics(scores))},
        "considerations": {
            "useCases": ["Writing short Rust functions, measured in a sandbox"],
            "technicalLimitations": [
                f"Intervals are {100 * summary.confidence:g} % bootstrap intervals over problems; the figures are of"
                " the suites that they name and of nothing else.",
                "Code that this model writes may be wrong or unsafe: compile and test it where it can do no harm.",
            ],
        },
    }


def _metrics(scores: Mapping[str, SuiteScore]) -> Iterable[dict[str, Any]]:
    for suite, score in scores.items():
        named: dict[str, Estimate | None] = {
            **{f"pass_at_{k}": one for k, one in score.pass_at.items()},
            "compile_rate": score.compile_rate,
            "idiomatic": score.idiomatic,
            "documented": score.documented,
        }
        for name, one in named.items():
            if one is not None:
                yield {
                    "type": name,
                    "value": str(one.value),
                    "slice": suite,
                    "confidenceInterval": {"lowerBound": str(one.low), "upperBound": str(one.high)},
                }
