"""What every request passes through: a request id, a count, and a net for our own faults."""

import logging
import re
import time
import traceback
import uuid
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.metrics import Metrics
from service.api.problems import answer_bug
from service.api.tracing import Tracer
from service.core.privacy import mask
from service.logs import ACCESS

_log = logging.getLogger("uvicorn.error")
_access = logging.getLogger(ACCESS)
_HEADER: Final = "X-Request-ID"
_ACCEPTABLE: Final = re.compile(r"[\x21-\x7e]{1,128}")


class RequestContext:
    """Keeps or makes `X-Request-ID`, returns it with every answer, and measures the request."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracer: Tracer | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(_HEADER, "")
        is_given = _ACCEPTABLE.fullmatch(given) is not None
        request_id = given if is_given else uuid.uuid4().hex
        scope.setdefault("state", {}).update(request_id=request_id, problems=[])
        # What the caller chose is returned as it is, and written down without personal data.
        noted = mask(request_id) if is_given else request_id
        if self._tracer is None:
            await self._serve(scope, receive, send, noted)
            return
        with self._tracer.span(headers) as told:
            told.update(await self._serve(scope, receive, send, noted))

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, noted: str
    ) -> dict[str, Any]:
        """Serves the request and tells what is to be noted of it."""
        state, status = scope["state"], 0
        began = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[_HEADER] = state["request_id"]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # The exception's own words may quote a message; where it happened cannot.
            where = "".join(traceback.format_tb(error.__traceback__))
            name, told_of = type(error).__name__, {"request_id": noted}
            _log.error("request %s: %s\n%s", noted, name, where, extra=told_of)
            if status:
                raise  # the answer had begun; the server must cut the connection
            await answer_bug(Request(scope))(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - began
            # The route's pattern, not the path: a path is the caller's and could be anything.
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.observe_request(route, status, seconds)
            for code in state["problems"]:
                self._metrics.observe_problem(code)
            if _access.isEnabledFor(logging.INFO):
                key = state.get("key")
                told = {
                    "request_id": noted,
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "milliseconds": round(seconds * 1_000, 2),
                    "problems": state["problems"],
                    "key": key.id if key else None,
                }
                _access.info("request", extra=told)
        return {
            "http.request.method": scope["method"],
            "http.route": route,
            "http.response.status_code": status,
            "yanpan.request_id": noted,
            "yanpan.problems": list(state["problems"]),
        }
