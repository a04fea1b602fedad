"""Completions of a stage for a suite: prompts, seeds, batches, rows."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from rust_expert.common.config.models import QuantizationOptions
from rust_expert.common.config.sampling import SamplingOptions
from rust_expert.common.contracts import Completion, Problem
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_file, sha256_json
from rust_expert.common.progress import Progress
from rust_expert.common.seeds import stable_hash
from rust_expert.models import loading
from rust_expert.models.conversation import encode_prompts
from rust_expert.models.manifest import (
    StageManifest,
    adapter_folder,
    check_lineage,
    model_folder,
    read_base,
    read_manifest,
)
from rust_expert.models.process import require_device
from rust_expert.sampling.decode import Decoded, Prompt, Rule, decode

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A stage ready to be sampled."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    sha256: str


def row_seed(seed: int, task_id: str, sample: int) -> int:
    """The seed of one row, of 63 bits so that every table can hold it; independent of suite, order and batch."""
    return stable_hash(seed, "completion", task_id, sample) >> 1


def fingerprint(options: SamplingOptions, quantization: QuantizationOptions, model_sha256: str) -> str:
    """What the text of a row depends on, its seed aside: the parameters and the model, not the machine."""
    parameters = options.model_dump(mode="json", exclude={"threads", "device", "batch_size", "samples"})
    return sha256_json(
        {"sampling": parameters, "quantization": quantization.model_dump(mode="json"), "model": model_sha256}
    )[:16]


def load_stage(
    base_path: Path, stage_path: Path, options: SamplingOptions, quantization: QuantizationOptions
) -> LoadedModel:
    """The quantised base with the stage's adapter, as it was trained; the base's own manifest: without one.

    With `weights: dense` the base is dequantised once and the adapter merged: the same function, to rounding.

    Raises UserError where the manifests do not belong together or files are missing.
    """
    require_device(options.device)
    base, stage = read_base(base_path), read_manifest(stage_path)
    check_lineage(base_path, stage_path, stage)
    folder = model_folder(base_path, base)
    model = loading.load_base(folder, quantization, "sdpa", options.device)
    adapter = adapter_folder(stage_path, stage) if isinstance(stage, StageManifest) else None
    if options.weights == "dense":
        model = loading.dequantise(model)
    if adapter is not None:
        model = loading.load_adapter(model, adapter, trainable=False)
        if options.weights == "dense":
            model = model.merge_and_unload()
    model.eval()
    tokenizer = loading.load_tokenizer(folder, padding_side="left")
    return LoadedModel(model, tokenizer, sha256_json(_identity(base_path, stage)))


def _identity(base_path: Path, stage: Any) -> dict[str, Any]:
    """What a model is: its base and its adapter's files, not what the stage is called."""
    return {
        "base": sha256_file(base_path),
        "adapter": stage.files if isinstance(stage, StageManifest) else {},
    }


def complete(
    loaded: LoadedModel,
    problems: Sequence[Problem],
    options: SamplingOptions,
    quantization: QuantizationOptions,
) -> list[Completion]:
    """`options.samples` completions of each problem, in the order of the problems.

    Rows of like length go through the model together; neither their text nor their seed depends on that.

    Raises UserError where a prompt leaves no room for an answer.
    """
    texts = [options.template.replace("{prompt}", problem.prompt) for problem in problems]
    ids = encode_prompts(loaded.tokenizer, texts)
    _check_room(loaded.model, problems, ids, options)
    keys = [(index, sample) for index in range(len(problems)) for sample in range(options.samples)]
    order = sorted(range(len(keys)), key=lambda place: len(ids[keys[place][0]]))
    rule = _rule(loaded, options)
    rows: list[tuple[Prompt, Decoded] | None] = [None] * len(keys)
    started, tokens = time.process_time(), 0
    with Progress(len(keys), "completions") as progress:
        for start in range(0, len(order), options.batch_size):
            batch = order[start : start + options.batch_size]
            prompts = [
                Prompt(ids[index], row_seed(options.seed, problems[index].task_id, sample))
                for index, sample in (keys[place] for place in batch)
            ]
            for place, prompt, decoded in zip(
                batch, prompts, decode(loaded.model, prompts, rule), strict=True
            ):
                rows[place] = (prompt, decoded)
                tokens += len(decoded.ids)
            progress.advance(len(batch))
    log.info("%d tokens, %.0f per CPU second", tokens, tokens / max(time.process_time() - started, 1e-9))
    name = fingerprint(options, quantization, loaded.sha256)
    return [
        _completion(loaded, problems[index].task_id, sample, row, rule, name)
        for (index, sample), row in zip(keys, rows, strict=True)
        if row is not None
    ]


def _completion(
    loaded: LoadedModel, task_id: str, sample: int, row: tuple[Prompt, Decoded], rule: Rule, name: str
) -> Completion:
    prompt, decoded = row
    text = decoded.ids[:-1] if decoded.finished else decoded.ids
    completion: str = loaded.tokenizer.decode(
        text, skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return Completion(
        task_id=task_id,
        completion=completion,
        sample=sample,
        seed=prompt.seed,
        sampling=name,
        tokens=len(decoded.ids),
        finished=decoded.finished,
    )


def _rule(loaded: LoadedModel, options: SamplingOptions) -> Rule:
    tokenizer = loaded.tokenizer
    told = loaded.model.generation_config.eos_token_id
    ends = {tokenizer.eos_token_id, *(told if isinstance(told, list) else [told])} - {None}
    return Rule(
        temperature=options.temperature,
        top_p=options.top_p,
        max_new_tokens=options.max_new_tokens,
        end_ids=frozenset(ends),
        pad_id=tokenizer.pad_token_id,
    )


def _check_room(
    model: Any, problems: Sequence[Problem], ids: Sequence[list[int]], options: SamplingOptions
) -> None:
    most = model.config.max_position_embeddings
    for problem, prompt in zip(problems, ids, strict=True):
        if len(prompt) + options.max_new_tokens > most:
            raise UserError(
                f"problem {problem.task_id}: its prompt of {len(prompt)} tokens and max_new_tokens"
                f" ({options.max_new_tokens}) are more than the model's {most} positions; lower sampling.max_new_tokens"
                " or take a base with more positions"
            )
