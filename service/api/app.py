"""The application: routes, problems, request ids and the model's life."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI

from service.access import KeyRing
from service.api import catalogue, feedback, health, label_studio, policy, scoring
from service.api.guard import Guard
from service.api.limits import RateLimits
from service.api.loading import ChainLoader
from service.api.metrics import Metrics
from service.api.middleware import RequestContext
from service.api.observation import Drift, Observer
from service.api.problems import install_problem_handlers
from service.api.tracing import Tracer
from service.bootstrap import build_registry
from service.core.assess import Chain
from service.settings import Settings

_DESCRIPTION: Final = """\
研判网络政务舆情：分词、话题、情感、诉求、要素、风险等级和处置建议。**研判结果是建议，由人决定。**

Judges public-opinion messages for a local government: topic, sentiment, intent, danger signs, risk
level and a suggested response with reasons, deadlines and evidence.
**It advises; a person decides.**

错误一律为 RFC 9457 `application/problem+json`，不回显提交的内容。
Every fault is an RFC 9457 problem; none echoes what was submitted.
"""


def create_app(settings: Settings | None = None, chain: Chain | None = None) -> FastAPI:
    """The application of a deployment; without a chain, it loads one in the background."""
    settings = settings or Settings()
    loader = ChainLoader(settings, chain)
    registry = build_registry(settings)
    drift = Drift(registry)
    metrics = Metrics(lambda: drift.table()["indices"], lambda: loader.version)
    observer = Observer(metrics, drift, loader)

    tracer = Tracer(settings.otlp_endpoint) if settings.otlp_endpoint else None

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(loader.run()), asyncio.create_task(observer.run())]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if tracer:
            await asyncio.to_thread(tracer.close)

    app = FastAPI(
        title="yanpan 研判",
        version=version("yanpan"),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=life,
    )
    install_problem_handlers(app)
    app.include_router(scoring.router(loader, observer))
    app.include_router(catalogue.router(loader, registry, observer))
    app.include_router(policy.router(loader))
    app.include_router(feedback.router(loader, settings))
    app.include_router(label_studio.router(loader))
    app.include_router(health.router(loader, observer))
    app.add_middleware(
        Guard,
        settings=settings,
        ring=KeyRing(settings.keys_file),
        limits=RateLimits(),
        metrics=metrics,
    )
    app.add_middleware(RequestContext, metrics=metrics, tracer=tracer)
    describe = app.openapi

    def describe_with_example() -> dict[str, Any]:
        if app.openapi_schema is None:  # FastAPI keeps the document it has made
            scoring.add_example(describe())
        return describe()

    app.openapi = describe_with_example  # type: ignore[method-assign]
    return app
