"""What the rules share: the checked configuration, code fingerprints, the files and flags of a stage or suite."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(workflow.current_basedir).resolve().parent
sys.path.insert(0, str(ROOT))
# Jobs find the scripts wherever the working folder is.
shell.prefix(f"export PYTHONPATH={shlex.quote(str(ROOT))}; ")

from rust_expert.common import cli
from rust_expert.common.closure import code_parts, fingerprint_of, recall, remember
from rust_expert.common.config import points, profile, seeds
from rust_expert.common.config.export import GenerationDefaults
from rust_expert.common.config.models import TrainingOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.errors import UserError
from rust_expert.common.exposition import merge
from rust_expert.common.problems import read_problems
from rust_expert.common.toolchain import rustc_version
from rust_expert.crates.advisories import database_mark
from rust_expert.crates.fetch import needs_by_shard, rows_by_shard
from rust_expert.dataset.shards import shard_name
from rust_expert.dataset.sources import files_of
from rust_expert.judge.crate_table import read_table


def or_stop(check, *arguments):
    """The value of a check; bad input ends the run with its one sentence and exit code before any job starts."""
    try:
        return check(*arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def at_root(path):
    """A path of the repository as seen from the working folder: records do not depend on where a clone lies."""
    return os.path.relpath(ROOT / path)


READ_CODE = Path(".snakemake", "read_code.json")
recall(READ_CODE)


def ours(path):
    """A file of the repository as an input: it stays where it is, also where results lie in a store of objects."""
    return local(at_root(path))


CODE = {}
"""The hashes of the files behind each fingerprint."""


def code_of(module, env):
    """The fingerprint of a script's import closure and of its environment's lock."""
    parts = code_parts(module, ROOT, (ROOT / "envs" / f"{env}.lock",))
    fingerprint = fingerprint_of(parts)
    CODE[fingerprint] = parts
    return fingerprint


def literal(text):
    """A param that stands as it is: in a plain string Snakemake would read braces as wildcards."""
    return lambda wildcards: text


def options_of(section):
    """A config section as the flags of a script; the rule runs again when, and only when, one of its keys changes."""
    return literal(cli.flags(section))


CONFIG = or_stop(profile.check, config)
SWEEP = or_stop(points.expand, CONFIG)
RUNS = or_stop(seeds.expand, CONFIG, SWEEP.stages)
STAGES = {**CONFIG.stages, **SWEEP.stages, **RUNS.stages}
TOOLCHAIN = or_stop(rustc_version)

# What compiles takes half of the cores. On a cluster there is no number of all cores; its profile has set-threads.
HALF_OF_CORES = max(1, (workflow.resource_settings.cores or 2) // 2)

CORPUS_SHARDS = range(CONFIG.corpus.shards)
CURRICULUM_SHARDS = CONFIG.curriculum_shards
DATASET_SHARDS = range(CONFIG.dataset_shards)
SFT_STAGES = [name for name, stage in STAGES.items() if stage.method == "sft"]
RSFT_STAGES = [name for name, stage in STAGES.items() if stage.method == "rsft"]


def evaluated(seed):
    """What is measured in the run of a seed, each as what it is called there and the suite."""
    names = RUNS.names.get(seed, {})
    return [
        (names.get(stage, stage), suite)
        for stage in CONFIG.evaluate.stages
        for suite in CONFIG.evaluate.suites
    ]


EVALUATED = evaluated(0)
EVALUATED_AGAIN = [pair for seed in RUNS.names for pair in evaluated(seed)]
MEASURED = list(dict.fromkeys(name for name, _ in EVALUATED + EVALUATED_AGAIN))
NEEDED_STAGES = {name for stage in CONFIG.evaluate.stages for name in profile.ancestry(CONFIG, stage)}
EVALUATED_RSFT = [name for name in RSFT_STAGES if RUNS.stage_of(name) in NEEDED_STAGES]
USED_DATASETS = [
    name
    for name in CONFIG.datasets
    if name in {CONFIG.stages[stage].data for stage in NEEDED_STAGES - {"base"}}
    or (CONFIG.base.origin == "scratch" and name == CONFIG.base.data)
]


def one_of(names):
    """A wildcard constraint that holds exactly these names (and nothing where there are none)."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    shard="[0-9]+",
    stage="[a-z][a-z0-9_]*",
    seed="[0-9]+",
    suite="[a-z][a-z0-9_]*(-prompts)?",
    dataset=one_of(CONFIG.datasets),


# Suites


def suite_path(name):
    """Where the problems of a suite lie."""
    suite = CONFIG.suites[name]
    if suite.origin == "file":
        return ours(suite.path)
    return f"results/suites/{name}.jsonl"


def problems_path(name):
    """Where the problems of a suite or of a stage's training prompts lie."""
    return f"results/suites/{name}.jsonl" if name.endswith("-prompts") else suite_path(name)


def suite_file(wildcards):
    """The problems that a sampling or judging job works on: a suite's, or a stage's training prompts."""
    return problems_path(wildcards.suite)


def crate_table(wildcards):
    """The crates that the problems of a file may need; problems that are made here need none."""
    suite = CONFIG.suites.get(wildcards.suite)
    if suite is None or suite.origin != "file" or suite.crates == []:
        return []
    return [ours(f"config/suite_crates/{name}") for name in ("Cargo.toml", "Cargo.lock")]


def crates_flag(wildcards):
    """The crates that the profile names for a suite, as a flag of the scripts; none where it leaves them to be found."""
    suite = CONFIG.suites.get(wildcards.suite)
    if suite is None or suite.crates is None:
        return ""
    return f"--crates {shlex.quote(','.join(suite.crates))}"


for name, suite in CONFIG.suites.items():
    if suite.origin == "file":
        or_stop(read_problems, suite_path(name))
    for crate in suite.crates or ():
        or_stop(or_stop(read_table).require, crate, f"config key suites.{name}.crates")
SUITE_FILES = [suite_path(name) for name in CONFIG.suites]


def named_suites(wildcards, input):
    """The suites by name, as scripts read them: the files where Snakemake has put them."""
    return [f"{name}={path}" for name, path in zip(CONFIG.suites, input.suites)]


HELD_OUT_SUITES = [name for name, suite in CONFIG.suites.items() if suite.origin == "curriculum"]


# Crates


def corpus_options():
    """How crates are fetched, with the table and the folders as seen from the working folder."""
    given = CONFIG.corpus.fetch
    moved = {"table": at_root(given.table)}
    if given.path:
        moved["path"] = at_root(given.path)
    if given.advisories:
        moved["advisories"] = at_root(given.advisories)
    return given.model_copy(update=moved)


FETCH = corpus_options()
CRATE_ROWS = or_stop(rows_by_shard, FETCH)
ADVISORIES = database_mark(FETCH.advisories)
CRATE_NEEDS = or_stop(needs_by_shard, FETCH)


# Data sets


def dataset_files(name, split, kind="parquet"):
    """The shards of a data set."""
    return [f"results/dataset/{name}/{shard_name(split, shard, kind)}" for shard in DATASET_SHARDS]


def dataset_spec(name):
    """A data set's options, the files of its sources as seen from the working folder."""
    given = CONFIG.datasets[name]
    moved = {
        source: (
            told
            if told.kind == "hub"
            else told.model_copy(update={"origin": f"{told.kind}:{at_root(told.place)}"})
        )
        for source, told in given.sources.items()
    }
    return given.model_copy(update={"sources": moved})


def source_files(name):
    """The files of a data set's sources."""
    sources = dataset_spec(name).sources
    return [str(path) for source, told in sources.items() for path in files_of(source, told)]


def cleaning_of(wildcards, input):
    """How rows of other sources are cleaned; nothing where a data set has none."""
    if not CONFIG.datasets[wildcards.dataset].sources:
        return ""
    words = ["--suites", *named_suites(wildcards, input), "--cleaning", CONFIG.clean.model_dump_json()]
    return shlex.join(words)


for name in dict.fromkeys([*USED_DATASETS, *(stage.data for stage in SWEEP.stages.values())]):
    or_stop(source_files, name)


def base_shards(split):
    """What the base model is trained on: nothing where it comes from the hub or a folder."""
    if CONFIG.base.origin != "scratch":
        return []
    return dataset_files(CONFIG.base.data, split)


def data_of(split):
    """The shards that a stage names as its data."""
    return lambda wildcards: dataset_files(STAGES[wildcards.stage].data, split)


# Stages


def parent_of(stage):
    """The stage that a stage goes on from."""
    return STAGES[stage].parent


def model_manifest(name):
    """The manifest of what is sampled under a name: a stage's own; the base's own whatever the seed."""
    return f"results/models/{RUNS.model_of(name)}/manifest.json"


def answers_of(stage):
    """The stage whose training prompts an rsft stage takes its answers from: itself, unless it is of a sweep or of another seed."""
    return {**SWEEP.answers, **RUNS.answers}.get(stage, stage)


def selection_of(stage):
    """The stage whose kept rows an rsft stage is trained on: itself, unless it is a point of a sweep."""
    return SWEEP.selections.get(stage, stage)


def parent_manifest(wildcards):
    """The manifest of a stage's parent."""
    return f"results/models/{parent_of(wildcards.stage)}/manifest.json"


def training_flags(name):
    """A stage's own training options as flags."""
    stage = STAGES[name]
    return cli.flags(
        TrainingOptions.model_validate({key: getattr(stage, key) for key in TrainingOptions.model_fields})
    )


def lora_flags(wildcards):
    """The adapter's options: the profile's, or those of a point of the sweep."""
    point = SWEEP.points.get(wildcards.stage)
    return cli.flags(point.lora if point else CONFIG.lora)


def training_gpus(wildcards):
    """The GPUs that a stage is trained on: one for each rank, none where the profile trains on a CPU."""
    stage = STAGES[wildcards.stage]
    return stage.ranks if stage.device == "cuda" else 0


def sampling_of(wildcards):
    """How a suite is sampled: the evaluation's way or the sweep's, or, for training prompts, the way of their stage."""
    if "stage" not in wildcards.keys():
        return seeds.moved(CONFIG.evaluate.sampling, int(wildcards.get("seed", 0)))
    if wildcards.suite.endswith("-prompts"):
        given = STAGES[wildcards.suite.removesuffix("-prompts")].sampling
    else:
        given = SWEEP.sampling if wildcards.stage in SWEEP.points else CONFIG.evaluate.sampling
    return seeds.moved(given, RUNS.seed_of(wildcards.stage))


def sampling_flags(wildcards):
    """How a suite is sampled, as flags."""
    return cli.flags(sampling_of(wildcards))


def sampling_gpus(wildcards):
    """The GPUs that a suite is sampled on: one, or none where the profile samples on a CPU."""
    return int(sampling_of(wildcards).device == "cuda")


def score_flags(wildcards):
    """How a stage is scored: with the k that its samples suffice for."""
    return cli.flags(SWEEP.score if wildcards.stage in SWEEP.points else CONFIG.score)


def vllm_pairs(wildcards):
    """What a job of vLLM samples: its stage and suite, or all that is measured in the run of a seed."""
    if "stage" in wildcards.keys():
        pairs = [(wildcards.stage, wildcards.suite)]
    else:
        pairs = evaluated(int(wildcards.get("seed", 0)))
    words = [
        [
            model_manifest(stage),
            problems_path(suite),
            f"results/samples/{stage}/{suite}.jsonl",
        ]
        for stage, suite in pairs
    ]
    return " ".join(f"--pair {shlex.join(one)}" for one in words)


def vllm_job(wildcards):
    """What a job of vLLM is called in telemetry."""
    if "stage" in wildcards.keys():
        return f"stage={wildcards.stage} suite={wildcards.suite}"
    return f"stage=all suite=all seed={wildcards.seed}" if wildcards else "stage=all suite=all"


VLLM_EVALUATION = CONFIG.evaluate.sampling.engine == "vllm"
VLLM_PROMPTS = [f"{name}-prompts" for name in RSFT_STAGES if STAGES[name].sampling.engine == "vllm"]
VLLM_SUITES = VLLM_PROMPTS + (list(CONFIG.suites) if VLLM_EVALUATION else [])
OTHER_SUITES = [
    name for name in [*CONFIG.suites, *(f"{name}-prompts" for name in RSFT_STAGES)] if name not in VLLM_SUITES
]


def require_engines():
    """Raise UserError, before anything is trained, where an engine is not there that is wanted at the end."""
    wanted = any(job.rule.name.startswith("sample_vllm") for job in workflow.dag.needrun_jobs())
    if not wanted or "conda" in {str(one) for one in workflow.deployment_settings.deployment_method}:
        return
    folder = os.environ.get("RUST_EXPERT_VLLM")
    python = f"{folder}/bin/python" if folder else "python"
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        found = subprocess.run([python, "-c", look]).returncode == 0
    except OSError:
        found = False
    if not found:
        raise UserError(
            f"engine: vllm was asked for, but {python} has no vllm; run with --sdm conda, or install envs/sample-vllm.lock into"
            " a virtual environment and name its folder in RUST_EXPERT_VLLM, or choose engine: transformers"
        )


def base_flags():
    """The base model's options, with its files as seen from the working folder."""
    given = CONFIG.base
    moved = {key: at_root(getattr(given, key)) for key in ("path", "chat_template") if getattr(given, key)}
    return cli.flags(given.model_copy(update=moved))


# A sweep


# What scripts.run_sweep found to have failed, as reasons by point: the others are ranked without them.
FAILED_POINTS = json.loads(os.environ.get("RUST_EXPERT_SWEEP_FAILED", "{}"))
RANKED_POINTS = [name for name in SWEEP.points if name not in FAILED_POINTS]


def sweep_plan():
    """What is swept, as the script reads it; nothing where the profile has no sweep."""
    if CONFIG.sweep is None:
        return "{}"
    told = {
        "stage": CONFIG.sweep.stage,
        "suite": SWEEP.suite,
        "metric": CONFIG.sweep.metric,
        "budget": CONFIG.sweep.budget,
        "sampling": CONFIG.sweep.sampling,
        "points": {name: point.varied for name, point in SWEEP.points.items()},
        "failed": {name: FAILED_POINTS[name] for name in SWEEP.points if name in FAILED_POINTS},
    }
    return json.dumps(told)


# Models that leave the project


def generation_flags():
    """How an exported model generates: the evaluation's choice of tokens."""
    given = CONFIG.evaluate.sampling
    return cli.flags(
        GenerationDefaults.model_validate(
            {key: getattr(given, key) for key in GenerationDefaults.model_fields}
        )
    )


def chain_of(stage):
    """The stages from base to a stage."""
    return profile.ancestry(CONFIG, stage)


def data_manifest(stage):
    """The manifest of what a stage was trained on; none for a base that was not made here."""
    if stage == "base":
        name = CONFIG.base.data if CONFIG.base.origin == "scratch" else None
    else:
        name = stage if stage in RSFT_STAGES else CONFIG.stages[stage].data
    return f"results/dataset/{name}/manifest.json" if name else None


def chain_data(stage):
    """The manifests of the data of a stage's whole chain, by stage."""
    return {name: path for name in chain_of(stage) if (path := data_manifest(name))}


MEASURED_DATA = {stage: path for stage in CONFIG.evaluate.stages if (path := data_manifest(stage))}
"""The manifest of what each measured stage learned from."""

WORKFLOW_FILES = [
    at_root(path)
    for path in ["Snakefile", *sorted(f"rules/{path.name}" for path in (ROOT / "rules").glob("*.smk"))]
]
"""The workflow's own files, as its crate holds them."""


def stated_flags(facts):
    """Facts that only a publisher can state, as flags; nothing of those that are not stated."""
    return " ".join(f"--{name} {shlex.quote(told)}" for name, told in facts.items() if told)
