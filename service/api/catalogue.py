"""What is in force: labels, policy and models."""

from typing import Any

from fastapi import APIRouter

from service.api.loading import ChainLoader
from service.core.labels import CHANNELS, HEADS
from service.policy_bundle import describe_policy
from service.registry import Registry


def router(loader: ChainLoader, registry: Registry) -> APIRouter:
    """The routes that describe the service."""
    routes = APIRouter(prefix="/v1", tags=["目录"])

    @routes.get("/labels", summary="全部标签与名称 / every head's labels and names")
    async def labels() -> dict[str, list[dict[str, str]]]:
        heads = {**HEADS, "channel": CHANNELS}
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

    return routes
