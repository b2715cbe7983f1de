"""Too much, too slow, too many: each is told, and nobody else waits for it."""

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from conftest import serving

from benchmarks.load import Load, Outcome
from service.api.protocol import _PATIENCE

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service that waits a second for a body."""
    database = f"sqlite:///{tmp_path_factory.mktemp('store')}/yanpan.db"
    environment = {"YANPAN_BODY_TIMEOUT": "1", "YANPAN_DATABASE_URL": database}
    with serving(environment=environment) as (client, _):
        yield client


def connect(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port), timeout=30)


def test_a_body_is_measured_while_it_is_read(hurried: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(400):
            yield b" " * 100_000

    for path, most in (("/v1/score", MEGABYTE), ("/v1/score/batch", 20 * MEGABYTE)):
        told = hurried.post(path, content=b" " * (most + 1))
        assert (told.status_code, told.json()["code"]) == (413, "body_too_large")
        try:
            chunked = hurried.post(path, content=endless())  # no length is told beforehand
        except httpx.TransportError:
            continue  # the answer was lost when the connection was closed on what still came
        assert chunked.status_code == 413
    fitting = {"messages": [{"text": "路" * 18_000}] * 300}
    assert len(json.dumps(fitting, ensure_ascii=False).encode()) > 16 * MEGABYTE
    answer = hurried.post(
        "/v1/score/batch",
        content=json.dumps(fitting, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(hurried: httpx.Client) -> None:
    with connect(hurried) as connection:
        connection.sendall(
            b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"te'
        )
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"body_timeout" in answer


def test_slow_callers_are_cut_off_and_others_served(hurried: httpx.Client) -> None:
    slow = [connect(hurried) for _ in range(200)]
    for connection in slow[::2]:
        connection.sendall(b"POST /v1/score HTTP/1.1\r\nHost: a\r\nX-Drip: ")
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE + 5:
        for connection in slow[::2]:
            with suppress(OSError):  # cut off already
                connection.sendall(b"a")
        assert hurried.post("/v1/score", json={"text": "路灯坏了"}).status_code == 200
        time.sleep(0.5)
    for connection in slow:
        with suppress(ConnectionError):
            assert connection.recv(1) == b""
        connection.close()


def test_more_than_there_is_room_for_is_shed_with_a_time_to_come_again() -> None:
    environment = {"YANPAN_MOST_IN_FLIGHT": "1"}
    with serving(environment=environment) as (client, _):
        batch = {"messages": [{"text": "小区停水三天了没人管" * 50}] * 500}
        with ThreadPoolExecutor(4) as threads:
            url = f"{client.base_url}/v1/score/batch"
            sent = [threads.submit(httpx.post, url, json=batch, timeout=60) for _ in range(4)]
            answers = [one.result() for one in sent]
        assert sorted({answer.status_code for answer in answers}) == [200, 503]
        shed = [answer for answer in answers if answer.status_code == 503]
        assert {answer.json()["code"] for answer in shed} == {"overloaded"}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in shed)
        assert f"yanpan_shed_total {float(len(shed))}" in client.get("/metrics").text
        assert client.get("/health/ready").status_code == 200


def test_new_callers_are_answered_while_others_keep_the_service_busy() -> None:
    def body(text: str) -> bytes:
        return json.dumps({"text": text}).encode()

    async def call(port: int) -> Outcome:
        busy = Load(port, [body("小区停水三天了没人管，" * 1_800)], connections=60)
        keeping_busy = asyncio.create_task(busy.run(rate=0, seconds=7))
        await asyncio.sleep(2)
        outcome = await Load(port, [body("路灯坏了")], connections=200).run(rate=0, seconds=4)
        await keeping_busy
        return outcome

    with serving("--workers", "2") as (client, _):
        outcome = asyncio.run(call(client.base_url.port or 0))
    assert outcome.left_out == 0
    assert set(outcome.by_status) <= {"200", "503"}


def test_what_takes_too_long_is_told_so() -> None:
    with serving(environment={"YANPAN_REQUEST_TIMEOUT": "0.2"}) as (client, _):
        batch = {"messages": [{"text": "小区停水三天了没人管" * 100}] * 900}
        answer = client.post("/v1/score/batch", json=batch)
        assert (answer.status_code, answer.json()["code"]) == (503, "request_timeout")
        assert client.post("/v1/score", json={"text": "路灯坏了"}, timeout=30).status_code == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_was_taken_is_answered_before_the_end(workers: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving("--workers", workers, log=log) as (client, process):
        batch = {"messages": [{"text": "小区停水三天了没人管" * 50}] * 400}
        answers: list[httpx.Response] = []

        def post() -> None:
            url = f"{client.base_url}/v1/score/batch"
            answers.append(httpx.post(url, json=batch, timeout=60))

        threads = [threading.Thread(target=post) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        os.kill(process, signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [200] * 4
        assert all(answer.json()["summary"]["succeeded"] == 400 for answer in answers)
    for line in log.read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["event"]  # every line of the log is an object
