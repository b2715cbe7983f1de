"""What an operator sees: logs, traces, metrics."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import serving

TEXT = "小区停水三天了没人管"
MOBILE = "13912345678"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Takes traces in the place of a collector."""
    received: list[bytes] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    taker = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=taker.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{taker.server_port}/v1/traces", received
    taker.shutdown()
    thread.join()
    taker.server_close()


def test_every_request_is_one_line_of_json_with_its_id(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving("--access-log", log=log) as (client, _):
        headers = {"X-Request-ID": f"r-{MOBILE}"}
        answer = client.post("/v1/score", json={"text": TEXT}, headers=headers)
        assert answer.headers["X-Request-ID"] == f"r-{MOBILE}"
        client.post("/v1/score", json={"text": ""})
        client.get(f"/people/{MOBILE}?name={MOBILE}")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    told = [(line["route"], line["status"], line["problems"]) for line in requests]
    assert told[-3:] == [
        ("/v1/score", 200, []),
        ("/v1/score", 422, ["text_empty"]),
        ("unmatched", 404, ["not_found"]),
    ]
    assert all(line["timestamp"] and line["level"] == "info" for line in requests)
    assert MOBILE not in log.read_text(encoding="utf-8")


def test_without_being_asked_no_request_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(log=log) as (client, _):
        client.post("/v1/score", json={"text": TEXT})
    assert '"event": "request"' not in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_traces_tell_routes_and_nothing_of_a_message(workers: str) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")
    with collector() as (address, received):
        environment = {"YANPAN_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        with serving("--workers", workers, environment=environment) as (client, _):
            parent = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
            for _ in range(5):
                client.post("/v1/score", json={"text": TEXT}, headers=parent)
            client.get(f"/people/{MOBILE}?name={MOBILE}")
    whole = b"".join(received)
    assert whole.count(b"POST /v1/score") == 5
    assert bytes.fromhex("ab" * 16) in whole  # the caller's own trace goes on
    assert MOBILE.encode() not in whole
    assert TEXT.encode() not in whole
