"""The JSON log: each line an object, whatever is logged and however the process ends; the readable log as it was."""

import json
import logging
import os
import re
import resource
import signal
import threading
from pathlib import Path

import pytest

from rust_expert.common.json_log import JsonLines, json_path
from tests.watched import lines, ran, start, written


@pytest.fixture
def logged(tmp_path: Path) -> tuple[logging.Logger, Path]:
    path = tmp_path / "a.jsonl"
    logger = logging.Logger("rust_expert.room")
    logger.addHandler(JsonLines(path, {"rule": "judge", "stage": "base"}))
    return logger, path


def test_events_of_every_logger_come_as_json(tmp_path: Path) -> None:
    body = """
log.info("%d of %s", 3, "rows", extra={"rows": 3, "loss": 0.5})
logging.getLogger("library").warning("two\\nlines")
import warnings
warnings.warn("old")
with Progress(2, "pieces") as bar:
    bar.advance(2)
"""
    code, told = ran(
        written(tmp_path, body),
        "--log",
        tmp_path / "logs/x.log",
        "--job",
        "judge",
        "stage=base",
        "suite=core",
    )
    assert code == 0
    found = lines(tmp_path / "logs/x.jsonl")
    for line in found:
        assert list(line)[:4] == ["timestamp", "level", "logger", "event"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["timestamp"])
        told_by = {key: line[key] for key in ("rule", "script", "stage", "suite", "job")}
        assert told_by == {
            "rule": "judge",
            "script": "probe",
            "stage": "base",
            "suite": "core",
            "job": "base/core",
        }
    events = [(line["logger"], line["level"], line["event"].split(":")[0]) for line in found]
    assert events == [
        ("rust_expert.run", "info", "begun"),
        ("rust_expert.some.room", "info", "3 of rows"),
        ("library", "warning", "two\nlines"),
        ("py.warnings", "warning", str(tmp_path / "probe.py")),
        ("rust_expert.common.progress", "info", "pieces"),
        ("rust_expert.run", "info", "ended"),
    ]
    assert (
        list(found[1].items())[-2:] == [("rows", 3), ("loss", 0.5)]
        and not {"message", "asctime"} & found[1].keys()
    )
    assert (found[4]["work"], found[4]["done"], found[4]["total"]) == ("pieces", 2, 2)
    assert found[-1]["exit_code"] == 0 and found[-1]["work_done.pieces"] == 2


def test_the_readable_log_and_the_terminal_tell_the_events_alone(tmp_path: Path) -> None:
    script = written(tmp_path, "log.info('said %d', 1, extra={'rows': 1})\nraise UserError('bad input')")
    code, told = ran(script, "--log", tmp_path / "x.log", "--telemetry", tmp_path / "t")
    assert code == 2
    assert re.fullmatch(r"(\d\d:){2}\d\d said 1\n(\d\d:){2}\d\d error: bad input\n", told)
    assert (tmp_path / "x.log").read_text(encoding="utf-8") == told


def test_a_run_writes_over_the_log_of_the_run_before(tmp_path: Path) -> None:
    script = written(tmp_path, "log.info('said')")
    for _ in range(2):
        assert ran(script, "--log", tmp_path / "x.log")[0] == 0
    assert [line["event"] for line in lines(tmp_path / "x.jsonl")] == ["begun", "said", "ended"]


def test_where_the_json_lies() -> None:
    assert json_path("results/logs/judge/base/core.log") == Path("results/logs/judge/base/core.jsonl")
    assert json_path("x.jsonl") == Path("x.jsonl.jsonl") and json_path("x") == Path("x.jsonl")


def test_any_value_has_a_form(logged: tuple[logging.Logger, Path]) -> None:
    logger, path = logged
    ring: list[object] = []
    ring.append(ring)
    given = {
        "nan": float("nan"),
        "deep": {"inf": float("inf")},
        "key": {(1, 2): 3},
        "ring": ring,
        "path": Path("a"),
    }
    logger.info("\ud800 \u2028 \x00", extra=given)
    logger.info("after", extra={"nan": float("nan")})
    first, second = lines(path)
    assert first["event"] == "\ud800 \u2028 \x00" and first["nan"] == "nan" and "inf" in first["deep"]
    assert first["stage"] == "base" and (second["event"], second["nan"]) == ("after", "nan")
    json.dumps([first, second], allow_nan=False)


def test_what_a_library_gives_does_not_take_our_names(logged: tuple[logging.Logger, Path]) -> None:
    logger, path = logged
    logger.warning(
        "said", extra={"rule": "theirs", "level": "theirs", "logger": "theirs", "timestamp": 0, "more": 1}
    )
    (line,) = lines(path)
    assert (line["rule"], line["level"], line["logger"], line["more"]) == (
        "judge",
        "warning",
        "rust_expert.room",
        1,
    )
    assert line["timestamp"] != 0


def test_an_exception_is_told_with_its_traceback(logged: tuple[logging.Logger, Path]) -> None:
    logger, path = logged
    try:
        raise OSError("gone")
    except OSError:
        logger.exception("failed")
    (line,) = lines(path)
    assert (
        line["level"] == "error" and "Traceback" in line["exception"] and "OSError: gone" in line["exception"]
    )


def test_threads_do_not_mix_their_lines(logged: tuple[logging.Logger, Path]) -> None:
    logger, path = logged
    workers = [
        threading.Thread(
            target=lambda name=name: [logger.info("x" * 5000, extra={"who": name}) for _ in range(200)]
        )
        for name in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(line["who"] for line in lines(path)) == sorted([*range(4)] * 200)


def test_kill_9_leaves_whole_lines(tmp_path: Path) -> None:
    script = written(
        tmp_path, "for place in range(10**9):\n    log.info('x' * (place % 700), extra={'place': place})"
    )
    for more in range(5):
        path = tmp_path / "x.jsonl"
        path.unlink(missing_ok=True)
        process = start(script, "--log", tmp_path / "x.log")
        assert process.stderr is not None
        for _ in range(300 + 37 * more):
            process.stderr.readline()
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        places = [line["place"] for line in lines(path)[1:]]
        assert places == list(range(len(places))) and len(places) >= 299 + 37 * more


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    child = os.fork()
    if child == 0:  # a limit on the size of files holds for the whole process
        os.close(2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        logger = logging.Logger("room")
        logger.addHandler(JsonLines(path, {}))
        for place in range(100):
            logger.info("x" * 90, extra={"place": place})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    found = lines(path)
    assert 10 < len(found) < 100 and [line["place"] for line in found] == list(range(len(found)))
