"""Where the figures come from: for each of the headline's the file, rule, code, configuration and seed behind it."""

from collections.abc import Iterator, Mapping
from typing import Any

from rust_expert.common.errors import UserError
from rust_expert.report.findings import Finding
from rust_expert.report.html import Child, Html, el
from rust_expert.report.lineage import files_of
from rust_expert.report.page.parts import card, code_word, section, table
from rust_expert.report.summary import Summary, metric_name
from rust_expert.report.wording import count, listed, percent, plural, points

Files = Mapping[str, Mapping[str, Any]]


def lineage_section(summary: Summary, finding: Finding, provenance: Mapping[str, Any]) -> Html | None:
    """The way back of each figure in the headline, and the rules on it; None where no lineage was recorded."""
    figures, files = provenance.get("figures"), provenance.get("files")
    if not isinstance(figures, dict) or not isinstance(files, dict):
        return None
    known = [
        (claim, path, found)
        for claim, path in _claims(summary, finding)
        if (found := _counted_from(path, figures))
    ]
    if not known:
        return None
    reached = _behind([name for _, _, found in known for name in found], files)
    return section(
        "lineage",
        "Where the figures come from",
        "Every file on the way from crates to figures is recorded with its hash, the rule that made it, and that rule's"
        " code, configuration and seed.",
        el("dl", (_way_back(*one, files) for one in known), cls="notes"),
        card(
            "Rules on the way",
            table(
                ["rule", "files", "code", "configuration", "seed"],
                _rules(reached, files),
                frozenset({1}),
                "Rules on the way",
            ),
            note=[
                "The whole way back of any figure, file by file: ",
                code_word(f"python -m scripts.trace {known[0][1]}"),
                " where the workflow is; without a name it lists all figures.",
            ],
        ),
    )


def _claims(summary: Summary, finding: Finding) -> Iterator[tuple[str, str]]:
    """What the headline claims, and the path of each figure in metrics.json."""
    suite, metric = finding.suite, summary.metric
    for stage in dict.fromkeys([finding.stage, finding.base]):
        score = summary.scores(suite).get(stage)
        one = score.estimate(metric) if score else None
        if one is not None:
            claim = f"{stage} solves {percent(one.value)} ({metric_name(metric)})"
            yield claim, f"stages.{stage}.suites.{suite}.{metric}.value"
    paired = summary.compared(finding.stage, finding.base, suite, metric)
    if paired is not None:
        claim = f"{finding.stage} against {finding.base}: {points(paired.difference)} points"
        yield claim, f"comparisons.{finding.stage}.{finding.base}.{suite}.{metric}.difference"


def _counted_from(path: str, figures: Mapping[str, Any]) -> list[str]:
    try:
        return list(files_of(path, figures))
    except UserError:
        return []


def _way_back(claim: str, path: str, found: list[str], files: Files) -> Html:
    told: list[Child] = [code_word(path), " is counted from "]
    for number, name in enumerate(found):
        digest = str((files.get(name) or {}).get("sha256") or "")[:12]
        told += [" and " if number else "", code_word(name), f" (sha256 {digest or 'not known'})"]
    made = files.get(found[0]) or {}
    told += [", made by the rule ", code_word(str(made.get("rule"))), f", code {made.get('code')}"]
    if keys := made.get("config"):
        told += [", configuration ", code_word(listed(keys))]
    if seeds := made.get("seeds"):
        told.append(f", seed {listed(map(str, seeds))}")
    behind = _behind(found, files)
    told.append(f". Behind it: {plural(len(behind) - len(found), 'file')}, all of them in provenance.json.")
    return el("div", el("dt", claim), el("dd", *told))


def _behind(names: list[str], files: Files) -> dict[str, None]:
    """The files and all that they come from, nearest first."""
    reached: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in reached:
            reached[name] = None
            waiting += (files.get(name) or {}).get("inputs") or []
    return reached


def _rules(reached: Mapping[str, None], files: Files) -> Iterator[list[Child]]:
    """A row for each rule, those nearest to the figures first; last what no rule made."""
    by_rule: dict[str, list[str]] = {}
    for name in reached:
        by_rule.setdefault(str((files.get(name) or {}).get("rule") or ""), []).append(name)
    for rule, names in sorted(by_rule.items(), key=lambda one: one[0] == ""):
        made = [files.get(name) or {} for name in names]
        codes = sorted({str(one["code"]) for one in made if one.get("code")})
        keys = sorted({key for one in made for key in one.get("config") or ()})
        seeds = sorted({seed for one in made for seed in one.get("seeds") or ()})
        yield [
            rule or "not made here",
            count(len(names)),
            [code_word(one) for one in codes] or "–",
            ", ".join(keys) if rule else ", ".join(names[:3]) + (" …" if len(names) > 3 else ""),
            ", ".join(map(str, seeds)) or "–",
        ]
