"""No problem is in the training data: what was compared with which suite, what was found and removed."""

from rust_expert.report.charts import columns
from rust_expert.report.html import Html, el
from rust_expert.report.journey import Decontamination, HeldOut, Similarity, SuiteDecontamination
from rust_expert.report.page.parts import card, folded, table
from rust_expert.report.wording import count, decimal, listed, plural


def decontamination_card(checks: Decontamination) -> Html:
    """Whether a problem is in the training data: the check of each suite, those with the most to tell first."""
    shared = any(suite.combinations and suite.combinations.shared for suite in checks.suites.values())
    title = (
        "Held-out combinations occur in the training data" if shared else "No problem is in the training data"
    )
    ranked = sorted(checks.suites.items(), key=lambda item: (item[1].combinations is None, item[0]))
    return card(
        title,
        el("div", [_suite(name, suite) for name, suite in ranked], cls="pair"),
        note=f"{plural(checks.rows_checked, 'row')} were compared with every problem: same solution whatever its names,"
        f" same question, or a run of {checks.gram_words or 'several'} words in common. {plural(checks.removed, 'row')}"
        " that gave a problem away were removed before training. A combination is family × types × operation; those of"
        " a suite are never generated for training.",
    )


def _suite(name: str, suite: SuiteDecontamination) -> Html:
    reasons = listed(f"{reason} ({count(number)})" for reason, number in suite.removed_by_reason.items())
    return el(
        "div",
        el("h4", name, el("span", f" {plural(suite.problems, 'problem')}", cls="quiet")),
        _proof(suite.combinations) if suite.combinations else None,
        el(
            "p",
            f"{plural(len(suite.removed), 'row')} of {count(suite.rows_checked)} removed",
            f": {reasons}." if reasons else ".",
        ),
        _likeness(suite.similarity) if suite.similarity else None,
        _matches(suite),
        cls="suite",
    )


def _proof(held: HeldOut) -> Html:
    tone, mark = ("tone-down", "✗ ") if held.shared else ("tone-up", "✓ ")
    return el(
        "p",
        el("b", mark, cls=tone),
        f"{plural(held.suite, 'combination')} in the suite, {count(held.trained)} in the training data, ",
        el("b", f"{count(len(held.shared))} in both", cls=tone),
        f": {listed(held.shared[:5])}." if held.shared else ".",
    )


def _likeness(found: Similarity) -> Html | None:
    if not found.tenths:
        return None
    title = "Problems by likeness to the nearest training solution"
    return el(
        "div",
        el("h4", title, cls="small"),
        columns(title, sorted(found.tenths.items()), "status-no_code"),
        el(
            "p",
            "0 is nothing in common, 1 the same code up to names (Jaccard of token runs);"
            f" mean {decimal(found.mean, 2)}, largest {decimal(found.maximum, 2)}.",
            cls="quiet small",
        ),
    )


def _matches(suite: SuiteDecontamination) -> Html | None:
    if not suite.removed:
        return None
    rows = [
        [str(one.get("problem", "")), str(one.get("reason", "")), str(one.get("source") or "–"),
         el("code", str(one.get("matched", ""))[:90])]
        for one in suite.removed[:12]
    ]  # fmt: skip
    shown = (
        f"The first {len(rows)} of {count(len(suite.removed))}"
        if len(suite.removed) > len(rows)
        else "All of them"
    )
    return folded(shown, table(["problem", "reason", "row of", "match"], rows, caption="Rows removed"))
