"""What is judged so far, in a file beside the verdicts: a judge that was interrupted goes on from there.

The first line holds a fingerprint of all that verdicts depend on; each further line is one verdict about one piece of
code, appended as soon as it stands. A run that is killed loses what it was working on and no more: a last line that
is not whole is dropped. The file is locked while a judge writes it, and removed when the verdicts are in their place.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from rust_expert.common.contracts import Verdict
from rust_expert.common.errors import UserError


class Journal:
    """The journal of the verdicts that are to be written to `out`. Use it as a context.

    `known` holds what an earlier run with the same fingerprint judged, by task_id and code. `discarded` says whether
    there was a journal of other inputs or options.
    """

    def __init__(self, out: Path, fingerprint: str) -> None:
        self.path = out.with_name(out.name + ".journal")
        self.known: dict[tuple[str, str], Verdict] = {}
        self.discarded = False
        self._fingerprint = fingerprint
        self._written = 0

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = self._locked()
        head, rows, whole = self._read()
        if head == self._fingerprint:
            self.known = {(row.task_id, row.code): row for row in rows}
            os.truncate(self._fd, whole)
        else:
            self.discarded = head is not None
            os.truncate(self._fd, 0)
            self._append([json.dumps({"fingerprint": self._fingerprint})])
        self._written = len(self.known)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._written:
            self.remove()
        os.close(self._fd)

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Keep verdicts about some code, in one write. Faults of the judge are not kept: the next run tries again."""
        lines = [
            json.dumps(verdict.model_dump(mode="json"), separators=(",", ":"))
            for verdict in verdicts
            if verdict.status != "judge_error"
        ]
        self._append(lines)
        self._written += len(lines)

    def remove(self) -> None:
        """Remove the file: nothing is left to go on from."""
        self.path.unlink(missing_ok=True)

    def _append(self, lines: list[str]) -> None:
        data = "".join(line + "\n" for line in lines).encode("ascii")
        while data:
            data = data[os.write(self._fd, data) :]

    def _locked(self) -> int:
        """The open file, locked; the lock ends with this process, however it ends.

        Raises UserError where another judge holds it.
        """
        while True:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                raise UserError(
                    f"{self.path}: another judge is writing it; wait for its end, or give another --out"
                ) from None
            if self.path.exists() and os.path.samestat(os.fstat(fd), os.stat(self.path)):
                return fd
            os.close(fd)  # the other judge has just removed it

    def _read(self) -> tuple[str | None, list[Verdict], int]:
        """The fingerprint in the file (None where it is empty), its whole rows, and where they end."""
        head: str | None = None
        rows: list[Verdict] = []
        whole = 0
        with open(self._fd, "rb", closefd=False) as stream:
            stream.seek(0)
            for number, line in enumerate(stream):
                try:
                    if not line.endswith(b"\n"):
                        break
                    if number == 0:
                        head = str(json.loads(line)["fingerprint"])
                    else:
                        rows.append(Verdict.model_validate(json.loads(line)))
                except (ValueError, KeyError, TypeError, ValidationError):
                    break
                whole += len(line)
        return (head if whole else None if os.fstat(self._fd).st_size == 0 else ""), rows, whole
