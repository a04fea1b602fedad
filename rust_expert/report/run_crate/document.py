"""A finished run as a Provenance Run Crate: JSON-LD in the results folder, which it makes an RO-Crate.

Specifications: https://w3id.org/ro/crate/1.1 and the Workflow Run RO-Crate profiles 0.5 at
https://w3id.org/ro/wfrun/provenance/0.5, with https://w3id.org/workflowhub/workflow-ro-crate/1.0. Rules are the tools,
jobs the actions. What nobody stated (creator, an address of the workflow) is left out, of which validators warn.
"""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from rocrate.model import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from rust_expert.report.beside import told_of
from rust_expert.report.run_crate.contents import CONFIG, FOLDERS, README, Contents, file_facts
from rust_expert.report.run_crate.jobs import Job

VERSION = "1.1"
"""Of RO-Crate: the one that the profiles of runs are made for."""

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
TERMS = {name: f"https://w3id.org/ro/terms/workflow-run#{name}" for name in ("resourceUsage", "sha256")}
"""Terms that RO-Crate 1.1 itself lacks."""

COSTS = {
    "wall_s": ("wall time", "https://qudt.org/vocab/unit/SEC"),
    "cpu_s": ("processor time", "https://qudt.org/vocab/unit/SEC"),
    "peak_memory_mb": ("peak memory", "https://qudt.org/vocab/unit/MegaBYTE"),
    "energy_j": ("energy of the machine while the job ran", "https://qudt.org/vocab/unit/J"),
}
_COMPLETED = "http://schema.org/CompletedActionStatus"
_ENGINE = "https://snakemake.github.io/"
_OUTPUTS = ("metrics.json", "headline.json", "report.html", "provenance.json", "bom.cdx.json")
_WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"


def run_crate(contents: Contents) -> dict[str, Any]:
    """The document; the files that it speaks of must lie where `contents` says."""
    return _Crate(contents).document()


class _Crate:
    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.crate = ROCrate(version=VERSION)
        self.crate.metadata.extra_terms.update(TERMS)
        self.data: dict[str, Entity] = {}
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.agent = (
            self._context("#creator", "Organization", name=contents.creator) if contents.creator else None
        )

    def document(self) -> dict[str, Any]:
        self._root()
        self._files()
        workflow = self._workflow()
        steps, tools = self._rules(workflow)
        run = self._run(workflow)
        actions = [self._action(job, tools[job.rule], steps[job.rule]) for job in self.contents.jobs]
        organised = self._organised(run, [control for _, control in actions])
        self.crate.root_dataset["mentions"] = [run, *(action for action, _ in actions), organised]
        made: dict[str, Any] = self.crate.metadata.generate()
        return made

    def _context(self, key: str, kind: str, **facts: Any) -> Entity:
        kept = {name: _plain(value) for name, value in facts.items() if value not in (None, [], "")}
        return self.crate.add(ContextEntity(self.crate, key, properties={"@type": kind, **kept}))

    def _root(self) -> None:
        told, root = self.contents.provenance, self.crate.root_dataset
        git = told.get("git") or {}
        root["name"] = "Rust Expert: results of a run"
        root["description"] = (
            "Data, models, samples, verdicts and figures of one run of the Rust Expert workflow, and which job made"
            f" each of them from what. Commit {git.get('commit') or 'not known'}"
            f"{', with changes that no commit has' if git.get('dirty') else ''}."
        )
        root["datePublished"] = self.contents.published or str(told.get("made", ""))[:10]
        root["license"] = self._context(
            "#licence",
            "CreativeWork",
            name="Apache-2.0, and each crate's own licence for what was taken from it",
            description="The workflow and what it generates by itself are under Apache-2.0. A row from a crate is under"
            " the licence that the row names; the cards of the data sets count them.",
        )
        if self.agent:
            root["author"] = root["publisher"] = self.agent
        root["conformsTo"] = [
            self._context(key, "CreativeWork", name=name, version=version)
            for key, (name, version) in PROFILES.items()
        ]

    def _files(self) -> None:
        """Files that are there as parts of the crate; those that are gone by name alone."""
        main = self.contents.place(self.contents.sources[0])
        for place, path in self.contents.files().items():
            if place != main:
                facts = {"name": place, **file_facts(path)}
                if told := told_of(place):
                    facts["description"] = told
                self.data[place] = self.crate.add_file(str(path), dest_path=place, properties=facts)
        if README in self.data:
            self.data[README]["about"] = self.crate.root_dataset
        for place in self.contents.missing():
            self.data[place] = self._context(
                f"#gone/{place}", "CreativeWork", name=place, description="no longer there"
            )
        for folder, told in FOLDERS.items():
            if (path := self.contents.root / folder).is_dir():
                self.crate.add_dataset(
                    str(path), f"{folder}/", properties={"name": folder, "description": told}
                )

    def _workflow(self) -> Entity:
        told = self.contents.provenance
        main = self.contents.place(self.contents.sources[0])
        path = self.contents.root / main
        version = (told.get("packages") or {}).get("snakemake")
        workflow = self.crate.add_workflow(
            str(path), main, main=True, lang="snakemake", lang_version=version,
            properties={
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "name": "Rust Expert",
                "description": "From real Rust crates to a measured Rust-expert language model",
                "conformsTo": {"@id": _WORKFLOW_PROFILE},
                "version": (told.get("git") or {}).get("commit") or "not known",
                "license": {"@id": "https://spdx.org/licenses/Apache-2.0"},
                **file_facts(path),
            },
        )  # fmt: skip
        places = [CONFIG, *map(self.contents.place, self.contents.inputs())]
        self.inputs = [place for place in places if place in self.data]
        self.outputs = [place for place in _OUTPUTS if place in self.data]
        workflow["input"] = _plain([self._parameter(place, "input") for place in self.inputs])
        workflow["output"] = _plain([self._parameter(place, "output") for place in self.outputs])
        return workflow

    def _parameter(self, place: str, kind: str) -> Entity:
        made = self.crate.add_formal_parameter(
            place, "File", identifier=f"#{kind}/{place}", valueRequired=True
        )
        made["workExample"] = self.data[place]
        self.data[place]["exampleOfWork"] = made
        return made

    def _rules(self, workflow: Entity) -> tuple[dict[str, Entity], dict[str, Entity]]:
        """Each rule as a step of the workflow and as the tool that it runs, in the order of the chain."""
        steps: dict[str, Entity] = {}
        tools: dict[str, Entity] = {}
        for job in self.contents.jobs:
            if job.rule in tools:
                continue
            tools[job.rule] = self._context(
                f"#rule/{job.rule}",
                "SoftwareApplication",
                name=job.rule,
                description=f"the rule {job.rule}: python -m scripts.{job.script}",
                softwareVersion=job.made.code,
                softwareRequirements=self._compiler(job.made.compiler),
            )
            steps[job.rule] = self._context(
                f"#step/{job.rule}",
                "HowToStep",
                name=job.rule,
                position=str(len(tools)),
                workExample=tools[job.rule],
            )
        workflow["hasPart"] = _plain(list(tools.values()))
        workflow["step"] = _plain(list(steps.values()))
        return steps, tools

    def _compiler(self, told: str | None) -> Entity | None:
        if told is None:
            return None
        return self.crate.dereference("#rustc") or self._context(
            "#rustc",
            "SoftwareApplication",
            name="rustc",
            softwareVersion=told,
            url="https://www.rust-lang.org/",
        )

    def _run(self, workflow: Entity) -> Entity:
        return self._acted(
            "#run",
            "CreateAction",
            "The run",
            "All jobs whose results stand, whichever invocations of Snakemake ran them",
            self.contents.jobs,
            instrument=workflow,
            object=[self.data[place] for place in self.inputs],
            result=[self.data[place] for place in self.outputs],
        )

    def _action(self, job: Job, tool: Entity, step: Entity) -> tuple[Entity, Entity]:
        """A job, and what started it."""
        place = self.contents.place
        told = f"python -m scripts.{job.script}, code {job.made.code}"
        action = self._acted(
            f"#job/{job.name}",
            "CreateAction",
            job.name,
            told,
            [job],
            instrument=tool,
            object=[self.data[place(path)] for path in job.made.inputs] + self._options(job),
            result=[self.data[place(path)] for path in job.outputs],
            resourceUsage=self._costs(job),
        )
        control = self._context(
            f"#control/{job.name}",
            "ControlAction",
            name=f"Snakemake starts {job.name}",
            instrument=step,
            object=action,
            actionStatus=_COMPLETED,
        )
        return action, control

    def _options(self, job: Job) -> list[Entity]:
        """The options of a job, once for each choice of words."""
        found = []
        for words in job.made.options:
            key = f"#options/{job.rule}/{_short(words)}"
            found.append(
                self.crate.dereference(key)
                or self._context(key, "PropertyValue", name=f"options of {job.rule}", value=words)
            )
        return found

    def _costs(self, job: Job) -> list[Entity]:
        told: Mapping[str, Any] = (self.contents.provenance.get("jobs") or {}).get(job.name) or {}
        found = []
        for key, (name, unit) in COSTS.items():
            if isinstance(told.get(key), int | float):
                facts = {"propertyID": key, "name": name, "unitCode": unit, "value": str(told[key])}
                found.append(self._context(f"#cost/{job.name}/{key}", "PropertyValue", **facts))
        return found

    def _organised(self, run: Entity, controls: list[Entity]) -> Entity:
        version = (self.contents.provenance.get("packages") or {}).get("snakemake")
        engine = self._context(
            _ENGINE, "SoftwareApplication", name="Snakemake", softwareVersion=version, url=_ENGINE
        )
        return self._acted(
            "#organised",
            "OrganizeAction",
            "Snakemake runs the workflow",
            "The workflow engine at work",
            self.contents.jobs,
            instrument=engine,
            object=controls,
            result=run,
        )

    def _acted(self, key: str, kind: str, name: str, told: str, jobs: Sequence[Job], **facts: Any) -> Entity:
        begun = [job.started for job in jobs if job.started is not None]
        ended = [job.ended for job in jobs if job.ended is not None]
        return self._context(
            key,
            kind,
            name=name,
            description=told,
            startTime=_time(min(begun)) if begun else None,
            endTime=_time(max(ended)) if ended else None,
            actionStatus=_COMPLETED,
            agent=self.agent,
            **facts,
        )


def _plain(value: Any) -> Any:
    """A list of one is written as its one value, as RO-Crate 1.1 recommends."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def _short(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:12]
