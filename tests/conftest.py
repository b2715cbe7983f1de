"""What several tests share: the shipped chain, and a real server on a free port."""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from registries import add_version, make_registry

from benchmarks.serving import HOST
from benchmarks.serving import serving as start
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
    said = log or _OWN / f"{uuid.uuid4()}.log"
    with (
        start(*options, environment=environment, log=said) as server,
        httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=30) as client,
    ):
        yield client, server.process


def _folder(variable: str, what: str) -> Path:
    folder = os.environ.get(variable)
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"{variable} does not name a folder with {what}")
    return Path(folder)
