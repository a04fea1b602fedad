"""A release as one archive: the same results give the same bytes."""

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path

from rust_expert.common.contracts import Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import atomic_path, read_json
from rust_expert.common.tables import read_parquet, write_jsonl
from rust_expert.release.contents import MANIFEST, FileRecord, Plan, Release

FOLDER = "rust-expert-release"
"""The folder that the archive unpacks to."""

README = """# Samples of a Rust Expert run, to be judged again

`release.json` lists every file with its checksum, and how the samples were judged and scored. `samples` are the answers
of each stage to each suite, `verdicts` what the judge found, `scores` and `metrics.json` the figures, `provenance.json`
what it was made with. In a checkout of the project (the commit is in release.json):

    make verify RELEASE=path/of/this/folder/or/of/its/archive

judges every sample again, without a GPU, and compares verdict by verdict and figure by figure.
"""


def pack(plan: Plan, judge_code: str, out: Path) -> Release:
    """Write the archive of a run; returns its manifest.

    Raises UserError where a file of the plan is missing.
    """
    contents = {"README.md": README.encode()}
    for name, path in plan.files().items():
        try:
            contents[name] = path.read_bytes()
        except FileNotFoundError:
            raise UserError(f"{path}: no such file; run `make run` first") from None
    for name, path in plan.verdicts().items():
        contents[name] = _verdict_lines(path)
    provenance = read_json(plan.provenance)
    release = Release(
        commit=provenance.get("git", {}).get("commit"),
        dirty=provenance.get("git", {}).get("dirty"),
        judge_code=judge_code,
        pairs=plan.pairs,
        parents=plan.parents,
        seeds=plan.seeds,
        judge=plan.judge,
        score=plan.score,
        crates=plan.crates,
        mixes=sorted(plan.mixes),
        selections=sorted(plan.selections),
        files={name: record_of(name, data) for name, data in sorted(contents.items())},
    )
    told = release.model_dump(mode="json", by_alias=True)
    contents[MANIFEST] = (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()
    _write(contents, out)
    return release


def record_of(name: str, data: bytes) -> FileRecord:
    """What a manifest says of a file."""
    rows = [row_hash(line) for line in data.splitlines()] if name.endswith(".jsonl") else None
    return FileRecord(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), rows=rows)


def row_hash(line: bytes) -> str:
    """A short hash of a line, to name the one that was changed."""
    return hashlib.sha256(line).hexdigest()[:16]


def _verdict_lines(path: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "verdicts.jsonl")
        write_jsonl(lines, read_parquet(path, Verdict))
        return lines.read_bytes()


def _write(contents: dict[str, bytes], out: Path) -> None:
    with (
        atomic_path(out) as temporary,
        open(temporary, "wb") as stream,
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, data in sorted(contents.items()):
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
