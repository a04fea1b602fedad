"""Spans for OpenTelemetry: real ones where its packages are installed, nothing at all where they are not."""

import importlib.util
import json
import re
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.watched import ROOT, lines, ran, written

INSTALLED = importlib.util.find_spec("opentelemetry") is not None and all(
    importlib.util.find_spec(name) for name in ("opentelemetry.sdk", "opentelemetry.exporter")
)
real = pytest.mark.skipif(not INSTALLED, reason="OpenTelemetry is not installed (requirements-spans.txt)")

COUNTING = """
telemetry.count("rows_out", 7, split="train")
"""


def spans(path: Path) -> dict[str, dict[str, Any]]:
    return {span["name"]: span for span in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


@real
def test_a_run_is_a_span_with_what_it_counted(tmp_path: Path) -> None:
    file, log = tmp_path / "spans.jsonl", tmp_path / "x.log"
    script = written(tmp_path, COUNTING)
    words = "--log", log, "--job", "judge", "stage=base", "suite=core"
    assert ran(script, *words, RUST_EXPERT_SPANS=str(file)) == (0, "")
    (span,) = spans(file).values()
    assert span["name"] == "judge base/core" and span["parent_id"] is None
    told = span["attributes"]
    assert (told["rule"], told["job"], told["stage"], told["rows_out.train"]) == (
        "judge",
        "base/core",
        "base",
        7,
    )
    ended = lines(log.with_suffix(".jsonl"))[-1]
    assert told["exit_code"] == 0 and told["cpu_seconds.own"] == ended["cpu_seconds.own"] > 0
    assert span["resource"]["attributes"]["service.name"] == "rust-expert"
    assert span["status"]["status_code"] == "UNSET"
    assert ended["trace_id"] == span["context"]["trace_id"].removeprefix("0x")
    assert ended["span_id"] == span["context"]["span_id"].removeprefix("0x")


@real
def test_a_run_that_another_starts_is_its_child(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    child = tmp_path / "child"
    child.mkdir()
    script = written(child, "raise UserError('no such file: x')")
    body = f"""
words = [sys.executable, {str(script)!r}, "--job", "inner"]
subprocess.run(words, env=dict(os.environ) | telemetry.environment(), stderr=subprocess.DEVNULL)
"""
    above = f"00-{'ab' * 16}-{'cd' * 8}-01"
    words = "--job", "outer"
    assert ran(written(tmp_path, body), *words, RUST_EXPERT_SPANS=str(file), TRACEPARENT=above) == (0, "")
    found = spans(file)
    assert found["outer"]["parent_id"] == "0x" + "cd" * 8
    assert found["inner"]["parent_id"] == found["outer"]["context"]["span_id"]
    assert {span["context"]["trace_id"] for span in found.values()} == {"0x" + "ab" * 16}
    assert found["inner"]["status"] == {"status_code": "ERROR", "description": "no such file: x"}
    assert found["inner"]["attributes"]["exit_code"] == 2
    assert (
        found["outer"]["start_time"]
        < found["inner"]["start_time"]
        < found["inner"]["end_time"]
        < found["outer"]["end_time"]
    )


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """An HTTP server that takes what is posted to /v1/traces."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


@real
def test_a_collector_is_sent_the_span(tmp_path: Path, collector: tuple[str, list[bytes]]) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    endpoint, taken = collector
    assert ran(written(tmp_path, COUNTING), OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) == (0, "")
    (body,) = taken
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    (span,) = resource.scope_spans[0].spans
    told = {attribute.key: attribute.value for attribute in span.attributes}
    assert span.name == "probe" and told["rows_out.train"].int_value == 7


@real
def test_a_collector_that_is_down_is_one_line_and_fails_no_run(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        code, told = ran(written(tmp_path, COUNTING), OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert code == 0 and re.fullmatch(r"(\d\d:){2}\d\d Failed to export spans batch[^\n]*\n", told), told


@pytest.mark.parametrize(
    "asked", [{"RUST_EXPERT_SPANS": "spans.jsonl"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1]:9"}]
)
def test_without_the_packages_nothing_is_said_or_written(tmp_path: Path, asked: dict[str, str]) -> None:
    script = written(tmp_path, "print(telemetry.environment())")
    gone = "import sys\nsys.modules['opentelemetry'] = None\n"  # as if it were not installed
    script.write_text(gone + script.read_text(encoding="utf-8"), encoding="utf-8")
    asked = {key: value.replace("spans", str(tmp_path / "spans")) for key, value in asked.items()}
    assert ran(script, "--telemetry", tmp_path, **asked) == (0, "")
    assert not (tmp_path / "spans.jsonl").exists() and (tmp_path / "jobs/probe.prom").is_file()


def test_where_nobody_asks_nothing_is_loaded(tmp_path: Path) -> None:
    script = written(
        tmp_path, "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    assert ran(script) == (0, "")


def test_a_file_that_cannot_be_written_fails_no_run(tmp_path: Path) -> None:
    code, told = ran(written(tmp_path, "pass"), RUST_EXPERT_SPANS=str(tmp_path / "none" / "spans.jsonl"))
    assert code == 0 and (not INSTALLED or "the span of this run cannot be written" in told)


def test_the_packages_are_pinned_and_in_no_lock() -> None:
    rows = [
        row for row in (ROOT / "requirements-spans.txt").read_text().splitlines() if not row.startswith("#")
    ]
    assert rows and all(re.fullmatch(r"opentelemetry-[a-z-]+==[0-9.]+", row) for row in rows)
    locks = {ROOT / "requirements.lock", *(ROOT / "envs").glob("*.lock")}
    for lock in locks - {ROOT / "envs" / "sample-vllm.lock"}:  # vllm has spans of its own
        assert "opentelemetry" not in lock.read_text(encoding="utf-8")
