"""Corrections are kept, masked, decided and exported; the same suite on both databases."""

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import ROOT
from databases import postgres
from sqlalchemy import inspect, text

from service.store.database import open_database
from service.store.feedback import (
    ACCEPTED,
    PROPOSED,
    Correction,
    FeedbackStore,
    KeyReusedError,
    UnknownFeedbackError,
)
from service.store.tables import METADATA

AT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
WRITERS, EACH = 4, 25


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("database")
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'test.db'}"
    else:
        with postgres(folder) as url:
            yield url


@pytest.fixture
def url(server: str) -> str:
    """An empty database."""
    engine = open_database(server)
    METADATA.drop_all(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    engine.dispose()
    return server


@pytest.fixture
def store(url: str) -> Iterator[FeedbackStore]:
    engine = open_database(url)
    yield FeedbackStore(engine)
    engine.dispose()


def correction(**changes: object) -> Correction:
    fields = {"labels": {"topic": "transport"}, "annotator": "甲", "text": "路灯坏了三个月"}
    return Correction(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_correction_is_a_proposal_that_comes_back_as_it_was(store: FeedbackStore) -> None:
    given = correction(labels={"topic": "transport", "flags": ["minor"], "risk": "2"}, reason="误")
    stored, is_replayed = store.add(given, key="k", at=AT)
    assert not is_replayed
    assert stored == store.get(stored["id"])
    assert stored["labels"] == given.labels
    assert (stored["status"], stored["created_at"]) == (PROPOSED, AT.isoformat())


def test_personal_data_is_masked_before_it_is_stored(store: FeedbackStore) -> None:
    given = correction(text="我叫王小明，电话13800138000，打过12345", reason="找13900139000核实过")
    stored = store.add(given, key="k", at=AT).feedback
    assert stored["text"] == "我叫[姓名]，电话[手机号]，打过12345"
    assert stored["reason"] == "找[手机号]核实过"
    with store.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM feedback")).all())
    assert "13800138000" not in rows
    raw = FeedbackStore(store.engine, keeps_raw_text=True)
    assert "13800138000" in raw.add(given, key="raw", at=AT).feedback["text"]


def test_the_same_key_gives_the_first_answer_and_another_body_is_refused(
    store: FeedbackStore,
) -> None:
    first = store.add(correction(), key="k", at=AT)
    again = store.add(correction(), key="k", at=AT.replace(year=2027))
    assert again.is_replayed
    assert again.feedback == first.feedback
    with pytest.raises(KeyReusedError):
        store.add(correction(annotator="乙"), key="k", at=AT)
    assert len(list(store.read())) == 1


def test_what_was_decided_is_told_and_an_unknown_id_decides_nothing(store: FeedbackStore) -> None:
    one = store.add(correction(), key="1", at=AT).feedback["id"]
    two = store.add(correction(annotator="乙"), key="2", at=AT).feedback["id"]
    with pytest.raises(UnknownFeedbackError):
        store.decide([one, "none"], is_accepted=True, by="审", at=AT)
    assert {row["status"] for row in store.read()} == {PROPOSED}
    assert store.decide([one], is_accepted=True, by="审", at=AT) == 1
    assert [row["id"] for row in store.read(ACCEPTED)] == [one]
    assert store.get(one)["decided_by"] == "审"
    assert store.decide(None, is_accepted=False, by="审", at=AT) == 1
    assert store.get(two)["status"] == "rejected"
    with pytest.raises(UnknownFeedbackError):
        store.get("none")


def test_writers_at_the_same_time_lose_nothing(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(WRITERS) as pool:  # the first to come migrates, the others wait for it
        pool.starmap(_write, [(url, number) for number in range(WRITERS)])
    store = FeedbackStore(open_database(url))
    found = [row["annotator"] for row in store.read()]
    shared = {f"同-{n}" for n in range(EACH)}
    assert len(found) == WRITERS * EACH + EACH
    assert set(found) == {f"{w}-{n}" for w in range(WRITERS) for n in range(EACH)} | shared
    store.engine.dispose()


def _write(url: str, writer: int) -> None:
    store = FeedbackStore(open_database(url))
    for number in range(EACH):
        own = correction(annotator=f"{writer}-{number}")
        store.add(own, key=own.annotator, at=AT)
        shared = correction(annotator=f"同-{number}")  # all writers send it under the same key
        store.add(shared, key=shared.annotator, at=AT)


def test_a_reader_is_not_in_the_way_of_a_writer(store: FeedbackStore) -> None:
    store.add(correction(), key="1", at=AT)
    rows = store.read()
    next(rows)
    store.add(correction(), key="2", at=AT)
    rows.close()  # type: ignore[attr-defined]


def test_the_migrations_make_the_tables_that_the_program_knows(store: FeedbackStore) -> None:
    found = inspect(store.engine)
    for table in METADATA.tables.values():
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}


def test_scoring_does_not_need_the_database() -> None:
    check = (
        "import sys; from service.bootstrap import build_chain; from service.settings import "
        "Settings; import service.api.app; build_chain(Settings()); assert not "
        "{'sqlalchemy', 'alembic'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)


def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    from service.bootstrap import build_feedback  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415
    from service.store.database import DatabaseError  # noqa: PLC0415

    (tmp_path / "file").write_text("not a database", encoding="utf-8")
    for url in ("postgresql+psycopg://nobody@127.0.0.1:9/none", f"sqlite:///{tmp_path / 'file'}"):
        with pytest.raises(DatabaseError, match="YANPAN_DATABASE_URL"):
            build_feedback(Settings(database_url=url))
