"""The points of a sweep, ranked. `make sweep` starts it and goes on where a point fails; see scripts/run_sweep.py."""

# What scripts.run_sweep found to have failed, as reasons by point: the others are ranked without them.
FAILED_POINTS = json.loads(os.environ.get("RUST_EXPERT_SWEEP_FAILED", "{}"))
RANKED_POINTS = [name for name in SWEEP.points if name not in FAILED_POINTS]


def sweep_plan():
    """What is swept, as the script reads it; nothing where the profile has no sweep."""
    if CONFIG.sweep is None:
        return "{}"
    told = {
        "stage": CONFIG.sweep.stage,
        "suite": SWEEP.suite,
        "metric": CONFIG.sweep.metric,
        "budget": CONFIG.sweep.budget,
        "sampling": CONFIG.sweep.sampling,
        "points": {name: point.varied for name, point in SWEEP.points.items()},
        "failed": {name: FAILED_POINTS[name] for name in SWEEP.points if name in FAILED_POINTS},
    }
    return json.dumps(told)


rule sweep:
    """Rank the points of a sweep by its metric, each against the best, problem by problem."""
    input:
        scores=[f"results/metrics/{point}/{SWEEP.suite}.json" for point in RANKED_POINTS],
        manifests=[f"results/models/{point}/manifest.json" for point in RANKED_POINTS],
    output:
        ranking="results/sweep.json",
        plot="results/sweep.svg",
        page="results/sweep.html",
    log:
        "results/logs/sweep.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.sweep", "report"),
        plan=literal(sweep_plan()),
        scores=[f"{point}=results/metrics/{point}/{SWEEP.suite}.json" for point in RANKED_POINTS],
        manifests=[f"{point}=results/models/{point}/manifest.json" for point in RANKED_POINTS],
        options=options_of(SWEEP.score or CONFIG.score),
    shell:
        "python -m scripts.sweep --plan {params.plan:q} --scores {params.scores} --manifests {params.manifests}"
        " --out {output.ranking} --plot {output.plot} --page {output.page} {params.options} --log {log}"
        " --telemetry results/telemetry --job sweep"
