"""Base models behind one interface: made here, downloaded from the Hub, or taken from a folder."""

import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from transformers import AutoConfig, AutoTokenizer

from rust_expert.common.config.models import BaseOptions, HubOptions, ScratchOptions
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_json, write_json
from rust_expert.models import rows, scratch
from rust_expert.models.conversation import check_template, encode_rows, split_by_length
from rust_expert.models.folders import new_folder
from rust_expert.models.manifest import (
    BaseManifest,
    HubSource,
    ScratchTraining,
    hash_folder,
    same_files,
    write_manifest,
)
from rust_expert.models.tokenizer import check_tokenizer, train_tokenizer
from rust_expert.models.work import Fingerprint, WorkFolder, library_versions

log = logging.getLogger(__name__)

WANTED = (
    "*.safetensors", "*.safetensors.index.json", "*.json", "tokenizer*", "*.jinja", "*.model", "*.txt",
    "LICENSE*", "NOTICE*", "USE_POLICY*",
)  # fmt: skip

TWICE = ("original/*", "consolidated*")
"""The weights once more, as their makers' own code reads them."""

ARCHITECTURE_KEYS = (
    "model_type",
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "max_position_embeddings",
    "tie_word_embeddings",
)


def prepare_base(
    options: BaseOptions,
    train: Sequence[str],
    val: Sequence[str],
    out: Path,
    *,
    code: str = "",
    wait_seconds: float = 0.0,
) -> BaseManifest:
    """Make the base model that `options` ask for in the folder `model` beside `out`, the manifest.

    A `scratch` base is trained on the rows of the shards `train` and goes on from its last checkpoint if it was
    killed; its loss curve lies in history.json beside the manifest. `code` names the version of the code.

    Raises UserError where rows, folder or options do not do, or the Hub cannot be reached.
    """
    parts = {
        "options": options.model_dump(mode="json", by_alias=True),
        "train": rows.hashes(train) if options.origin == "scratch" else [],
        "val": rows.hashes(val) if options.origin == "scratch" else [],
        "chat_template": _template(options.chat_template),
        "source": hash_folder(Path(options.path)) if options.path and options.origin == "path" else None,
        "versions": library_versions() if options.origin == "scratch" else {},
        "code": code,
    }
    with WorkFolder(out.parent / "work", Fingerprint(parts), wait_seconds) as work:
        done = work.finished()
        if done is not None:
            manifest = BaseManifest.model_validate(done)
            if same_files(out.parent / manifest.model, manifest.files):
                log.info("the base is there already, nothing to do")
                write_manifest(out, manifest)
                return manifest
        target = out.parent / "model"
        hub = training = None
        if options.origin == "scratch":
            assert options.scratch is not None
            training = _make(options.scratch, options, train, val, work, target)
        elif options.origin == "hub":
            assert options.hub is not None
            hub = _download(options.hub, target)
        else:
            assert options.path is not None
            _copy(Path(options.path), target)
        if options.origin != "scratch":
            _settle_tokenizer(target, options.chat_template)
        manifest = _describe(target, options, hub, training)
        work.finish(manifest.model_dump(mode="json"))
        (work.path / "checkpoint.pt").unlink(missing_ok=True)
        write_manifest(out, manifest)
        return manifest


def _make(
    made: ScratchOptions,
    options: BaseOptions,
    train: Sequence[str],
    val: Sequence[str],
    work: WorkFolder,
    target: Path,
) -> ScratchTraining:
    pairs = rows.read_pairs(train)
    if not pairs:
        raise UserError(
            f"{', '.join(train) or '--train'}: no rows to train the base on; give shards that hold some"
        )
    started, cpu = time.time(), time.process_time()
    tokenizer = train_tokenizer(
        (text for pair in pairs for text in pair), made.vocab_size, made.max_positions
    )
    encoded, too_long = split_by_length(encode_rows(tokenizer, pairs), made.max_length)
    val_encoded, _ = split_by_length(
        encode_rows(tokenizer, rows.some_of(rows.read_pairs(val), made.eval_rows)), made.max_length
    )
    if not encoded:
        raise UserError(
            f"all {len(pairs)} rows are longer than base.scratch.max_length ({made.max_length}); raise it"
        )
    model = scratch.make_model(made, tokenizer, options.seed)
    log.info(
        "base: %d parameters, %d tokens in the vocabulary, %d rows (%d too long), %d of validation",
        model.num_parameters(), len(tokenizer), len(encoded), too_long, len(val_encoded),
    )  # fmt: skip
    course = scratch.train(model, encoded, val_encoded, made, options.seed, work.path / "checkpoint.pt")
    model.config._attn_implementation = "sdpa"
    with new_folder(target) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    write_json(target.parent / "history.json", course.history)
    write_json(
        target.parent / "timing.json",
        {"seconds": time.time() - started, "cpu_seconds": time.process_time() - cpu, "steps": course.step},
    )
    return ScratchTraining(
        rows=len(encoded),
        rows_too_long=too_long,
        steps=course.step,
        tokens=course.tokens,
        val_loss=course.val_loss,
    )


def _download(hub: HubOptions, target: Path) -> HubSource:
    """Fetch the pinned revision, or take it from the Hub's cache; the only place that goes to the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        found = Path(
            snapshot_download(
                hub.name, revision=hub.revision, allow_patterns=list(WANTED), ignore_patterns=list(TWICE)
            )
        )
    except GatedRepoError:
        raise UserError(
            f"base.hub.name: {hub.name} is gated; accept its licence on its page and log in with `hf auth login`"
        ) from None
    except RevisionNotFoundError:
        raise UserError(f"base.hub.revision: {hub.name} has no revision {hub.revision}; check it") from None
    except RepositoryNotFoundError:
        raise UserError(
            f"base.hub.name: the Hub shows no model {hub.name}; check the name, or log in with `hf auth login`"
        ) from None
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise UserError(
            f"base.hub: {hub.name} at {hub.revision} is not in the cache and the Hub cannot be reached"
            f" ({type(error).__name__}); connect once, or set base.from to path with a folder that holds the model"
        ) from None
    with new_folder(target) as folder:
        for path in sorted(found.rglob("*")):
            if path.is_file():
                copy = folder / path.relative_to(found)
                copy.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(path.resolve(), copy)
                except OSError:
                    shutil.copyfile(path, copy)
    return HubSource(name=hub.name, revision=hub.revision, commit=found.name)


def _copy(source: Path, target: Path) -> None:
    if not (source / "config.json").is_file():
        raise UserError(f"base.path: {source} is not a Hugging Face folder (it has no config.json); name one")
    if not any(source.glob("*.safetensors")):
        raise UserError(f"base.path: {source} holds no *.safetensors weights; name a folder that does")
    with new_folder(target) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)


def _settle_tokenizer(folder: Path, chat_template: str | None) -> None:
    """Check a foreign model's tokenizer, and write down the chat template and padding token that it gets."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: its tokenizer cannot be loaded ({str(error).splitlines()[0]})") from None
    before = (tokenizer.chat_template, tokenizer.pad_token_id)
    check_tokenizer(tokenizer, folder, _template(chat_template))
    check_template(tokenizer, chat_template or str(folder))
    if before != (tokenizer.chat_template, tokenizer.pad_token_id):
        for name in (
            "tokenizer.json",
            "tokenizer_config.json",
            "chat_template.jinja",
            "special_tokens_map.json",
        ):
            (folder / name).unlink(
                missing_ok=True
            )  # may be a link into the Hub's cache: never write through it
        tokenizer.save_pretrained(folder)


def _template(path: str | None) -> str | None:
    """The text of base.chat_template."""
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"base.chat_template: {path} cannot be read ({error}); name a Jinja file") from None


def _describe(
    folder: Path, options: BaseOptions, hub: HubSource | None, training: ScratchTraining | None
) -> BaseManifest:
    files = hash_folder(folder)
    config = AutoConfig.from_pretrained(folder)
    return BaseManifest(
        origin=options.origin,
        files=files,
        architecture={key: getattr(config, key) for key in ARCHITECTURE_KEYS if hasattr(config, key)},
        parameters=_parameters(folder),
        tokenizer_sha256=sha256_json(
            {name: digest for name, digest in files.items() if "token" in name or name.endswith(".jinja")}
        ),
        hub=hub,
        training=training,
    )


def _parameters(folder: Path) -> int:
    """Parameters in the weights, read from the files' headers."""
    from safetensors import safe_open

    count = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as stream:
            for name in stream.keys():  # noqa: SIM118  (safe_open is no mapping)
                size = 1
                for width in stream.get_slice(name).get_shape():
                    size *= width
                count += size
    return count
