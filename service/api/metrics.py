"""Prometheus figures of one process; labels are bounded and hold nothing of a message."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.core.assessment import Assessment


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
    """Requests by route and status, assessments by level and response.

    Args:
        has_failed: whether the activated model could not be loaded.
        drift: the stability index of everything that is counted.
    """

    def __init__(
        self, has_failed: Callable[[], bool], drift: Callable[[], Mapping[str, float]]
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_DriftCollector(drift))
        failure = Gauge(
            "yanpan_activation_failed",
            "1 while the activated model cannot be loaded and the one before it serves",
            registry=self._registry,
        )
        failure.set_function(has_failed)
        self._requests = Counter(
            "yanpan_requests", "HTTP requests", ["route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "yanpan_request_seconds", "Time to answer", ["route"], registry=self._registry
        )
        self._assessments = Counter(
            "yanpan_assessments",
            "Assessed messages",
            ["level", "response", "value", "model_version"],
            registry=self._registry,
        )
        self._reviews = Counter(
            "yanpan_reviews", "Assessments that ask for a review", registry=self._registry
        )

    def observe_request(self, route: str, status: int, seconds: float) -> None:
        """Counts one answered request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

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
