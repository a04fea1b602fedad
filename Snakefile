"""Rust Expert: from real Rust crates to a measured Rust-expert language model. See README.md."""


configfile: f"{workflow.current_basedir}/config/config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/stages.smk"
include: "rules/plans.smk"
include: "rules/records.smk"
include: "rules/corpus.smk"
include: "rules/dataset.smk"
include: "rules/training.smk"
include: "rules/sampling.smk"
include: "rules/judging.smk"
include: "rules/report.smk"
include: "rules/sweep.smk"
include: "rules/export.smk"


# Where other rules go to a cluster these stay where Snakemake runs: they are short, or fetch from the network.
localrules:
    all,
    fetch,
    summarize,
    provenance,
    bom,
    run_crate,
    publish,


rule all:
    default_target: True
    input:
        "results/metrics.json",
        "results/ro-crate-metadata.json",


require_records()


onstart:
    or_stop(require_engines)


onsuccess:
    finish(True)


onerror:
    finish(False)
