"""What the rules ask of a stage: its parent and data, its flags, how it is sampled and scored, what leaves the project."""


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
        name = stage if stage in RSFT_STAGES else STAGES[stage].data
    return f"results/dataset/{name}/manifest.json" if name else None


def chain_data(stage):
    """The manifests of the data of a stage's whole chain, by stage."""
    return {name: path for name in chain_of(stage) if (path := data_manifest(name))}


MODELS = [
    name for name in ("base", *STAGES) if name not in SWEEP.stages and RUNS.stage_of(name) in NEEDED_STAGES
]
"""The base and every adapter that what is measured stands on, in the runs of all seeds."""

LEARNED_FROM = {name: path for name in MODELS if (path := data_manifest(name))}
"""The manifest of what each of them learned from."""

WORKFLOW_FILES = [
    at_root(path)
    for path in ["Snakefile", *sorted(f"rules/{path.name}" for path in (ROOT / "rules").glob("*.smk"))]
]
"""The workflow's own files, as its crate holds them."""


def stated_flags(facts):
    """Facts that only a publisher can state, as flags; nothing of those that are not stated."""
    return " ".join(f"--{name} {shlex.quote(told)}" for name, told in facts.items() if told)
