"""What is noted of every answer: figures, drift, and what a shadow model would have said."""

import asyncio
import threading
from typing import Any, Final

from service.api.board import Board
from service.api.loading import ChainLoader
from service.api.metrics import Metrics
from service.core.assessment import Assessment
from service.core.drift import DriftCounter, see
from service.core.message import Message
from service.registry import Registry
from service.shadow import merge_tables

_WINDOW: Final = 10_000  # messages; drift is of the last one to two windows of each process
_EVERY: Final = 1.0  # seconds between two tellings of the other processes


class Drift:
    """Counts what the serving model judges; another model begins anew."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._version = ""
        self._profile: dict[str, Any] = {}
        self._before, self._now = DriftCounter(), DriftCounter()
        self._lock = threading.Lock()  # batches are judged in threads
        self._board = Board("drift")

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
        """How far the messages are from those of training, all processes together."""
        version, profile, both = self._own()
        for other in self._board.others(with_dead=False):
            if not version:  # this process has judged nothing yet
                version, profile = other["version"], self._registry.profile(other["version"])
            if other["version"] == version:
                both.include(DriftCounter.of(other["messages"], other["counts"]))
        return {"model_version": version, **both.compare(profile)}

    def publish(self) -> None:
        """Tells the other processes."""
        version, _, both = self._own()
        if version:
            self._board.publish(
                {"version": version, "messages": both.messages, "counts": both.counts}
            )

    def _own(self) -> tuple[str, dict[str, Any], DriftCounter]:
        both = DriftCounter()
        with self._lock:
            both.include(self._before)
            both.include(self._now)
            return self._version, self._profile, both

    def _begin(self, version: str) -> None:
        self._version = version
        self._profile = self._registry.profile(version)
        self._before, self._now = DriftCounter(), DriftCounter()


class Observer:
    """Passes every answer on to all that take note of it."""

    def __init__(self, metrics: Metrics, drift: Drift, loader: ChainLoader) -> None:
        self._metrics = metrics
        self.drift: Final = drift
        self._loader = loader
        self._shadows = Board("shadow")

    def observe(self, message: Message, assessment: Assessment) -> None:
        """Takes note of one answer."""
        self._metrics.observe_assessment(assessment)
        if not message.store:
            return
        self.drift.observe(assessment)
        if (shadow := self._loader.shadow) is not None:
            shadow.observe(message, assessment)

    def shadow_table(self, version: str) -> dict[str, Any] | None:
        """What the shadow of that version found in all processes; `None` if there is no such."""
        shadow = self._loader.shadow
        if shadow is None or shadow.chain.model_version != version:
            return None
        others = self._shadows.others(with_dead=True)
        return merge_tables([shadow.table(), *(o for o in others if o["version"] == version)])

    def metrics_text(self) -> bytes:
        """The figures as Prometheus reads them."""
        self._note_state()
        return self._metrics.render()

    async def run(self) -> None:
        """Tells the other processes what was seen, until it is cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            self._note_state()
            await asyncio.to_thread(self._publish)

    def _note_state(self) -> None:
        if chain := self._loader.loaded:
            self._metrics.note_serving(chain.model_version, chain.policy.version)
        self._metrics.note_failure(has_failed=bool(self._loader.failure))

    def _publish(self) -> None:
        self.drift.publish()
        if (shadow := self._loader.shadow) is not None:
            self._shadows.publish(shadow.table())
