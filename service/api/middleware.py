"""What every request passes through: a request id, a count, and a net for our own faults."""

import logging
import re
import time
import traceback
import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.metrics import Metrics
from service.api.problems import answer_bug

_log = logging.getLogger("uvicorn.error")
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
            _log.error("request %s: %s\n%s", request_id, type(error).__name__, where)
            if status:
                raise  # the answer had begun; the server must cut the connection
            await answer_bug(Request(scope))(scope, receive, send_with_id)
        finally:
            # The route's pattern, not the path: a path is the caller's and could be anything.
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.observe_request(route, status, time.perf_counter() - began)
            for code in problems:
                self._metrics.observe_problem(code)
