"""Several worker processes behind one port."""

import os
import signal
import sys
import time
from pathlib import Path

import httpx
import pytest
from conftest import serving

MESSAGE = {"text": "小区停水三天了没人管"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


def test_a_worker_that_dies_is_replaced_and_the_others_go_on_answering() -> None:
    with serving("--workers", "2") as (client, master):
        first = await_workers(master, 2, without=0)
        levels = {client.post("/v1/score", json=MESSAGE).json()["risk"]["level"] for _ in range(20)}
        assert len(levels) == 1
        os.kill(first[0], signal.SIGKILL)
        await_workers(master, 2, without=first[0])
        assert score(client).status_code == 200


def test_workers_keep_to_themselves_only_what_they_change() -> None:
    with serving("--workers", "2") as (client, master):
        for _ in range(20):
            assert score(client).status_code == 200
        for worker in await_workers(master, 2, without=0):
            memory = rollup(worker)
            assert memory["Pss"] < 0.7 * memory["Rss"]  # else nothing was shared


def await_workers(master: int, count: int, *, without: int) -> list[int]:
    """The workers, once there are so many; the first answers before the last is forked."""
    deadline = time.monotonic() + 30
    while len(found := [one for one in workers(master) if one != without]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def workers(master: int) -> list[int]:
    children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def rollup(process: int) -> dict[str, int]:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    return {name: int(size.split()[0]) for name, size in (line.split(":") for line in lines)}


def score(client: httpx.Client) -> httpx.Response:
    with httpx.Client(base_url=client.base_url, timeout=30) as fresh:  # a connection to any worker
        return fresh.post("/v1/score", json=MESSAGE)
