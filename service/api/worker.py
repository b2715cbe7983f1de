"""How gunicorn runs a worker: our protocol, and our logs."""

import logging
from typing import Any

from gunicorn.glogging import Logger
from uvicorn_worker import UvicornWorker

from service.api.protocol import LOOP, PatientProtocol


class PlainLogger(Logger):  # type: ignore[misc]
    """Writes through the program's own handler; requests are logged by the application."""

    def setup(self, cfg: Any) -> None:
        """Takes gunicorn's settings, and none of its handlers."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.loglevel = logging.INFO
        self.error_log.handlers = logging.getLogger().handlers
        self.error_log.propagate = False
        self.error_log.setLevel(logging.INFO)
        self.access_log.setLevel(logging.CRITICAL)


class PatientWorker(UvicornWorker):  # type: ignore[misc]
    """A worker of uvicorn that does not wait for ever."""

    CONFIG_KWARGS = {  # noqa: RUF012 — as its parent has it
        "http": PatientProtocol,
        "loop": LOOP,
        "access_log": False,
        "server_header": False,
    }
