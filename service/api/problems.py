"""Faults → RFC 9457 problem details; one table, no submitted text, no stack."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from service.core.errors import EmptyTextError, TextTooLongError, YanpanError
from service.schemas import FieldFault, describe_fault

MEDIA_TYPE: Final = "application/problem+json"

# status and title of each code; `type` is the code's anchor in docs/api.md
_PROBLEMS: Final[Mapping[str, tuple[int, str]]] = {
    "json_invalid": (400, "请求体不是有效的 JSON"),
    "body_missing": (400, "缺少请求体"),
    "media_type_unsupported": (415, "请求体类型不受支持"),
    "message_invalid": (422, "请求内容不符合要求"),
    "text_empty": (422, "正文为空"),
    "text_too_long": (422, "正文过长"),
    "model_unknown": (404, "没有这个模型版本"),
    "shadow_unknown": (404, "没有这个影子模型"),
    "key_missing": (401, "需要有效的密钥"),
    "scope_missing": (403, "密钥没有这个权限"),
    "key_refused": (503, "密钥暂不能核对"),
    "rate_exceeded": (429, "请求过于频繁"),
    "body_too_large": (413, "请求体过大"),
    "body_incomplete": (400, "请求体不完整"),
    "body_timeout": (408, "请求体没有按时收完"),
    "request_timeout": (503, "没有按时完成"),
    "overloaded": (503, "服务繁忙"),
    "audit_unavailable": (503, "审计日志不能写"),
    "not_found": (404, "没有这个地址"),
    "method_not_allowed": (405, "不支持这个方法"),
    "idempotency_key_reused": (422, "幂等键已用于另一条反馈"),
    "database_unavailable": (503, "数据库不可用"),
    "not_ready": (503, "模型尚未就绪"),
    "activation_failed": (503, "启用的模型不能加载"),
    "activation_refused": (409, "这个模型不能启用"),
    "internal_error": (500, "服务内部错误"),
}
_FIELD_OF: Final[Mapping[type[YanpanError], str]] = {
    EmptyTextError: "/text",
    TextTooLongError: "/text",
}
# FastAPI's own refusals: 400 is a body that is no UTF-8.
_OF_STATUS: Final = {
    400: ("json_invalid", "请求体应为 UTF-8 编码的 JSON。"),
    404: ("not_found", "可用的地址见 /docs。"),
    405: ("method_not_allowed", "各地址支持的方法见 /docs。"),
}


class Problem(BaseModel):
    """RFC 9457 错误。A fault with what to mend; never the submitted text."""

    type: str = Field(examples=["/docs/errors#text_empty"])
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldFault] = Field(default_factory=list)


class ProblemError(Exception):
    """A fault that a route found itself."""

    def __init__(
        self,
        code: str,
        detail: str,
        errors: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers


def invalid_field(pointer: str, detail: str) -> ProblemError:
    """The problem of a request in which one place is not as the contract says."""
    fault = FieldFault(pointer=pointer, detail=detail)
    return ProblemError("message_invalid", _count_faults(1), [fault])


def _count_faults(count: int) -> str:
    return f"有 {count} 处不符合要求，见 errors。"


def describe_problem(
    request: Request, code: str, detail: str, errors: Sequence[FieldFault] = ()
) -> Problem:
    """The problem's body."""
    status, title = _PROBLEMS[code]
    request.state.problems.append(code)
    return Problem(
        type=f"/docs/errors#{code}",
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        code=code,
        request_id=request.state.request_id,
        errors=list(errors),
    )


def describe_invalid(request: Request, faults: Sequence[FieldFault]) -> Problem:
    """The problem of a message that is not as the contract says."""
    return describe_problem(request, "message_invalid", _count_faults(len(faults)), faults)


def describe_error(request: Request, error: YanpanError) -> Problem:
    """The problem behind a domain error."""
    pointer = _FIELD_OF.get(type(error))
    faults = [FieldFault(pointer=pointer, detail=error.detail)] if pointer else []
    return describe_problem(request, error.code, f"{error.detail}{error.hint}", faults)


def install_problem_handlers(app: FastAPI) -> None:
    """Every fault of the application becomes a problem."""
    app.add_exception_handler(ProblemError, _on_known)
    app.add_exception_handler(YanpanError, _on_known)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        problem.model_dump(), problem.status, headers=headers, media_type=MEDIA_TYPE
    )


def answer_problem(request: Request, error: ProblemError | YanpanError) -> JSONResponse:
    """The answer to a fault that we know.

    Raises:
        YanpanError: it is no fault of the caller's, and none that may be told.
    """
    if isinstance(error, ProblemError):
        problem = describe_problem(request, error.code, error.detail, error.errors)
        return _answer(problem, error.headers)
    if error.code not in _PROBLEMS:
        raise error
    return _answer(describe_error(request, error))


async def _on_known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError | YanpanError)  # noqa: S101 — registered for these alone
    return answer_problem(request, error)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 — registered for this type alone
    faults: Sequence[Any] = error.errors()
    first = faults[0]
    if first["loc"][0] == "body" and not _is_json(request):  # FastAPI left it unread
        detail = "请以 Content-Type: application/json 提交 JSON。"
        return _answer(describe_problem(request, "media_type_unsupported", detail))
    if first["type"] == "json_invalid":
        detail = f"JSON 在第 {first['loc'][-1]} 个字符附近有语法错误，请检查引号、逗号和括号。"
        return _answer(describe_problem(request, "json_invalid", detail))
    if first["type"] == "missing" and first["loc"] == ("body",):
        detail = "请以 application/json 提交一个 JSON 对象。"
        return _answer(describe_problem(request, "body_missing", detail))
    described = [
        describe_fault(fault["type"], _inside(fault["loc"]), jsonable_encoder(fault.get("ctx", {})))
        for fault in faults
    ]
    return _answer(describe_invalid(request, described))


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 — registered for this type alone
    if error.status_code not in _OF_STATUS:
        raise error
    code, detail = _OF_STATUS[error.status_code]
    return _answer(describe_problem(request, code, detail), error.headers)


def answer_bug(request: Request) -> JSONResponse:
    """The answer to a request that ran into a fault of ours."""
    detail = "请把 request_id 告诉维护人员，日志中有详情。"
    return _answer(describe_problem(request, "internal_error", detail))


def _inside(location: Sequence[int | str]) -> tuple[int | str, ...]:
    """The place inside the body; a query parameter keeps its name."""
    return tuple(location[1:]) if location and location[0] == "body" else tuple(location)
