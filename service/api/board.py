"""What the worker processes of one service tell each other: small tables in a folder of the run.

Each process writes its own, in one step, and reads those of the others. A service of one process
has no folder, and nothing to tell.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

RUN_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"  # the folder that prometheus_client is told of


class Board:
    """The tables of one kind.

    Args:
        kind: a word for what they hold.
    """

    def __init__(self, kind: str) -> None:
        folder = os.environ.get(RUN_FOLDER)
        self._folder = Path(folder) if folder else None
        self._kind = kind

    def publish(self, table: dict[str, Any]) -> None:
        """Writes the table of this process, in the place of the one before."""
        if self._folder is None:
            return
        draft = self._folder / f".{self._kind}-{os.getpid()}"
        draft.write_bytes(orjson.dumps(table))
        draft.replace(self._folder / f"{self._kind}-{os.getpid()}.json")

    def others(self, *, with_dead: bool) -> Iterator[dict[str, Any]]:
        """The tables of the other processes.

        Args:
            with_dead: whether those of processes that have ended count too.
        """
        if self._folder is None:
            return
        for path in sorted(self._folder.glob(f"{self._kind}-*.json")):
            process = int(path.stem.rpartition("-")[2])
            if process != os.getpid() and (with_dead or _is_alive(process)):
                yield orjson.loads(path.read_bytes())


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
