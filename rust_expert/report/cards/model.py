"""The card of a run's stages, from the same files as the report; `weights` makes that of one exported model."""

from collections.abc import Sequence

from rust_expert.report.assemble import Material, main_suite
from rust_expert.report.cards.markdown import front_matter, table, text
from rust_expert.report.findings import doubts, find
from rust_expert.report.summary import Summary, metric_name
from rust_expert.report.wording import THIN, count, decimal, listed, percent, plural, points_range


def model_card(material: Material) -> str:
    """What was trained, from what, how well it does, and what it must not be taken for."""
    summary, suite = material.summary.over_seeds(), main_suite(material)
    finding = find(summary, suite)
    base = material.runs.get(summary.base)
    origin = (
        f"{base.hub.name} at revision {base.hub.revision}"
        if base and base.hub
        else "a Llama-architecture model made and trained by this run"
        if base and base.origin == "scratch"
        else "an existing model"
    )
    size = f" of {count(base.parameters)} parameters" if base and base.parameters else ""
    made_here = base is None or base.hub is None
    parts = [
        front_matter(
            {
                "license": "apache-2.0" if made_here else "other",
                "library_name": "peft",
                "tags": ["rust", "code", "qlora"],
                **({} if made_here or base is None or base.hub is None else {"base_model": base.hub.name}),
            }
        ),
        "# Rust Expert\n",
        f"{finding.headline} {finding.evidence}\n",
        f"The base is {origin}{size}. Each stage after it is a LoRA adapter that starts from its parent's.\n",
        "## Stages\n",
        stages_table(material),
        "## Results\n",
        *[_results(summary, name) for name in [suite, *(one for one in summary.suites() if one != suite)]],
        f"{_ranges(summary)} Every answer stays in the denominator, and every answer was compiled and tested by rustc"
        " in a sandbox.\n",
        *(f"- {doubt}\n" for one in summary.suites() for doubt in doubts(summary, one)),
        "## Limits\n",
        "- The figures are of the suites named above and of nothing else. Problems of a suite of held-out combinations"
        " are of the families that the model was trained on.\n"
        "- Code that this model writes may be wrong or unsafe. Compile and test it where it can do no harm.\n"
        "- Several stages and metrics were compared; no correction was made for their number.\n",
        "## Made with\n",
        made_with(material),
    ]
    return "\n".join(parts).replace(THIN, " ")


def _ranges(summary: Summary) -> str:
    if summary.seeds is None:
        return f"Ranges are {summary.sure} bootstrap intervals over problems."
    seeds = listed(map(str, summary.seeds.numbers))
    return (
        f"Figures are means of the runs with the seeds {seeds}, ranges {summary.sure} intervals that count seeds and"
        " problems; the adapters of seed 0 are those in results/models/STAGE. Trained rows and losses are of seed 0."
    )


def stages_table(material: Material, only: Sequence[str] | None = None) -> str:
    """What became of each stage's training, or of those that are named `only`."""
    rows = []
    for name, stage in material.summary.stages.items():
        if only is not None and name not in only:
            continue
        told = stage.training
        rows.append(
            [
                name,
                stage.parent or "–",
                told.method or "–",
                "–" if told.rows is None else count(told.rows),
                "–" if told.steps is None else count(told.steps),
                decimal(told.final_val_loss),
                ""
                if told.trained or stage.parent is None
                else f"not trained: {text(told.reason or 'no reason recorded')}",
            ]
        )
    return table(["stage", "parent", "method", "rows", "steps", "validation loss", "remark"], rows)


def _results(summary: Summary, suite: str) -> str:
    scores = summary.scores(suite)
    metrics = [
        *(f"pass_at_{k}" for k in sorted({k for one in scores.values() for k in one.pass_at})),
        "compile_rate",
    ]
    rows = []
    for name, score in scores.items():
        cells = [name]
        for metric in metrics:
            one = score.estimate(metric)
            cells.append(
                "–" if one is None else f"{percent(one.value)} ({100 * one.low:.1f}–{100 * one.high:.1f})"
            )
        paired = summary.compared(name, summary.base, suite, summary.metric)
        cells.append("–" if paired is None else points_range(paired.low, paired.high))
        rows.append(cells)
    first = next(iter(scores.values()))
    title = (
        f"{suite}: {plural(first.problems, 'problem')}, {plural(first.samples, 'answer')} from each stage\n"
    )
    heads = [
        "stage",
        *map(metric_name, metrics),
        f"points of {metric_name(summary.metric)} over {summary.base}",
    ]
    return f"{title}\n{table(heads, rows)}"


def made_with(material: Material) -> str:
    """Commit, tools and packages, as a list."""
    given = material.provenance
    git, tools, packages = (given.get(key) or {} for key in ("git", "tools", "packages"))
    facts = [
        ("commit", git.get("commit")),
        ("rustc", tools.get("rustc")),
        ("bubblewrap", tools.get("bubblewrap")),
    ]
    facts += [(name, packages.get(name)) for name in ("torch", "transformers", "trl", "peft", "bitsandbytes")]
    return "".join(f"- {name}: {value}\n" for name, value in facts if value) or "Not recorded.\n"
