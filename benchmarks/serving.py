"""Servers of our own for measurements: started, waited for, weighed and ended."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Final, NamedTuple

HOST: Final = "127.0.0.1"
SERVICE: Final = ("-m", "service.cli", "serve")
_PATIENCE: Final = 60  # seconds for a cold start, and for an end


class Server(NamedTuple):
    """A server that runs: its port on loopback, and its first process."""

    port: int
    process: int

    def family(self) -> list[int]:
        """The process and its workers."""
        return [self.process, *children(self.process)]

    def memory(self) -> float:
        """MB of all of them; a page that n of them share counts a nth in each."""
        return sum(map(_proportional_set_size, self.family())) / 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    *program: str,
    workers: int = 1,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[Server]:
    """A server that has answered that it is ready.

    Args:
        program: arguments of the interpreter; the service's own command if there are none.
        workers: its processes.
        environment: beside that of this process.
        log: where everything that it says goes.

    Raises:
        RuntimeError: it did not become ready.
    """
    port = free_port()
    options = ["--host", HOST, "--port", str(port), "--workers", str(workers)]
    with (log or Path(os.devnull)).open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 — our own programs
            [sys.executable, *(program or SERVICE), *options],
            stdout=said,
            stderr=said,
            env={**os.environ, **(environment or {})},
        )
    try:
        _await_ready(port, process)
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


def _await_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < _PATIENCE:
        with (
            suppress(OSError, HTTPException),
            urllib.request.urlopen(f"http://{HOST}:{port}/health/ready", timeout=5),
        ):
            return
        time.sleep(0.01)
    raise RuntimeError("the server did not become ready")


def _proportional_set_size(process: int) -> int:
    """In kB; nothing of a process that has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
