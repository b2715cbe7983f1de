"""The calls around the policy: deadlines after a reclassification, and the risk of a draft."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, TypeAdapter

from service.api.loading import ChainLoader
from service.api.scoring import PROBLEM_ANSWERS
from service.assessment_schema import DeadlineOut
from service.core.assessment import Deadline
from service.core.deadlines import find_deadlines
from service.core.labels import FLAGS
from service.draft_risk import DraftAssessment, assess_draft
from service.schemas import Level, MessageIn, Time, now

_MOST_HISTORY: Final = 2_000
_MOST_DRAFT: Final = 50_000

Topic = Annotated[str, Field(max_length=40, description="话题标签 / topic label")]


class ReclassifiedIn(BaseModel):
    """人工改判后的结论。What a person decided; the clocks are reckoned anew from `found_at`."""

    found_at: Time = Field(description="发现时间，时限由此起算 / when the message was found")
    level: Level
    response: Literal["escalate", "clarify", "answer", "none"]
    topic: Topic | None = None
    intent: str | None = Field(None, max_length=40)
    flags: list[str] = Field(default_factory=list, max_length=len(FLAGS))


class DeadlinesOut(BaseModel):
    """时限。The clocks, soonest first."""

    policy_version: str
    assessed_at: datetime
    deadlines: list[DeadlineOut]


class DraftIn(BaseModel):
    """政策草案与往来信件。A draft policy with past messages of the same city."""

    draft: str = Field(min_length=1, max_length=_MOST_DRAFT, description="草案全文 / the draft")
    history: list[MessageIn] = Field(
        max_length=_MOST_HISTORY, description=f"往来信件，至多 {_MOST_HISTORY} 条 / past messages"
    )


_DEADLINES: Final = TypeAdapter(list[Deadline])
_DRAFT: Final = TypeAdapter(DraftAssessment)


def router(loader: ChainLoader) -> APIRouter:
    """The routes under `/v1` that ask the policy and not the model of one message."""
    routes = APIRouter(prefix="/v1", tags=["规则"])

    @routes.post(
        "/deadlines",
        summary="改判后重算时限 / clocks after a reclassification",
        response_model=DeadlinesOut,
        responses=PROBLEM_ANSWERS,
    )
    async def deadlines(decided: ReclassifiedIn) -> Any:
        policy, at = loader.chain.policy, now()
        facts = {
            "level": decided.level,
            "response": decided.response,
            "topic": decided.topic,
            "intent": decided.intent,
            **{f"flag.{flag}": flag in decided.flags for flag in FLAGS},
        }
        asked = decided.response != "none"
        rules = policy.deadlines.fired(facts) if asked else []
        due = find_deadlines(rules, policy.calendar, decided.found_at, at)
        return JSONResponse(
            {
                "policy_version": policy.version,
                "assessed_at": at.isoformat(),
                "deadlines": _DEADLINES.dump_python(list(due), mode="json"),
            }
        )

    @routes.post(
        "/policy-risk",
        summary="政策出台前的舆情风险评估 / the risk of a draft policy",
        response_model=DraftAssessment,
        responses=PROBLEM_ANSWERS,
    )
    async def policy_risk(request: DraftIn) -> Any:
        history = [message.to_message() for message in request.history]
        assessment = await run_in_threadpool(
            assess_draft, request.draft, history, loader.chain, now()
        )
        return JSONResponse(_DRAFT.dump_python(assessment, mode="json"))

    return routes
