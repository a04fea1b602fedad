"""What one file of completions is made from: its rows as token ids and seeds, its batches, its fingerprint."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from transformers import AutoConfig, GenerationConfig, PreTrainedTokenizerBase

from rust_expert.common.closure import OBSERVERS, code_fingerprint
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.contracts import Problem
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file, sha256_json
from rust_expert.common.seeds import stable_hash
from rust_expert.common.tables import read_jsonl
from rust_expert.models.conversation import encode_prompts
from rust_expert.models.loading import load_tokenizer
from rust_expert.models.manifest import (
    BaseManifest,
    StageManifest,
    adapter_folder,
    check_lineage,
    model_folder,
    read_base,
    read_manifest,
)
from rust_expert.models.work import Fingerprint
from rust_expert.sampling.engine import Prompt, Rule

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "bitsandbytes")
UNSEEN_IN_A_TEXT = {"threads", "device", "batch_size", "samples", "gpu_memory_utilization"}
"""Options that a row's text does not depend on."""
STATED_OR_WATCHING = OBSERVERS | {
    "rust_expert.common.config.models",
    "rust_expert.common.config.sampling",
    "rust_expert.common.progress",
}
"""Modules that the code's part of the fingerprint leaves out: option values stand in it themselves."""


@dataclass(frozen=True)
class Order:
    """A stage, the problems that it is to be sampled on, and where the completions go; the base's manifest: bare."""

    base: Path
    stage: Path
    problems: Sequence[Problem]
    out: Path
    options: SamplingOptions
    quantization: QuantizationOptions


@dataclass(frozen=True)
class Row:
    """One completion that is to be drawn."""

    task_id: str
    sample: int
    prompt: Prompt


@dataclass(frozen=True)
class Job:
    """An order made ready. Batches hold places of `rows`, of like length, always the same ones for the same order."""

    order: Order
    tokenizer: PreTrainedTokenizerBase
    folder: Path
    adapter: Path | None
    rows: list[Row]
    batches: list[list[int]]
    rule: Rule
    name: str
    fingerprint: Fingerprint

    @property
    def positions(self) -> int:
        """The longest that a row can become, in tokens."""
        longest = max((len(row.prompt.ids) for row in self.rows), default=1)
        return longest + self.rule.max_new_tokens


def prepare(order: Order) -> Job:
    """Check that base, stage and problems fit, and make the rows of token ids that either engine is fed with.

    Raises UserError where manifests do not belong together, files are missing or a prompt leaves no room.
    """
    base, stage = read_base(order.base), read_manifest(order.stage)
    check_lineage(order.base, order.stage, stage)
    folder = model_folder(order.base, base)
    adapter = adapter_folder(order.stage, stage) if isinstance(stage, StageManifest) else None
    tokenizer = load_tokenizer(folder, padding_side="left")
    options = order.options
    texts = [options.template.replace("{prompt}", problem.prompt) for problem in order.problems]
    ids = encode_prompts(tokenizer, texts) if texts else []
    _check_room(folder, order, ids)
    rows = [
        Row(problem.task_id, sample, Prompt(prompt, row_seed(options.seed, problem.task_id, sample)))
        for problem, prompt in zip(order.problems, ids, strict=True)
        for sample in range(options.samples)
    ]
    identity = model_identity(order.base, stage)
    return Job(
        order=order,
        tokenizer=tokenizer,
        folder=folder,
        adapter=adapter,
        rows=rows,
        batches=batches_of(rows, options.batch_size),
        rule=rule_of(folder, tokenizer, options),
        name=fingerprint(options, order.quantization, sha256_json(identity)),
        fingerprint=_fingerprint(order, identity, rows),
    )


def problems_of(path: Path) -> list[Problem]:
    """The problems of a file, which may be empty: a stage may have found no training prompt.

    Raises UserError naming the file where a row is broken or two have one name.
    """
    problems = read_jsonl(path, Problem)
    for name, count in Counter(problem.task_id for problem in problems).items():
        if count > 1:
            raise UserError(f"{path}: task_id {name} stands {count} times; give each problem its own")
    return problems


def row_seed(seed: int, task_id: str, sample: int) -> int:
    """The seed of one row, of 63 bits so that every table can hold it; independent of suite, order and batch."""
    return stable_hash(seed, "completion", task_id, sample) >> 1


def fingerprint(options: SamplingOptions, quantization: QuantizationOptions, model_sha256: str) -> str:
    """What the text of a row depends on, its seed aside: the parameters and the model, not the machine."""
    parameters = options.model_dump(mode="json", exclude=UNSEEN_IN_A_TEXT)
    return sha256_json(
        {"sampling": parameters, "quantization": quantization.model_dump(mode="json"), "model": model_sha256}
    )[:16]


def batches_of(rows: Sequence[Row], size: int) -> list[list[int]]:
    """Places of rows of like length, `size` together: less padding, and the same batches in every run."""
    order = sorted(range(len(rows)), key=lambda place: len(rows[place].prompt.ids))
    return [order[start : start + size] for start in range(0, len(order), size)]


def rule_of(folder: Path, tokenizer: PreTrainedTokenizerBase, options: SamplingOptions) -> Rule:
    """How tokens are chosen, and the end marks that the tokenizer and the model's generation config name."""
    try:
        told = GenerationConfig.from_pretrained(folder).eos_token_id
    except OSError:
        told = GenerationConfig.from_model_config(AutoConfig.from_pretrained(folder)).eos_token_id
    ends = {tokenizer.eos_token_id, *(told if isinstance(told, list) else [told])} - {None}
    return Rule(
        temperature=options.temperature,
        top_p=options.top_p,
        max_new_tokens=options.max_new_tokens,
        end_ids=frozenset(ends),
        pad_id=tokenizer.pad_token_id,
    )


def model_identity(base: Path, stage: BaseManifest | StageManifest) -> dict[str, Any]:
    """What a model is: its base and its adapter's files, not what the stage is called."""
    return {
        "base": sha256_file(base),
        "adapter": stage.files if isinstance(stage, StageManifest) else {},
    }


def code_of_rows(engine: str) -> str:
    """The version of the code that shapes rows: what prepares and writes them, and the engine."""
    return sha256_json(
        [
            code_fingerprint(f"rust_expert.sampling.{name}", ROOT, without=STATED_OR_WATCHING)
            for name in ("sample", f"{engine}_engine")
        ]
    )[:16]


def _fingerprint(order: Order, identity: dict[str, Any], rows: Sequence[Row]) -> Fingerprint:
    """Everything that shapes the file: each option by its key, model, prompts, versions and code."""
    options = order.options.model_dump(mode="json", exclude={"gpu_memory_utilization"})
    engine = order.options.engine
    libraries = (*LIBRARIES, "vllm") if engine == "vllm" else LIBRARIES
    return Fingerprint(
        {
            **{f"sampling.{key}": value for key, value in options.items()},
            **{
                f"quantization.{key}": value
                for key, value in order.quantization.model_dump(mode="json").items()
            },
            "base": identity["base"],
            "adapter": sha256_json(identity["adapter"]),
            "problems": sha256_json([[row.task_id, row.sample, row.prompt.ids] for row in rows]),
            "versions": {name: _version(name) for name in libraries},
            "code": code_of_rows(engine),
        }
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _check_room(folder: Path, order: Order, ids: Sequence[list[int]]) -> None:
    most = AutoConfig.from_pretrained(folder).max_position_embeddings
    wanted = order.options.max_new_tokens
    for problem, prompt in zip(order.problems, ids, strict=True):
        if len(prompt) + wanted > most:
            raise UserError(
                f"problem {problem.task_id}: its prompt of {len(prompt)} tokens and max_new_tokens"
                f" ({wanted}) are more than the model's {most} positions; lower sampling.max_new_tokens"
                " or take a base with more positions"
            )
