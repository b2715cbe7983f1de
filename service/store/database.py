"""A connection to the database of a deployment, migrated before its first use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

from service.core.errors import YanpanError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WAIT: Final = 30  # seconds for another writer to finish
_LOCK: Final = 0x79616E70616E  # of PostgreSQL's advisory locks, "yanpan"


class DatabaseError(YanpanError):
    """The database cannot be reached or used."""

    code = "database_unavailable"


def open_database(url: str) -> Engine:
    """An engine for the database, whose tables are brought up to date.

    SQLite keeps its log beside the file (WAL), so that readers and a writer do not wait for each
    other; processes that start together migrate one after the other.

    Args:
        url: as SQLAlchemy writes it: `sqlite:///PATH` or `postgresql+psycopg://USER@HOST/NAME`.
    """
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"connect_args": {"timeout": _WAIT}} if is_sqlite else {}
    engine = create_engine(parsed, pool_pre_ping=True, **options)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin)
    with engine.begin() as connection, _alone(connection):
        _migrate(connection)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA secure_delete=ON")  # what is purged is overwritten
    cursor.execute("PRAGMA synchronous=FULL")  # what was accepted is on the disk
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that begins as a reader may not become a writer while another writes.
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """No other process migrates meanwhile; SQLite's writers are alone as it is."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    yield


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
