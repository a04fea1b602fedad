"""The parts of a run as CycloneDX components: files, data, crates, packages, tools."""

from collections.abc import Iterable, Mapping
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from packageurl import PackageURL
from pydantic import Field

from rust_expert.report.cards.exported import TrainedOn
from rust_expert.report.cards.licences import identifiers
from rust_expert.report.journey import Read

OWN = "rust-expert"
"""Before the names of properties that CycloneDX has no field for."""

_LICENCES = LicenseFactory()


class FetchedCrate(Read):
    """One crate of results/corpus/fetch/SHARD.json."""

    name: str
    version: str
    license: str = ""
    sha256: str = ""
    status: str
    reason: str = ""


class Fetched(Read):
    """results/corpus/fetch/SHARD.json."""

    crates: list[FetchedCrate] = Field(default_factory=list)


def file_component(reference: str, name: str, digest: str) -> Component:
    """A file of a larger part."""
    return Component(
        name=name, type=ComponentType.FILE, bom_ref=f"{reference}/{name}", hashes=_sha256(digest)
    )


def data_component(data: TrainedOn) -> Component:
    """A data set with its files; the licences of its rows, each counted."""
    reference = f"data:{data.name}"
    known = sorted({name for told in data.licences for name in identifiers(told) or ()})
    return Component(
        name=data.name,
        type=ComponentType.DATA,
        bom_ref=reference,
        version=data.manifest_sha256[:12],
        description="Instruction rows about Rust code, for fine-tuning; its manifest lists its files",
        licenses=[_LICENCES.make_with_id(name) for name in known],
        components=[file_component(reference, name, digest) for name, digest in data.files.items()],
        properties=[
            *properties({f"rows:{split}": rows for split, rows in data.rows.items()}),
            *properties({f"rows under {told or 'no licence'}": rows for told, rows in data.licences.items()}),
            *properties({"sha256 of its manifest": data.manifest_sha256}),
        ],
    )


def suite_component(name: str, digest: str, problems: int) -> Component:
    """The problems of a suite."""
    return Component(
        name=name,
        type=ComponentType.DATA,
        bom_ref=f"suite:{name}",
        version=digest[:12],
        description="Evaluation problems with tests; nothing is trained on them",
        hashes=_sha256(digest),
        properties=properties({"problems": problems}),
    )


def crate_component(crate: FetchedCrate, rows: int, from_registry: bool) -> Component:
    """A crate that was looked at; `rows` of the data sets come from it."""
    return Component(
        name=crate.name,
        type=ComponentType.LIBRARY,
        bom_ref=f"crate:{crate.name}@{crate.version}",
        version=crate.version,
        hashes=_sha256(crate.sha256) if crate.sha256 else [],
        licenses=licence(crate.license),
        purl=PackageURL("cargo", None, crate.name, crate.version) if from_registry else None,
        properties=properties({"rows in training data": rows}),
    )


def package_component(name: str, version: str) -> Component:
    """A Python package."""
    return Component(
        name=name,
        type=ComponentType.LIBRARY,
        bom_ref=f"package:{name}@{version}",
        version=version,
        purl=PackageURL("pypi", None, name, version),
    )


def tool_component(name: str, told: str) -> Component:
    """A program outside Python, with what it says of its version."""
    return Component(
        name=name,
        type=ComponentType.APPLICATION,
        bom_ref=f"tool:{name}",
        version=told.removeprefix(f"{name} "),
    )


def licence(told: str) -> list[LicenseExpression | DisjunctiveLicense]:
    """A licence as a crate spells it: an SPDX expression, a known licence, or only a name; none where it has none."""
    spelt = told.strip()
    if not spelt:
        return []
    made = _LICENCES.make_from_string(spelt.replace("/", " OR ") if " " not in spelt else spelt)
    return [made]


def properties(values: Mapping[str, Any]) -> list[Property]:
    """Facts without a field of their own."""
    return [Property(name=f"{OWN}:{name}", value=str(value)) for name, value in values.items()]


def _sha256(digest: str) -> Iterable[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=digest)]
