"""A PostgreSQL server of one's own, for tests and trials."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from benchmarks.serving import HOST, free_port

_PATIENCE: Final = 120  # seconds for one of its programs


class Cluster:
    """A server on loopback that can be stopped and started again.

    Args:
        folder: an empty one, for its files.
        programs: what `find_programs` found.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self._programs = programs
        self._files = folder / "cluster"
        port = free_port()
        self.url = f"postgresql+psycopg://yanpan@{HOST}:{port}/postgres"
        self._options = f"-p {port} -h {HOST} -c unix_socket_directories=''"
        self._files.mkdir()
        # PostgreSQL refuses to run as root; the package brings a user for it.
        self._prefix: list[str] = []
        if os.geteuid() == 0:
            self._prefix = ["runuser", "-u", "postgres", "--"]
            for path in (self._files, *self._files.parents):
                if path == Path("/tmp"):  # noqa: S108 — temporary folders lie below it
                    break
                path.chmod(0o755)
            shutil.chown(self._files, "postgres")
        self._run("initdb", "-U", "yanpan", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        """Starts it; what was committed before is there."""
        self._run("pg_ctl", "-w", "-o", self._options, "-l", str(self._files / "log"), "start")

    def stop(self) -> None:
        """Ends it at once, as a power cut does."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [
            *self._prefix,
            str(self._programs / program),
            *("-D", str(self._files)),
            *arguments,
        ]
        quiet = subprocess.DEVNULL
        subprocess.run(command, check=True, stdout=quiet, stderr=quiet, timeout=_PATIENCE)  # noqa: S603


@contextmanager
def cluster(folder: Path, programs: Path) -> Iterator[Cluster]:
    """A server that runs, and is stopped at the end if it still does."""
    running = Cluster(folder, programs)
    try:
        yield running
    finally:
        with suppress(subprocess.CalledProcessError):
            running.stop()


def find_programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`; Debian keeps them off the search path."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((path for path in candidates if (path / "pg_ctl").exists()), None)
