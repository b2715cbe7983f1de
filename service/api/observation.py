"""What is noted of every answer: figures, drift, and what a shadow model would have said."""

import threading
from typing import Any, Final

from service.api.loading import ChainLoader
from service.api.metrics import Metrics
from service.core.assessment import Assessment
from service.core.drift import DriftCounter, see
from service.core.message import Message
from service.registry import Registry

_WINDOW: Final = 10_000  # messages; drift is of the last one to two windows


class Drift:
    """Counts what the serving model judges in this process; another model begins anew."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._version = ""
        self._profile: dict[str, Any] = {}
        self._before, self._now = DriftCounter(), DriftCounter()
        self._lock = threading.Lock()  # batches are judged in threads

    def observe(self, assessment: Assessment) -> None:
        """Counts one answer."""
        seen = see(assessment)
        with self._lock:
            if assessment.model_version != self._version:
                self._begin(assessment.model_version)
            elif self._now.messages >= _WINDOW:
                self._before, self._now = self._now, DriftCounter()
            self._now.add(seen)

    def table(self) -> dict[str, Any]:
        """How far the messages are from those of training."""
        both = DriftCounter()
        with self._lock:
            both.include(self._before)
            both.include(self._now)
            version, profile = self._version, self._profile
        return {"model_version": version, **both.compare(profile)}

    def _begin(self, version: str) -> None:
        self._version = version
        self._profile = self._registry.profile(version)
        self._before, self._now = DriftCounter(), DriftCounter()


class Observer:
    """Passes every answer on to all that take note of it."""

    def __init__(self, metrics: Metrics, drift: Drift, loader: ChainLoader) -> None:
        self._metrics = metrics
        self._drift = drift
        self._loader = loader

    def observe(self, message: Message, assessment: Assessment) -> None:
        """Takes note of one answer."""
        self._metrics.observe_assessment(assessment)
        self._drift.observe(assessment)
        if (shadow := self._loader.shadow) is not None:
            shadow.observe(message, assessment)
