"""The work folder of a training or sampling: a lock, a fingerprint of all that shapes it, and what is done so far.

No workflow rule declares it, so a failed or killed job keeps it, and the next run goes on from the last whole
checkpoint or batch. A changed fingerprint starts anew.
"""

import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json, sha256_json, write_json

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Fingerprint:
    """Everything that shapes a training or sampling, by name: options, hashes of data and models, versions, code."""

    parts: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """One hash over all parts."""
        return sha256_json(dict(self.parts))

    def changed_from(self, before: Mapping[str, Any]) -> list[str]:
        """The names of the parts that differ from an earlier training's."""
        names = sorted({*self.parts, *before})
        return [name for name in names if self.parts.get(name) != before.get(name)]


class WorkFolder:
    """An exclusive hold on a work folder; use it as a context manager."""

    def __init__(
        self, path: Path, fingerprint: Fingerprint, wait_seconds: float = 0.0, doing: str = "training"
    ) -> None:
        self.path, self.fingerprint, self.wait_seconds, self.doing = path, fingerprint, wait_seconds, doing
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Take the lock, then empty the folder if it belongs to another fingerprint.

        A process that outlived its workflow holds the lock still. Where it does just this, its end is waited
        for, up to `wait_seconds`; else, or after that, a UserError names its process.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = self._locked()
        self._lock.seek(0)
        self._lock.truncate()
        json.dump({"pid": os.getpid(), "fingerprint": self.fingerprint.digest}, self._lock)
        self._lock.flush()
        self._settle()
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def _locked(self) -> IO[str]:
        path = self.path / "lock"
        give_up = time.monotonic() + self.wait_seconds
        told = False
        while True:
            stream = open(path, "a+", encoding="utf-8")  # noqa: SIM115  (held for the life of the trainer)
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return stream
            except OSError:
                stream.seek(0)
                holder = _holder(stream.read())
                stream.close()
            process = f"process {holder['pid']}" if "pid" in holder else "another process"
            same = holder.get("fingerprint") == self.fingerprint.digest
            if not same or time.monotonic() > give_up:
                kill = f", or stop it with `kill {holder['pid']}`," if "pid" in holder else ""
                raise UserError(
                    f"{self.path}: {process} is {self.doing} here; wait for its end{kill} and run again"
                )
            if not told:
                told = True
                log.info("%s is %s just this in %s; waiting for its end", process, self.doing, self.path)
            time.sleep(POLL_SECONDS)

    def _settle(self) -> None:
        file = self.path / "fingerprint.json"
        before = read_json(file) if file.is_file() else None
        if before is not None and before.get("digest") == self.fingerprint.digest:
            return
        if before is not None:
            changed = ", ".join(self.fingerprint.changed_from(before.get("parts", {})))
            log.info("%s anew, for these changed: %s", self.doing, changed)
        for entry in self.path.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        write_json(file, {"digest": self.fingerprint.digest, "parts": dict(self.fingerprint.parts)})

    def finished(self) -> Any | None:
        """What `finish` noted of this same fingerprint, None where the training has not come to its end."""
        file = self.path / "finished.json"
        return read_json(file) if file.is_file() else None

    def finish(self, note: Any) -> None:
        """Note that the training is done; its checkpoints are of no more use."""
        write_json(self.path / "finished.json", note)


def _holder(text: str) -> dict[str, Any]:
    try:
        holder = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return holder if isinstance(holder, dict) else {}


def library_versions() -> dict[str, str]:
    """The versions that can change a training's numbers."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in ("torch", "transformers", "tokenizers", "trl", "peft", "bitsandbytes", "accelerate"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return versions
