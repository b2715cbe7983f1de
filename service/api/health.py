"""Whether the service lives, whether it can judge, and what it has done."""

from fastapi import APIRouter, Response

from service.api.loading import ChainLoader
from service.api.observation import Observer
from service.api.problems import ProblemError


def router(loader: ChainLoader, observer: Observer) -> APIRouter:
    """The routes for probes and Prometheus."""
    routes = APIRouter(tags=["运行"])

    @routes.get("/health/live", summary="进程是否存活 / the process lives")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @routes.get("/health/ready", summary="模型是否就绪 / messages can be judged")
    async def ready() -> dict[str, str]:
        chain = loader.chain
        if loader.failure:
            raise ProblemError(
                "activation_failed", f"{loader.failure} 仍以 {chain.model_version} 研判。"
            )
        return {
            "status": "ready",
            "model_version": chain.model_version,
            "policy_version": chain.policy.version,
        }

    @routes.get("/metrics", summary="Prometheus 指标", response_class=Response)
    async def figures() -> Response:
        return Response(
            observer.metrics_text(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return routes
