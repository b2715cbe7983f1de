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
from service.logs import ACCESS

_log = logging.getLogger("uvicorn.error")
_access = logging.getLogger(ACCESS)
_HEADER: Final = "X-Request-ID"
_ACCEPTABLE: Final = re.compile(r"[\x21-\x7e]{1,128}")


class RequestContext:
    """Keeps or makes `X-Request-ID`, returns it with every answer, and measures the request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(_HEADER, "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        problems: list[str] = []
        scope.setdefault("state", {}).update(request_id=request_id, problems=problems)
        status = 0
        began = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # The exception's own words may quote a message; where it happened cannot.
            where = "".join(traceback.format_tb(error.__traceback__))
            fault = {"request_id": request_id, "error": type(error).__name__, "where": where}
            _log.error("internal error", extra=fault)
            if status:
                raise  # the answer had begun; the server must cut the connection
            await answer_bug(Request(scope))(scope, receive, send_with_id)
        finally:
            # The route's pattern, not the path: a path is the caller's and could be anything.
            route = getattr(scope.get("route"), "path", "unmatched")
            seconds = time.perf_counter() - began
            self._metrics.observe_request(route, status, seconds)
            if _access.isEnabledFor(logging.INFO):
                key = scope["state"].get("key")
                told: dict[str, Any] = {
                    "request_id": request_id,
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "milliseconds": round(seconds * 1_000, 2),
                    "problems": problems,
                    "key": key.id if key else None,
                }
                _access.info("request", extra=told)
            for code in problems:
                self._metrics.observe_problem(code)
