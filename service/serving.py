"""The server program: one process, or workers forked from one that has everything loaded.

Forked after loading, workers share the dictionaries, the program and the model; each keeps to
itself only what it changes.
"""

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final

from fastapi import FastAPI

from service.access import KeyRefusedError, KeyRing
from service.api.board import RUN_FOLDER
from service.arguments import current_user
from service.bootstrap import build_audit, build_chain
from service.core.assess import Chain
from service.core.errors import YanpanError
from service.logs import configure_logging
from service.schemas import now
from service.settings import Settings

_log = logging.getLogger("uvicorn.error")
_GRACE: Final = 30  # seconds for what was begun to end after SIGTERM
_KEEP_ALIVE: Final = 5  # seconds that an idle connection stays open, as uvicorn has it


def serve(host: str, port: int, *, workers: int, access_log: bool, is_open: bool = False) -> None:
    """Serves until it is told to stop; a worker that dies is replaced.

    Args:
        host: the address to listen on.
        port: its port.
        workers: processes.
        access_log: whether every request is logged.
        is_open: whether other machines may call without a key.

    Raises:
        PolicyError, BundleError: the policy or the model bundle cannot be used.
        KeyRefusedError: other machines could call, and there are no keys.
    """
    settings = Settings()
    configure_logging(settings.log_format, access_log=access_log)
    if not (is_open or _is_loopback(host) or KeyRing(settings.keys_file).has_keys()):
        hint = (
            "请先用 yanpan keys add 名称 --scope score 建立密钥；"
            "确要对外开放而不设密钥，请加 --insecure-no-keys。"
        )
        raise KeyRefusedError(f"没有密钥，不能监听本机以外的地址 {host}。", hint)
    if workers > 1:
        with _run_folder():
            _serve_forked(_load(settings), host, port, workers)
        return
    import uvicorn  # noqa: PLC0415 — gunicorn starts it where there are workers

    from service.api.protocol import LOOP, PatientProtocol  # noqa: PLC0415 — likewise

    uvicorn.run(
        _load(settings),
        host=host,
        port=port,
        http=PatientProtocol,
        loop=LOOP,
        access_log=False,  # the application logs requests itself, without what was sent
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _load(settings: Settings) -> FastAPI:
    from service.api.app import create_app  # noqa: PLC0415 — once the run's folder is known

    chain = build_chain(settings)
    application = create_app(settings, chain)
    _note_policy(settings, chain)
    gc.collect()
    gc.freeze()  # what lives as long as the process is not searched again, nor copied by workers
    return application


def _note_policy(settings: Settings, chain: Chain) -> None:
    """Tells the audit log where another policy is in force than at the last start."""
    audit, version = build_audit(settings), chain.policy.version
    try:
        before = audit.last("policy_in_force")
        if before is None or before["version"] != version:
            audit.write("policy_in_force", by=current_user(), at=now(), version=version)
    except YanpanError as error:
        _log.error("审计日志：%s", error)  # judging goes on; what changes anything will be refused


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


def _serve_forked(application: FastAPI, host: str, port: int, workers: int) -> None:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 — only workers need it
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 — likewise

    from service.api.worker import PatientWorker, PlainLogger  # noqa: PLC0415 — likewise

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"{host}:{port}",
                "workers": workers,
                "worker_class": PatientWorker,
                "logger_class": PlainLogger,
                "graceful_timeout": _GRACE,
                "preload_app": True,
                "keepalive": _KEEP_ALIVE,
                "control_socket_disable": True,  # nothing else is to steer it, nor be written
                "child_exit": lambda _server, worker: mark_process_dead(worker.pid),  # type: ignore[no-untyped-call]
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> FastAPI:
            return application

    Server().run()
