"""Clean rows, named data sets, and the data of rejection sampling."""


rule clean:
    """Remove secrets, duplicates and whatever a suite holds, then split by crate and by combination."""
    input:
        tasks=[f"results/tasks/{shard}.parquet" for shard in CORPUS_SHARDS],
        curriculum=[f"results/curriculum/{shard}.parquet" for shard in range(CURRICULUM_SHARDS)],
        suites=SUITE_FILES,
    output:
        rows="results/dataset/clean.parquet",
        privacy="results/dataset/privacy.json",
        decontamination="results/dataset/decontamination.json",
        funnel="results/dataset/funnel.json",
    log:
        "results/logs/clean.log",
    benchmark:
        "results/benchmarks/clean.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.clean", "data"),
        options=options_of(CONFIG.clean),
        suites=named_suites,
    shell:
        "python -m scripts.clean --tasks {input.tasks} --curriculum {input.curriculum} --suites {params.suites}"
        " --out {output.rows} --privacy {output.privacy} --decontamination {output.decontamination} --funnel {output.funnel}"
        " {params.options} --log {log}"
        " --telemetry results/telemetry --job clean"


rule mix:
    """Draw one named data set from the cleaned rows, and from other sources if it has any."""
    input:
        clean="results/dataset/clean.parquet",
        others=lambda wildcards: [local(path) for path in source_files(wildcards.dataset)],
        suites=lambda wildcards: SUITE_FILES if CONFIG.datasets[wildcards.dataset].sources else [],
    output:
        dataset_files("{dataset}", "train"),
        dataset_files("{dataset}", "val"),
        dataset_files("{dataset}", "train", "jsonl"),
        dataset_files("{dataset}", "val", "jsonl"),
        report="results/dataset/{dataset}/mix.json",
        manifest="results/dataset/{dataset}/manifest.json",
    log:
        "results/logs/mix/{dataset}.log",
    benchmark:
        "results/benchmarks/mix/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.mix", "data"),
        options=lambda wildcards: cli.flags(dataset_spec(wildcards.dataset)),
        cleaning=cleaning_of,
        shards=len(DATASET_SHARDS),
    shell:
        "python -m scripts.mix --clean {input.clean} --name {wildcards.dataset} --report {output.report}"
        " --shards {params.shards} {params.cleaning} {params.options} --log {log}"
        " --telemetry results/telemetry --job mix dataset={wildcards.dataset}"


rule rsft_prompts:
    """Choose the training prompts of a rejection-sampling stage; never a problem of any suite."""
    input:
        data=data_of("train"),
        suites=SUITE_FILES,
    output:
        "results/suites/{stage}-prompts.jsonl",
    log:
        "results/logs/rsft_prompts/{stage}.log",
    benchmark:
        "results/benchmarks/rsft_prompts/{stage}.tsv"
    wildcard_constraints:
        stage=one_of(RSFT_STAGES),
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.rsft_prompts", "data"),
        options=lambda wildcards: cli.flags(STAGES[wildcards.stage].prompts),
    shell:
        "python -m scripts.rsft_prompts --data {input.data} --suites {input.suites} --out {output}"
        " {params.options} --log {log}"
        " --telemetry results/telemetry --job rsft_prompts stage={wildcards.stage}"


rule rsft_select:
    """Keep the best judged answers to the training prompts and mix them with the stage's data."""
    input:
        problems=lambda wildcards: f"results/suites/{answers_of(wildcards.stage)}-prompts.jsonl",
        completions=lambda wildcards: f"results/samples/{parent_of(wildcards.stage)}/{answers_of(wildcards.stage)}-prompts.jsonl",
        verdicts=lambda wildcards: f"results/verdicts/{parent_of(wildcards.stage)}/{answers_of(wildcards.stage)}-prompts.parquet",
        train=data_of("train"),
        val=data_of("val"),
    output:
        dataset_files("{stage}", "train"),
        dataset_files("{stage}", "val"),
        report="results/dataset/{stage}/selection.json",
        manifest="results/dataset/{stage}/manifest.json",
    log:
        "results/logs/rsft_select/{stage}.log",
    benchmark:
        "results/benchmarks/rsft_select/{stage}.tsv"
    wildcard_constraints:
        stage=one_of(RSFT_STAGES),
    conda:
        "../envs/data.yaml"
    params:
        code=code_of("scripts.rsft_select", "data"),
        options=lambda wildcards: cli.flags(STAGES[wildcards.stage].keep),
        shards=len(DATASET_SHARDS),
    shell:
        "python -m scripts.rsft_select --stage {wildcards.stage} --problems {input.problems} --completions {input.completions}"
        " --verdicts {input.verdicts} --parent-train {input.train} --parent-val {input.val} --report {output.report}"
        " --shards {params.shards} {params.options} --log {log}"
        " --telemetry results/telemetry --job rsft_select stage={wildcards.stage}"
