"""The figures of all stages side by side, what they were made with, the report, and the published metrics."""


rule summarize:
    """Gather the figures and compare every stage with its parent and with base."""
    input:
        scores=[f"results/metrics/{stage}/{suite}.json" for stage, suite in EVALUATED + EVALUATED_AGAIN],
        manifests=list(dict.fromkeys(model_manifest(stage) for stage in MEASURED)),
        funnel="results/dataset/funnel.json",
        decontamination="results/dataset/decontamination.json",
        mixes=[f"results/dataset/{name}/mix.json" for name in USED_DATASETS],
        selections=[f"results/dataset/{stage}/selection.json" for stage in EVALUATED_RSFT],
    output:
        "results/metrics/summary.json",
    log:
        "results/logs/summarize.log",
    benchmark:
        "results/benchmarks/summarize.tsv"
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.summarize", "report"),
        scores=[
            f"{stage}:{suite}=results/metrics/{stage}/{suite}.json"
            for stage, suite in EVALUATED + EVALUATED_AGAIN
        ],
        parents=literal(json.dumps(PARENTS)),
        runs=literal(json.dumps(NAMES)),
        manifests=[f"{stage}={model_manifest(stage)}" for stage in MEASURED],
        mixes=[f"{name}=results/dataset/{name}/mix.json" for name in USED_DATASETS],
        selections=[f"{stage}=results/dataset/{stage}/selection.json" for stage in EVALUATED_RSFT],
        options=options_of(CONFIG.score),
    shell:
        "python -m scripts.summarize --scores {params.scores} --parents {params.parents:q} --runs {params.runs:q}"
        " --manifests {params.manifests} --funnel {input.funnel} --decontamination {input.decontamination}"
        " --mixes {params.mixes} --selections {params.selections} --out {output} {params.options} --log {log}"
        " --telemetry results/telemetry --job summarize"


rule provenance:
    """Versions, commit, machine, seeds, the effective configuration, and what each job cost."""
    input:
        "results/metrics/summary.json",
    output:
        report(
            "results/provenance.json",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"what": "each figure's way back"},
        ),
    log:
        "results/logs/provenance.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.provenance", "report"),
        config=literal(CONFIG.model_dump_json(by_alias=True, exclude={"sweep"})),
        lineage=literal(lineage_plan()),
    shell:
        "python -m scripts.provenance --config-json {params.config:q} --benchmarks results/benchmarks"
        " --counted results/telemetry --lineage {params.lineage:q} --out {output} --log {log}"
        " --telemetry results/telemetry --job provenance"


rule card:
    """A data set's cards, for people and for machines; they lie beside its files, as they are published."""
    input:
        dataset_files("{dataset}", "train"),
        dataset_files("{dataset}", "val"),
        dataset_files("{dataset}", "train", "jsonl"),
        dataset_files("{dataset}", "val", "jsonl"),
        manifest="results/dataset/{dataset}/manifest.json",
        mix="results/dataset/{dataset}/mix.json",
        funnel="results/dataset/funnel.json",
        decontamination="results/dataset/decontamination.json",
    output:
        readme=report(
            "results/dataset/{dataset}/README.md",
            caption="../report/dataset.rst",
            category="Cards",
            labels={"what": "card", "of": "data set {dataset}"},
        ),
        croissant=report(
            "results/dataset/{dataset}/croissant.json",
            caption="../report/croissant.rst",
            category="Cards",
            labels={"what": "Croissant metadata", "of": "data set {dataset}"},
        ),
    log:
        "results/logs/card/{dataset}.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.card", "report"),
        options=options_of(CONFIG.cards),
    shell:
        "python -m scripts.card --manifest {input.manifest} --mix {input.mix} --funnel {input.funnel}"
        " --decontamination {input.decontamination} --readme {output.readme} --croissant {output.croissant}"
        " {params.options} --log {log}"
        " --telemetry results/telemetry --job card dataset={wildcards.dataset}"


rule report:
    """One self-contained page: findings, plots, answers side by side, the data; and the model's card."""
    input:
        fetched=[f"results/corpus/fetch/{shard}.json" for shard in CORPUS_SHARDS],
        rejections=[f"results/corpus/rejections/{shard}.jsonl" for shard in CORPUS_SHARDS],
        builds=[f"results/corpus/builds/{shard}.json" for shard in CORPUS_SHARDS],
        counts=[f"results/tasks/{shard}.json" for shard in CORPUS_SHARDS],
        summary="results/metrics/summary.json",
        provenance="results/provenance.json",
        rows="results/dataset/clean.parquet",
        funnel="results/dataset/funnel.json",
        decontamination="results/dataset/decontamination.json",
        mixes=[f"results/dataset/{name}/mix.json" for name in USED_DATASETS],
        cards=[
            f"results/dataset/{name}/{card}"
            for name in USED_DATASETS
            for card in ("README.md", "croissant.json")
        ],
        manifests=[f"results/models/{stage}/manifest.json" for stage in CONFIG.evaluate.stages],
        suites=[suite_path(suite) for suite in CONFIG.evaluate.suites],
        samples=[f"results/samples/{stage}/{suite}.jsonl" for stage, suite in EVALUATED],
        verdicts=[f"results/verdicts/{stage}/{suite}.parquet" for stage, suite in EVALUATED],
        scores=[f"results/metrics/{stage}/{suite}.json" for stage, suite in EVALUATED],
    output:
        page=report(
            "results/report.html",
            caption="../report/report.rst",
            category="Findings",
            labels={"what": "report"},
        ),
        training=report(
            "results/plots/training.csv",
            caption="../report/training.rst",
            category="Plots",
            labels={"what": "training"},
        ),
        rates=report(
            "results/plots/rates.csv",
            caption="../report/rates.rst",
            category="Plots",
            labels={"what": "rates by stage"},
        ),
        card=report(
            "results/cards/model.md",
            caption="../report/model.rst",
            category="Cards",
            labels={"what": "card", "of": "the models"},
        ),
        checklist=report(
            "results/cards/checklist.md",
            caption="../report/checklist.rst",
            category="Cards",
            labels={"what": "checklist", "of": "the run"},
        ),
    log:
        "results/logs/report.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.report", "report"),
        suites=[f"--suite {suite} {suite_path(suite)}" for suite in CONFIG.evaluate.suites],
        answers=[
            f"--answers {stage} {suite} results/samples/{stage}/{suite}.jsonl"
            f" results/verdicts/{stage}/{suite}.parquet"
            for stage, suite in EVALUATED
        ],
        models=[f"--model {stage} results/models/{stage}/manifest.json" for stage in CONFIG.evaluate.stages],
        scores=[f"--score {suite} results/metrics/{stage}/{suite}.json" for stage, suite in EVALUATED],
        options=options_of(CONFIG.report),
    shell:
        "python -m scripts.report --summary {input.summary} --provenance {input.provenance}"
        " --fetched {input.fetched} --rejections {input.rejections} --builds {input.builds}"
        " --counts {input.counts} --rows {input.rows}"
        " {params.suites} {params.answers} {params.models} {params.scores} --funnel {input.funnel}"
        " --decontamination {input.decontamination} --mix {input.mixes} --link {input.cards}"
        " --out {output.page} --plots results/plots --card {output.card} --checklist {output.checklist} {params.options}"
        " --log {log}"
        " --telemetry results/telemetry --job report"


rule publish:
    """Put metrics.json and its headline in their place once report and provenance stand beside them."""
    input:
        summary="results/metrics/summary.json",
        provenance="results/provenance.json",
        report="results/report.html",
    output:
        metrics=report(
            "results/metrics.json",
            caption="../report/metrics.rst",
            category="Findings",
            labels={"what": "all figures"},
        ),
        headline=report(
            "results/headline.json",
            caption="../report/headline.rst",
            category="Findings",
            labels={"what": "headline"},
        ),
    log:
        "results/logs/publish.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.publish", "report"),
    shell:
        "python -m scripts.publish --summary {input.summary} --beside {input.provenance} {input.report}"
        " --headline {output.headline} --out {output.metrics} --log {log}"
        " --telemetry results/telemetry --job publish"


rule bom:
    """The bill of materials of the run: models, data sets, suites, crates, packages and tools (CycloneDX)."""
    input:
        fetched=[f"results/corpus/fetch/{shard}.json" for shard in CORPUS_SHARDS],
        mixes=[f"results/dataset/{name}/mix.json" for name in USED_DATASETS],
        data=list(dict.fromkeys(LEARNED_FROM.values())),
        manifests=[model_manifest(name) for name in MODELS],
        suites=[suite_path(suite) for suite in CONFIG.evaluate.suites],
        summary="results/metrics/summary.json",
        provenance="results/provenance.json",
    output:
        "results/bom.cdx.json",
    log:
        "results/logs/bom.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.bom", "report"),
        models=[f"--model {name} {model_manifest(name)}" for name in MODELS],
        data=[f"--dataset {stage} {path}" for stage, path in LEARNED_FROM.items()],
        suites=[f"--suite {suite} {suite_path(suite)}" for suite in CONFIG.evaluate.suites],
        stated=literal(
            stated_flags({"creator": CONFIG.cards.creator, "base-licence": CONFIG.export.base_license})
        ),
    shell:
        "python -m scripts.bom --summary {input.summary} --provenance {input.provenance} {params.models}"
        " {params.data} {params.suites} --fetched {input.fetched} --mix {input.mixes} --out {output}"
        " {params.stated} --log {log}"
        " --telemetry results/telemetry --job bom"


rule run_crate:
    """Which job made each file of the finished run, for machines: makes the results folder an RO-Crate."""
    input:
        made=["results/metrics.json", "results/headline.json", "results/report.html", "results/bom.cdx.json"],
        provenance="results/provenance.json",
        sources=WORKFLOW_FILES,
    output:
        crate="results/ro-crate-metadata.json",
        readme="results/README.md",
    log:
        "results/logs/run_crate.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.run_crate", "report"),
        stated=literal(stated_flags({"creator": CONFIG.cards.creator, "published": CONFIG.cards.published})),
    shell:
        "python -m scripts.run_crate --provenance {input.provenance} --made {input.made}"
        " --sources {input.sources} --out {output.crate} {params.stated} --log {log}"
        " --telemetry results/telemetry --job run_crate"


rule release:
    """The samples with all that is needed to judge them again, in one archive; no part of the chain."""
    input:
        "results/metrics.json",
        "results/provenance.json",
        "results/dataset/funnel.json",
        "results/dataset/decontamination.json",
        [f"results/{kind}" for kind in RELEASED],
        [suite_path(suite) for suite in CONFIG.evaluate.suites],
    output:
        "results/release.tar.gz",
    log:
        "results/logs/release.log",
    conda:
        "../envs/report.yaml"
    params:
        code=code_of("scripts.release", "report"),
        judge=code_of("scripts.judge", "judge"),
        plan=literal(release_plan()),
    shell:
        "python -m scripts.release --plan {params.plan:q} --out {output} --log {log}"
        " --telemetry results/telemetry --job release"
