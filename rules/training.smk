"""The base model and the training stages, which the configuration lists."""


rule base:
    """Make or fetch the base model."""
    input:
        train=base_shards("train"),
        val=base_shards("val"),
    output:
        "results/models/base/manifest.json",
    log:
        "results/logs/base.log",
    benchmark:
        "results/benchmarks/base.tsv"
    priority: 10
    localrule: CONFIG.base.origin == "hub"
    conda:
        "../envs/train.yaml"
    params:
        code=code_of("scripts.base", "train"),
        options=literal(base_flags()),
    shell:
        "python -m scripts.base --train {input.train} --val {input.val} --out {output}"
        " --code {params.code} {params.options} --log {log}"
        " --telemetry results/telemetry --job base"


rule train_sft:
    """Fine-tune a stage's parent on a data set with QLoRA; resumes from the last whole checkpoint."""
    input:
        base="results/models/base/manifest.json",
        parent=parent_manifest,
        train=data_of("train"),
        val=data_of("val"),
    output:
        "results/models/{stage}/manifest.json",
    log:
        "results/logs/train/{stage}.log",
    benchmark:
        "results/benchmarks/train/{stage}.tsv"
    wildcard_constraints:
        stage=one_of(SFT_STAGES),
    priority: 10
    conda:
        "../envs/train.yaml"
    resources:
        gpu=training_gpus,
    params:
        code=code_of("scripts.train", "train"),
        method=lambda wildcards: STAGES[wildcards.stage].method,
        options=lambda wildcards: training_flags(wildcards.stage),
        lora=lora_flags,
        quantization=options_of(CONFIG.quantization),
    shell:
        "python -m scripts.train --stage {wildcards.stage} --method {params.method} --base {input.base} --parent {input.parent}"
        " --train {input.train} --val {input.val} --out {output}"
        " --code {params.code} {params.lora} {params.quantization} {params.options} --log {log}"
        " --telemetry results/telemetry --job train_{params.method} stage={wildcards.stage}"


use rule train_sft as train_rsft with:
    input:
        base="results/models/base/manifest.json",
        parent=parent_manifest,
        train=lambda wildcards: dataset_files(selection_of(wildcards.stage), "train"),
        val=lambda wildcards: dataset_files(selection_of(wildcards.stage), "val"),
    wildcard_constraints:
        stage=one_of(RSFT_STAGES),
