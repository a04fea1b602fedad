"""Raw answers of a stage to the problems of a suite, or to the training prompts of rejection sampling."""


rule sample:
    """Sample a stage on a suite."""
    input:
        base="results/models/base/manifest.json",
        model=lambda wildcards: model_manifest(wildcards.stage),
        suite=suite_file,
    output:
        rows="results/samples/{stage}/{suite}.jsonl",
        manifest="results/samples/{stage}/{suite}.json",
    log:
        "results/logs/sample/{stage}/{suite}.log",
    benchmark:
        "results/benchmarks/sample/{stage}/{suite}.tsv"
    wildcard_constraints:
        suite=one_of(OTHER_SUITES),
    priority: 5
    conda:
        "../envs/sample.yaml"
    resources:
        gpu=sampling_gpus,
    params:
        code=code_of("scripts.sample", "sample"),
        options=sampling_flags,
        quantization=options_of(CONFIG.quantization),
    shell:
        "python -m scripts.sample --base {input.base} --model {input.model} --suite {input.suite} --out {output.rows}"
        " {params.quantization} {params.options} --log {log}"
        " --telemetry results/telemetry --job sample stage={wildcards.stage} suite={wildcards.suite}"


rule sample_vllm:
    """Sample a stage on one suite with vLLM."""
    input:
        base="results/models/base/manifest.json",
        models=lambda wildcards: model_manifest(wildcards.stage),
        suites=suite_file,
    output:
        rows="results/samples/{stage}/{suite}.jsonl",
        manifests="results/samples/{stage}/{suite}.json",
    log:
        "results/logs/sample/{stage}/{suite}.log",
    benchmark:
        "results/benchmarks/sample/{stage}/{suite}.tsv"
    wildcard_constraints:
        suite=one_of(VLLM_SUITES),
    priority: 5
    conda:
        "../envs/sample-vllm.yaml"
    resources:
        gpu=sampling_gpus,
    params:
        code=code_of("scripts.sample_vllm", "sample-vllm"),
        job=vllm_job,
        pairs=vllm_pairs,
        options=sampling_flags,
        quantization=options_of(CONFIG.quantization),
    shell:
        'PATH="${{RUST_EXPERT_VLLM:+$RUST_EXPERT_VLLM/bin:}}$PATH"'
        " python -m scripts.sample_vllm --base {input.base} {params.pairs}"
        " {params.quantization} {params.options} --log {log}"
        " --telemetry results/telemetry --job sample_vllm {params.job}"


if VLLM_EVALUATION:

    # One load of the base for all that is measured. What stands already is written again, not sampled.
    use rule sample_vllm as sample_vllm_evaluation with:
        input:
            base="results/models/base/manifest.json",
            models=[f"results/models/{stage}/manifest.json" for stage in CONFIG.evaluate.stages],
            suites=[suite_path(suite) for suite in CONFIG.evaluate.suites],
        output:
            rows=[f"results/samples/{stage}/{suite}.jsonl" for stage, suite in EVALUATED],
            manifests=[f"results/samples/{stage}/{suite}.json" for stage, suite in EVALUATED],
        log:
            "results/logs/sample/evaluation.log",
        benchmark:
            "results/benchmarks/sample/all/all.tsv"

    # And one for each seed but the first.
    use rule sample_vllm_evaluation as sample_vllm_seed with:
        input:
            base="results/models/base/manifest.json",
            models=lambda wildcards: [model_manifest(name) for name, _ in evaluated(int(wildcards.seed))],
            suites=[suite_path(suite) for suite in CONFIG.evaluate.suites],
        output:
            rows=[f"results/samples/{stage}__seed_{{seed}}/{suite}.jsonl" for stage, suite in EVALUATED],
            manifests=[f"results/samples/{stage}__seed_{{seed}}/{suite}.json" for stage, suite in EVALUATED],
        log:
            "results/logs/sample/seed_{seed}.log",
        benchmark:
            "results/benchmarks/sample/all/all/{seed}.tsv"
        wildcard_constraints:
            seed=one_of(map(str, RUNS.names)),

    ruleorder: sample_vllm_evaluation > sample_vllm_seed > sample_vllm
