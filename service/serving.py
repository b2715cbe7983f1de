"""The server program: one process, or workers forked from one that has everything loaded.

Forked after loading, workers share the dictionaries, the program and the model; each keeps to
itself only what it changes.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fastapi import FastAPI

from service.api.board import RUN_FOLDER
from service.bootstrap import build_chain
from service.settings import Settings

_KEEP_ALIVE: Final = 5  # seconds that an idle connection stays open, as uvicorn has it


def serve(host: str, port: int, *, workers: int, access_log: bool) -> None:
    """Serves until it is told to stop; a worker that dies is replaced.

    Raises:
        PolicyError, BundleError: the policy or the model bundle cannot be used.
    """
    if workers > 1:
        with _run_folder():
            _serve_forked(_load(), host, port, workers, access_log=access_log)
        return
    import uvicorn  # noqa: PLC0415 — gunicorn starts it where there are workers

    uvicorn.run(_load(), host=host, port=port, access_log=access_log)


def _load() -> FastAPI:
    from service.api.app import create_app  # noqa: PLC0415 — once the run's folder is known

    settings = Settings()
    application = create_app(settings, build_chain(settings))
    gc.collect()
    gc.freeze()  # what lives as long as the process is not searched again, nor copied by workers
    return application


@contextmanager
def _run_folder() -> Iterator[None]:
    """A folder for the figures of all workers, as long as they run.

    prometheus_client decides when it is imported whether it keeps figures there.
    """
    folder, mine = tempfile.mkdtemp(prefix="yanpan-"), os.getpid()
    os.environ[RUN_FOLDER] = folder
    try:
        yield
    finally:
        if os.getpid() == mine:  # and not a worker that ends
            shutil.rmtree(folder, ignore_errors=True)


def _serve_forked(
    application: FastAPI, host: str, port: int, workers: int, *, access_log: bool
) -> None:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 — only workers need it
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 — likewise

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"{host}:{port}",
                "workers": workers,
                "worker_class": "uvicorn_worker.UvicornWorker",
                "preload_app": True,
                "keepalive": _KEEP_ALIVE,
                "control_socket_disable": True,  # nothing else is to steer it, nor be written
                "accesslog": "-" if access_log else None,
                "child_exit": lambda _server, worker: mark_process_dead(worker.pid),  # type: ignore[no-untyped-call]
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> FastAPI:
            return application

    Server().run()
