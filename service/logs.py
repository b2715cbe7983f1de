"""Logs: one JSON object a line on standard error, with the request id where there is one.

Nothing of a message is ever logged: what is logged names places, versions, codes and ids.
"""

import logging
import sys
from typing import Any, Final

import structlog

ACCESS: Final = "yanpan.access"
_SERVERS: Final = (
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "gunicorn.error",
    "gunicorn.access",
)


def configure_logging(kind: str, *, access_log: bool) -> None:
    """Sends the logs of this program and of its server through one formatter.

    Args:
        kind: `json` or `text`.
        access_log: whether every request is told.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if kind == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _SERVERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL)  # it would log paths as sent
    logging.getLogger(ACCESS).setLevel(logging.INFO if access_log else logging.CRITICAL)
