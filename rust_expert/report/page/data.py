"""The data: what was lost on the way, what the data sets are made of, and that no problem is in them."""

from collections.abc import Mapping, Sequence

from rust_expert.report.charts import Part, columns, legend, stacked_rows
from rust_expert.report.corpus import Corpus, Rejected
from rust_expert.report.html import Child, Html, el
from rust_expert.report.journey import (
    CleanFunnel,
    Decontamination,
    HeldOut,
    Mix,
    Similarity,
    Stop,
    SuiteDecontamination,
    cleaning_stops,
)
from rust_expert.report.page.parts import card, folded, section, table
from rust_expert.report.wording import MINUS, count, decimal, listed, percent, plural

SOURCES = {"crates": "from real crates", "curriculum": "from the curriculum"}
TYPES = {
    "curriculum": "curriculum: function with tests",
    "code_generation": "crates: write the code",
    "transformations": "crates: transform code",
    "error_fixing": "crates: mend an error",
    "explanations": "crates: explain",
}
"""What a training row asks for, in the order in which it is drawn."""


def data_section(
    corpus: Corpus | None, funnel: CleanFunnel | None, mixes: Sequence[Mix], checks: Decontamination | None
) -> Html | None:
    """Whichever of them the run left reports of."""
    content = [
        _journey(corpus or Corpus(), funnel) if corpus or funnel else None,
        _mixes(mixes) if mixes else None,
        _decontamination(checks) if checks else None,
    ]
    if not any(content):
        return None
    return section(
        "data",
        "Data",
        "Rows come from real crates and from a seeded curriculum whose every solution compiles and passes its tests.",
        *content,
    )


def _journey(corpus: Corpus, funnel: CleanFunnel | None) -> Html:
    return card(
        "From crates to shards: what was lost where",
        el(
            "div",
            _bars("Crates", corpus.crates, _rejected(corpus.rejected)) if corpus.crates else None,
            _bars("Items of these crates", corpus.items, _tasks(corpus)) if corpus.items else None,
            cls="pair",
        )
        if corpus.crates or corpus.items
        else None,
        _bars("Instruction samples, those of the curriculum included", cleaning_stops(funnel))
        if funnel
        else None,
        _split(funnel) if funnel else None,
    )


def _rejected(crates: Sequence[Rejected]) -> Html | None:
    rows = [[one.crate, one.gate.replace("_", " "), one.reason, decimal(one.figure, 2)] for one in crates]
    if not rows:
        return None
    heads = ["crate", "gate", "reason", "figure"]
    return folded("Crates left out", table(heads, rows, frozenset({3}), "Crates left out"))


def _tasks(corpus: Corpus) -> Html | None:
    rows: list[list[Child]] = [
        [
            name.replace("_", " "),
            count(told.candidates),
            count(told.kept),
            listed(f"{reason} ({count(number)})" for reason, number in _most(told.lost, 5)) or "–",
        ]
        for name, told in sorted(corpus.tasks.items())
    ]
    if not rows:
        return None
    heads = ["task", "candidates", "kept", "lost because"]
    return folded(
        f"{plural(corpus.samples, 'sample')} were made of them, by task",
        table(heads, rows, frozenset({1, 2}), "Samples by task"),
    )


def _bars(title: str, stops: Sequence[Stop], more: Html | None = None) -> Html:
    sources = [name for name in SOURCES if any(stop.left.get(name) for stop in stops)]
    sources += sorted({name for stop in stops for name in stop.left} - set(SOURCES))
    rows = [
        (
            stop.name,
            [Part(SOURCES.get(name, name), stop.left.get(name, 0), f"source-{name}") for name in sources],
        )
        for stop in stops
    ]
    details: list[Child] = [f"{MINUS}{count(stop.lost)}" if stop.lost else "" for stop in stops]
    most = max((sum(stop.left.values()) for stop in stops), default=0)
    reasons = [
        [stop.name, reason, count(number)]
        for stop in stops
        for reason, number in sorted(stop.reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    return el(
        "div",
        el("h4", title),
        legend([(SOURCES.get(name, name), f"source-{name}") for name in sources])
        if len(sources) > 1
        else None,
        stacked_rows(rows, shared=float(most or 1), details=details, shares=len(sources) > 1),
        folded("Reasons", table(["step", "reason", "lost"], reasons, frozenset({2}), "Reasons for losses"))
        if reasons
        else None,
        more,
        cls="journey",
    )


def _split(funnel: CleanFunnel) -> Html:
    left = funnel.rows_out
    parts = [f"{count(number)} {name}" for name, number in left.by_split.items()]
    kept = percent(left.rows / funnel.rows_in.rows) if funnel.rows_in.rows else "–"
    split = f", {listed(parts)}" if parts else ""
    return el("p", f"{plural(left.rows, 'row')} are left ({kept} of all){split}.", cls="quiet")


def _mixes(mixes: Sequence[Mix]) -> Html:
    rows: list[tuple[str, list[Part]]] = []
    for mix in mixes:
        types = {"curriculum": mix.train.curriculum_rows, **mix.train.task_types}
        rows.append(
            (mix.dataset, [Part(label, types.get(key, 0), f"type-{key}") for key, label in TYPES.items()])
        )
    used = [
        key for key, label in TYPES.items() if any(p.amount for _, ps in rows for p in ps if p.name == label)
    ]
    figures = [
        [
            mix.dataset,
            count(mix.train.rows),
            count(mix.val.rows),
            count(len(mix.train.families)),
            count(len(mix.train.crates)),
            listed(f"{name} ({count(number)})" for name, number in _most(mix.train.licenses, 4)) or "–",
        ]
        for mix in mixes
    ]
    return card(
        "What each data set is made of",
        legend([(TYPES[key], f"type-{key}") for key in used]),
        stacked_rows(rows),
        table(
            [
                "data set",
                "training rows",
                "validation rows",
                "families",
                "crates",
                "licences of rows from crates",
            ],
            figures,
            frozenset({1, 2, 3, 4}),
            "Data sets",
        ),
    )


def _most(counts: Mapping[str, int], number: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]


def _decontamination(checks: Decontamination) -> Html:
    shared = any(suite.combinations and suite.combinations.shared for suite in checks.suites.values())
    title = (
        "Held-out combinations occur in the training data" if shared else "No problem is in the training data"
    )
    # The suites with the most to tell stand first.
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
