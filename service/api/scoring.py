"""The two calls that judge: one message, or up to a thousand."""

import json
from importlib.resources import files
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError
from pydantic_core import to_json

from service.api.loading import ChainLoader
from service.api.observation import Observer
from service.api.problems import (
    MEDIA_TYPE,
    Problem,
    describe_error,
    describe_invalid,
)
from service.assessment_schema import AssessmentOut, assessment_json
from service.core.assess import Chain, assess_message
from service.core.errors import YanpanError
from service.schemas import MOST_IN_BATCH, MessageIn, describe_faults, now

PROBLEM_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, text in (
        (400, "JSON 有误 / not JSON"),
        (401, "缺少有效密钥 / no key that holds"),
        (403, "密钥没有权限 / the key does not allow it"),
        (408, "请求体没有按时收完 / the body came too slowly"),
        (413, "请求体过大 / the body is too large"),
        (415, "类型不受支持 / not application/json"),
        (422, "内容不符合要求 / not as the contract says"),
        (429, "请求过于频繁 / the key's rate is exceeded"),
        (503, "尚未就绪或繁忙 / not ready, or busy: see Retry-After"),
    )
}

_JSON: Final = "application/json"

Explain = Annotated[
    bool, Query(description="是否给出每个判断的依据 / give the evidence of every label")
]


class BatchIn(BaseModel):
    """一批舆情。Messages to judge with one model version; each is checked by itself."""

    messages: list[SkipValidation[MessageIn]] = Field(
        min_length=1, max_length=MOST_IN_BATCH, description=f"1–{MOST_IN_BATCH}"
    )


class BatchResult(BaseModel):
    """一条的结果。The assessment, or the problem, of the message at `index`."""

    index: int
    id: str | None
    status: str = Field(examples=["ok", "error"])
    assessment: AssessmentOut | None = None
    error: Problem | None = None


class BatchSummary(BaseModel):
    """计数。total = succeeded + failed."""

    total: int
    succeeded: int
    failed: int


class BatchOut(BaseModel):
    """一批的结果。Results in the order of the messages."""

    model_config = ConfigDict(protected_namespaces=("model_dump",))

    results: list[BatchResult]
    summary: BatchSummary
    model_version: str
    policy_version: str


def router(loader: ChainLoader, observer: Observer) -> APIRouter:
    """The routes under `/v1/score`."""
    routes = APIRouter(prefix="/v1/score", tags=["研判"])

    @routes.post(
        "",
        summary="研判一条 / judge one message",
        response_model=AssessmentOut,
        responses=PROBLEM_ANSWERS,
    )
    async def score(message: MessageIn, request: Request, *, explain: Explain = False) -> Any:
        # Inline: a message takes less time than a hop to the thread pool would.
        content = _score(message, loader.chain, observer, request, explain=explain)
        return Response(content, media_type=_JSON)

    @routes.post(
        "/batch",
        summary="研判一批 / judge up to a thousand messages",
        response_model=BatchOut,
        responses=PROBLEM_ANSWERS,
    )
    async def score_batch(batch: BatchIn, request: Request, *, explain: Explain = False) -> Any:
        chain = loader.chain
        results = await run_in_threadpool(
            lambda: [
                _score_row(index, row, chain, observer, request, explain=explain)
                for index, row in enumerate(batch.messages)
            ]
        )
        failed = sum(row.failed for row in results)
        ending = {
            "summary": {
                "total": len(results),
                "succeeded": len(results) - failed,
                "failed": failed,
            },
            "model_version": chain.model_version,
            "policy_version": chain.policy.version,
        }
        rows = b",".join(row.content for row in results)
        content = b'{"results":[' + rows + b"]," + to_json(ending)[1:]
        return Response(content, media_type=_JSON)

    return routes


def _score(
    message: MessageIn, chain: Chain, observer: Observer, request: Request, *, explain: bool
) -> bytes:
    """The assessment as JSON."""
    read = message.to_message()
    assessment = assess_message(
        read,
        chain,
        request_id=request.state.request_id,
        now=now(),
        explain=explain,
    )
    observer.observe(read, assessment)
    return assessment_json(assessment)


class _Row(NamedTuple):
    """One row of a batch's answer, as JSON."""

    content: bytes
    failed: bool


def _score_row(
    index: int, row: Any, chain: Chain, observer: Observer, request: Request, *, explain: bool
) -> _Row:
    """One row of a batch: its assessment, or a problem of its own."""
    given = row.get("id") if isinstance(row, dict) else None
    place = {"index": index, "id": given if isinstance(given, str) else None}
    try:
        message = MessageIn.model_validate(row)
        assessment = _score(message, chain, observer, request, explain=explain)
    except ValidationError as error:
        faults = describe_faults(error)
        problem = describe_invalid(request, faults)
        if "/id" in [fault.pointer for fault in faults]:
            place["id"] = None  # an id that is wrong itself may not even be writable
    except YanpanError as error:
        problem = describe_error(request, error)
    else:
        head = to_json({**place, "status": "ok"})
        return _Row(head[:-1] + b',"assessment":' + assessment + b"}", failed=False)
    return _Row(to_json({**place, "status": "error", "error": problem.model_dump()}), failed=True)


def add_example(document: dict[str, Any]) -> None:
    """Puts a real answer of this very model into the OpenAPI document.

    `make golden` renews it and a test holds it true. It goes in here because FastAPI would drop
    the nulls, and an unknown dimension is a null.
    """
    text = files("service.api").joinpath("example_assessment.json").read_text(encoding="utf-8")
    answer = document["paths"]["/v1/score"]["post"]["responses"]["200"]
    answer["content"]["application/json"]["example"] = json.loads(text)
