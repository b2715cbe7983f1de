"""How far a training has come, on standard error."""

import sys
import time

from tqdm import tqdm


class Progress:
    """A bar on standard error; where that is no terminal, a line a step.

    Args:
        steps: how many there will be.
    """

    def __init__(self, steps: int) -> None:
        self._bar = tqdm(total=steps, unit="步", disable=not sys.stderr.isatty())
        self._began = time.monotonic()

    def step(self, done: str) -> None:
        """One more is done."""
        self._bar.set_description(done)
        self._bar.update()
        if self._bar.disable:
            say(f"{time.monotonic() - self._began:5.0f} 秒 {done}")
        elif self._bar.n == self._bar.total:
            self._bar.close()


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)
