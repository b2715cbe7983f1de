"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import Any, Final

from tqdm import tqdm

_EVERY: Final = 10.0  # seconds between two lines


class Progress:
    """Rows done, the rate and what remains, on standard error.

    Args:
        quiet: whether to say nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._is_quiet = quiet
        self._bar: Any = None
        self._began = self._said = time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        """Tells how far the run is."""
        if self._is_quiet:
            return
        if sys.stderr.isatty():
            self._bar = self._bar or tqdm(total=total, unit="条", file=sys.stderr)
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            rate = done / (self._said - self._began)
            left = f"，约剩 {(total - done) / rate:.0f} 秒" if total else ""
            print(f"已处理 {done} 条，每秒 {rate:.0f} 条{left}", file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        """Leaves the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
