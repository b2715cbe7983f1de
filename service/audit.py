"""The audit log (审计日志): who activated, created, revoked, forced or purged what, and when.

One JSON object a line, appended under a lock and flushed to the disk. Each holds the digest of the
one before it, so that no line can be changed, taken out or put in between unseen. Lines cut off
from the end do not show by themselves; whoever noted the last digest elsewhere can tell.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from service.core.errors import YanpanError

_FIRST: Final = "0" * 64  # stands before the first line


class AuditError(YanpanError):
    """The log cannot be written, and so what it should tell may not be done."""

    code = "audit_unavailable"


class TamperedError(YanpanError):
    """A line of the log is not what was written."""

    code = "audit_tampered"


@dataclass(frozen=True, slots=True)
class AuditLog:
    """A file of events.

    Attributes:
        path: the file; its folder is made with the first line.
        key: makes the digests HMACs, which nobody without it can make anew.
    """

    path: Path
    key: str | None = None

    def write(self, event: str, *, by: str, at: datetime, **details: Any) -> str:
        """Appends an event and returns its digest.

        Args:
            event: what was done, such as `model_activated`.
            by: who did it.
            at: when.
            details: what else is to be known; nothing of a message.

        Raises:
            AuditError: the file cannot be written.
        """
        try:
            with self._locked() as file:
                number, before = self._last(file)
                line = {
                    "number": number + 1,
                    "at": at.isoformat(),
                    "event": event,
                    "by": by,
                    **details,
                    "previous": before,
                }
                digest = self._digest(line)
                file.seek(0, os.SEEK_END)
                file.write(json.dumps({**line, "digest": digest}, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            told = f"审计日志 {self.path} 不能写：{error.strerror}。"
            raise AuditError(told, "未作改动；请检查目录权限和磁盘空间。") from error
        return digest

    def read(self) -> Iterator[dict[str, Any]]:
        """The events, oldest first, each verified against the one before it.

        Raises:
            TamperedError: a line is not what was written; the detail names it.
        """
        before = _FIRST
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                line = _parse(text)
                digest = line.pop("digest", "")
                is_next = (line.get("number"), line.get("previous")) == (number, before)
                if not is_next or not hmac.compare_digest(digest, self._digest(line)):
                    told = f"{self.path} 第 {number} 行与所写的不符。"
                    raise TamperedError(told, "此行或前后被改动；请与备份核对。")
                before = digest
                yield {**line, "digest": digest}

    def last(self, event: str) -> dict[str, Any] | None:
        """The last event of a kind.

        Raises:
            TamperedError: as for `read`.
        """
        found = [line for line in self.read() if line["event"] == event]
        return found[-1] if found else None

    def _digest(self, line: Mapping[str, Any]) -> str:
        basis = json.dumps(line, ensure_ascii=False, sort_keys=True).encode()
        if self.key:
            return hmac.new(self.key.encode(), basis, hashlib.sha256).hexdigest()
        return hashlib.sha256(basis).hexdigest()

    def _last(self, file: IO[str]) -> tuple[int, str]:
        lines = file.read().splitlines()
        if not lines:
            return 0, _FIRST
        line = _parse(lines[-1])
        return int(line.get("number", len(lines))), str(line.get("digest", ""))

    @contextmanager
    def _locked(self) -> Iterator[IO[str]]:
        """The file, while no other process writes to it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            yield file


def _parse(text: str) -> dict[str, Any]:
    """The object of a line; an empty one where the line is none."""
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
