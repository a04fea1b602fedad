"""Verdicts from the sandboxed compiler, and the figures drawn from them."""


rule judge:
    """Compile, test and lint every completion in the sandbox."""
    input:
        samples="results/samples/{stage}/{suite}.jsonl",
        suite=suite_file,
        crates=crate_table,
    output:
        "results/verdicts/{stage}/{suite}.parquet",
    log:
        "results/logs/judge/{stage}/{suite}.log",
    benchmark:
        "results/benchmarks/judge/{stage}/{suite}.tsv"
    conda:
        "../envs/judge.yaml"
    threads: HALF_OF_CORES
    params:
        code=code_of("scripts.judge", "judge"),
        options=options_of(CONFIG.judge),
        crates=crates_flag,
        toolchain=TOOLCHAIN,
    shell:
        "python -m scripts.judge {input.samples} --suite {input.suite} --out {output} --workers {threads}"
        " {params.crates} {params.options} --log {log}"
        " --telemetry results/telemetry --job judge stage={wildcards.stage} suite={wildcards.suite}"


rule score:
    """Rates, pass@k and intervals of one stage on one suite."""
    input:
        verdicts="results/verdicts/{stage}/{suite}.parquet",
        completions="results/samples/{stage}/{suite}.jsonl",
        suite=suite_file,
    output:
        "results/metrics/{stage}/{suite}.json",
    log:
        "results/logs/score/{stage}/{suite}.log",
    benchmark:
        "results/benchmarks/score/{stage}/{suite}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.score", "report"),
        options=score_flags,
    shell:
        "python -m scripts.score --verdicts {input.verdicts} --suite {input.suite}"
        " --completions {input.completions} --out {output} {params.options} --log {log}"
        " --telemetry results/telemetry --job score stage={wildcards.stage} suite={wildcards.suite}"
