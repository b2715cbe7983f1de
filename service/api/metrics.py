"""Prometheus figures of all processes of a service; labels are bounded and hold no message."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.api.board import RUN_FOLDER
from service.core.assessment import Assessment

# Seconds; a message takes a few milliseconds, a batch up to half a minute.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class _DriftCollector(Collector):
    """The indices as they are when somebody looks."""

    def __init__(self, indices: Callable[[], Mapping[str, float]]) -> None:
        self._indices = indices

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily(
            "yanpan_drift_index",
            "Population stability index against the training messages",
            labels=["of"],
        )
        for what, index in self._indices().items():
            gauge.add_metric([what], index)
        yield gauge


class Metrics:
    """Requests by route and status, faults by code, assessments by level and response.

    With several worker processes, prometheus_client keeps the figures of each in a file of the
    run's folder, and whichever process is asked adds them up.

    Args:
        drift: the stability index of everything that is counted.
        model_version: of the model that serves; empty while it is being loaded.
    """

    def __init__(
        self, drift: Callable[[], Mapping[str, float]], model_version: Callable[[], str]
    ) -> None:
        self._model_version = model_version
        own = CollectorRegistry()  # of this process; in files of the run's folder if it has one
        self._registry = CollectorRegistry() if os.environ.get(RUN_FOLDER) else own
        if self._registry is not own:
            MultiProcessCollector(self._registry)  # type: ignore[no-untyped-call]
        self._registry.register(_DriftCollector(drift))
        self._serving = ("", "")
        self._failure = Gauge(
            "yanpan_activation_failed",
            "1 while the activated model cannot be loaded and the one before it serves",
            registry=own,
            multiprocess_mode="livemax",
        )
        self._info = Gauge(
            "yanpan_serving",
            "1 for the model and the policy that serve",
            ["model_version", "policy_version"],
            registry=own,
            multiprocess_mode="livemax",
        )
        self._in_flight = Gauge(
            "yanpan_in_flight",
            "Requests that are being worked on",
            registry=own,
            multiprocess_mode="livesum",
        )
        self._shed = Counter("yanpan_shed", "Requests refused for want of room", registry=own)
        self._requests = Counter(
            "yanpan_requests", "HTTP requests", ["route", "status"], registry=own
        )
        self._seconds = Histogram(
            "yanpan_request_seconds",
            "Time to answer",
            ["route", "model_version"],
            registry=own,
            buckets=_BUCKETS,
        )
        self._problems = Counter(
            "yanpan_problems",
            "Faults told to callers, rows of batches too",
            ["code"],
            registry=own,
        )
        self._assessments = Counter(
            "yanpan_assessments",
            "Assessed messages",
            ["level", "response", "value", "model_version"],
            registry=own,
        )
        self._reviews = Counter("yanpan_reviews", "Assessments that ask for a review", registry=own)

    def note_in_flight(self, count: int) -> None:
        """Tells how many requests this process is at work on."""
        self._in_flight.set(count)

    def observe_shed(self) -> None:
        """Counts one request that was refused because there was no room."""
        self._shed.inc()

    def note_serving(self, model_version: str, policy_version: str) -> None:
        """Tells which model and policy serve from now on."""
        if self._serving == (model_version, policy_version):
            return
        if self._serving[0]:
            self._info.labels(*self._serving).set(0)
        self._serving = (model_version, policy_version)
        self._info.labels(*self._serving).set(1)

    def note_failure(self, *, has_failed: bool) -> None:
        """Tells whether the activated model could not be loaded."""
        self._failure.set(has_failed)

    def observe_request(self, route: str, status: int, seconds: float) -> None:
        """Counts one answered request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route, self._model_version()).observe(seconds)

    def observe_problem(self, code: str) -> None:
        """Counts one fault that a caller is told of."""
        self._problems.labels(code).inc()

    def observe_assessment(self, assessment: Assessment) -> None:
        """Counts one assessment."""
        response = assessment.response
        self._assessments.labels(
            assessment.risk.level, response.type, response.value, assessment.model_version
        ).inc()
        if assessment.needs_review:
            self._reviews.inc()

    def render(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)
