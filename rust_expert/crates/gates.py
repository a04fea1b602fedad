"""Quality gates: which crates are good enough to learn from, and the figure that kept each of the others out."""

import re

from pydantic import BaseModel, ConfigDict

from rust_expert.common.config.corpus import GateOptions
from rust_expert.common.crate_files import CrateFiles
from rust_expert.common.errors import UserError
from rust_expert.crates.licences import is_allowed
from rust_expert.crates.manifest import CrateSource
from rust_expert.crates.package import PackageFault, read_package
from rust_expert.crates.rust_text import Measures, is_conditional, measures_of

_PLATFORM_WORDS = (b"os::", b"default-target", b"targets")
_ONE_SYSTEM = re.compile(r"os::(?!embedded).*-apis")


class Rejection(BaseModel):
    """A crate that a gate keeps out: which gate, why in words, and the figure that decided (None: no figure)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    gate: str
    reason: str
    figure: float | None = None


def audit_manifest(crate: CrateSource, options: GateOptions) -> Rejection | None:
    """The first gate that keeps a crate out for what it says about itself, before its sources are read."""
    if crate.status != "ok":
        return _out(crate, "fetch", crate.reason)
    return (
        _licence(crate, options)
        or _edition(crate, options)
        or _advisories(crate)
        or _outdated(crate, options)
        or _stated_platform(crate, options)
    )


def audit_sources(crate: CrateSource, options: GateOptions, sources: CrateFiles) -> Rejection | None:
    """The first gate that keeps a crate out for what is in its files."""
    return _conditional_root(crate, options, sources) or _figures(crate, options, sources)


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


def _stated_platform(crate: CrateSource, options: GateOptions) -> Rejection | None:
    """Whether the manifest says that the crate is for one platform."""
    if options.maximum_platform is None or not _may_name_platforms(crate):
        return None
    try:
        package = read_package(crate.root)
    except PackageFault as fault:
        return _out(crate, "manifest", str(fault))
    named = [name for name in package.categories if _ONE_SYSTEM.fullmatch(name)]
    if named:
        return _out(crate, "platform", f"its category {named[0]} says that it is for one platform")
    if package.targets and not any("linux" in target for target in package.targets):
        return _out(crate, "platform", f"its documentation is made for {package.targets[0]}, not for Linux")
    return None


def _advisories(crate: CrateSource) -> Rejection | None:
    if not crate.advisories:
        return None
    more = f", and {len(crate.advisories) - 1} more" if len(crate.advisories) > 1 else ""
    reason = f"known vulnerability {crate.advisories[0]}{more}"
    return _out(crate, "advisories", reason, float(len(crate.advisories)))


def _outdated(crate: CrateSource, options: GateOptions) -> Rejection | None:
    limit = options.maximum_outdated
    if limit is None or crate.outdated is None or crate.outdated <= limit:
        return None
    reason = f"more than {limit:g} of its direct dependencies have a newer version that it does not accept"
    return _out(crate, "outdated", reason, crate.outdated)


def _may_name_platforms(crate: CrateSource) -> bool:
    """Whether a word of the manifest gives reason to read it as TOML, which may take longer than all the other gates.

    That it can be read was seen when the crate was fetched.
    """
    try:
        text = (crate.root / "Cargo.toml").read_bytes()
    except OSError:
        return True
    return any(word in text for word in _PLATFORM_WORDS)


def _conditional_root(crate: CrateSource, options: GateOptions, sources: CrateFiles) -> Rejection | None:
    """Whether the head of the library says that the crate is for one platform."""
    if options.maximum_platform is None:
        return None
    if any(file.name == "src/lib.rs" and is_conditional(file) for file in sources.files):
        return _out(crate, "platform", "all of its library is under a condition on the platform")
    return None


def _figures(crate: CrateSource, options: GateOptions, sources: CrateFiles) -> Rejection | None:
    """The gates on figures of the sources."""
    figures = measures_of(sources.files)
    if not figures.code_lines:
        return _out(crate, "source", "holds no Rust code")
    for gate, figure, limit, reason in _upper_limits(figures, options):
        if limit is not None and figure > limit:
            return _out(crate, gate, reason.format(limit), figure)
    for gate, figure, limit, reason in _lower_limits(figures, options):
        if limit is not None and figure < limit:
            return _out(crate, gate, reason.format(limit), figure)
    return None


_Limit = tuple[str, float, float | None, str]
"""A gate, the figure of the crate, the limit (None: switched off), and the reason with a place for the limit."""


def _upper_limits(figures: Measures, options: GateOptions) -> list[_Limit]:
    thousands = figures.code_lines / 1000
    return [
        ("longest_line", figures.longest_line, options.maximum_longest_line,
         "a line is longer than {:g} characters"),
        ("average_line", figures.characters / figures.full_lines, options.maximum_average_line,
         "its lines are longer than {:g} characters on average"),
        ("unsafe", figures.unsafe_uses / thousands, options.maximum_unsafe,
         "more than {:g} uses of unsafe per 1,000 lines"),
        ("platform", figures.platform_uses / thousands, options.maximum_platform,
         "more than {:g} uses of one platform per 1,000 lines"),
    ]  # fmt: skip


def _lower_limits(figures: Measures, options: GateOptions) -> list[_Limit]:
    # Nothing public, nothing undocumented.
    documented = figures.documented_items / figures.public_items if figures.public_items else 1.0
    return [
        ("letters", figures.letters / figures.signs, options.minimum_letters,
         "less than {:g} of its characters are letters"),
        ("documented", documented, options.minimum_documented,
         "less than {:g} of its public items have a doc comment"),
    ]  # fmt: skip


def _out(crate: CrateSource, gate: str, reason: str, figure: float | None = None) -> Rejection:
    rounded = None if figure is None else round(figure, 4)
    return Rejection(name=crate.name, version=crate.version, gate=gate, reason=reason, figure=rounded)
