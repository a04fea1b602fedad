"""What became of every answer: verdicts by stage, the compiler errors that remain, clippy's warnings, style, length."""

from rust_expert.common.contracts import Verdict
from rust_expert.report.charts import Part, legend, stacked_rows
from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.measures import length_card, style_cards
from rust_expert.report.page.parts import card, folded, section, table
from rust_expert.report.summary import Summary
from rust_expert.report.wording import count, percent

OUTCOMES = {
    "passed": "passed all tests",
    "failed": "failed a test",
    "unfit": "does not fit the tests",
    "compile_error": "does not compile",
    "timeout": "ran too long",
    "resource_limit": "hit a limit",
    "policy_violation": "broke the policy",
    "no_code": "no code found",
    "judge_error": "fault of the judge",
}
"""What an answer can come to, in the order in which it is drawn: the judge's statuses, and `unfit` for code that
compiles, though not with the tests (another name or type)."""

ERRORS = {
    "E0004": "cases left out of a match",
    "E0005": "pattern may not match",
    "E0015": "not callable in a constant",
    "E0023": "wrong number of fields in a pattern",
    "E0026": "no such field in a pattern",
    "E0027": "pattern leaves fields out",
    "E0046": "items of the trait missing",
    "E0050": "parameters differ from the trait's",
    "E0053": "types differ from the trait's",
    "E0061": "wrong number of arguments",
    "E0106": "missing lifetime",
    "E0107": "wrong number of generic arguments",
    "E0133": "unsafe call outside unsafe",
    "E0220": "unknown associated type",
    "E0252": "name imported twice",
    "E0255": "name is also imported",
    "E0261": "undeclared lifetime",
    "E0263": "lifetime declared twice",
    "E0267": "break outside a loop",
    "E0268": "break outside a loop",
    "E0271": "associated type differs",
    "E0277": "trait not implemented",
    "E0282": "type annotations needed",
    "E0283": "type annotations needed",
    "E0308": "mismatched types",
    "E0309": "type may not live long enough",
    "E0310": "type may not live long enough",
    "E0317": "if without else",
    "E0369": "operator not defined for the type",
    "E0373": "closure may outlive what it borrows",
    "E0381": "used before it is set",
    "E0382": "used after a move",
    "E0384": "assigned twice, not mutable",
    "E0392": "unused type parameter",
    "E0403": "generic parameter named twice",
    "E0404": "not a trait",
    "E0405": "unknown trait",
    "E0407": "method is not in the trait",
    "E0412": "unknown type",
    "E0415": "parameter named twice",
    "E0416": "name bound twice in a pattern",
    "E0422": "unknown struct",
    "E0423": "not a value",
    "E0424": "self without a receiver",
    "E0425": "unknown name",
    "E0426": "unknown label",
    "E0427": "unknown label",
    "E0428": "defined twice",
    "E0432": "unresolved import",
    "E0433": "unresolved path",
    "E0434": "function captures a variable",
    "E0437": "type is not in the trait",
    "E0438": "constant is not in the trait",
    "E0499": "borrowed mutably twice",
    "E0502": "borrowed mutably and shared",
    "E0503": "used while borrowed",
    "E0505": "moved while borrowed",
    "E0506": "assigned while borrowed",
    "E0507": "moved out of a borrow",
    "E0508": "moved out of an array",
    "E0509": "moved out of a type with Drop",
    "E0515": "returns a reference to a local",
    "E0521": "borrow escapes",
    "E0530": "pattern shadows a constant",
    "E0531": "unknown pattern",
    "E0532": "not a pattern",
    "E0559": "unknown field of a variant",
    "E0560": "unknown field",
    "E0571": "break with a value",
    "E0573": "not a type",
    "E0574": "not a struct",
    "E0594": "assigned, not mutable",
    "E0596": "not borrowed as mutable",
    "E0597": "does not live long enough",
    "E0599": "no such method or item",
    "E0600": "operator not defined for the type",
    "E0601": "no main",
    "E0603": "private item",
    "E0604": "cast to char from something else",
    "E0605": "cast that does not exist",
    "E0606": "cast that does not exist",
    "E0607": "cast between thin and wide pointer",
    "E0608": "cannot be indexed",
    "E0609": "no such field",
    "E0610": "a primitive has no fields",
    "E0614": "cannot be dereferenced",
    "E0615": "method used as a field",
    "E0616": "private field",
    "E0618": "not a function",
    "E0620": "cast to an unsized type",
    "E0621": "lifetime not stated",
    "E0624": "private method",
    "E0689": "method on a number of unknown type",
    "E0716": "temporary dropped too early",
    "E0728": "await outside async",
}
"""What the common error codes of rustc are about, in a few words of our own."""


def error_told(code: str) -> str:
    """A code with its meaning where it is known."""
    return ERRORS.get(code, "")


def verdicts_section(summary: Summary, main: str) -> Html:
    """Stacked bars of statuses for each suite, then the errors, lints, style and lengths of the main one."""
    suites = [main, *(suite for suite in summary.suites() if suite != main)]
    return section(
        "verdicts",
        "What became of every answer",
        "Each answer is compiled, tested and linted inside a sandbox. The bars show all of them, in per cent.",
        [_bars(summary, suite) for suite in suites],
        el("div", _errors(summary, main), _lints(summary, main), cls="pair uneven"),
        style_cards(summary, main),
        length_card(summary, main),
    )


def _bars(summary: Summary, suite: str) -> Html:
    scores = summary.scores(suite)
    seen = [status for status in OUTCOMES if any(score.outcomes.get(status) for score in scores.values())]
    rows = [
        (name, [Part(OUTCOMES[status], score.outcomes.get(status, 0), f"status-{status}") for status in seen])
        for name, score in scores.items()
    ]
    figures = table(
        ["stage", *(OUTCOMES[status] for status in seen)],
        [
            [name, *(count(score.outcomes.get(status, 0)) for status in seen)]
            for name, score in scores.items()
        ],
        frozenset(range(1, len(seen) + 1)),
        f"Verdicts on {suite}",
    )
    return card(
        ["Verdicts", el("span", f" {suite}, number of answers at the right", cls="quiet")],
        legend([(OUTCOMES[status], f"status-{status}") for status in seen]),
        stacked_rows(rows),
        folded("The numbers", figures),
    )


def _errors(summary: Summary, suite: str) -> Html | None:
    scores = summary.scores(suite)
    totals: dict[str, int] = {}
    for score in scores.values():
        for code, number in score.error_codes.items():
            totals[code] = totals.get(code, 0) + number
    if not totals:
        return None
    top = sorted(totals, key=lambda code: (-totals[code], code))[:10]
    peak = max(score.error_codes.get(code, 0) for code in top for score in scores.values())
    rows: list[list[Child]] = []
    for code in top:
        cells = [_heat(score.error_codes.get(code, 0), peak) for score in scores.values()]
        name = [code, el("small", f" {error_told(code)}")] if code.startswith("E") else [code or "syntax"]
        rows.append([name, *cells])
    return card(
        "Compiler errors that remain",
        table(["error", *scores], rows, frozenset(range(1, len(scores) + 1)), "Compiler errors by stage"),
        note=f"Answers with that error, of {count(next(iter(scores.values())).samples)} per stage on {suite}; an answer"
        " can have several.",
    )


def _heat(number: int, peak: int) -> Html:
    """A figure on a ground that is the deeper the larger it is, in five steps."""
    level = 0 if number == 0 else 1 + min(4, int(5 * (number / peak) ** 0.5 - 1e-9))
    return el("span", count(number), cls=f"heat heat-{level}")


def _lints(summary: Summary, suite: str) -> Html | None:
    scores = summary.scores(suite)
    groups = sorted({group for score in scores.values() for group in score.lints})
    rows: list[list[Child]] = [
        [name, *(f"{100 * score.lints.get(group, 0) / max(score.samples, 1):.1f}" for group in groups)]
        for name, score in scores.items()
    ]
    if not groups:
        return None
    return card(
        "Clippy",
        table(["stage", *groups], rows, frozenset(range(1, len(groups) + 1)), "Clippy warnings by stage"),
        note=f"Warnings per 100 answers on {suite}, by clippy's group; only code that compiles is linted.",
    )


def outcome_of(verdict: Verdict) -> str:
    """What one answer came to, of OUTCOMES."""
    return "unfit" if verdict.status == "compile_error" and verdict.compiled else verdict.status


def outcome_badge(verdict: Verdict) -> Html:
    """A verdict as a small coloured label."""
    outcome = outcome_of(verdict)
    return el("span", OUTCOMES.get(outcome, outcome), cls=f"badge status-{outcome}")


def share_of(number: int, whole: int) -> str:
    """A share in per cent of a whole that may be zero."""
    return percent(number / whole) if whole else "–"
