"""The funnel from crates to the rows of each data set: what was lost where, and why; the figures add up."""

from collections.abc import Mapping, Sequence

from rust_expert.report.charts import Part, legend, stacked_rows
from rust_expert.report.corpus import Builds, Corpus, Rejected, TaskCount
from rust_expert.report.html import Child, Html, el
from rust_expert.report.journey import CleanFunnel, Mix, Stop, cleaning_stops, drawing_stops, gaps
from rust_expert.report.page.kinds import SOURCES, TYPES, in_order, kind_name, source_name
from rust_expert.report.page.parts import card, folded, table
from rust_expert.report.wording import MINUS, count, decimal, listed, percent, plural


def funnel_card(corpus: Corpus, funnel: CleanFunnel | None, mixes: Sequence[Mix]) -> Html | None:
    """All of the way, as far as the run left accounts of it."""
    first = [
        _bars("Crates", corpus.crates, _built(corpus.builds), _rejected(corpus.rejected))
        if corpus.crates
        else None,
        _items(corpus) if corpus.items else None,
    ]
    drawn = [
        _bars(f"Data set {mix.dataset}", drawing_stops(mix), _laid_out(mix)) for mix in mixes if mix.sources
    ]
    content = [
        el("div", first, cls="pair") if any(first) else None,
        _tasks(corpus) if corpus.tasks else None,
        _rows(corpus, funnel) if funnel else None,
        el("div", drawn, cls="pair") if drawn else None,
    ]
    if not any(content):
        return None
    return card("From crates to rows: what was lost where", *content)


def most(counts: Mapping[str, int], number: int | None = None) -> list[tuple[str, int]]:
    """The most frequent first, equal ones by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]


def _bars(title: str, stops: Sequence[Stop], *more: Html | None) -> Html:
    sources = in_order({name for stop in stops for name, left in stop.left.items() if left}, SOURCES)
    rows = [
        (stop.name, [Part(source_name(name), stop.left.get(name, 0), f"source-{name}") for name in sources])
        for stop in stops
    ]
    details: list[Child] = [f"{MINUS}{count(stop.lost)}" if stop.lost else "" for stop in stops]
    reasons = [
        [stop.name, reason, count(number)]
        for stop in stops
        for reason, number in most(stop.reasons)
        if number
    ]
    return el(
        "div",
        el("h4", title),
        legend([(source_name(name), f"source-{name}") for name in sources]) if len(sources) > 1 else None,
        stacked_rows(
            rows,
            shared=float(max((stop.whole for stop in stops), default=0) or 1),
            details=details,
            shares=len(sources) > 1,
        ),
        _uneven(gaps(stops)),
        folded("Reasons", table(["step", "reason", "lost"], reasons, frozenset({2}), f"Losses: {title}"))
        if reasons
        else None,
        *more,
        cls="journey",
    )


def _uneven(faults: Sequence[str]) -> Html | None:
    """Figures that do not add up are said, never smoothed over."""
    if not faults:
        return None
    return el("p", el("b", "✗ ", cls="tone-down"), "The figures do not add up: ", " ".join(faults))


def _rejected(crates: Sequence[Rejected]) -> Html | None:
    rows = [[one.crate, one.gate.replace("_", " "), one.reason, decimal(one.figure, 2)] for one in crates]
    if not rows:
        return None
    heads = ["crate", "gate", "reason", "figure"]
    return folded("Crates left out", table(heads, rows, frozenset({3}), "Crates left out"))


def _built(builds: Builds | None) -> Html | None:
    if builds is None:
        return None
    by = f" (by {listed(builds.rustc)})" if builds.rustc else ""
    return el(
        "p",
        f"Of {plural(builds.outcomes.total(), 'crate')}, {count(builds.of('passes'))} pass,"
        f" {count(builds.of('blocked'))} are blocked by clippy and {count(builds.of('cannot_build'))} cannot be built",
        f"{by}.",
        cls="quiet",
    )


def _items(corpus: Corpus) -> Html:
    """Items by scale: functions, and the larger pieces that they are part of."""
    places = [
        [gate, reason, count(number), count(figure)]
        for (gate, reason), (number, figure) in corpus.left_out.items()
    ]
    rows = [
        (name.replace("_", " "), [Part("items", number, "source-crates")])
        for name, number in most(corpus.chunks)
    ]
    told = sum(corpus.chunks.values())
    return el(
        "div",
        el("h4", "What stands in them ", el("span", f"{plural(corpus.items, 'item')} by scale", cls="quiet")),
        stacked_rows(rows, shared=float(max(part.amount for _, [part] in rows)), shares=False) if rows else None,
        _uneven([f"{corpus.items:,d} items, {told:,d} of them with a scale."])
        if rows and told != corpus.items
        else None,
        folded(
            "Files and items left out",
            table(["gate", "reason", "places", "figure"], places, frozenset({2, 3}), "Files and items left out"),
        )
        if places
        else None,
        cls="journey",
    )  # fmt: skip


def _tasks(corpus: Corpus) -> Html:
    """Each candidate became a row or has its reason; the same row from two candidates is one sample."""
    names = in_order(set(corpus.tasks), TYPES)
    rows = [
        (
            kind_name(name),
            [
                Part("made into a row", corpus.tasks[name].kept, f"type-{name}"),
                Part("not", corpus.tasks[name].candidates - corpus.tasks[name].kept, "lost"),
            ],
        )
        for name in names
    ]
    details: list[Child] = [f"{count(corpus.tasks[name].kept)} rows" for name in names]
    kept = sum(told.kept for told in corpus.tasks.values())
    return el(
        "div",
        el("h4", "Candidates by task ", el("span", "in colour what became a row", cls="quiet")),
        stacked_rows(rows, shared=float(max(told.candidates for told in corpus.tasks.values()) or 1),
                     details=details, shares=False),
        el(
            "p",
            f"{plural(kept, 'row')} of all tasks",
            f", {count(kept - corpus.samples)} of them the same as another" if kept != corpus.samples else "",
            f": {plural(corpus.samples, 'sample')} from crates.",
            cls="quiet",
        ),
        _uneven(_task_gaps(corpus.tasks)),
        folded("Reasons", table(["task", "reason", "lost"], _task_reasons(corpus.tasks), frozenset({2}),
                                "Losses by task")),
        cls="journey",
    )  # fmt: skip


def _task_gaps(tasks: Mapping[str, TaskCount]) -> list[str]:
    found = {name: told.candidates - told.kept - told.lost.total() for name, told in tasks.items()}
    return [
        f"{number:+,d} candidates of {kind_name(name)} are in no account."
        for name, number in found.items()
        if number
    ]


def _task_reasons(tasks: Mapping[str, TaskCount]) -> list[list[Child]]:
    return [
        [kind_name(name), reason, count(number)]
        for name in in_order(set(tasks), TYPES)
        for reason, number in most(tasks[name].lost)
        if number
    ]


def _rows(corpus: Corpus, funnel: CleanFunnel) -> Html:
    stops = cleaning_stops(funnel)
    made = stops[0].left.get("crates", 0)
    faults = (
        [f"The tasks made {corpus.samples:,d} samples from crates, cleaning was given {made:,d}."]
        if corpus.tasks and made != corpus.samples
        else []
    )
    left = funnel.rows_out
    parts = [f"{count(number)} {name}" for name, number in left.by_split.items()]
    kept = percent(left.rows / funnel.rows_in.rows) if funnel.rows_in.rows else "–"
    split = f", {listed(parts)}" if parts else ""
    return _bars(
        "Instruction samples, those of the curriculum included",
        stops,
        _uneven(faults),
        el("p", f"{plural(left.rows, 'row')} are left ({kept} of all){split}.", cls="quiet"),
    )


def _laid_out(mix: Mix) -> Html:
    again = f" ({count(mix.repeated)} of them again)" if mix.repeated else ""
    return el(
        "p",
        f"{plural(mix.train.rows, 'training row')}{again}, {plural(mix.val.rows, 'validation row')}.",
        cls="quiet",
    )
