"""Requests at a given rate over many connections, whether or not earlier ones were answered."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.serving import HOST

_PATIENCE: Final = 15.0  # seconds until a request counts as hanging


@dataclass(slots=True)
class Outcome:
    """What became of the requests.

    Attributes:
        by_status: answers by status; `lost` for connections that ended without one, `hung` for
            none in fifteen seconds, `unsent` for want of a free connection.
        left_out: connections without any answer in all that time.
        seconds: of the answers with 200.
        refused_seconds: of the others.
        failures: of each that was lost or hung: when, how, and how old its connection was.
    """

    by_status: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    seconds: list[float] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def quantile(self, share: float, *, refused: bool = False) -> float:
        """Milliseconds within which that share of the answers came."""
        ordered = sorted(self.refused_seconds if refused else self.seconds)
        if not ordered:
            return float("nan")
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1_000


class Load:
    """An open loop: requests are due whether or not earlier ones were answered.

    Args:
        port: of the service on loopback.
        bodies: JSON bodies for `/v1/score`, sent in turn.
        connections: at most so many requests wait for an answer at a time.
    """

    def __init__(self, port: int, bodies: Sequence[bytes], connections: int) -> None:
        self._port = port
        self._requests = [
            b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            for body in bodies
        ]
        self._connections = connections

    async def run(self, rate: float, seconds: float) -> Outcome:
        """Sends `rate` requests a second; `rate` 0 means as many as are answered."""
        outcome = Outcome()
        due: asyncio.Queue[None] = asyncio.Queue(self._connections)
        end = time.monotonic() + seconds
        workers = [
            asyncio.create_task(self._work(due, end, outcome, is_closed=rate == 0))
            for _ in range(self._connections)
        ]
        if rate:
            await self._tick(due, rate, end, outcome)
        await asyncio.gather(*workers)
        return outcome

    async def _tick(
        self, due: asyncio.Queue[None], rate: float, end: float, outcome: Outcome
    ) -> None:
        begin = time.monotonic()
        sent = 0
        while (now := time.monotonic()) < end:
            while begin + sent / rate <= now:
                sent += 1
                try:
                    due.put_nowait(None)
                except asyncio.QueueFull:
                    outcome.by_status["unsent"] += 1
            await asyncio.sleep(0.002)

    async def _work(
        self, due: asyncio.Queue[None], end: float, outcome: Outcome, *, is_closed: bool
    ) -> None:
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        is_left_out, answered, opened = True, 0, 0.0
        begin = time.monotonic()
        choose = random.Random(id(due))  # noqa: S311 — which message, no secret
        while time.monotonic() < end:
            if not is_closed:
                try:
                    await asyncio.wait_for(due.get(), max(end - time.monotonic(), 0.001))
                except TimeoutError:
                    break
            at = time.monotonic()
            try:
                if streams is None:
                    answered, opened = 0, time.monotonic()
                    streams = await asyncio.open_connection(HOST, self._port)
                async with asyncio.timeout(_PATIENCE):
                    status, stays = await self._ask(*streams, choose.choice(self._requests))
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                kind = "hung" if isinstance(error, TimeoutError) else "lost"
                outcome.by_status[kind] += 1
                age = time.monotonic() - opened
                outcome.failures.append(
                    f"{kind} {at - begin:.1f} s from the beginning: {error!r}, "
                    f"connection {age:.2f} s old, {answered} answers before"
                )
                self._close(streams)
                streams = None
                continue
            now = time.monotonic()
            is_left_out = is_left_out and now > end
            outcome.by_status[status] += 1
            answered += 1
            if status == "200":
                outcome.seconds.append(now - at)
            else:
                outcome.refused_seconds.append(now - at)
            if not stays:
                self._close(streams)
                streams = None
        outcome.left_out += is_left_out
        self._close(streams)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> tuple[str, bool]:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        return head.split(b" ", 2)[1].decode(), b"connection: close" not in lower

    def _close(self, streams: "tuple[asyncio.StreamReader, asyncio.StreamWriter] | None") -> None:
        if streams:
            streams[1].close()
