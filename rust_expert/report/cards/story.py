"""What is known of how a data set was made and of its limits, in sentences that both of its cards say."""

from rust_expert.report.cards.data_set import DataSet
from rust_expert.report.rows import CURRICULUM
from rust_expert.report.wording import count, listed, plural

_MADE = {
    "code_generation": "`code_generation`: the prompt asks for an item by its documentation, its signature or its"
    " outline; the answer is the item as it stands in its source.",
    "transformations": "`transformations`: the question is code in a plainer form and the answer the same code as it"
    " stands in its crate, or the question is that code and the answer what clippy suggests in its place.",
    "error_fixing": "`error_fixing`: the question is code that was broken on purpose, with rustc's own message; the"
    " answer is the code as it stood before.",
    "explanations": "`explanations`: code is explained by its own documentation, an error by what rustc's message says"
    " and the code that is right.",
}


def description(data: DataSet) -> str:
    """The data set in two sentences."""
    crates = len({(name, version) for name, version, _, _ in data.rows.crates})
    sources = []
    if crates:
        sources.append(plural(crates, "real crate"))
    if data.rows.of_kind(CURRICULUM):
        sources.append("a seeded curriculum of small tasks with tests")
    sources += [
        f"the source {name}"
        for name in sorted({name for _, name in data.rows.sources} - {"crates", CURRICULUM})
    ]
    return (
        f"Instruction data for Rust: {plural(data.rows.rows, 'row')} of prompt and answer, made from {listed(sources)}."
        " Each row says where it comes from, under which licence it stands, and what the compiler checked of it."
    )  # fmt: skip


def made(data: DataSet) -> list[str]:
    """How each kind of row came to be; only kinds that are there."""
    told = [sentence for kind, sentence in _MADE.items() if _from_crates(data, kind)]
    if told:
        told.insert(
            0,
            "Items are cut out of the sources of pinned crates, whose checksums were verified; `_source_file` and"
            " `_span` say where each one stands. Only crates that build, and that clippy does not block, give rows.",
        )
    if number := data.rows.of_kind(CURRICULUM):
        told.append(
            f"{plural(number, 'row')} of the curriculum are generated from a seed: a task in words, a reference that"
            " compiles, and tests that it passes."
        )
    return told


def steps(data: DataSet) -> list[str]:
    """What was removed on the way, step by step, with its figures."""
    told = []
    if data.funnel:
        told = [
            f"{one.step}: {plural(one.removed, 'row')} of {count(one.before)} removed"
            for one in data.funnel.steps
        ]
    for name, source in data.mix.sources.items():
        lost = sum(source.filtered.values())
        reasons = listed(f"{reason} ({count(number)})" for reason, number in sorted(source.filtered.items()))
        told.append(
            f"filters of the data set, {name} rows: {count(lost)} of {count(source.read)} left out"
            + (f": {reasons}" if reasons else "")
        )
    return told


def checked_by(data: DataSet) -> list[str]:
    """The compilers that the rows' claims name."""
    return sorted(data.rows.compilers)


def limits(data: DataSet) -> list[str]:
    """What a row must not be taken for."""
    rows = data.rows
    told = [
        "What `_verified` does not claim was not checked. That code compiles does not say that it is right"
        + ("; only rows with `_tests` were run against tests." if rows.of_kind(CURRICULUM) else ".")
    ]
    if bare := sum(rows.unclaimed.values()):
        told.append(f"Without any claim: {plural(bare, 'row')} ({_bare(data)}).")
    suites = sorted(data.decontamination.suites) if data.decontamination else []
    told.append(
        f"Rows that give away a problem of {listed(suites)} were removed; of no other benchmark was that checked."
        if suites
        else "No benchmark was compared with the rows."
    )
    told.append("Prompts and documentation are in English.")
    return told


def biases(data: DataSet) -> list[str]:
    """Whose code it is, and whose it is not."""
    if not data.rows.crates:
        return []
    return [
        "The crates are libraries with permissive licences that passed gates on documentation, unsafe code and layout;"
        " applications, undocumented code and code with much `unsafe` are rare."
    ]


def personal(data: DataSet) -> str:
    """What was done about personal data and secrets, as far as the account of cleaning says."""
    named = [
        one
        for one in (data.funnel.steps if data.funnel else [])
        if "secret" in one.step or "personal" in one.step
    ]
    if not named:
        return (
            "Published source code and documentation may name their authors; rows were not screened for names,"
            " addresses or keys."
        )
    done = listed(f"{one.step} ({count(one.removed)} removed)" for one in named)
    return f"Published source code and documentation may name their authors. Rows were screened: {done}."


def _from_crates(data: DataSet, kind: str) -> bool:
    return bool(data.rows.of_kind(kind)) and bool(data.rows.crates)


def _bare(data: DataSet) -> str:
    return listed(
        f"{count(number)} of `{kind}`" for kind, number in sorted(data.rows.unclaimed.items()) if number
    )
