"""Corrections of assessments: proposals that a data keeper accepts or rejects."""

import threading
import uuid
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from service.api.loading import ChainLoader
from service.api.problems import ProblemError, invalid_field
from service.api.scoring import PROBLEM_ANSWERS
from service.bootstrap import build_feedback
from service.core.classify import FLAGS
from service.core.labels import reported_names
from service.core.reading import check_length
from service.schemas import MessageIn, now
from service.settings import Settings

if TYPE_CHECKING:
    from service.store.feedback import Correction, FeedbackStore, Stored

_RETRY: Final = {"Retry-After": "5"}


class LabelsIn(BaseModel):
    """改正后的标签，只填要改的。The labels as they should be; only those that were judged."""

    model_config = ConfigDict(extra="forbid")

    topic: str | None = Field(None, max_length=64)
    sentiment: str | None = Field(None, max_length=64)
    intent: str | None = Field(None, max_length=64)
    response: str | None = Field(None, max_length=64, description="也可为 none / none too")
    risk: int | str | None = Field(None, description="1–4")
    flags: list[str] | None = Field(None, max_length=64, description="全部要素 / all that hold")


class FeedbackIn(BaseModel):
    """一条反馈。A correction of an assessment, by its message or by its request id."""

    message: MessageIn | None = Field(None, description="被研判的信息 / the message")
    request_id: str | None = Field(
        None, max_length=128, description="研判结果的 request_id / that of the assessment"
    )
    labels: LabelsIn
    annotator: str = Field(min_length=1, max_length=128, description="标注人 / who says so")
    reason: str | None = Field(None, max_length=2_000, description="理由 / why")


class FeedbackOut(BaseModel):
    """已保存的反馈，个人信息已遮盖。The correction as it is kept, personal data masked."""

    id: str
    status: str = Field(examples=["proposed", "accepted", "rejected"])
    created_at: str
    request_id: str | None
    message_id: str | None
    text: str | None
    title: str | None
    channel: str | None
    labels: dict[str, Any]
    annotator: str
    reason: str | None
    is_masked: bool
    decided_by: str | None
    decided_at: str | None


class _Store:
    """The store, opened when it is first needed: scoring never waits for a database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._store: FeedbackStore | None = None

    def add(self, correction: "Correction", key: str) -> "Stored":
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 — slow to import

        from service.store.database import DatabaseError  # noqa: PLC0415

        try:
            with self._lock:
                self._store = self._store or build_feedback(self._settings)
            return self._store.add(correction, key=key, at=now())
        except (DatabaseError, SQLAlchemyError) as error:
            detail = "反馈未保存：数据库不可用，请稍后用同一个 Idempotency-Key 重试。"
            raise ProblemError("database_unavailable", detail, headers=_RETRY) from error


def router(loader: ChainLoader, settings: Settings) -> APIRouter:
    """The route under `/v1/feedback`."""
    routes = APIRouter(prefix="/v1", tags=["反馈"])
    store = _Store(settings)

    @routes.post(
        "/feedback",
        summary="改正标签 / propose other labels",
        status_code=201,
        response_model=FeedbackOut,
        responses=PROBLEM_ANSWERS,
    )
    async def feedback(
        given: FeedbackIn,
        response: Response,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128)] = None,
    ) -> dict[str, Any]:
        correction = _correction(given, loader)
        key = idempotency_key or uuid.uuid4().hex
        stored = await run_in_threadpool(store.add, correction, key)
        if stored.is_replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return stored.feedback

    return routes


def _correction(given: FeedbackIn, loader: ChainLoader) -> "Correction":
    """What was sent, checked against the labels that the model knows.

    Raises:
        ProblemError: nothing is corrected, or a label is unknown.
    """
    from service.store.feedback import Correction  # noqa: PLC0415 — slow to import

    if given.message is None and given.request_id is None:
        raise invalid_field("/message", "message 和 request_id 至少要有一个。")
    labels = given.labels.model_dump(exclude_none=True)
    if not labels:
        raise invalid_field("/labels", "至少要改正一项标签。")
    names = reported_names(loader.chain.classifier.names)
    for head, value in labels.items():
        known = names[head]
        for label in value if head == FLAGS else [str(value)]:
            if label not in known:
                raise invalid_field(f"/labels/{head}", f"应为 {'、'.join(known)} 之一。")
        if head != FLAGS:
            labels[head] = str(value)
    message = given.message
    if message is not None:
        check_length(message.text)
    return Correction(
        labels=labels,
        annotator=given.annotator,
        text=message.text if message and message.store else None,
        title=message.title if message and message.store else None,
        request_id=given.request_id,
        message_id=message.id if message else None,
        channel=message.channel if message else None,
        reason=given.reason,
    )
