"""Files of completions: sampled batch by batch, resumable, and never made a second time for the same order."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rust_expert.common.contracts import Completion
from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_file, write_json
from rust_expert.common.progress import Progress
from rust_expert.common.tables import write_jsonl
from rust_expert.models.work import Fingerprint, WorkFolder
from rust_expert.sampling.engine import Decoded, Engine
from rust_expert.sampling.job import Job, Row
from rust_expert.sampling.journal import BatchJournal

log = logging.getLogger(__name__)


class SampleManifest(BaseModel):
    """The file beside completions that says what they are: all that shaped them, and their hash."""

    model_config = ConfigDict(extra="forbid")

    sha256: str = Field(description="of the file of completions")
    sampling: str = Field(description="the fingerprint that each row states")
    problems: int
    rows: int
    finished: int = Field(description="rows that the model ended itself")
    tokens: int = Field(description="tokens generated, end marks included")
    fingerprint: str = Field(description="one hash over shaped_by")
    shaped_by: dict[str, Any] = Field(description="options, model, prompts, versions and code")


def manifest_path(out: Path) -> Path:
    """Where the manifest of a file of completions lies."""
    return out.with_suffix(".json")


def work_folder(out: Path) -> Path:
    """Where batches are kept for a file of completions; no workflow rule declares it."""
    return out.parent / "work" / out.stem


def sample(
    jobs: Sequence[Job], load: Callable[[], Engine], wait_seconds: float = 0.0
) -> Iterator[SampleManifest]:
    """Make the file and manifest of each job in turn; `load` is called once, and only if a batch is missing.

    A run that was killed goes on at the first batch that is not in its journal. Where all are, or the file itself is
    there with a manifest that agrees, nothing is sampled.
    """
    engine: Engine | None = None
    for job in jobs:
        out = job.order.out
        work = WorkFolder(work_folder(out), job.fingerprint, wait_seconds, doing="sampling")
        with work, BatchJournal(work.path / "batches.jsonl") as journal:
            manifest = _standing(job)
            if manifest is not None:
                log.info("%s is sampled already with just this, nothing to do", out)
                yield manifest
                continue
            missing = [number for number in range(len(job.batches)) if number not in journal.batches]
            if missing:
                engine = engine or load()
                _generate(job, engine, journal, missing)
            else:
                log.info("%s was sampled already with just this: the same rows are written again", out)
            yield _publish(job, journal)


def _standing(job: Job) -> SampleManifest | None:
    """The manifest beside the file where both are there and are just what the job would make."""
    out = job.order.out
    path = manifest_path(out)
    if not out.is_file() or not path.is_file():
        return None
    try:
        manifest = SampleManifest.model_validate(read_json(path))
    except (UserError, ValidationError):
        log.info("%s is no manifest of completions; it is made again", path)
        return None
    if manifest.fingerprint != job.fingerprint.digest:
        changed = ", ".join(job.fingerprint.changed_from(manifest.shaped_by))
        log.info("%s was sampled otherwise: %s changed", out, changed)
        return None
    if manifest.sha256 != sha256_file(out):
        log.info("%s is not the file that %s describes; it is written again", out, path)
        return None
    return manifest


def _generate(job: Job, engine: Engine, journal: BatchJournal, missing: Sequence[int]) -> None:
    started, cpu, tokens = time.monotonic(), time.process_time(), 0
    with Progress(len(job.rows), "completions") as progress:
        progress.already(sum(len(rows) for rows in journal.batches.values()))
        for number in missing:
            rows = [job.rows[place] for place in job.batches[number]]
            decoded = engine.generate(job.adapter, [row.prompt for row in rows], job.rule)
            journal.add(number, [_completion(job, row, new) for row, new in zip(rows, decoded, strict=True)])
            tokens += sum(len(new.ids) for new in decoded)
            progress.advance(len(rows))
    seconds, cpu = max(time.monotonic() - started, 1e-9), max(time.process_time() - cpu, 1e-9)
    log.info(
        "%s: %d tokens, %.0f per second, %.0f per CPU second",
        job.order.out, tokens, tokens / seconds, tokens / cpu,
        extra={"work": "tokens", "done": tokens, "per_second": tokens / seconds},
    )  # fmt: skip


def _completion(job: Job, row: Row, decoded: Decoded) -> Completion:
    text = decoded.ids[:-1] if decoded.finished else decoded.ids
    completion: str = job.tokenizer.decode(text, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Completion(
        task_id=row.task_id,
        completion=completion,
        sample=row.sample,
        seed=row.prompt.seed,
        sampling=job.name,
        tokens=len(decoded.ids),
        finished=decoded.finished,
    )


def _publish(job: Job, journal: BatchJournal) -> SampleManifest:
    """Write the rows in the order of the suite, and the manifest after them."""
    by_place = {
        place: row
        for number, places in enumerate(job.batches)
        for place, row in zip(places, journal.batches[number], strict=True)
    }
    rows = [by_place[place] for place in range(len(job.rows))]
    write_jsonl(job.order.out, rows)
    manifest = _manifest(job.fingerprint, job, rows)
    write_json(manifest_path(job.order.out), manifest.model_dump(mode="json"))
    return manifest


def _manifest(shaped_by: Fingerprint, job: Job, rows: Sequence[Completion]) -> SampleManifest:
    return SampleManifest(
        sha256=sha256_file(job.order.out),
        sampling=job.name,
        problems=len(job.order.problems),
        rows=len(rows),
        finished=sum(row.finished for row in rows),
        tokens=sum(row.tokens for row in rows),
        fingerprint=shaped_by.digest,
        shaped_by=dict(shaped_by.parts),
    )
