"""API keys (访问密钥): who may call what. Only digests are kept; a key is shown once.

A key is 256 random bits, so a plain SHA-256 of it cannot be guessed backwards, and no slow function
is needed that every request would have to wait for.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from service.core.errors import YanpanError

SCOPES: Final = ("score", "feedback", "admin")
_PREFIX: Final = "yp"
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_LONGEST_NAME: Final = 64
_MOST: Final = 1_000  # keys in a file; also bounds what rate limits have to remember


class KeyRefusedError(YanpanError):
    """A key that cannot be made, found or used."""

    code = "key_refused"


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; never the key.

    Attributes:
        id: names it, and stands in it.
        name: whose it is.
        scopes: what it may do, of `SCOPES`.
        sha256: of the whole key, hexadecimal.
        rate: requests a second; `None` for the service's own limit, 0 for none.
        created_at, created_by: when and by whom, and so on.
        revoked_at: when it ended; empty while it holds.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    sha256: str
    rate: float | None
    created_at: str
    created_by: str
    revoked_at: str = ""


class KeyRing:
    """The keys of a file, read anew whenever it changes, so that a revoked key ends at once.

    Args:
        path: the file; a service without it has no keys and asks for none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, Key] = {}
        self._seen: tuple[int, ...] | None = None
        self._had_keys = False

    def has_keys(self) -> bool:
        """Whether callers need one; once there were some, a file that is gone lets nobody in."""
        self._refresh()
        self._had_keys = self._had_keys or bool(self._keys)
        return self._had_keys

    def find(self, token: str) -> Key | None:
        """The key, if it is one that holds; compared in constant time."""
        self._refresh()
        parts = token.split("_", 2)
        known = self._keys.get(parts[1]) if len(parts) == 3 else None  # noqa: PLR2004 — yp_ID_SECRET
        digest = _digest(token)
        is_right = hmac.compare_digest(digest, known.sha256 if known else _digest(""))
        return known if known and is_right and not known.revoked_at else None

    def all(self) -> list[Key]:
        """All keys, revoked ones too, in the order of their making."""
        self._refresh()
        return list(self._keys.values())

    def add(
        self, name: str, scopes: Iterable[str], *, by: str, at: datetime, rate: float | None = None
    ) -> tuple[Key, str]:
        """Makes a key; what is known of it, and the key itself, which nobody can tell again.

        Raises:
            KeyRefusedError: the name or a scope cannot be taken.
        """
        chosen = tuple(scope for scope in SCOPES if scope in set(scopes))
        if unknown := set(scopes) - set(SCOPES):
            told = f"没有 {'、'.join(sorted(unknown))} 这个权限。"
            raise KeyRefusedError(told, f"可用：{'、'.join(SCOPES)}。")
        if not chosen or not name.isprintable() or not 0 < len(name.strip()) <= _LONGEST_NAME:
            raise KeyRefusedError(
                "密钥须有名称和至少一个权限。", f"名称至多 {_LONGEST_NAME} 个字符。"
            )
        if rate is not None and not 0 <= rate < float("inf"):
            raise KeyRefusedError("速率应为不小于 0 的数。", "单位：次/秒，0 为不限。")
        identity = secrets.token_hex(_ID_BYTES)
        token = f"{_PREFIX}_{identity}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        key = Key(identity, name.strip(), chosen, _digest(token), rate, at.isoformat(), by)
        with self._changing():
            if len(self._keys) >= _MOST:
                raise KeyRefusedError(f"密钥已有 {_MOST} 个。", "请清理密钥文件。")
            self._keys[identity] = key
        return key, token

    def revoke(self, identity: str, *, at: datetime) -> Key:
        """Ends a key.

        Raises:
            KeyRefusedError: there is none of that id that holds.
        """
        with self._changing():
            key = self._keys.get(identity)
            if key is None or key.revoked_at:
                raise KeyRefusedError("没有这个有效的密钥。", "请用 yanpan keys list 核对编号。")
            self._keys[identity] = replace(key, revoked_at=at.isoformat())
        return self._keys[identity]

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._keys, self._seen = {}, None
            return
        seen = found.st_mtime_ns, found.st_size, found.st_ino
        if seen != self._seen:
            self._keys, self._seen = self._read(), seen

    def _read(self) -> dict[str, Key]:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            keys = [Key(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]
        except (OSError, ValueError, TypeError, KeyError) as error:
            told = f"密钥文件 {self._path} 不能读。"
            raise KeyRefusedError(told, "请从备份恢复；在此之前不接受任何密钥。") from error
        return {key.id: key for key in keys}

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """The keys as they are now, written back whole when the caller is done."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._refresh()
            yield
            draft = self._path.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
                json.dump([asdict(key) for key in self._keys.values()], f, ensure_ascii=False)
                f.flush()
                os.fsync(f.fileno())
            draft.replace(self._path)
            self._refresh()


def told(key: Key) -> dict[str, Any]:
    """What may be listed of a key."""
    shown = asdict(key)
    del shown["sha256"]
    return {**shown, "scopes": list(key.scopes)}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
