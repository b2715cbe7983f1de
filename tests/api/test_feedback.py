"""Corrections over HTTP, against the real service and a database of its own."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import serving

GOOD = {
    "message": {"id": "m-1", "text": "我叫王小明，路灯坏了，回电13800138000", "channel": "weibo"},
    "labels": {"topic": "transport", "risk": 2, "flags": ["minor"]},
    "annotator": "甲",
    "reason": "照明属交通设施",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "deep" / "yanpan.db"


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[httpx.Client]:
    with serving(environment={"YANPAN_DATABASE_URL": f"sqlite:///{place}"}) as (client, _):
        yield client


def send(client: httpx.Client, body: object, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/v1/feedback", json=body, headers=headers)


def test_a_correction_is_stored_masked_and_answered_as_stored(
    client: httpx.Client, place: Path
) -> None:
    assert not place.exists()  # nothing is opened before it is needed
    answer = send(client, GOOD, "key-1")
    assert answer.status_code == 201, answer.text
    stored = answer.json()
    assert stored["status"] == "proposed"
    assert stored["text"] == "我叫[姓名]，路灯坏了，回电[手机号]"
    assert stored["labels"] == {"topic": "transport", "risk": "2", "flags": ["minor"]}
    assert (stored["message_id"], stored["channel"]) == ("m-1", "weibo")
    with sqlite3.connect(place) as database:
        assert "13800138000" not in str(database.execute("SELECT * FROM feedback").fetchall())


def test_a_key_that_comes_again_gives_the_first_answer(client: httpx.Client) -> None:
    first = send(client, GOOD, "key-2")
    again = send(client, GOOD, "key-2")
    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = send(client, {**GOOD, "annotator": "乙"}, "key-2")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert send(client, GOOD).json()["id"] != send(client, GOOD).json()["id"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"labels": {"topic": "weather"}}, "/labels/topic"),
        ({"labels": {"flags": ["none"]}}, "/labels/flags"),
        ({"labels": {"risk": 5}}, "/labels/risk"),
        ({"labels": {"mood": "bad"}}, "/labels/mood"),
        ({"labels": {}}, "/labels"),
        ({"annotator": ""}, "/annotator"),
        ({"message": None}, "/message"),
        ({"message": {"text": "  "}}, "/text"),
        ({"message": {"text": "长" * 20_001}}, "/text"),
    ],
)
def test_what_cannot_be_kept_is_told_where_it_is(
    client: httpx.Client, change: dict[str, object], pointer: str
) -> None:
    answer = send(client, {**GOOD, **change})
    assert answer.status_code == 422, answer.text
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]
    assert "王小明" not in answer.text


def test_a_correction_by_request_id_needs_no_text(client: httpx.Client) -> None:
    body = {"request_id": "r-1", "labels": {"response": "none"}, "annotator": "甲"}
    stored = send(client, body).json()
    assert (stored["request_id"], stored["text"]) == ("r-1", None)


def test_without_a_database_scoring_goes_on_and_feedback_says_so() -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    with serving(environment={"YANPAN_DATABASE_URL": url}) as (client, _):
        answer = send(client, GOOD, "key")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["retry-after"]
        assert client.post("/v1/score", json={"text": "路灯坏了"}).status_code == 200
