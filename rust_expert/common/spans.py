"""Runs as OpenTelemetry spans, where somebody asks for spans and the optional packages are there.

The packages (`requirements-spans.txt`) are loaded by name: they are in no environment, and without them this does
nothing. OTEL_EXPORTER_OTLP_ENDPOINT sends the spans to a collector, RUST_EXPERT_SPANS=FILE adds them to a file as JSON,
one span a line. A run that starts others makes them its children with TRACEPARENT
(https://opentelemetry.io/docs/specs/otel/context/env-carriers/).
"""

import importlib
import logging
import os
from collections.abc import Mapping
from typing import Any

SPANS_FILE = "RUST_EXPERT_SPANS"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
_PATIENCE = 3.0
"""Seconds that a run waits for a collector at its end, unless the environment says otherwise."""


class Span:
    """The span of this run. Its name and attributes are told at its end."""

    def __init__(self, span: Any, provider: Any) -> None:
        self._span, self._provider = span, provider

    def ids(self) -> dict[str, str]:
        """trace_id and span_id in hex, for the log."""
        context = self._span.get_span_context()
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    def environment(self) -> dict[str, str]:
        """What makes the runs that this one starts its children."""
        carrier: dict[str, str] = {}
        trace = importlib.import_module("opentelemetry.trace")
        _propagator().inject(carrier, trace.set_span_in_context(self._span))
        return {key.upper(): value for key, value in carrier.items()}

    def end(self, name: str, attributes: Mapping[str, str | float], fault: str | None) -> None:
        """End it and hand it to its exporters; `fault` tells why the run failed."""
        trace = importlib.import_module("opentelemetry.trace")
        self._span.update_name(name)
        self._span.set_attributes(dict(attributes))
        if fault is not None:
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, fault))
        self._span.end()
        self._provider.shutdown()


def start(name: str) -> Span | None:
    """Start the span of this run; None where nobody asks for spans or the packages are not there.

    Raises OSError where the file of RUST_EXPERT_SPANS cannot be written.
    """
    file = os.environ.get(SPANS_FILE)
    collected = any(os.environ.get(key) for key in _ENDPOINTS)
    if not file and not collected:
        return None
    try:
        sdk = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        resources = importlib.import_module("opentelemetry.sdk.resources")
        exporters = [_to_file(export, file)] if file else []
        exporters += [_to_collector()] if collected else []
    except ImportError:
        return None
    # A collector that is down is one line at the end of a run, not one for each attempt.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    service = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "rust-expert"}
    provider = sdk.TracerProvider(resource=resources.Resource.create(service), shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    given = {
        key: os.environ[key.upper()] for key in ("traceparent", "tracestate") if key.upper() in os.environ
    }
    return Span(
        provider.get_tracer("rust_expert").start_span(name, context=_propagator().extract(given)), provider
    )


def _propagator() -> Any:
    return importlib.import_module(
        "opentelemetry.trace.propagation.tracecontext"
    ).TraceContextTextMapPropagator()


def _to_file(export: Any, path: str) -> Any:
    # Jobs that run side by side share the file: each span is appended in one write.
    stream = open(path, "ab", buffering=0)  # noqa: SIM115  (closed with the process)
    return export.ConsoleSpanExporter(
        out=stream, formatter=lambda span: span.to_json(indent=None).encode() + b"\n"
    )


def _to_collector() -> Any:
    exporter = importlib.import_module(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    ).OTLPSpanExporter
    return exporter() if any(os.environ.get(key) for key in _TIMEOUTS) else exporter(timeout=_PATIENCE)
