"""Model versions on disk and the pointer to the active one."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from service.artifacts import MANIFEST, read_manifest
from service.core.errors import BundleError

_ACTIVE: Final = "ACTIVE"
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class UnknownVersionError(BundleError):
    """No bundle of that version is there."""

    code = "model_unknown"


@dataclass(frozen=True, slots=True)
class Registry:
    """The folder that holds one folder a version, and a file `ACTIVE` that names one of them."""

    root: Path

    def versions(self) -> list[str]:
        """All versions, oldest name first."""
        return sorted(path.parent.name for path in self.root.glob(f"*/{MANIFEST}"))

    def active_version(self) -> str:
        """The version that `ACTIVE` names.

        Raises:
            BundleError: there is no such file.
        """
        try:
            return (self.root / _ACTIVE).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            hint = "请先训练并启用一个模型。"
            raise BundleError(f"{self.root / _ACTIVE} 不存在。", hint) from error

    def folder(self, version: str) -> Path:
        """The bundle's folder.

        Raises:
            UnknownVersionError: no such version, or a name that is no plain folder name.
        """
        folder = self.root / version
        if not _VERSION.fullmatch(version) or not (folder / MANIFEST).is_file():
            known = "、".join(self.versions()) or "无"
            raise UnknownVersionError("没有这个模型版本。", f"现有：{known}。")
        return folder

    def describe(self, version: str) -> dict[str, Any]:
        """Manifest and metrics of a version.

        Raises:
            BundleError: the version is unknown or its manifest cannot be used.
        """
        folder = self.folder(version)
        metrics = folder / "metrics.json"
        return {
            "version": version,
            "active": version == self.active_version(),
            "manifest": read_manifest(folder),
            "metrics": json.loads(metrics.read_text(encoding="utf-8")) if metrics.exists() else {},
        }
