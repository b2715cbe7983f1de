"""Model versions on disk, the pointer to the active one, and the record of its changes."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from service.artifacts import MANIFEST, file_digest, read_manifest, verify_bundle, write_json
from service.audit import AuditLog
from service.core.errors import BundleError

ACTIVE: Final = "ACTIVE"
SHADOW: Final = "SHADOW"
GATE: Final = "gate.json"
_HISTORY: Final = "history.jsonl"
_LOCK: Final = ".lock"
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class UnknownVersionError(BundleError):
    """No bundle of that version is there."""

    code = "model_unknown"


class ActivationError(BundleError):
    """A version that may not become the active one as asked."""

    code = "activation_refused"


@dataclass(frozen=True, slots=True)
class Registry:
    """The folder that holds one folder a version, and a file `ACTIVE` that names one of them.

    `history.jsonl` tells who made which version the active one, when and why.

    Attributes:
        root: the folder.
        signing_key: the key of the manifests' signatures, where the deployment has one.
        audit: where changes of the active version are told too.
    """

    root: Path
    signing_key: str | None = None
    audit: AuditLog | None = None

    def versions(self) -> list[str]:
        """All versions, oldest name first."""
        return sorted(path.parent.name for path in self.root.glob(f"*/{MANIFEST}"))

    def has_active(self) -> bool:
        """Whether any version is active; the first one has none to be compared with."""
        return (self.root / ACTIVE).exists()

    def active_version(self) -> str:
        """The version that `ACTIVE` names.

        Raises:
            BundleError: there is no such file.
        """
        try:
            return (self.root / ACTIVE).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            hint = "请先训练并启用一个模型。"
            raise BundleError(f"{self.root / ACTIVE} 不存在。", hint) from error

    def shadow_version(self) -> str:
        """The version that judges beside the active one, unseen; empty if there is none."""
        path = self.root / SHADOW
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""

    def set_shadow(self, version: str) -> None:
        """Loads a verified version beside the active one; an empty name takes it away.

        Raises:
            BundleError: the version is unknown, or a file of it is missing or changed.
        """
        if not version:
            (self.root / SHADOW).unlink(missing_ok=True)
            return
        verify_bundle(self.folder(version), signing_key=self.signing_key)
        self._draft(SHADOW, version).replace(self.root / SHADOW)

    def profile(self, version: str) -> dict[str, Any]:
        """What the messages of training were like; empty if the bundle does not tell."""
        profile: dict[str, Any] = read_manifest(self.folder(version)).get("profile", {})
        return profile

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
        """Manifest, metrics and gate of a version.

        Raises:
            BundleError: the version is unknown or its manifest cannot be used.
        """
        folder = self.folder(version)
        return {
            "version": version,
            "active": version == self.active_version(),
            "manifest": read_manifest(folder),
            "metrics": _read_json(folder / "metrics.json"),
            "gate": _read_json(folder / GATE),
        }

    def history(self) -> list[dict[str, Any]]:
        """The changes of the active version, oldest first."""
        path = self.root / _HISTORY
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def write_gate(self, version: str, verdict: Mapping[str, Any]) -> None:
        """Keeps what the gate said of a version, bound to the very files that it saw."""
        folder = self.folder(version)
        bundle = file_digest(folder / MANIFEST)
        write_json(folder / GATE, {**verdict, "bundle_sha256": bundle})

    def require_passed(self, version: str) -> None:
        """Refuses a version that the gate has not let pass against the active one.

        Raises:
            ActivationError: there is no such verdict, or it is about other files.
        """
        gate = _read_json(self.folder(version) / GATE)
        hint = f"请运行 yanpan models gate {version}。"
        if not gate or gate.get("bundle_sha256") != file_digest(self.folder(version) / MANIFEST):
            raise ActivationError(f"模型 {version} 还没有过闸。", hint)
        if gate["champion"] != self.active_version():
            raise ActivationError(f"模型 {version} 是与 {gate['champion']} 比较的。", hint)
        if not gate["passed"]:
            reasons = "；".join(gate["reasons"])
            raise ActivationError(f"模型 {version} 未过闸：{reasons}。", "请改进样本后重新训练。")

    def activate(
        self, version: str, *, by: str, at: datetime, reason: str = "", is_forced: bool = False
    ) -> str:
        """Makes a verified version the active one, in one step; the one before it.

        Running services notice by themselves.

        Args:
            version: what is to serve.
            by: who decided.
            at: when.
            reason: why, where that is not plain.
            is_forced: whether the gate was gone past, which the audit log tells.

        Raises:
            BundleError: the version is unknown, or a file of it is missing or changed.
            AuditError: the audit log cannot be written; then nothing is changed.
        """
        verify_bundle(self.folder(version), signing_key=self.signing_key)
        try:
            with self._locked():
                before = self.active_version() if self.has_active() else ""
                draft = self._draft(ACTIVE, version)  # what cannot be done is not told as done
                told = {"version": version, "previous": before, "reason": reason}
                if self.audit:
                    event = "model_forced" if is_forced else "model_activated"
                    self.audit.write(event, by=by, at=at, **told)
                with (self.root / _HISTORY).open("a", encoding="utf-8") as file:
                    entry = {**told, "by": by, "at": at.isoformat()}
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                draft.replace(self.root / ACTIVE)
        except OSError as error:
            told_of = f"模型目录 {self.root} 不能写：{error.strerror}。"
            raise ActivationError(told_of, "未作改动；请检查目录权限和磁盘空间。") from error
        return before

    def rollback(self, *, by: str, at: datetime, reason: str = "") -> str:
        """Makes the version before the active one active again, and names it.

        Raises:
            ActivationError: nothing is known to have been active before.
            BundleError: its files are missing or changed.
        """
        active = self.active_version()
        changes = [entry for entry in self.history() if entry["version"] == active]
        before = changes[-1]["previous"] if changes else ""
        if not before:
            hint = "请用 yanpan models activate 指定版本。"
            raise ActivationError("没有可退回的版本。", hint)
        self.activate(before, by=by, at=at, reason=reason or f"退回自 {active}")
        return str(before)

    def prune(self, keep: int) -> list[str]:
        """Removes all but the newest `keep`, the active version, its shadow and the way back."""
        active = self.active_version()
        held = {active, self.shadow_version(), *(e["previous"] for e in self.history()[-1:])}
        by_age = sorted(self.versions(), key=lambda v: (self.root / v / MANIFEST).stat().st_mtime)
        removed = [v for v in by_age[: max(len(by_age) - keep, 0)] if v not in held]
        for version in removed:
            shutil.rmtree(self.root / version)
        return removed

    def _draft(self, name: str, version: str) -> Path:
        """A pointer beside the one in force, to be put in its place in one step."""
        draft = self.root / f"{name}.{os.getpid()}"
        draft.write_text(f"{version}\n", encoding="utf-8")
        return draft

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, among processes."""
        import fcntl  # noqa: PLC0415 — of this call alone, and of Unix alone

        with (self.root / _LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _read_json(path: Path) -> dict[str, Any]:
    contents: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return contents
