"""What a release packs, and which files and keys each figure comes from: as scripts.release and scripts.provenance read it."""

from rust_expert.report.lineage import sections

PARENTS = {stage: None if stage == "base" else parent_of(stage) for stage in CONFIG.evaluate.stages}
RELEASED = [
    *(
        f"{kind}/{stage}/{suite}.{ending}"
        for stage, suite in EVALUATED
        for kind, ending in (("samples", "jsonl"), ("verdicts", "parquet"), ("metrics", "json"))
    ),
    *(f"models/{stage}/manifest.json" for stage in CONFIG.evaluate.stages),
    *(f"dataset/{name}/mix.json" for name in USED_DATASETS),
    *(f"dataset/{stage}/selection.json" for stage in EVALUATED_RSFT),
]


def release_plan():
    """What a release packs, as the script reads it."""
    plan = {
        "pairs": EVALUATED,
        "parents": PARENTS,
        "judge": CONFIG.judge.model_dump(mode="json", by_alias=True),
        "score": CONFIG.score.model_dump(mode="json", by_alias=True),
        "crates": {
            name: None if CONFIG.suites[name].crates is None else ",".join(CONFIG.suites[name].crates)
            for name in CONFIG.evaluate.suites
        },
        "suites": {name: suite_path(name) for name in CONFIG.evaluate.suites},
        "models": {stage: f"results/models/{stage}/manifest.json" for stage in CONFIG.evaluate.stages},
        "funnel": "results/dataset/funnel.json",
        "decontamination": "results/dataset/decontamination.json",
        "mixes": {name: f"results/dataset/{name}/mix.json" for name in USED_DATASETS},
        "selections": {stage: f"results/dataset/{stage}/selection.json" for stage in EVALUATED_RSFT},
        "metrics": "results/metrics.json",
        "provenance": "results/provenance.json",
    }
    return json.dumps(plan)


def lineage_plan():
    """Which files each part of metrics.json is counted from, and which words spell which section of the configuration."""
    scores = {(stage, suite): f"results/metrics/{stage}/{suite}.json" for stage, suite in EVALUATED}
    figures = {
        "judge": sorted(scores.values()),
        "data.cleaning": ["results/dataset/funnel.json"],
        "data.decontamination": ["results/dataset/decontamination.json"],
        **{f"data.datasets.{name}": [f"results/dataset/{name}/mix.json"] for name in USED_DATASETS},
        **{
            f"data.rejection_sampling.{stage}": [f"results/dataset/{stage}/selection.json"]
            for stage in EVALUATED_RSFT
        },
        **{
            f"stages.{stage}.training": [f"results/models/{stage}/manifest.json"]
            for stage in CONFIG.evaluate.stages
        },
        **{f"stages.{stage}.suites.{suite}": [path] for (stage, suite), path in scores.items()},
        **{
            f"comparisons.{stage}.{other}.{suite}": [path, scores[other, suite]]
            for (stage, suite), path in scores.items()
            for other in CONFIG.evaluate.stages
            if other != stage and (other, suite) in scores
        },
    }
    spelt = {name: [words] for words, name in sections(CONFIG.model_copy(update={"sweep": None}))}
    # As the rules spell them: paths as seen from the working folder, a stage's training options alone.
    spelt["corpus"].append(cli.flags(FETCH))
    spelt["base"].append(base_flags())
    for name in CONFIG.datasets:
        spelt[f"datasets.{name}"].append(cli.flags(dataset_spec(name)))
    for name in CONFIG.stages:
        spelt[f"stages.{name}"].append(training_flags(name))
    return json.dumps({"figures": figures, "sections": spelt})
