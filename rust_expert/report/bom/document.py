"""The bill of materials of a run: CycloneDX 1.7 as JSON (https://cyclonedx.org/docs/1.7/json/)."""

import datetime
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion

from rust_expert.report.bom.models import Model, model_card, model_component, reference
from rust_expert.report.bom.parts import (
    FetchedCrate,
    crate_component,
    data_component,
    licence,
    package_component,
    suite_component,
    tool_component,
)
from rust_expert.report.cards.exported import TrainedOn
from rust_expert.report.summary import Summary

SCHEMA = SchemaVersion.V1_7
OWN_LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Materials:
    """All that a run is made of. `suites` by name: hash and number of problems; `crate_rows` by crate's name."""

    summary: Summary
    provenance: Mapping[str, Any]
    digest: str
    models: Sequence[Model]
    data: Sequence[TrainedOn] = ()
    suites: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    crates: Sequence[FetchedCrate] = ()
    crate_rows: Mapping[str, int] = field(default_factory=dict)
    base_licence: str | None = None
    creator: str | None = None


def bill_of_materials(materials: Materials) -> dict[str, Any]:
    """The document; `materials.digest`, the hash of metrics.json, gives it its serial number."""
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, materials.digest))
    told = materials.provenance
    bom.metadata.timestamp = _made(told)
    main = _main(told)
    bom.metadata.component = main
    if materials.creator:
        bom.metadata.supplier = OrganizationalEntity(name=materials.creator)
    models = {one.stage: model_component(one, _licence(materials)) for one in materials.models}
    data = {one.name: data_component(one) for one in materials.data}
    crates = [
        crate_component(one, materials.crate_rows.get(one.name, 0), _registry(told))
        for one in materials.crates
        if one.status == "ok"
    ]
    suites = [suite_component(name, *facts) for name, facts in materials.suites.items()]
    tools = [tool_component(name, version) for name, version in _tools(told).items()]
    packages = [package_component(name, version) for name, version in (told.get("packages") or {}).items()]
    for component in (*models.values(), *data.values(), *crates, *suites, *tools, *packages):
        bom.components.add(component)
    used = [one for one in crates if materials.crate_rows.get(one.name)]
    bom.register_dependency(main, [*models.values(), *suites, *tools, *packages])
    by_hash = {one.manifest_sha256: models[one.stage] for one in materials.models}
    for model in materials.models:
        above = [by_hash[one] for one in (model.told.parent_sha256,) if one in by_hash]
        bom.register_dependency(
            models[model.stage], above + [data[name] for name in model.data if name in data]
        )
    for component in data.values():
        bom.register_dependency(component, used)
    made: dict[str, Any] = json.loads(make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string())
    return _with_cards(made, materials)


def _with_cards(document: dict[str, Any], materials: Materials) -> dict[str, Any]:
    """What the library has no classes for: model cards, and what kind of data a component of data is."""
    families = [one.told.architecture.get("model_type") for one in materials.models]
    family = next((one for one in families if isinstance(one, str)), None)
    cards = {reference(one.stage): model_card(one, family, materials.summary) for one in materials.models}
    for component in document["components"]:
        if component["type"] == "machine-learning-model":
            component["modelCard"] = cards[component["bom-ref"]]
        elif component["type"] == "data":
            component["data"] = [{"type": "dataset", "name": component["name"]}]
    return document


def _main(told: Mapping[str, Any]) -> Component:
    git = told.get("git") or {}
    version = git.get("commit") or "not in git"
    return Component(
        name="rust-expert",
        type=ComponentType.APPLICATION,
        bom_ref="rust-expert",
        version=f"{version}-dirty" if git.get("dirty") else version,
        description="One run of the Rust Expert workflow: its data, models and figures",
        licenses=licence(OWN_LICENCE),
    )


def _licence(materials: Materials) -> str:
    """Of the models: ours where the base was made here, else what the profile states of the base."""
    downloaded = any(one.told.hub is not None or one.told.origin == "path" for one in materials.models)
    return (materials.base_licence or "") if downloaded else OWN_LICENCE


def _registry(told: Mapping[str, Any]) -> bool:
    corpus = (told.get("config") or {}).get("corpus") or {}
    return bool(corpus.get("source", "registry") == "registry")


def _tools(told: Mapping[str, Any]) -> dict[str, str]:
    named = {name: version for name, version in (told.get("tools") or {}).items() if version}
    return {"python": str(told.get("python")), **named} if told.get("python") else named


def _made(told: Mapping[str, Any]) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(str(told["made"]))
    except (KeyError, ValueError):
        return datetime.datetime.now(datetime.UTC)
