"""What the rules share: the checked configuration, code fingerprints, the files of suites, crates and data sets."""

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
