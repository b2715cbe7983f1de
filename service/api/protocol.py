"""HTTP/1.1 for callers who may be slow on purpose: headers must come in time."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# uvloop takes one new connection each time round, and a time round is long under load: new callers
# would wait without an answer, not even a refusal. asyncio takes all that have come.
LOOP: Final = "asyncio"
ARRIVED: Final = "arrived"  # when a request's headers had come, by the loop's clock, in its state
_PATIENCE: Final = 10.0  # seconds for a connection to send the headers of its first request


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol; it closes a connection whose headers do not come, and stamps requests.

    The body has its own time, and between two requests uvicorn's keep-alive timeout holds.
    """

    _expiry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection begins."""
        super().connection_made(transport)
        self._expiry = self.loop.call_later(_PATIENCE, self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection has ended."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first bytes of a request have come."""
        super().on_message_begin()
        self._stop_waiting()
        self._expiry = self.loop.call_later(_PATIENCE, self._expire)

    def on_headers_complete(self) -> None:
        """The headers are whole."""
        self._stop_waiting()
        state: dict[str, Any] = self.scope.setdefault("state", {})
        state[ARRIVED] = self.loop.time()
        super().on_headers_complete()

    def _stop_waiting(self) -> None:
        if self._expiry:
            self._expiry.cancel()
            self._expiry = None

    def _expire(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
