"""The way back from a figure: file, rule, inputs with their hashes, code, configuration, seeds.

  python -m scripts.trace stages.phase2.suites.curriculum.pass_at_1.value

Reads results/provenance.json; files that were changed since it was written are marked.
"""

from pathlib import Path
from typing import Any

from rust_expert.common.cli import parser, run
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file
from rust_expert.report.lineage import files_of, leaves, way_back


def main() -> None:
    """Read, print; all figures by name where none is asked for."""
    told = parser(__doc__)
    told.add_argument("figure", nargs="?", help="its path in metrics.json; without it all are listed")
    told.add_argument("--metrics", default="results/metrics.json", metavar="JSON")
    told.add_argument("--provenance", default="results/provenance.json", metavar="JSON")
    arguments = told.parse_args()
    values = dict(leaves(_mapping(arguments.metrics)))
    if arguments.figure is None:
        print("\n".join(f"{path} = {value}" for path, value in values.items()))
        return
    provenance = _mapping(arguments.provenance)
    if "files" not in provenance:
        raise UserError(f"{arguments.provenance} has no lineage; make it again")
    for path, value in values.items():
        if path == arguments.figure:
            print(f"{path} = {value}")
    files = provenance["files"]
    now = {name: sha256_file(name) if Path(name).is_file() else None for name in files}
    for name in files_of(arguments.figure, provenance["figures"]):
        print("\n".join(way_back(name, files, now)))


def _mapping(path: str) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise UserError(f"{path} must be a JSON mapping")
    return value


if __name__ == "__main__":
    run(main)
