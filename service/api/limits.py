"""How often a key may call: a rate that all processes of a service keep together."""

import fcntl
import hashlib
import mmap
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SLOTS: Final = 4_096
_SLOT: Final = struct.Struct("<Qd")  # a caller's fingerprint, and when its allowance is whole again


class RateLimits:
    """A bucket a caller, by the generic cell rate algorithm (ITU-T I.371).

    A caller may send a second's worth at once, and then one request every 1/rate seconds. The
    buckets lie in memory that processes forked later share, under a lock that dies with its holder.
    """

    def __init__(self) -> None:
        self._slots = mmap.mmap(-1, _SLOTS * _SLOT.size)
        self._lock = tempfile.TemporaryFile()  # noqa: SIM115 — as long as the process

    def take(self, caller: str, rate: float) -> float:
        """Takes one request from the caller's allowance.

        Args:
            caller: who calls.
            rate: requests a second.

        Returns:
            Seconds until the next one will be taken; 0 if this one was.
        """
        if rate <= 0:
            return 0.0
        number = int.from_bytes(hashlib.sha256(caller.encode()).digest()[:8], "little") or 1
        now, each = time.monotonic(), 1 / rate
        burst = max(1.0, each)
        with self._alone():
            place = self._place(number, now)
            whole = max(_SLOT.unpack_from(self._slots, place)[1], now)
            if whole + each - now > burst + 1e-9:
                return float(whole + each - now - burst)
            _SLOT.pack_into(self._slots, place, number, whole + each)
        return 0.0

    def _place(self, number: int, now: float) -> int:
        """The caller's slot; an idle caller's is taken over where there is no free one."""
        first = idle = number % _SLOTS
        for step in range(_SLOTS):
            at = (first + step) % _SLOTS
            found, whole = _SLOT.unpack_from(self._slots, at * _SLOT.size)
            if found in (number, 0):
                idle = at
                break
            if whole < now:
                idle = at
        if _SLOT.unpack_from(self._slots, idle * _SLOT.size)[0] != number:
            _SLOT.pack_into(self._slots, idle * _SLOT.size, number, 0.0)
        return idle * _SLOT.size

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)
