"""Crates from the registry or a folder, their items, and instruction samples; the curriculum and its suite."""


rule fetch:
    """Fetch the pinned crates of one shard and verify their checksums."""
    output:
        "results/corpus/fetch/{shard}.json",
    params:
        code=code_of("scripts.fetch", "data"),
        rows=lambda wildcards: CRATE_ROWS[wildcards.shard],
        options=cli.flags(FETCH),
    log:
        "results/logs/fetch/{shard}.log",
    benchmark:
        "results/benchmarks/fetch/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    shell:
        "python -m scripts.fetch --rows {params.rows:q} --out {output} {params.options} --log {log}"


rule items:
    """Cut the crates of one shard into items, past the quality gates."""
    input:
        "results/corpus/fetch/{shard}.json",
    output:
        items="results/corpus/items/{shard}.parquet",
        rejections="results/corpus/rejections/{shard}.jsonl",
    params:
        code=code_of("scripts.items", "data"),
        options=cli.flags(CONFIG.corpus.gates),
    log:
        "results/logs/items/{shard}.log",
    benchmark:
        "results/benchmarks/items/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    shell:
        "python -m scripts.items --manifest {input} --out {output.items} --rejections {output.rejections}"
        " {params.options} --log {log}"


rule tasks:
    """Turn items into instruction samples; the compiler checks what they claim, in the sandbox."""
    input:
        "results/corpus/items/{shard}.parquet",
    output:
        samples="results/tasks/{shard}.parquet",
        counts="results/tasks/{shard}.json",
    params:
        code=code_of("scripts.tasks", "data"),
        options=cli.flags(CONFIG.tasks),
        toolchain=TOOLCHAIN,
    log:
        "results/logs/tasks/{shard}.log",
    benchmark:
        "results/benchmarks/tasks/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    shell:
        "python -m scripts.tasks --items {input} --out {output.samples} --counts {output.counts}"
        " --workers {threads} {params.options} --log {log}"


rule curriculum:
    """Generate one shard of the curriculum; every reference compiles and passes its tests."""
    output:
        "results/curriculum/{shard}.parquet",
    params:
        code=code_of("scripts.curriculum", "data"),
        options=cli.flags(CONFIG.curriculum),
        shards=CURRICULUM_SHARDS,
        toolchain=TOOLCHAIN,
    log:
        "results/logs/curriculum/{shard}.log",
    benchmark:
        "results/benchmarks/curriculum/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    shell:
        "python -m scripts.curriculum --shard {wildcards.shard} --shards {params.shards} --out {output}"
        " --workers {threads} {params.options} --log {log}"


rule curriculum_suite:
    """Write the held-out problems of the curriculum, each verified."""
    output:
        "results/suites/{suite}.jsonl",
    wildcard_constraints:
        suite=one_of(HELD_OUT_SUITES),
    params:
        code=code_of("scripts.curriculum_suite", "data"),
        options=cli.flags(CONFIG.curriculum),
        toolchain=TOOLCHAIN,
    log:
        "results/logs/curriculum_suite/{suite}.log",
    benchmark:
        "results/benchmarks/curriculum_suite/{suite}.tsv"
    conda:
        "../envs/data.yaml"
    shell:
        "python -m scripts.curriculum_suite --out {output} --workers {threads} {params.options} --log {log}"
