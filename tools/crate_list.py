"""Makes the pinned table of crates of a large profile: config/crates-h100.tsv from the names in config/crates-h100.txt.

python -m tools.crate_list              writes it; `--profile FILE` for another profile's table and gates

The names and all that they depend on are resolved once, by the cargo client, which also checks each archive. In the
table come: the crates named, and of the others those that pass the profile's gates and are neither small nor
procedural macros. A crate named stays even where a gate keeps it out: gates belong to a profile and may change.
Nothing of a crate is built or run.
"""

import collections
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rust_expert.common import cli
from rust_expert.common.config.corpus import CorpusOptions, GateOptions
from rust_expert.common.crate_files import read_crate
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_text
from rust_expert.common.progress import Progress
from rust_expert.crates.archive import ArchiveFault
from rust_expert.crates.cargo import NotInRegistry
from rust_expert.crates.fetch import package_of
from rust_expert.crates.gates import audit_manifest, audit_sources
from rust_expert.crates.licences import is_allowed
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.package import PackageFault
from rust_expert.crates.resolve import kept, resolved
from rust_expert.crates.rust_text import measures_of
from rust_expert.crates.table import COLUMNS, CratePin

ROOT = Path(__file__).resolve().parent.parent
SMALLEST = 300
"""Lines of code of a crate that is worth a row, and that nobody named."""

HEAD = """# Pinned crates, one a row, tabs between: made by `python -m tools.crate_list` from {names}; do not edit.
"""

log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """The rows of the table, and how many crates each reason left out; `gates` counts named crates that stay."""

    pins: list[CratePin] = field(default_factory=list)
    left_out: collections.Counter[str] = field(default_factory=collections.Counter)
    gates: collections.Counter[str] = field(default_factory=collections.Counter)


def names_in(path: Path) -> tuple[list[str], list[str]]:
    """The names in a list, and the patterns of names that stay out (each after `!`); `#` begins a comment.

    Raises UserError where there is no name.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a list of crates") from None
    words = [word for line in lines for word in line.partition("#")[0].split()]
    names = [word for word in words if not word.startswith("!")]
    if not names:
        raise UserError(f"{path}: names no crate; write one or more")
    return names, [word[1:] for word in words if word.startswith("!")]


def choose(pins: list[CratePin], named: set[str], gates: GateOptions) -> Outcome:
    """What of the resolved crates goes into the table, with its licence."""
    outcome = Outcome()
    with Progress(len(pins), "crates") as progress:
        for pin in pins:
            reason, licence = _reason_against(pin, pin.name in named, gates, outcome)
            if reason:
                outcome.left_out[reason] += 1
                log.debug("%s %s: %s", pin.name, pin.version, reason)
            else:
                outcome.pins.append(pin.model_copy(update={"licence": licence}))
            progress.advance()
    return outcome


def _reason_against(pin: CratePin, is_named: bool, gates: GateOptions, outcome: Outcome) -> tuple[str, str]:
    """Why a crate stays out of the table, and its licence."""
    try:
        package = package_of(pin)
    except (ArchiveFault, PackageFault, NotInRegistry) as fault:
        log.warning("%s %s: %s", pin.name, pin.version, fault)
        return "cannot be used", ""
    if not package.licence or not is_allowed(package.licence, gates.licences or []):
        return "licence", ""
    crate = CrateSource(
        name=pin.name,
        version=pin.version,
        sha256=pin.sha256,
        license=package.licence,
        edition=package.edition,
    )
    sources = read_crate(crate.root)
    rejection = audit_manifest(crate, gates) or audit_sources(crate, gates, sources)
    if is_named:
        outcome.gates[rejection.gate if rejection else "passed"] += 1
        return "", package.licence
    if package.is_macro:
        return "procedural macro", ""
    if rejection is not None:
        return f"gate {rejection.gate}", ""
    if measures_of(sources.files).code_lines < SMALLEST:
        return "small", ""
    return "", package.licence


def table_text(pins: list[CratePin], names: str) -> str:
    """The table, sorted by name."""
    rows = sorted((pin.name, pin.version, pin.sha256, pin.licence) for pin in pins)
    return HEAD.format(names=names) + "".join("\t".join(row) + "\n" for row in [COLUMNS, *rows])


def corpus_of(profile: Path) -> CorpusOptions:
    """The corpus section of a profile as it stands, defaults for the rest."""
    try:
        raw: Any = yaml.safe_load(profile.read_text(encoding="utf-8"))
        return CorpusOptions.model_validate(raw["corpus"])
    except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{profile}: no profile with a corpus section ({error})") from None


def main() -> None:
    """Resolve, choose, write, and say what was left out."""
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--profile",
        default="config/h100.yaml",
        help="whose corpus.table is written, whose corpus.gates count",
    )
    arguments = parser.parse_args()
    cli.set_up_log(arguments)
    corpus = corpus_of(ROOT / arguments.profile)
    table = ROOT / corpus.table
    listed = table.with_suffix(".txt")
    names, left_out = names_in(listed)
    place = listed.relative_to(ROOT).as_posix()
    pins = kept(resolved(names, place), left_out)
    outcome = choose(pins, set(names), corpus.gates)
    write_text(table, table_text(outcome.pins, place))
    print(f"{corpus.table}: {len(outcome.pins)} crates of {len(pins)} looked at, from {len(names)} names")
    for title, counts in (("left out", outcome.left_out), ("named", outcome.gates)):
        print(
            f"{title}: " + ", ".join(f"{reason} {count}" for reason, count in counts.most_common() if count)
        )


if __name__ == "__main__":
    cli.run(main)
