"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import Any, Final, Self

from tqdm import tqdm

_EVERY: Final = 10.0  # seconds between two lines


class Progress:
    """What is done, the rate and what remains, on standard error.

    Args:
        quiet: whether to say nothing.
        unit: of what is done.
    """

    def __init__(self, *, quiet: bool, unit: str = "条") -> None:
        self._is_quiet = quiet
        self._unit = unit
        self._bar: Any = None
        self._began = self._said = 0.0
        self._before = 0  # done when the first was told: by then all is loaded

    def __call__(self, done: int, total: int | None) -> None:
        """Tells how far the run is."""
        if self._is_quiet:
            return
        if not self._began:
            self._began = self._said = time.monotonic()
            self._before = done
        if sys.stderr.isatty():
            self._bar = self._bar or tqdm(total=total, unit=self._unit, file=sys.stderr)
            self._bar.total = total
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            rate = (done - self._before) / (self._said - self._began)
            left = f"，约剩 {max(total - done, 0) / rate:.0f} 秒" if total else ""
            told = f"已处理 {done} {self._unit}，每秒 {rate:.3g}{left}"
            print(told, file=sys.stderr)  # noqa: T201

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
