"""The command line that every script shares: flags from a config section, a log, one clear sentence on a fault."""

import argparse
import contextlib
import json
import logging
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from rust_expert.common import orphans, telemetry
from rust_expert.common.errors import UserError, as_user_error
from rust_expert.common.tables import fault_of

Section = TypeVar("Section", bound=BaseModel)


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the flags of `set_up_log`; `description` is the script's docstring."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    watched = made.add_argument_group("watching")
    watched.add_argument(
        "--log",
        metavar="FILE",
        help="also write the log to this file, and as JSON to FILE with the suffix .jsonl",
    )
    watched.add_argument(
        "--telemetry",
        metavar="FOLDER",
        type=Path,
        help="write counts, rates and durations to this folder; scripts.telemetry merges them for Prometheus",
    )
    watched.add_argument(
        "--job",
        nargs="+",
        metavar=("RULE", "NAME=VALUE"),
        help="what the run is called there: its rule and wildcards (default: the script's name)",
    )
    return made


def add_options(target: argparse.ArgumentParser, section: type[BaseModel]) -> None:
    """Add one flag for each field of a config section; its value is JSON or plain text.

    A switch also stands without its value, and has a second flag for its opposite: `--no-lints` is `--lints false`.
    """
    group = target.add_argument_group(section.__name__)
    for name, field in section.model_fields.items():
        key = field.alias or name
        default = "required" if field.is_required() else f"default {json.dumps(_plain(section, name))}"
        told = (field.description or key).replace("%", "%%")
        flag, store = key.replace("_", "-"), f"option_{key}"
        more: dict[str, Any] = {"nargs": "?", "const": "true"} if field.annotation is bool else {}
        group.add_argument("--" + flag, dest=store, metavar="VALUE", help=f"{told} ({default})", **more)
        if field.annotation is bool:
            group.add_argument(
                "--no-" + flag, dest=store, action="store_const", const="false", help=f"--{flag} false"
            )


def add_trainer_flags(target: argparse.ArgumentParser) -> None:
    """Add what every training takes beside its options."""
    target.add_argument(
        "--code", default="", metavar="HASH", help="version of the code: another one trains anew"
    )
    add_lock_wait(target, "a trainer that does just this")


def add_lock_wait(target: argparse.ArgumentParser, what: str) -> None:
    """Add `--lock-wait`: how long `what` is waited for where it holds the work folder."""
    target.add_argument("--lock-wait", type=float, default=900.0, metavar="SECONDS", help=f"wait for {what}")


def _plain(section: type[BaseModel], name: str) -> Any:
    value = section.model_fields[name].get_default(call_default_factory=True)
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value


def add_crates(target: argparse.ArgumentParser) -> None:
    """Add `--crates`, the crates that a suite's problems may use; None where it is not given."""
    target.add_argument(
        "--crates",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        metavar="NAMES",
        help='crates that problems may use, with commas between, "" for none (default: what they mention of '
        "config/suite_crates)",
    )


def options_from(arguments: argparse.Namespace, section: type[Section]) -> Section:
    """The config section that the flags of `add_options` spell.

    Raises UserError naming the flag whose value does not fit.
    """
    given: dict[str, Any] = {}
    for name, field in section.model_fields.items():
        key = field.alias or name
        text = getattr(arguments, f"option_{key}")
        if text is not None:
            given[key] = _value(text)
    try:
        return section.model_validate(given)
    except ValidationError as error:
        what, flag = fault_of(error), ""
        if error.errors()[0]["loc"]:
            where, _, what = what.partition(": ")
            flag = f"--{where.replace('_', '-')}: "
        raise UserError(f"{flag}{what}; see --help for what it takes") from None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def flags(section: BaseModel) -> str:
    """The shell words that spell a section for `options_from`, every field stated."""
    words: list[str] = []
    for key, value in section.model_dump(mode="json", by_alias=True).items():
        words += ["--" + key.replace("_", "-"), value if _is_plain(value) else json.dumps(value)]
    return shlex.join(words)


def _is_plain(value: Any) -> bool:
    """Whether a text can stand as it is, without being read back as JSON of another type."""
    return isinstance(value, str) and _value(value) == value and not value.startswith("-")


class _LogFile(logging.FileHandler):
    """A log that loses lines where the disk is full, without a traceback for each."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def set_up_log(arguments: argparse.Namespace) -> None:
    """Log to stderr, and where --log names a file to that file and as JSON beside it; see to --telemetry and --job.

    Raises UserError for a --job that names none.
    """
    job = telemetry.Job.parse(arguments.job) if arguments.job else None
    telemetry.identify(job, arguments.telemetry)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if arguments.log:
        Path(arguments.log).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(_LogFile(arguments.log, mode="w", encoding="utf-8"))
        handlers.append(telemetry.json_log(arguments.log))
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)


def run(main: Callable[[], None]) -> NoReturn:
    """Run a script's `main`; a UserError becomes one sentence on stderr and its exit code, without a traceback.

    However it ends, its telemetry is written. Where the workflow asks for it (RUST_EXPERT_FAULTS names a file), the
    sentence and code are noted there too, so that whoever started the workflow can be told once more at its end.
    """
    orphans.adopt()
    telemetry.begin()
    try:
        _with_room(main)
    except UserError as error:
        logging.getLogger("rust_expert").error("error: %s", error)
        _note(error)
        telemetry.end(error.exit_code, str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        telemetry.end(130, "interrupted")
        sys.exit(130)
    except SystemExit as told:
        telemetry.end(told.code if isinstance(told.code, int) else int(told.code is not None))
        raise
    except BaseException as error:
        telemetry.end(1, f"{type(error).__name__}: {error}", error)
        raise
    telemetry.end(0)
    sys.exit(0)


def _with_room(main: Callable[[], None]) -> None:
    """Call `main`; a disk without room becomes the UserError that says so."""
    try:
        main()
    except Exception as error:
        told = as_user_error(error)
        if told is error:
            raise
        raise told from error


def _note(error: UserError) -> None:
    noted = os.environ.get("RUST_EXPERT_FAULTS")
    if noted:
        with contextlib.suppress(OSError), open(noted, "a", encoding="utf-8") as stream:
            stream.write(json.dumps({"code": error.exit_code, "message": str(error)}) + "\n")
