"""Who may call what: keys, scopes, rates."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from commands import yanpan
from conftest import serving

SCORE = {"text": "小区停水三天了没人管"}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {
        "YANPAN_KEYS_FILE": str(tmp_path / "keys.json"),
        "YANPAN_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
        "YANPAN_DATABASE_URL": f"sqlite:///{tmp_path}/yanpan.db",
    }


def add_key(home: dict[str, str], *options: str) -> str:
    ended = yanpan("keys", "add", "测试", *options, environment=home)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(home: dict[str, str]) -> Iterator[tuple[httpx.Client, str, dict[str, str]]]:
    token = add_key(home, "--scope", "score")
    with serving(environment=home) as (client, _):
        yield client, token, home


def test_without_a_key_nothing_but_health_is_answered(
    guarded: tuple[httpx.Client, str, dict[str, str]],
) -> None:
    client, token, _ = guarded
    for wrong in ("x", token[:-1], token + "x", token.replace("yp_", "yq_"), "yp__", "é" * 20):
        headers = httpx.Headers({"Authorization": f"Bearer {wrong}"}, encoding="utf-8")
        answer = client.post("/v1/score", json=SCORE, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "key_missing")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert client.get("/metrics").status_code == 401
    assert client.get("/v1/labels").status_code == 401
    assert client.get("/nowhere").status_code == 401
    assert client.get("/health/ready").status_code == 200
    assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 200
    assert client.post("/v1/score", json=SCORE, headers={"X-API-Key": token}).status_code == 200


def test_a_key_allows_what_its_scopes_say(
    guarded: tuple[httpx.Client, str, dict[str, str]],
) -> None:
    client, token, home = guarded
    order = {"by": "甲", "reason": "试"}
    correction = {"message": SCORE, "labels": {"topic": "other"}, "annotator": "甲"}
    for path, body in (("/v1/models/b/activate", order), ("/v1/feedback", correction)):
        answer = client.post(path, json=body, headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    feedback = add_key(home, "--scope", "feedback")
    assert client.post("/v1/feedback", json=correction, headers=bearer(feedback)).status_code == 201
    assert client.post("/v1/score", json=SCORE, headers=bearer(feedback)).status_code == 403
    assert client.get("/metrics", headers=bearer(feedback)).status_code == 200
    admin = add_key(home, "--scope", "admin")
    unknown = client.post("/v1/models/none/activate", json=order, headers=bearer(admin))
    assert unknown.status_code == 404


def test_a_revoked_key_ends_at_once(guarded: tuple[httpx.Client, str, dict[str, str]]) -> None:
    client, token, home = guarded
    assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 200
    (row,) = map(json.loads, yanpan("keys", "list", environment=home).stdout.splitlines())
    assert yanpan("keys", "revoke", row["id"], environment=home).returncode == 0
    assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 401
    assert yanpan("keys", "revoke", row["id"], environment=home).returncode == 2


def test_a_key_file_that_is_gone_or_damaged_lets_nobody_in(
    guarded: tuple[httpx.Client, str, dict[str, str]],
) -> None:
    client, token, home = guarded
    path = Path(home["YANPAN_KEYS_FILE"])
    assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 200
    kept = path.read_bytes()
    path.write_bytes(b"[")
    assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 503
    assert client.get("/health/ready").status_code == 200  # nobody is helped by a restart
    path.unlink()
    assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 401
    assert client.post("/v1/score", json=SCORE).status_code == 401
    path.write_bytes(kept)
    assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 200


def test_the_key_itself_is_nowhere_on_the_disk(home: dict[str, str], tmp_path: Path) -> None:
    token = add_key(home, "--scope", "score", "--scope", "admin")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes()
            assert token.rpartition("_")[2].encode() not in path.read_bytes()
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    assert token not in yanpan("keys", "list", environment=home).stdout


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_key_keeps_its_rate_whichever_process_answers(home: dict[str, str], workers: str) -> None:
    slow = add_key(home, "--scope", "score", "--rate", "5")
    free = add_key(home, "--scope", "score", "--rate", "0")
    with serving("--workers", workers, environment=home) as (client, _):
        began = time.monotonic()
        answers = []
        for _ in range(60):
            with httpx.Client(base_url=client.base_url, timeout=30) as fresh:
                answers.append(fresh.post("/v1/score", json=SCORE, headers=bearer(slow)))
        took = time.monotonic() - began
        taken = sum(answer.status_code == 200 for answer in answers)
        assert 5 <= taken <= 5 + 5 * took + 1
        refused = [answer for answer in answers if answer.status_code != 200]
        assert {answer.status_code for answer in refused} == {429}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
        for _ in range(30):
            assert client.post("/v1/score", json=SCORE, headers=bearer(free)).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 — to be refused
def test_other_machines_are_not_listened_to_without_keys(home: dict[str, str], host: str) -> None:
    ended = yanpan("serve", "--host", host, "--port", "1", environment=home)
    assert ended.returncode == 2
    assert "没有密钥" in ended.stderr
    assert "yanpan keys add" in ended.stderr


def test_with_keys_or_when_told_so_they_are(home: dict[str, str]) -> None:
    with serving("--host", "0.0.0.0", "--insecure-no-keys", environment=home) as (client, _):  # noqa: S104
        assert client.post("/v1/score", json=SCORE).status_code == 200
    token = add_key(home, "--scope", "score")
    with serving("--host", "0.0.0.0", environment=home) as (client, _):  # noqa: S104
        assert client.post("/v1/score", json=SCORE).status_code == 401
        assert client.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 200


@pytest.mark.parametrize(
    "options", [["--scope", "root"], ["--scope", "score", "--rate", "-1"], ["--scope", "score"]]
)
def test_a_key_that_makes_no_sense_is_refused(home: dict[str, str], options: list[str]) -> None:
    name = "测试" if len(options) > 2 or "root" in options else " "
    assert yanpan("keys", "add", name, *options, environment=home).returncode == 2
