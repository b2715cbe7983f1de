"""A candidate beside the model that serves (影子): it judges the same messages, and nobody sees it.

What it would have answered is compared and counted in the background; when there is more than it
can keep up with, messages are left out and counted, so that answering never waits for it.
"""

import queue
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, NamedTuple

from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.errors import YanpanError
from service.core.message import Message
from service.replay import compare, differing_heads

_WAITING: Final = 1_000
_LISTED: Final = 100


class _Job(NamedTuple):
    message: Message
    assessment: Assessment


class Shadow:
    """Counts, in this process, how a candidate differs from what was answered.

    Args:
        chain: the candidate.
        since: when it was loaded.
    """

    def __init__(self, chain: Chain, since: datetime) -> None:
        self.chain = chain
        self._since = since
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_WAITING)
        self._messages = self._failed = self._left_out = self._lost = 0
        self._by_head: Counter[str] = Counter()
        self._by_direction: Counter[str] = Counter()
        self._downgrades: deque[Mapping[str, Any]] = deque(maxlen=_LISTED)
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def observe(self, message: Message, assessment: Assessment) -> None:
        """Takes note of an answer; it is compared later."""
        try:
            self._jobs.put_nowait(_Job(message, assessment))
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Ends it when what waits is done."""
        self._jobs.put(None)

    def table(self) -> dict[str, Any]:
        """What was found so far."""
        return {
            "version": self.chain.model_version,
            "since": self._since.isoformat(),
            "messages": self._messages,
            "failed": self._failed,
            "waiting": self._jobs.qsize(),
            "left_out": self._left_out,
            "by_head": dict(self._by_head),
            "by_direction": dict(self._by_direction),
            "lost_escalates": self._lost,
            "downgrades": list(self._downgrades),
        }

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._compare(job)
            except YanpanError:
                self._failed += 1

    def _compare(self, job: _Job) -> None:
        before = job.assessment
        after = assess_message(
            job.message, self.chain, request_id=before.request_id, now=before.assessed_at
        )
        self._messages += 1
        self._by_head.update(differing_heads(before, after))
        change = compare(0, before, after)
        if change is None:
            return
        self._by_direction[change.direction] += 1
        self._lost += change.loses_escalate
        if change.direction == "down":
            told = asdict(change)
            del told["line"]
            self._downgrades.append({"request_id": before.request_id, **told})


def merge_tables(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several processes found of the same candidate, as one table.

    Args:
        tables: one or more, as `Shadow.table` gives them.
    """
    merged = {
        what: sum(table[what] for table in tables)
        for what in ("messages", "failed", "waiting", "left_out", "lost_escalates")
    }
    counters = {
        what: dict(sum((Counter(table[what]) for table in tables), Counter[str]()))
        for what in ("by_head", "by_direction")
    }
    downgrades = [row for table in tables for row in table["downgrades"]]
    return {
        "version": tables[0]["version"],
        "since": min(table["since"] for table in tables),
        **merged,
        **counters,
        "downgrades": downgrades[-_LISTED:],
    }
