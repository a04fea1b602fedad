"""Crates from the registry or a folder, their items, and instruction samples; the curriculum and its suite."""


rule fetch:
    """Fetch the pinned crates of one shard and verify their checksums."""
    output:
        "results/corpus/fetch/{shard}.json",
    log:
        "results/logs/fetch/{shard}.log",
    benchmark:
        "results/benchmarks/fetch/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.fetch", "data"),
        rows=lambda wildcards: CRATE_ROWS[int(wildcards.shard)],
        needs=lambda wildcards: CRATE_NEEDS[int(wildcards.shard)],
        advisories=ADVISORIES,
        options=options_of(FETCH),
    shell:
        "python -m scripts.fetch --rows {params.rows:q} --out {output} {params.options} --log {log}"
        " --telemetry results/telemetry --job fetch shard={wildcards.shard}"


rule items:
    """Cut the crates of one shard into items and chunks, past the quality gates."""
    input:
        "results/corpus/fetch/{shard}.json",
    output:
        rows="results/corpus/items/{shard}.parquet",
        rejections="results/corpus/rejections/{shard}.jsonl",
    log:
        "results/logs/items/{shard}.log",
    benchmark:
        "results/benchmarks/items/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.items", "data"),
        gates=options_of(CONFIG.corpus.gates),
        chunks=options_of(CONFIG.corpus.chunks),
    shell:
        "python -m scripts.items --manifest {input} --out {output.rows} --rejections {output.rejections}"
        " --workers {threads} {params.gates} {params.chunks} --log {log}"
        " --telemetry results/telemetry --job items shard={wildcards.shard}"


rule builds:
    """Build and lint the crates of one shard in the sandbox, and ask the compiler about their items."""
    input:
        manifest="results/corpus/fetch/{shard}.json",
        rows="results/corpus/items/{shard}.parquet",
    output:
        crates="results/corpus/builds/{shard}.json",
        pairs="results/corpus/pairs/{shard}.parquet",
    log:
        "results/logs/builds/{shard}.log",
    benchmark:
        "results/benchmarks/builds/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    threads: HALF_OF_CORES
    params:
        code=code_of("scripts.builds", "data"),
        builds=options_of(CONFIG.corpus.builds),
        pairs=options_of(CONFIG.pairs),
    shell:
        "python -m scripts.builds --manifest {input.manifest} --items {input.rows} --out {output.crates}"
        " --pairs {output.pairs} --workers {threads} {params.builds} {params.pairs} --log {log}"
        " --telemetry results/telemetry --job builds shard={wildcards.shard}"


rule tasks:
    """Turn items into instruction samples, by what the compiler has confirmed of them."""
    input:
        rows="results/corpus/items/{shard}.parquet",
        builds="results/corpus/builds/{shard}.json",
        pairs="results/corpus/pairs/{shard}.parquet",
    output:
        samples="results/tasks/{shard}.parquet",
        counts="results/tasks/{shard}.json",
    log:
        "results/logs/tasks/{shard}.log",
    benchmark:
        "results/benchmarks/tasks/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.tasks", "data"),
        options=options_of(CONFIG.tasks),
    shell:
        "python -m scripts.tasks --items {input.rows} --builds {input.builds} --pairs {input.pairs}"
        " --out {output.samples} --counts {output.counts} {params.options} --log {log}"
        " --telemetry results/telemetry --job tasks shard={wildcards.shard}"


rule curriculum:
    """Generate one shard of the curriculum; every reference compiles and passes its tests."""
    output:
        "results/curriculum/{shard}.parquet",
    log:
        "results/logs/curriculum/{shard}.log",
    benchmark:
        "results/benchmarks/curriculum/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.curriculum", "data"),
        options=options_of(CONFIG.curriculum),
        shards=CURRICULUM_SHARDS,
    shell:
        "python -m scripts.curriculum --shard {wildcards.shard} --shards {params.shards} --out {output}"
        " --workers {threads} {params.options} --log {log}"
        " --telemetry results/telemetry --job curriculum shard={wildcards.shard}"


rule curriculum_suite:
    """Write the held-out problems of the curriculum, each verified."""
    output:
        "results/suites/{suite}.jsonl",
    log:
        "results/logs/curriculum_suite/{suite}.log",
    benchmark:
        "results/benchmarks/curriculum_suite/{suite}.tsv"
    wildcard_constraints:
        suite=one_of(HELD_OUT_SUITES),
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.curriculum_suite", "data"),
        options=options_of(CONFIG.curriculum),
    shell:
        "python -m scripts.curriculum_suite --out {output} --workers {threads} {params.options} --log {log}"
        " --telemetry results/telemetry --job curriculum_suite suite={wildcards.suite}"
