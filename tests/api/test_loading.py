"""Readiness while the model loads, and bundles that stop the start."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from service.api import loading, scoring
from service.api.app import create_app
from service.core.assess import Chain
from service.settings import Settings

WORDS = "这句话不该出现在任何地方"
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(app: FastAPI) -> Iterator[httpx.Client]:
    """The application on a real server in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def wait_until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline


def test_it_is_not_ready_until_the_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch, chain: Chain
) -> None:
    release = threading.Event()

    def slow(_settings: Settings) -> Chain:
        release.wait(30)
        return chain

    monkeypatch.setattr(loading, "build_chain", slow)
    with running(create_app(Settings())) as client:
        assert client.get("/health/live").status_code == 200
        for answer in (
            client.get("/health/ready"),
            client.post("/v1/score", json={"text": "好"}),
            client.post("/v1/score/batch", json={"messages": [{"text": "好"}]}),
        ):
            assert answer.status_code == 503
            assert answer.json()["code"] == "not_ready"
            assert int(answer.headers["retry-after"]) > 0
        release.set()
        wait_until_ready(client)
        assert client.post("/v1/score", json={"text": "好"}).status_code == 200


def test_a_fault_of_ours_is_a_problem_and_neither_answer_nor_log_quotes_the_message(
    monkeypatch: pytest.MonkeyPatch, chain: Chain, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(WORDS)

    monkeypatch.setattr(loading, "build_chain", lambda _settings: chain)
    monkeypatch.setattr(scoring, "assess_message", broken)
    with running(create_app(Settings())) as client:
        wait_until_ready(client)
        answer = client.post("/v1/score", json={"text": WORDS})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    log = capfd.readouterr().err
    assert answer.headers["x-request-id"] in log
    assert WORDS not in answer.text + log


def serve(**environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "service.cli", "serve", "--port", "1"],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings().models_dir, tmp_path / "models"))


def bundle(models: Path) -> Path:
    return models / (models / "ACTIVE").read_text(encoding="utf-8").strip()


def test_a_changed_model_file_stops_the_start(models: Path) -> None:
    path = bundle(models) / "vocabulary.txt"
    path.write_text(path.read_text(encoding="utf-8") + "w新词\n", encoding="utf-8")
    ended = serve(YANPAN_MODELS_DIR=str(models))
    assert ended.returncode == 2
    assert "vocabulary.txt" in ended.stderr
    assert "校验和" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_model_of_another_feature_schema_stops_the_start(models: Path) -> None:
    path = bundle(models) / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "features": "other/9"}), encoding="utf-8")
    ended = serve(YANPAN_MODELS_DIR=str(models))
    assert ended.returncode == 2
    assert "other/9" in ended.stderr


def test_a_missing_pointer_stops_the_start(models: Path) -> None:
    (models / "ACTIVE").unlink()
    ended = serve(YANPAN_MODELS_DIR=str(models))
    assert ended.returncode == 2
    assert "ACTIVE" in ended.stderr


def test_an_unknown_version_stops_the_start() -> None:
    ended = serve(YANPAN_MODEL_VERSION="none-such")
    assert ended.returncode == 2
    assert "none-such" not in ended.stdout


def test_a_bad_policy_stops_the_start(tmp_path: Path) -> None:
    policy = Path(shutil.copytree(Settings().policy_dir, tmp_path / "policy"))
    path = policy / "policy.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("amount = 5", "amount = -"), encoding="utf-8"
    )
    ended = serve(YANPAN_POLICY_DIR=str(policy))
    assert ended.returncode == 2
    assert "policy.toml" in ended.stderr
