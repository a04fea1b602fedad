"""How it was measured, what it was made with, and where the files are."""

from collections.abc import Sequence
from typing import Any

from rust_expert.report.html import Child, Html, el
from rust_expert.report.page.parts import card, code_word, facts, folded, section, table
from rust_expert.report.summary import Summary
from rust_expert.report.wording import count, listed, megabytes, plural, seconds

_PACKAGES = (
    "torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "tokenizers", "datasets", "vllm", "numpy",
    "pyarrow", "pydantic", "tree-sitter", "tree-sitter-rust", "snakemake", "dvc",
)  # fmt: skip


def method_section(summary: Summary, suite: str, by_construction: bool) -> Html:
    """Short notes on every figure of the page.

    `by_construction`: the suite's combinations were checked never to occur in the training data.
    """
    scores = next(iter(summary.scores(suite).values()))
    each = scores.samples / scores.problems if scores.problems else 0
    ks = sorted({k for stage in summary.scores(suite).values() for k in stage.pass_at})
    drawn = f" ({count(summary.bootstrap)} resamples)" if summary.bootstrap else ""
    notes: list[tuple[str, Child]] = [
        (
            "Solved (pass@1)",
            f"{plural(scores.problems, 'problem')}, {each:g} answers each. The share of answers that compile and pass"
            " every hidden test, averaged over problems.",
        ),
        (
            "pass@k" if len(ks) > 1 else "",
            "The chance that at least one of k answers passes, by the unbiased estimator of Chen et al. (2021):"
            f" one minus the share of k-subsets without a pass. Here k = {listed(str(k) for k in ks)}.",
        ),
        (
            "Compiles",
            "The share of all answers whose own code compiles with rustc. Answers without code and answers"
            " that the policy refuses stay in the denominator.",
        ),
        (
            "Compiles, pre-filtered",
            "The same share without the answers that never reached the compiler, as others publish it. It flatters a"
            " model that writes no code; it is shown for comparison only.",
        ),
        (
            "Policy kept",
            "pass@1 of the same verdicts, where an answer that uses what the policy forbids (files, processes, unsafe"
            " code and the like) counts as not passed. Nothing is sampled twice.",
        ),
        (
            "Idiomatic, documented",
            "Of answers that compile. Idiomatic is (1 + G) / (1 + G + B) with G idioms and B objections on the syntax"
            " tree, at most three of a kind, averaged over answers. Documented is the share of public items with a doc"
            " comment.",
        ),
        (
            "Intervals",
            f"{summary.sure}, by bootstrap over problems{drawn}: problems are drawn with replacement, not answers,"
            " because answers to one problem are alike.",
        ),
        (
            "Comparisons",
            "Paired: the same problems are drawn for both stages. A stage is called better or worse only where the"
            " interval leaves zero out. Several comparisons are shown and none is corrected for their number; read a p"
            " just below 0.05 with that in mind.",
        ),
        ("Seeds" if summary.seeds else "", _seeds_note(summary)),
        (
            "Held out",
            "Problems are held out by construction: no combination of family, types and operation in the suite was"
            " generated for training. They are of the same families, so this measures recombination within a small"
            " language of tasks, not Rust at large."
            if by_construction
            else "Rows that give a problem away are removed from the training data before anything is trained.",
        ),
        (
            "Sandbox",
            f"{_where(summary)} A fault of the judge is counted apart and is never a verdict about the model.",
        ),
    ]
    return section(
        "method",
        "How it was measured",
        None,
        el("dl", (el("div", el("dt", name), el("dd", told)) for name, told in notes if name), cls="notes"),
    )


def _seeds_note(summary: Summary) -> str:
    return (
        "Each figure over several seeds is the mean of the runs' own. Its interval takes seeds and problems as both"
        " drawn at random (two-way random effects, degrees of freedom by Satterthwaite): with few seeds that differ"
        " much it is as wide as a t interval over them. Differences are taken within each run, problem by problem. A"
        " difference no greater than one standard deviation from seed to seed is called within the spread of seeds."
        " The base has one seed, and so have data and problems: what these add to the spread is not in it."
    )


def _where(summary: Summary) -> str:
    """Where what the models wrote was compiled and run: said plainly where that was no sandbox."""
    if "none" in summary.judge.sandbox:
        return "This run was judged without a sandbox: what the models wrote ran with the rights of its user."
    walls = listed(summary.judge.sandbox) or "a sandbox"
    return (
        f"rustc, clippy and the compiled tests run inside {walls} without network, with limits on memory, processes,"
        " CPU and output."
    )


def provenance_section(provenance: dict[str, Any], links: Sequence[tuple[str, str]]) -> Html:
    """Versions, machine, what each rule cost; links to the files beside the report."""
    machine = _dict(provenance.get("machine"))
    tools = _dict(provenance.get("tools"))
    packages = _dict(provenance.get("packages"))
    git = _dict(provenance.get("git"))
    total = _dict(provenance.get("total"))
    rules = _dict(provenance.get("rules"))
    commit = str(git.get("commit") or "")[:12]
    dirty = " with uncommitted changes" if git.get("dirty") else ""
    return section(
        "provenance",
        "Made with",
        None,
        el(
            "div",
            card(
                "This run",
                facts(
                    [
                        ("made", str(provenance.get("made") or "").replace("T", " ").replace("+00:00", " UTC")),
                        ("commit", [code_word(commit), dirty] if commit else "not in git"),
                        ("work of all jobs", _time(total.get("wall_s"))),
                        ("CPU time", _time(total.get("cpu_s"))),
                        ("peak memory of a job", _memory(total.get("peak_memory_mb"))),
                        ("energy", _energy(_dict(provenance.get("energy")), rules)),
                        ("seeds", _seeds(_dict(provenance.get("seeds")))),
                    ]
                ),
            ),
            card(
                "Machine",
                facts(
                    [
                        ("processor", machine.get("cpu")),
                        ("cores", _text(machine.get("cores_usable", machine.get("cores")))),
                        ("memory", _memory(machine.get("memory_mb"))),
                        ("GPU", listed(str(_dict(gpu).get("name")) for gpu in machine.get("gpus") or []) or "none"),
                        ("system", machine.get("system")),
                        ("kernel", machine.get("kernel")),
                    ]
                ),
            ),
            cls="pair",
        ),
        card(
            "Versions",
            facts([("Python", provenance.get("python")), *((name, _version(name, tools[name])) for name in tools),
                   *((name, packages[name]) for name in _PACKAGES if name in packages)]),
            folded(f"All {plural(len(packages), 'package')}", facts(packages.items())) if packages else None,
        ),
        _costs(rules),
        card(
            "Files",
            el("ul", (el("li", el("a", name, href=name), el("span", f" {told}", cls="quiet")) for name, told in links),
               cls="files"),
        )
        if links
        else None,
    )  # fmt: skip


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _version(tool: str, told: Any) -> str:
    """What a tool says of its version, without its own name before it."""
    return "not there" if told is None else str(told).removeprefix(tool).removeprefix(" version").strip()


def _time(value: Any) -> str | None:
    return seconds(value) if isinstance(value, int | float) else None


def _memory(value: Any) -> str | None:
    return megabytes(value) if isinstance(value, int | float) and value else None


def _energy(told: dict[str, Any], rules: dict[str, Any]) -> str | None:
    """The energy that the counters saw, or why there is none; nothing of a run that did not ask."""
    used = [one["energy_j"] for one in map(_dict, rules.values()) if one.get("energy_j") is not None]
    if used:
        return f"{sum(used) / 3600:,.1f} Wh of the machine while jobs ran, added up over jobs"
    reasons = _dict(told.get("not_read"))
    return f"not read: {listed(map(str, reasons.values()))}" if reasons else None


def _seeds(seeds: dict[str, Any]) -> str | None:
    if not seeds:
        return None
    values = {str(seed) for seed in seeds.values()}
    return f"{values.pop()} everywhere" if len(values) == 1 else f"{len(seeds)} of them, see provenance.json"


def _costs(rules: dict[str, Any]) -> Html | None:
    if not rules:
        return None
    rows: list[list[Child]] = []
    most = max(float(_dict(one).get("wall_s") or 0) for one in rules.values()) or 1.0
    for name in sorted(rules, key=lambda rule: (-float(_dict(rules[rule]).get("wall_s") or 0), rule)):
        one = _dict(rules[name])
        rows.append(
            [
                name,
                count(one.get("jobs") or 0),
                _share(float(one.get("wall_s") or 0) / most),
                _time(one.get("wall_s")) or "–",
                _time(one.get("longest_s")) or "–",
                _time(one.get("cpu_s")) or "–",
                _memory(one.get("peak_memory_mb")) or "–",
            ]
        )
    return card(
        "What each rule cost",
        table(
            ["rule", "jobs", "", "time", "longest job", "CPU time", "peak memory"],
            rows,
            frozenset({1, 3, 4, 5, 6}),
            "What each rule cost",
        ),
        note="Time is that of all jobs of a rule together; where jobs ran side by side the run was shorter.",
    )


def _share(part: float) -> Html:
    return el(
        "svg",
        el("rect", width=f"{100 * part:.2f}%", y="5", height="10", rx="2", cls="part"),
        cls="bar",
        width="100%",
        height="20",
        aria_hidden="true",
    )
