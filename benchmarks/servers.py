"""The servers that the HTTP benchmark compares, each a module-level application for uvicorn."""

from typing import Any

from fastapi import FastAPI


def echo() -> FastAPI:
    """This framework's own cost: a body is read as JSON and written back."""
    app = FastAPI()

    @app.post("/v1/score")
    async def answer(message: dict[str, Any]) -> dict[str, Any]:
        return message

    @app.get("/health/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    return app


def naive() -> FastAPI:
    """The obvious service: scikit-learn pipelines behind a plain function, one for each head."""
    from benchmarks.naive import Naive, build_pipelines  # noqa: PLC0415 — the echo needs none of it
    from service.bootstrap import build_registry  # noqa: PLC0415
    from service.policy_bundle import load_policy  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    settings = Settings()
    registry = build_registry(settings)
    dictionary = load_policy(settings.policy_dir).dictionary
    model = Naive(build_pipelines(registry.folder(registry.active_version()), dictionary))
    app = FastAPI()

    @app.post("/v1/score")
    def answer(message: dict[str, Any]) -> dict[str, Any]:
        probabilities = model.classify([message["text"]])
        return {head: found[0].tolist() for head, found in probabilities.items()}

    @app.get("/health/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    return app
