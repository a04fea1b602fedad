"""The card of an exported model: README.md beside its weights, with the front matter that the Hub reads."""

import json
from collections.abc import Iterable
from typing import Any

from rust_expert.report.assemble import Material
from rust_expert.report.cards import loading
from rust_expert.report.cards.exported import Taken, TrainedOn
from rust_expert.report.cards.markdown import code, folded, front_matter, table, text
from rust_expert.report.cards.model import made_with, stages_table
from rust_expert.report.summary import Comparison, Estimate, Summary, metric_name
from rust_expert.report.wording import THIN, count, listed, megabytes, percent, plural, points, points_range

NOT_MEASURED = "not measured"
NOT_RECORDED = "not recorded"

_SETTINGS = (
    "rows", "steps", "passes", "learning_rate", "schedule", "warmup_steps", "optimizer", "weight_decay", "max_length",
    "packing", "packing_efficiency", "micro_batch", "accumulation", "adapter_r", "adapter_scale", "adapter_dropout",
    "adapter_modules", "trained_parameters", "quant_type", "double_quant", "compute_dtype", "attention", "seed",
)  # fmt: skip
"""Settings that were read back from the trainers, in the order of the card."""


def weights_card(material: Material, taken: Taken) -> str:
    """The card as Markdown: nothing in it that is not in the accounts, and what was not measured says so."""
    exported = taken.exported
    parts = [
        front_matter(_front(material.summary, taken)),
        f"# Rust Expert: {exported.stage}\n",
        f"{_headline(material.summary, exported.stage)}\n",
        "## What it is\n",
        loading.description(taken),
        "## How to load it\n",
        loading.code(taken, _template(material)),
        "## Results\n",
        *_results(material.summary, taken),
        "## Training\n",
        stages_table(material, taken.chain),
        folded("Settings, read back from the trainers", _settings(material, taken)),
        "## Data\n",
        _data(taken.data),
        "## Limits\n",
        _bullets(loading.limits(taken)),
        "## How to make it again\n",
        _again(material, exported.stage, exported.form),
        "## Made with\n",
        made_with(material),
        "## Files\n",
        _files(taken),
        "## Licence\n",
        loading.licence(taken),
    ]
    return "\n".join(parts).replace(THIN, " ")


def _front(summary: Summary, taken: Taken) -> dict[str, Any]:
    """The metadata of a card, see the Hub's documentation on model cards; figures as its `model-index`."""
    exported = taken.exported
    is_model = exported.form == "model"
    made: dict[str, Any] = {
        "license": exported.license,
        "language": ["en", "code"],
        "library_name": "transformers" if is_model else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["rust", "code", "qlora"],
    }
    if exported.hub is not None:
        made |= {
            "base_model": exported.hub.name,
            "base_model_relation": "finetune" if is_model else "adapter",
            "license_link": f"https://huggingface.co/{exported.hub.name}",
        }
    results = [_index(summary, exported.stage, suite) for suite in summary.suites()]
    if measured := [one for one in results if one["metrics"]]:
        made["model-index"] = [{"name": f"rust-expert-{exported.stage}", "results": measured}]
    return made


def _index(summary: Summary, stage: str, suite: str) -> dict[str, Any]:
    score = summary.scores(suite).get(stage)
    metrics = []
    for metric in _metrics(summary, suite) if score else []:
        if score and (one := score.estimate(metric)):
            interval = {"low": one.low, "high": one.high, "confidence": summary.confidence}
            metrics.append(
                {
                    "type": metric_name(metric),
                    "name": f"{metric_name(metric)} ({summary.sure.replace(THIN, ' ')} interval {_range(one)})",
                    "value": one.value,
                    "args": interval,
                }
            )
    return {
        "task": {"type": "text-generation", "name": "Rust code generation"},
        "dataset": {"type": suite, "name": suite},
        "metrics": metrics,
    }


def _metrics(summary: Summary, suite: str) -> list[str]:
    ks = sorted({k for score in summary.scores(suite).values() for k in score.pass_at})
    return [*(f"pass_at_{k}" for k in ks), "compile_rate"]


def _headline(summary: Summary, stage: str) -> str:
    """What the stage achieves on the largest suite, and what it adds to the base."""
    suite = next((one for one in summary.suites() if stage in summary.scores(one)), None)
    if suite is None:
        return f"How well {stage} writes Rust was {NOT_MEASURED}: the run evaluated no suite with it."
    score, metric = summary.scores(suite)[stage], summary.metric
    told = (
        f"{stage} solves {_figure(score.estimate(metric))} of the {plural(score.problems, 'problem')} of the suite"
        f" {suite} ({metric_name(metric)})."
    )
    paired = summary.compared(stage, summary.base, suite, metric)
    if paired is None:
        return told
    return (
        f"{told} Its base solves {_figure(summary.scores(suite)[summary.base].estimate(metric))}; paired by"
        f" problem, that is {_moved(paired)} points: {paired.verdict()}."
    )


def _results(summary: Summary, taken: Taken) -> Iterable[str]:
    stage, suites = taken.exported.stage, summary.suites()
    if not suites:
        yield f"{NOT_MEASURED.capitalize()}.\n"
    for suite in suites:
        scores, metrics = summary.scores(suite), _metrics(summary, suite)
        rows = []
        for name in dict.fromkeys([*taken.chain, stage]):
            score = scores.get(name)
            paired = summary.compared(name, summary.base, suite, summary.metric)
            rows.append(
                [
                    f"**{name}**" if name == stage else name,
                    *(_figure(score.estimate(metric) if score else None) for metric in metrics),
                    "–" if name == summary.base else _moved(paired) if paired else NOT_MEASURED,
                ]
            )
        first = next(iter(scores.values()))
        yield f"{suite}: {plural(first.problems, 'problem')}, {plural(first.samples, 'answer')} from each stage\n"
        moved_by = f"points of {metric_name(summary.metric)} over {summary.base}"
        yield table(["stage", *map(metric_name, metrics), moved_by], rows)
    if suites:
        yield (
            f"Ranges are {summary.sure} bootstrap intervals over problems; that of a difference is paired. Every answer"
            " stays in the denominator, and every answer was compiled and tested by rustc in a sandbox.\n"
        )
    yield from _over_seeds(summary, stage)


def _over_seeds(summary: Summary, stage: str) -> Iterable[str]:
    """That these weights are of one seed, and what the stage achieves over all of them."""
    if summary.seeds is None:
        return
    whole = summary.over_seeds()
    figures = [
        f"{metric_name(summary.metric)} on {suite} {_figure(one)}, ± {100 * (one.sd or 0):.1f} points by seed"
        for suite in whole.suites()
        if stage in whole.scores(suite) and (one := whole.scores(suite)[stage].estimate(summary.metric))
    ]
    yield (
        f"These weights and figures are of seed 0. Over the seeds {listed(map(str, summary.seeds.numbers))} the means"
        f" are: {listed(figures)} ({summary.sure} intervals that count seeds and problems).\n"
    )


def _figure(one: Estimate | None) -> str:
    return NOT_MEASURED if one is None else f"{percent(one.value)} ({_range(one)})"


def _moved(paired: Comparison) -> str:
    return f"{points(paired.difference)} ({points_range(paired.low, paired.high)})"


def _range(one: Estimate) -> str:
    return f"{100 * one.low:.1f}–{100 * one.high:.1f}"


def _settings(material: Material, taken: Taken) -> str:
    trained = [name for name in taken.chain if name in material.runs and material.runs[name].effective]
    if not trained:
        return f"{NOT_RECORDED.capitalize()}.\n"
    effective = {name: material.runs[name].effective for name in trained}
    rows = [
        [code(key), *(_setting(effective[name].get(key)) for name in trained)]
        for key in _SETTINGS
        if any(key in one for one in effective.values())
    ]
    return table(["setting", *trained], rows)


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return listed(_setting(one) for one in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: NOT_RECORDED}[value]
    return text(f"{value:g}" if isinstance(value, float) else str(value))


def _data(sets: Iterable[TrainedOn]) -> str:
    rows, files = [], []
    for one in sets:
        licences = listed(f"{text(name)} ({count(number)})" for name, number in one.licences.items())
        rows.append(
            [
                text(one.name),
                listed(one.stages),
                count(one.rows.get("train", 0)),
                count(one.rows.get("val", 0)),
                licences or NOT_RECORDED,
                code(one.manifest_sha256),
            ]  # fmt: skip
        )
        files += [[code(f"{one.name}/{name}"), code(digest)] for name, digest in one.files.items()]
    if not rows:
        return f"{NOT_RECORDED.capitalize()}.\n"
    heads = [
        "data set",
        "trained on it",
        "rows",
        "for validation",
        "licences (rows)",
        "sha256 of its manifest",
    ]
    return f"{table(heads, rows)}\n{folded(plural(len(files), 'file'), table(['file', 'sha256'], files))}"


def _template(material: Material) -> str:
    """The user message that the stage was evaluated with, `{prompt}` standing for the problem's."""
    found: Any = material.provenance
    for key in ("config", "evaluate", "sampling", "template"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else "{prompt}"


def _again(material: Material, stage: str, form: str) -> str:
    git, config = material.provenance.get("git") or {}, material.provenance.get("config")
    commit = git.get("commit")
    if not commit or not config:
        return f"Commit or configuration of the run: {NOT_RECORDED}.\n"
    folder = stage if form == "model" else f"{stage}-adapter"
    dirty = " The tree held changes that no commit has." if git.get("dirty") else ""
    return (
        f"At commit `{commit}` of Rust Expert, with the configuration below as `profile.yaml`:{dirty}\n\n"
        "```sh\n"
        f"snakemake --configfile profile.yaml --cores all results/export/{folder}/model/README.md\n"
        "```\n\n"
        + folded("Configuration", f"```json\n{json.dumps(config, indent=1, ensure_ascii=False)}\n```\n")
    )


def _files(taken: Taken) -> str:
    rows = [
        [code(name), megabytes(size / 1e6) if size > 5e5 else f"{count(size)} bytes", code(digest)]
        for name, digest in taken.exported.files.items()
        if (size := taken.sizes.get(name)) is not None
    ]
    return table(["file", "size", "sha256"], rows)


def _bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)
