"""What a release packs, and which files and keys each figure comes from: as scripts.release and scripts.provenance read it."""

from rust_expert.report.lineage import sections

PARENTS = {stage: None if stage == "base" else parent_of(stage) for stage in CONFIG.evaluate.stages}
NAMES = {
    seed: {stage: names[stage] for stage in CONFIG.evaluate.stages} for seed, names in RUNS.names.items()
}
"""What the measured stages are called in the runs of other seeds, by seed."""
RELEASED = [
    *(
        f"{kind}/{stage}/{suite}.{ending}"
        for stage, suite in EVALUATED + EVALUATED_AGAIN
        for kind, ending in (("samples", "jsonl"), ("verdicts", "parquet"), ("metrics", "json"))
    ),
    *dict.fromkeys(f"models/{RUNS.model_of(stage)}/manifest.json" for stage in MEASURED),
    *(f"dataset/{name}/mix.json" for name in USED_DATASETS),
    *(f"dataset/{stage}/selection.json" for stage in EVALUATED_RSFT),
]


def release_plan():
    """What a release packs, as the script reads it."""
    plan = {
        "pairs": EVALUATED + EVALUATED_AGAIN,
        "parents": PARENTS,
        "seeds": NAMES,
        "judge": CONFIG.judge.model_dump(mode="json", by_alias=True),
        "score": CONFIG.score.model_dump(mode="json", by_alias=True),
        "crates": {
            name: None if CONFIG.suites[name].crates is None else ",".join(CONFIG.suites[name].crates)
            for name in CONFIG.evaluate.suites
        },
        "suites": {name: suite_path(name) for name in CONFIG.evaluate.suites},
        "models": {stage: model_manifest(stage) for stage in MEASURED},
        "funnel": "results/dataset/funnel.json",
        "decontamination": "results/dataset/decontamination.json",
        "mixes": {name: f"results/dataset/{name}/mix.json" for name in USED_DATASETS},
        "selections": {stage: f"results/dataset/{stage}/selection.json" for stage in EVALUATED_RSFT},
        "metrics": "results/metrics.json",
        "provenance": "results/provenance.json",
    }
    return json.dumps(plan)


def moved_sections(seed):
    """The sections of the configuration that a seed moves, each with the words that spell it in that run."""
    yield "evaluate.sampling", cli.flags(seeds.moved(CONFIG.evaluate.sampling, seed))
    for stage, name in RUNS.names[seed].items():
        if stage == "base":
            continue
        yield f"stages.{stage}", training_flags(name)
        if stage in RSFT_STAGES:
            yield f"stages.{stage}.sampling", cli.flags(STAGES[name].sampling)


def runs_of(stage):
    """What a stage is called in each run, seed 0 first."""
    return [stage, *(names[stage] for names in NAMES.values())]


def seed_figures():
    """Which files the figures across seeds are counted from: those of all runs together."""
    scores = {
        (stage, suite): [f"results/metrics/{name}/{suite}.json" for name in runs_of(stage)]
        for stage, suite in EVALUATED
    }
    return {
        **{
            f"seeds.stages.{stage}.training": list(dict.fromkeys(map(model_manifest, runs_of(stage))))
            for stage in CONFIG.evaluate.stages
        },
        **{
            f"seeds.stages.{stage}.selection": [
                f"results/dataset/{name}/selection.json" for name in runs_of(stage)
            ]
            for stage in CONFIG.evaluate.stages
            if stage in EVALUATED_RSFT
        },
        **{f"seeds.stages.{stage}.suites.{suite}": paths for (stage, suite), paths in scores.items()},
        **{
            f"seeds.comparisons.{stage}.{other}.{suite}": [*paths, *scores[other, suite]]
            for (stage, suite), paths in scores.items()
            for other in CONFIG.evaluate.stages
            if other != stage
        },
    }


def lineage_plan():
    """Which files each part of metrics.json is counted from, which words spell which section of the configuration.

    And what the stages of further seeds are called.
    """
    scores = {(stage, suite): f"results/metrics/{stage}/{suite}.json" for stage, suite in EVALUATED}
    figures = {
        "judge": sorted(scores.values()),
        "data.cleaning": ["results/dataset/funnel.json"],
        "data.decontamination": ["results/dataset/decontamination.json"],
        **{f"data.datasets.{name}": [f"results/dataset/{name}/mix.json"] for name in USED_DATASETS},
        **{
            f"data.rejection_sampling.{stage}": [f"results/dataset/{stage}/selection.json"]
            for stage in EVALUATED_RSFT
            if stage in CONFIG.stages
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
        **(seed_figures() if NAMES else {}),
    }
    spelt = {name: [words] for words, name in sections(CONFIG.model_copy(update={"sweep": None}))}
    # As the rules spell them: paths as seen from the working folder, a stage's training options alone.
    spelt["corpus"].append(cli.flags(FETCH))
    spelt["base"].append(base_flags())
    for name in CONFIG.datasets:
        spelt[f"datasets.{name}"].append(cli.flags(dataset_spec(name)))
    for name in CONFIG.stages:
        spelt[f"stages.{name}"].append(training_flags(name))
    for seed in RUNS.names:
        for name, words in moved_sections(seed):
            spelt[name].append(words)
            spelt.setdefault("seeds", []).append(words)
    return json.dumps({"figures": figures, "sections": spelt, "runs": list(RUNS.origins)})
