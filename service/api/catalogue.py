"""What is in force: labels, policy and models."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from service.api.loading import ChainLoader
from service.api.observation import Observer
from service.api.problems import ProblemError
from service.api.scoring import PROBLEM_ANSWERS
from service.core.labels import CHANNELS, reported_names
from service.policy_bundle import describe_policy
from service.registry import Registry
from service.schemas import now


class ActivationIn(BaseModel):
    """启用一个模型。Who activates a model, and why."""

    by: str = Field(min_length=1, max_length=128, description="决定人 / who decided")
    reason: str = Field("", max_length=500, description="理由 / why")


def router(loader: ChainLoader, registry: Registry, observer: Observer) -> APIRouter:
    """The routes that describe the service."""
    routes = APIRouter(prefix="/v1", tags=["目录"])

    @routes.get("/labels", summary="全部标签与名称 / every head's labels and names")
    async def labels() -> dict[str, list[dict[str, str]]]:
        heads = {**reported_names(loader.chain.classifier.names), "channel": CHANNELS}
        return {
            head: [{"label": label, "name": name} for label, name in names.items()]
            for head, names in heads.items()
        }

    @routes.get("/policy", summary="现行研判规则 / the policy bundle in force")
    async def policy() -> dict[str, Any]:
        return describe_policy(loader.chain.policy)

    @routes.get("/models", summary="模型版本 / model versions")
    async def models() -> dict[str, Any]:
        chain = loader.chain
        return {
            "active": chain.model_version,
            "segmenter": chain.segmenter.engine,
            "versions": [
                {"version": version, "active": version == chain.model_version}
                for version in registry.versions()
            ],
        }

    @routes.get("/models/{version}", summary="一个模型的清单与指标 / manifest and metrics")
    async def model(version: str) -> dict[str, Any]:
        return registry.describe(version)

    @routes.get(
        "/models/{version}/shadow", summary="影子模型与现行模型的差别 / what a shadow differs in"
    )
    async def shadow(version: str) -> dict[str, Any]:
        found = observer.shadow_table(version)
        if found is None:
            raise ProblemError("shadow_unknown", "这个版本没有作为影子运行。")
        return {"champion": loader.chain.model_version, **found}

    @routes.get("/drift", summary="信息与训练时是否不同 / have the messages changed")
    async def drifted() -> dict[str, Any]:
        return observer.drift.table()

    @routes.post(
        "/models/{version}/activate",
        summary="启用一个已过闸的模型 / make a model that passed the gate the active one",
        responses=PROBLEM_ANSWERS,
    )
    async def activate(version: str, order: ActivationIn, request: Request) -> dict[str, str]:
        key = getattr(request.state, "key", None)
        by = f"{order.by}（密钥 {key.id} {key.name}）" if key else order.by

        def change() -> str:
            registry.require_passed(version)
            return registry.activate(version, by=by, reason=order.reason, at=now())

        return {"active": version, "previous": await run_in_threadpool(change)}

    return routes
