"""Real databases for tests: SQLite in a file, PostgreSQL in a cluster of its own."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.postgres import find_programs


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL server on loopback, started for the test.

    Skips where there is no PostgreSQL on the machine.
    """
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster = folder / "cluster"
    cluster.mkdir()
    # PostgreSQL refuses to run as root; the package brings a user for it.
    prefix: list[str] = []
    if os.geteuid() == 0:
        prefix = ["runuser", "-u", "postgres", "--"]
        for path in (cluster, *cluster.parents):
            if path == Path("/tmp"):  # noqa: S108 — pytest's folders lie below it
                break
            path.chmod(0o755)
        shutil.chown(cluster, "postgres")
    options = f"-p {port} -h 127.0.0.1 -c unix_socket_directories='' -c fsync=off"

    def run(program: str, *arguments: str) -> None:
        command = [*prefix, str(programs / program), "-D", str(cluster), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    run("initdb", "-U", "yanpan", "-A", "trust", "-E", "UTF8", "--no-sync")
    run("pg_ctl", "-w", "-o", options, "-l", str(cluster / "log"), "start")
    try:
        yield f"postgresql+psycopg://yanpan@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
