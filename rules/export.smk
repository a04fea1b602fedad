"""Models that leave the project: merged weights, exported folders, their cards. Made when asked for by name."""


rule merge:
    """Merge a stage's adapter into its base, and compare the logits."""
    input:
        base="results/models/base/manifest.json",
        stage="results/models/{stage}/manifest.json",
    output:
        "results/merged/{stage}/manifest.json",
    log:
        "results/logs/merge/{stage}.log",
    benchmark:
        "results/benchmarks/merge/{stage}.tsv"
    wildcard_constraints:
        stage=one_of(CONFIG.stages),
    conda:
        "../envs/train.yaml"
    resources:
        gpu=int(CONFIG.merge.device == "cuda"),
    params:
        code=code_of("scripts.merge", "train"),
        options=options_of(CONFIG.merge),
        quantization=options_of(CONFIG.quantization),
    shell:
        "python -m scripts.merge --base {input.base} --stage {input.stage} --out {output}"
        " {params.options} {params.quantization} --log {log}"
        " --telemetry results/telemetry --job merge stage={wildcards.stage}"


rule export:
    """Export a merged model as plain transformers loads it."""
    input:
        base="results/models/base/manifest.json",
        stage="results/models/{stage}/manifest.json",
        merged="results/merged/{stage}/manifest.json",
    output:
        "results/export/{stage}/manifest.json",
    log:
        "results/logs/export/{stage}.log",
    benchmark:
        "results/benchmarks/export/{stage}.tsv"
    wildcard_constraints:
        stage=one_of(CONFIG.stages),
    conda:
        "../envs/train.yaml"
    params:
        code=code_of("scripts.export", "train"),
        options=options_of(CONFIG.export),
        generation=literal(generation_flags()),
        quantization=options_of(CONFIG.quantization),
        weights=lambda wildcards, input: (
            f"--merged {input.merged}" if "merged" in input.keys() else "--adapter-only"
        ),
    shell:
        "python -m scripts.export --base {input.base} --stage {input.stage} {params.weights} --out {output}"
        " {params.options} {params.generation} {params.quantization} --log {log}"
        " --telemetry results/telemetry --job export stage={wildcards.stage}"


use rule export as export_adapter with:
    input:
        base="results/models/base/manifest.json",
        stage="results/models/{stage}/manifest.json",
    output:
        "results/export/{stage}-adapter/manifest.json",
    log:
        "results/logs/export/{stage}-adapter.log",
    benchmark:
        "results/benchmarks/export/{stage}-adapter.tsv"


rule model_card:
    """The card of an exported model, in its folder, from the run's figures and provenance."""
    input:
        export="results/export/{stage}{form}/manifest.json",
        metrics="results/metrics.json",
        provenance="results/provenance.json",
        models=lambda wildcards: [
            f"results/models/{name}/manifest.json" for name in chain_of(wildcards.stage)
        ],
        data=lambda wildcards: list(dict.fromkeys(chain_data(wildcards.stage).values())),
    output:
        report(
            "results/export/{stage}{form}/model/README.md",
            caption="../report/export.rst",
            category="Cards",
            labels={"what": "card", "of": "model {stage}{form}, exported"},
        ),
    log:
        "results/logs/model_card/{stage}{form}.log",
    wildcard_constraints:
        stage=one_of(CONFIG.stages),
        form="(-adapter)?",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.model_card", "report"),
        models=lambda wildcards: [
            f"--model {name} results/models/{name}/manifest.json" for name in chain_of(wildcards.stage)
        ],
        data=lambda wildcards: [
            f"--dataset {name} {path}" for name, path in chain_data(wildcards.stage).items()
        ],
    shell:
        "python -m scripts.model_card --export {input.export} --metrics {input.metrics}"
        " --provenance {input.provenance} {params.models} {params.data} --log {log}"
        " --telemetry results/telemetry --job model_card stage={wildcards.stage}{wildcards.form}"
