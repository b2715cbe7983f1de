"""What several tests share: the shipped chain, and a real server on a free port."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from registries import add_version, make_registry

from service.bootstrap import build_chain
from service.core.assess import Chain
from service.registry import Registry
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
# What a test does is written neither to the audit log of this checkout nor asked of its keys.
_OWN = Path(tempfile.mkdtemp(prefix="yanpan-tests-"))
atexit.register(shutil.rmtree, _OWN, ignore_errors=True)
os.environ["YANPAN_AUDIT_LOG"] = str(_OWN / "audit.jsonl")
os.environ["YANPAN_KEYS_FILE"] = str(_OWN / "keys.json")
_PATIENCE = 60  # seconds for a cold start on a busy machine


@pytest.fixture(scope="session")
def chain() -> Chain:
    """The shipped model and policy."""
    return build_chain(Settings())


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry of its own: the shipped model, active, and `b`, which answers otherwise."""
    make_registry(tmp_path)
    add_version(tmp_path, "b")
    return Registry(tmp_path)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of outside corpora, where there is one."""
    return _folder("YANPAN_DATA", "the labelled corpora")


@pytest.fixture(scope="session")
def seed() -> Path:
    """The folder of the seed document, where there is one."""
    return _folder("YANPAN_SEED", "the seed document")


@pytest.fixture(scope="session")
def server() -> Iterator[httpx.Client]:
    """A client of the real service, started by its own command."""
    with serving() as (client, _):
        yield client


@contextmanager
def serving(
    *options: str, environment: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[tuple[httpx.Client, int]]:
    """A client of the real service, started by its own command, and its process.

    Args:
        options: of `yanpan serve`.
        environment: beside that of the tests.
        log: where everything that it says goes.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port), *options]
    env = {**os.environ, **(environment or {})}
    said = log or _OWN / f"{port}.log"
    with said.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=ROOT, env=env)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
    try:
        _wait_until_ready(client, process, said)
        yield client, process.pid
    finally:
        client.close()
        process.terminate()
        process.wait(timeout=_PATIENCE)


def _folder(variable: str, what: str) -> Path:
    folder = os.environ.get(variable)
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"{variable} does not name a folder with {what}")
    return Path(folder)


def _wait_until_ready(client: httpx.Client, process: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the service ended: {said.read_text(encoding='utf-8')}")
        try:
            if client.get("/health/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("the service was not ready in time")
