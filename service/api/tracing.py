"""Traces (OpenTelemetry), where a deployment names a collector: one span a request.

A span tells route, status, request id and codes of faults; never a path, a query or a body, which
are the caller's and could hold anything.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from service.core.errors import YanpanError


class TracingError(YanpanError):
    """Traces were asked for and cannot be made."""

    code = "tracing_unavailable"


class Tracer:
    """Makes spans and sends them in the background.

    Args:
        endpoint: of an OTLP collector over HTTP, such as `http://collector:4318/v1/traces`.

    Raises:
        TracingError: the extra `otel` is not installed.
    """

    def __init__(self, endpoint: str) -> None:
        if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None:
            hint = "请安装 yanpan[otel]，或去掉 YANPAN_OTLP_ENDPOINT。"
            raise TracingError("没有安装 OpenTelemetry。", hint)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 — optional
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        provider = TracerProvider(resource=Resource.create({"service.name": "yanpan"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self._provider = provider
        self._tracer = provider.get_tracer("yanpan")

    def close(self) -> None:
        """Sends what is left; a process that a signal ends would take it along."""
        self._provider.shutdown()

    @contextmanager
    def span(self, headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """A span under the caller's own (`traceparent`); what is put in the table is told by it."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        parent = TraceContextTextMapPropagator().extract(dict(headers))
        told: dict[str, Any] = {}
        with self._tracer.start_as_current_span(
            "request", parent, SpanKind.SERVER, record_exception=False
        ) as span:
            yield told
            span.update_name(f"{told.get('http.request.method')} {told.get('http.route')}")
            span.set_attributes(told)
