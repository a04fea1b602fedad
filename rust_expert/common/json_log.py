"""The log as JSON, one object a line, beside the log that people read."""

import json
import logging
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

_FIRST = ("timestamp", "level", "logger", "event")
_OF_OTHERS = ("message", "asctime")
"""What the formatter of the readable log leaves in a record."""


def json_path(log_path: str | os.PathLike[str]) -> Path:
    """Where the JSON lies: `FILE.jsonl` beside `FILE.log`."""
    path = Path(log_path)
    beside = path.with_suffix(".jsonl")
    return beside if beside != path else path.with_name(path.name + ".jsonl")


class JsonLines(logging.Handler):
    """Writes each record as a line of its own, in one write: a process that is killed leaves whole lines.

    `fields` go into every line, after timestamp (UTC), level, logger and event; what a call gives as `extra` follows.
    A file of an earlier run is written over.
    """

    def __init__(self, path: Path, fields: Mapping[str, str]) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self.setFormatter(_formatter(dict(fields)))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or none of it where the disk is full."""
        try:
            line = self.format(record).encode("ascii") + b"\n"
            written = os.write(self._file, line)
            if written < len(line):
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
        except OSError:
            return  # the disk is full: the job itself will say so
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        super().close()


def _formatter(fields: dict[str, str]) -> logging.Formatter:
    import structlog  # 150 ms, for those alone who ask for a log

    def arranged(_: Any, __: str, told: MutableMapping[str, Any]) -> dict[str, Any]:
        first = {key: told[key] for key in _FIRST} | fields
        return first | {
            key: value for key, value in told.items() if key not in first and key not in _OF_OTHERS
        }

    return structlog.stdlib.ProcessorFormatter(
        # What a library gives as `extra` comes first: the names below are ours.
        foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            arranged,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )


def _dumps(value: dict[str, Any], **words: Any) -> str:
    """JSON in ASCII; what JSON has no form for becomes text: NaN, infinities, keys and objects of other types."""
    try:
        return json.dumps(value, allow_nan=False, **words)
    except (TypeError, ValueError):
        return json.dumps({key: _plain(each) for key, each in value.items()})


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    return repr(value)
