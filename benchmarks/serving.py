"""Servers of our own for measurements and tests: started, waited for, weighed and ended."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Final, NamedTuple

HOST: Final = "127.0.0.1"
SERVICE: Final = ("-m", "service.cli", "serve")
_ROOT: Final = Path(__file__).resolve().parent.parent
_PATIENCE: Final = 60  # seconds for a cold start, and for an end


class Server(NamedTuple):
    """A server that runs: its port on loopback, and its first process."""

    port: int
    process: int

    def memory(self) -> float:
        """MB of it and its workers; a page that n of them share counts a nth in each."""
        family = [self.process, *children(self.process)]
        return sum(map(_proportional_set_size, family)) / 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    *options: str,
    program: Sequence[str] = SERVICE,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[Server]:
    """A server that has answered that it is ready.

    Args:
        options: of the program, beside its address.
        program: arguments of the interpreter.
        environment: beside that of this process.
        log: where everything that it says goes.

    Raises:
        RuntimeError: it did not become ready; with what it said, where that was written down.
    """
    port = free_port()
    with (log or Path(os.devnull)).open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 — our own programs
            [sys.executable, *program, "--host", HOST, "--port", str(port), *options],
            cwd=_ROOT,
            stdout=said,
            stderr=said,
            env={**os.environ, **(environment or {})},
        )
    try:
        if not _becomes_ready(port, process):
            said_so = log.read_text(encoding="utf-8", errors="replace") if log else ""
            raise RuntimeError(f"the server did not become ready: {said_so}")
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=_PATIENCE)


def children(process: int) -> list[int]:
    """The processes that it started and that run."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
        return [int(child) for child in text.split()]
    return []


def apart(folder: Path) -> dict[str, str]:
    """Settings with which a service writes nothing beside a folder."""
    return {
        "YANPAN_AUDIT_LOG": str(folder / "audit.jsonl"),
        "YANPAN_KEYS_FILE": str(folder / "keys.json"),
        "YANPAN_DATABASE_URL": f"sqlite:///{folder / 'yanpan.db'}",
    }


def _becomes_ready(port: int, process: "subprocess.Popen[bytes]") -> bool:
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < _PATIENCE:
        with (
            suppress(OSError, HTTPException),
            urllib.request.urlopen(f"http://{HOST}:{port}/health/ready", timeout=5),
        ):
            return True
        time.sleep(0.01)
    return False


def _proportional_set_size(process: int) -> int:
    """In kB; nothing of a process that has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
