"""The chain of a running service: loaded in the background, exchanged when another is activated."""

import asyncio
import gc
import logging
import os
import signal
from typing import Final

from service.api.problems import ProblemError
from service.bootstrap import build_chain, build_registry, with_model
from service.core.assess import Chain
from service.core.errors import YanpanError
from service.schemas import now
from service.settings import Settings
from service.shadow import Shadow

_log = logging.getLogger("uvicorn.error")  # the server's own log, where operators look

_EVERY: Final = 0.25  # seconds between two looks at the pointer to the active version
_RETRY: Final = 40  # looks until a version that could not be loaded is tried again


class ChainLoader:
    """Loads the chain, if none is given, while the server answers health checks; then follows.

    Each process follows the pointer by itself. A request takes the chain once, so that its answer
    is of one version; what is being answered with the old model ends with it.

    Attributes:
        failure: why the activated version could not be loaded; empty if it serves.
        shadow: the candidate that judges beside it, where there is one.
    """

    def __init__(self, settings: Settings, chain: Chain | None = None) -> None:
        self._settings = settings
        self._registry = build_registry(settings)
        self._chain = chain
        self.failure = ""
        self.shadow: Shadow | None = None
        self._unusable_shadow = ""

    async def run(self) -> None:
        """Loads, then follows the active version until it is cancelled.

        A deployment that names its version stays with it. A bundle that turns out unusable at the
        start ends the process with its reason in the log; later the old one goes on serving.
        """
        await self._load()
        failed, looks = "", 0
        while self._settings.model_version is None:
            await asyncio.sleep(_EVERY)
            await asyncio.to_thread(self._follow_shadow)
            wanted = await asyncio.to_thread(self._wanted)
            looks = (looks + 1) % _RETRY
            if wanted and (wanted != failed or looks == 0):
                failed = "" if await self._exchange(wanted) else wanted
            elif not wanted:
                failed = self.failure = ""

    async def _load(self) -> None:
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

    def _wanted(self) -> str:
        """The active version where it is another than the one that serves."""
        try:
            version = self._registry.active_version()
        except (YanpanError, OSError):  # a pointer that is away is no reason to change anything
            return ""
        return version if self._chain and version != self._chain.model_version else ""

    async def _exchange(self, version: str) -> bool:
        """Puts another model in the place of the one that serves, if it can be loaded."""
        assert self._chain is not None  # noqa: S101 — loaded before anything is exchanged
        try:
            chain = await asyncio.to_thread(with_model, self._chain, self._settings, version)
        except Exception as error:  # noqa: BLE001 — whatever is wrong with it, the old one serves on
            reason = str(error) if isinstance(error, YanpanError) else type(error).__name__
            if not self.failure:
                serving = self._chain.model_version
                _log.error("不能启用模型 %s，仍用 %s：%s", version, serving, reason)
            self.failure = f"模型 {version} 不能加载：{reason}"
            return False
        self._chain = chain
        self.failure = ""
        _log.info("已启用模型 %s", version)
        return True

    def _follow_shadow(self) -> None:
        """Loads, exchanges or ends the candidate that judges unseen."""
        try:
            wanted = self._registry.shadow_version()
        except OSError:
            return
        if wanted == (self.shadow.chain.model_version if self.shadow else self._unusable_shadow):
            return
        if self.shadow:
            self.shadow.close()
            self.shadow = None
        self._unusable_shadow = ""
        if wanted and self._chain:
            try:
                self.shadow = Shadow(with_model(self._chain, self._settings, wanted), now())
            except Exception as error:  # noqa: BLE001 — a shadow never harms what it stands beside
                self._unusable_shadow = wanted
                _log.error("影子模型 %s 不能加载：%s", wanted, type(error).__name__)

    @property
    def loaded(self) -> Chain | None:
        """The chain, or `None` while it is being loaded."""
        return self._chain

    @property
    def version(self) -> str:
        """The version of the model that serves; empty while it is being loaded."""
        return self._chain.model_version if self._chain else ""

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
