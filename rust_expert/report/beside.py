"""The files that a run leaves beside its report, and what is in each."""

from pathlib import PurePosixPath

_TOLD = {
    "metrics.json": "all figures, without anything that changes from run to run",
    "headline.json": "the few figures that experiments are compared by",
    "provenance.json": "versions, machine, configuration, what every job cost, the way back from each figure",
    "report.html": "findings, plots, answers side by side and the data, in one page",
    "bom.cdx.json": "the bill of materials (CycloneDX): models, data, crates, packages",
    "cards/model.md": "the card of the run's stages",
    "cards/checklist.md": "the NeurIPS checklist's questions on reproducibility, answered from these files",
    "plots/rates.csv": "the figures behind the score plots",
    "plots/training.csv": "the losses of every logged step",
    "funnel.json": "rows in and out of every step of cleaning",
    "decontamination.json": "every row that was removed because it gave a problem away",
    "README.md": "the card of a data set: counts, licences, hashes, limits",
    "croissant.json": "the same for machines (Croissant)",
    "ro-crate-metadata.json": "which job made each file, for machines (a Provenance Run Crate)",
    "workflow/config.json": "the effective configuration",
}

_OF_THE_RUN = (
    "metrics.json", "headline.json", "report.html", "provenance.json", "bom.cdx.json", "cards/model.md",
    "cards/checklist.md", "ro-crate-metadata.json", "workflow/config.json",
)  # fmt: skip
"""Those that every run leaves once."""


def readme() -> str:
    """A page for who meets the results folder without the workflow around it."""
    lines = [f"- `{place}`: {told}\n" for place, told in _TOLD.items() if place in _OF_THE_RUN]
    return (
        "# Results of a run of Rust Expert\n\nStart with `report.html`. This folder is an RO-Crate:\n"
        "`rocrate-validator validate . --profile-identifier provenance-run-crate` (from the Python package\n"
        "roc-validator) checks it.\n\n" + "".join(lines)
    )


def told_of(place: str) -> str:
    """What is in a file, by its place below the results; empty where its name says enough."""
    return _TOLD.get(place) or _TOLD.get(PurePosixPath(place).name, "")
