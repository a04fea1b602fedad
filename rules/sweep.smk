"""The points of a sweep, ranked. `make sweep` starts it and goes on where a point fails; see scripts/run_sweep.py."""


rule sweep:
    """Rank the points of a sweep by its metric, each against the best, problem by problem."""
    input:
        scores=[f"results/metrics/{point}/{SWEEP.suite}.json" for point in RANKED_POINTS],
        manifests=[f"results/models/{point}/manifest.json" for point in RANKED_POINTS],
    output:
        ranking=report(
            "results/sweep.json", caption="../report/sweep.rst", category="Sweep", labels={"what": "ranking"}
        ),
        plot=report(
            "results/sweep.svg", caption="../report/sweep.rst", category="Sweep", labels={"what": "plot"}
        ),
        page=report(
            "results/sweep.html", caption="../report/sweep.rst", category="Sweep", labels={"what": "page"}
        ),
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
