"""Quality gates: which crates are good enough to learn from, and the figure that kept each of the others out."""

from pydantic import BaseModel, ConfigDict

from rust_expert.common.config.corpus import GateOptions
from rust_expert.common.errors import UserError
from rust_expert.crates.licences import is_allowed
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.rust_text import Measures, library_files, measure


class Rejection(BaseModel):
    """A crate that a gate keeps out: which gate, why in words, and the figure that decided (None: no figure)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    gate: str
    reason: str
    figure: float | None = None


def audit(crate: CrateSource, options: GateOptions) -> Rejection | None:
    """The first gate that keeps a crate out; None for one that passes all. A crate that failed to be fetched is out."""
    if crate.status != "ok":
        return _out(crate, "fetch", crate.reason)
    return _licence(crate, options) or _edition(crate, options) or _text(crate, options)


def measures_of(crate: CrateSource) -> Measures:
    """The figures of all library files of a crate; bytes that are no UTF-8 are passed over."""
    total = Measures()
    for path in library_files(crate.root):
        total += measure(path.read_text(encoding="utf-8", errors="replace"))
    return total


def _licence(crate: CrateSource, options: GateOptions) -> Rejection | None:
    if options.licences is None:
        return None
    if not crate.license:
        return _out(crate, "licence", "states no licence")
    try:
        if is_allowed(crate.license, options.licences):
            return None
    except UserError as error:
        return _out(crate, "licence", str(error))
    return _out(crate, "licence", f"{crate.license} cannot be satisfied with the licences allowed")


def _edition(crate: CrateSource, options: GateOptions) -> Rejection | None:
    if options.minimum_edition is None or int(crate.edition) >= options.minimum_edition:
        return None
    reason = f"edition {crate.edition} is older than {options.minimum_edition}"
    return _out(crate, "edition", reason, float(crate.edition))


def _text(crate: CrateSource, options: GateOptions) -> Rejection | None:
    figures = measures_of(crate)
    if not figures.code_lines:
        return _out(crate, "source", "holds no Rust code")
    limit = options.maximum_longest_line
    if limit is not None and figures.longest_line > limit:
        return _out(crate, "longest_line", f"a line is longer than {limit} characters", figures.longest_line)
    average = figures.characters / figures.full_lines
    if options.maximum_average_line is not None and average > options.maximum_average_line:
        reason = f"its lines are longer than {options.maximum_average_line:g} characters on average"
        return _out(crate, "average_line", reason, average)
    per_thousand = 1000 * figures.unsafe_uses / figures.code_lines
    if options.maximum_unsafe is not None and per_thousand > options.maximum_unsafe:
        reason = f"more than {options.maximum_unsafe:g} uses of unsafe per 1,000 lines"
        return _out(crate, "unsafe", reason, per_thousand)
    # Nothing public, nothing undocumented.
    documented = figures.documented_items / figures.public_items if figures.public_items else 1.0
    if options.minimum_documented is not None and documented < options.minimum_documented:
        reason = f"less than {options.minimum_documented:g} of its public items have a doc comment"
        return _out(crate, "documented", reason, documented)
    return None


def _out(crate: CrateSource, gate: str, reason: str, figure: float | None = None) -> Rejection:
    rounded = None if figure is None else round(figure, 4)
    return Rejection(name=crate.name, version=crate.version, gate=gate, reason=reason, figure=rounded)
