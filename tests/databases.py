"""Real databases for tests: SQLite in a file, PostgreSQL in a cluster of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.postgres import cluster, find_programs


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL server on loopback, started for the test.

    Skips where there is no PostgreSQL on the machine.
    """
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    with cluster(folder, programs) as running:
        yield running.url
