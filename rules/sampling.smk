"""Raw answers of a stage to the problems of a suite, or to the training prompts of rejection sampling."""


rule sample:
    """Sample a stage on a suite."""
    input:
        base="results/models/base/manifest.json",
        model="results/models/{stage}/manifest.json",
        suite=suite_file,
    output:
        "results/samples/{stage}/{suite}.jsonl",
    log:
        "results/logs/sample/{stage}/{suite}.log",
    benchmark:
        "results/benchmarks/sample/{stage}/{suite}.tsv"
    priority: 5
    conda:
        "../envs/sample.yaml"
    resources:
        gpu=1,
    params:
        code=code_of("scripts.sample", "sample"),
        options=sampling_flags,
        quantization=options_of(CONFIG.quantization),
    shell:
        "python -m scripts.sample --base {input.base} --model {input.model} --suite {input.suite} --out {output}"
        " {params.quantization} {params.options} --log {log}"
        " --telemetry results/telemetry --job sample stage={wildcards.stage} suite={wildcards.suite}"
