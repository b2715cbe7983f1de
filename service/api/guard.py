"""Before a request is served: may this caller, now, with so much, and is there room?"""

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access import Key, KeyRefusedError, KeyRing
from service.api.limits import RateLimits
from service.api.metrics import Metrics
from service.api.problems import ProblemError, answer_problem
from service.api.protocol import ARRIVED
from service.settings import Settings

_MEGABYTE: Final = 1_000_000  # bytes
_MOST_BYTES: Final = _MEGABYTE
_MOST_BYTES_OF: Final = {
    "/v1/score/batch": 20 * _MEGABYTE,
    "/v1/policy-risk": 20 * _MEGABYTE,
    "/predict": 20 * _MEGABYTE,
}
_OPEN: Final = re.compile(r"/health(/live|/ready)?|/docs|/redoc|/openapi\.json")
_NEVER_SHED: Final = re.compile(r"/health(/live|/ready)?|/metrics")
_ADMIN: Final = re.compile(r"/v1/models/[^/]*/activate")
_ANY: Final = re.compile(r"/metrics|/v1/(labels|policy|drift|models(/[^/]*(/shadow)?)?)")
_BEARER: Final = "bearer "
_RETRY: Final = {"Retry-After": "1"}

# What a browser may do with an answer: nothing, for an API; the pages of /docs load their script
# and style from where FastAPI keeps them.
_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_DOCS: Final = (
    "default-src 'none'; script-src 'unsafe-inline' https://cdn.jsdelivr.net; connect-src 'self'; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net https://fonts.googleapis.com; "
    "img-src 'self' data: https:; font-src https:; worker-src blob:; frame-ancestors 'none'"
)


def scope_of(method: str, path: str) -> str:
    """What a key must be allowed for a call; empty where none is needed, `any` where any will do.

    >>> scope_of("POST", "/v1/score"), scope_of("GET", "/health/ready"), scope_of("GET", "/metrics")
    ('score', '', 'any')
    """
    if _OPEN.fullmatch(path):
        return ""
    if _ADMIN.fullmatch(path):
        return "admin"
    if path == "/v1/feedback":
        return "feedback"
    return "any" if method in ("GET", "HEAD") and _ANY.fullmatch(path) else "score"


@dataclass(slots=True)
class Load:
    """What one process is at work on."""

    in_flight: int = 0


class Guard:
    """Keys, rates, sizes, time and room, in this order; each refusal is a problem of its own.

    Args:
        app: what is behind it.
        settings: of the deployment.
        ring: its keys.
        limits: made before workers are forked, so that they share it.
        metrics: to tell what is in flight and what is shed.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        ring: KeyRing,
        limits: RateLimits,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._settings = settings
        self._ring = ring
        self._limits = limits
        self._metrics = metrics
        self._load = Load()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = _Sent(send, _headers_for(scope["path"]))
        now = asyncio.get_running_loop().time()
        waited = now - scope["state"].get(ARRIVED, now)
        try:
            key = self._admit(scope)
            if key:
                self._keep_rate(key)
            body = await self._read_body(scope, receive)
            await self._serve(scope, _replay(body, receive), sent, waited)
        except (ProblemError, KeyRefusedError) as error:
            if sent.has_begun:
                raise
            await answer_problem(Request(scope), error)(scope, receive, sent)

    def _admit(self, scope: Scope) -> Key | None:
        """The caller's key, if it may make this call.

        Raises:
            ProblemError: 401 without a key that holds, 403 if it does not allow this.
        """
        needed = scope_of(scope["method"], scope["path"])
        if not needed or not self._ring.has_keys():
            return None
        headers = Headers(scope=scope)
        given = headers.get("authorization", "")
        is_bearer = given[: len(_BEARER)].lower() == _BEARER
        token = given[len(_BEARER) :].strip() if is_bearer else headers.get("x-api-key", "")
        key = self._ring.find(token) if token else None
        if key is None:
            why = "密钥无效或已吊销。" if token else "缺少密钥。"
            detail = f"{why}请以 Authorization: Bearer 密钥 提交。"
            raise ProblemError("key_missing", detail, headers={"WWW-Authenticate": "Bearer"})
        if needed not in ("any", *key.scopes):
            raise ProblemError("scope_missing", f"这个密钥没有 {needed} 权限。")
        scope["state"]["key"] = key
        return key

    def _keep_rate(self, key: Key) -> None:
        rate = self._settings.rate_limit if key.rate is None else key.rate
        wait = self._limits.take(key.id, rate)
        if wait:
            detail = f"超过每秒 {rate:g} 次，请按 Retry-After 稍后重试。"
            raise ProblemError(
                "rate_exceeded", detail, headers={"Retry-After": str(math.ceil(wait))}
            )

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, if it is small enough and comes in time."""
        most = _MOST_BYTES_OF.get(scope["path"], _MOST_BYTES)
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdigit() and int(told) > most:
            raise _too_large(most)
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._settings.body_timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ProblemError("body_incomplete", "连接在请求体收完前断开。")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise _too_large(most)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError as error:
            detail = f"请求体在 {self._settings.body_timeout:g} 秒内没有收完。"
            raise ProblemError("body_timeout", detail, headers={"Connection": "close"}) from error

    async def _serve(self, scope: Scope, receive: Receive, sent: "_Sent", waited: float) -> None:
        if _NEVER_SHED.fullmatch(scope["path"]):
            await self._app(scope, receive, sent)
            return
        self._make_room(waited)
        self._load.in_flight += 1
        self._metrics.note_in_flight(self._load.in_flight)
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                await self._app(scope, receive, sent)
        except TimeoutError as error:
            detail = f"{self._settings.request_timeout:g} 秒内没有完成，请减少条数后重试。"
            raise ProblemError("request_timeout", detail, headers=_RETRY) from error
        finally:
            self._load.in_flight -= 1
            self._metrics.note_in_flight(self._load.in_flight)

    def _make_room(self, waited: float) -> None:
        """Refuses what has waited too long or would be too much, before any work is spent on it.

        Args:
            waited: seconds from the arrival of the headers until the request was begun.

        Raises:
            ProblemError: 503 with `Retry-After`.
        """
        is_full = self._load.in_flight >= self._settings.most_in_flight
        if is_full or waited > self._settings.longest_wait:
            self._metrics.observe_shed()
            raise ProblemError(
                "overloaded", "服务繁忙，请按 Retry-After 稍后重试。", headers=_RETRY
            )


class _Sent:
    """Passes an answer on with the headers that every answer has."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send = send
        self._headers = headers
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            MutableHeaders(scope=message).update(self._headers)
        await self._send(message)


def _headers_for(path: str) -> Mapping[str, str]:
    is_page = path in ("/docs", "/redoc")
    return {**_HEADERS, "Content-Security-Policy": _DOCS} if is_page else _HEADERS


def _too_large(most: int) -> ProblemError:
    detail = f"请求体超过 {most // _MEGABYTE} MB，请分批提交。"
    return ProblemError("body_too_large", detail, headers={"Connection": "close"})


def _replay(body: bytes, receive: Receive) -> Receive:
    """What was read already, and then whatever comes."""
    is_read = False

    async def read() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read
