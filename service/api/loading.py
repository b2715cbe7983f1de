"""The chain of a running service: loaded in the background, ready or not."""

import asyncio
import gc
import logging
import os
import signal

from service.api.problems import ProblemError
from service.bootstrap import build_chain
from service.core.assess import Chain
from service.core.errors import YanpanError
from service.settings import Settings

_log = logging.getLogger("uvicorn.error")  # the server's own log, where operators look


class ChainLoader:
    """Loads the chain, if none is given, while the server answers health checks."""

    def __init__(self, settings: Settings, chain: Chain | None = None) -> None:
        self._settings = settings
        self._chain = chain

    async def load(self) -> None:
        """Loads; a bundle that turns out unusable ends the process with its reason in the log."""
        if self._chain is not None:
            return
        try:
            self._chain = await asyncio.to_thread(build_chain, self._settings)
            gc.collect()
            gc.freeze()  # what lives as long as the process need not be searched again and again
        except YanpanError as error:
            _log.critical("无法启动：%s", error)
            os.kill(os.getpid(), signal.SIGTERM)
        except Exception:
            _log.critical("无法启动", exc_info=True)
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    @property
    def chain(self) -> Chain:
        """The chain.

        Raises:
            ProblemError: 503 with `Retry-After` while it is being loaded.
        """
        if self._chain is None:
            raise ProblemError(
                "not_ready", "模型正在加载，请稍后重试。", headers={"Retry-After": "2"}
            )
        return self._chain
