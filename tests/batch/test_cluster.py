"""The same scoring on a real Dask cluster: scheduler and workers are processes of their own."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import ROOT, yanpan

from training.samples import read_samples

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
fsspec = pytest.importorskip("fsspec", reason="the extra `cluster` is not installed")

AT = "2026-01-05T08:30:00+08:00"
FILES = 6


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    texts = [sample.text for sample in read_samples([ROOT / "data" / "samples"])]
    return [{"编号": f"r{n}", "正文": text} for n, text in enumerate(texts[:3_000])]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextlib.contextmanager
def started(*commands: list[str]) -> "Iterator[list[subprocess.Popen[bytes]]]":
    """Python modules as programs of their own, killed at the end."""
    quiet = subprocess.DEVNULL
    programs = [
        subprocess.Popen([sys.executable, "-m", *one], cwd=ROOT, stdout=quiet, stderr=quiet)
        for one in commands
    ]
    try:
        yield programs
    finally:
        for program in programs:
            program.kill()
            program.wait()


@contextlib.contextmanager
def cluster(count: int = 3) -> Iterator[tuple[str, "list[subprocess.Popen[bytes]]"]]:
    """The address of a scheduler, and its workers."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["dask", "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    worker = ["dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    with started(scheduler, *[worker] * count) as (_, *workers):
        with distributed.Client(address, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)
        yield address, workers


def test_every_row_is_scored_exactly_once_though_a_worker_dies(
    rows: list[dict[str, str]], tmp_path: Path
) -> None:
    whole, folder, output = tmp_path / "in.jsonl", tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    lines = [json.dumps(row) for row in rows]
    lines[700] = "{broken"
    whole.write_text("\n".join(lines), encoding="utf-8")
    for number in range(FILES):
        part = "\n".join(lines[number * 500 : (number + 1) * 500])
        (folder / f"{number}.jsonl").write_text(part, encoding="utf-8")
    local = tmp_path / "local.parquet"
    assert yanpan(*arguments(whole, local)).returncode == 1
    with cluster() as (address, workers):
        command = [sys.executable, "-m", "service.cli"]
        process = subprocess.Popen(
            [*command, *arguments(folder, output, "--cluster", address)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        while not any(output.glob("*.partial/0*.jsonl")) and process.poll() is None:
            time.sleep(0.01)
        workers[0].kill()
        _, told = process.communicate(timeout=120)
    assert process.returncode == 1, told.decode()
    assert "读入 3000 条，研判 2999 条，失败 1 条" in told.decode()
    found, expected = pq.read_table(output).to_pylist(), pq.read_table(local).to_pylist()
    assert found == expected
    summary = json.loads((output / "_run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["rows"] == {"read": 3000, "scored": 2999, "failed": 1}
    assert sum(summary["counts"]["risk_level"].values()) == 2999
    assert len(list((output / "_run").glob("*.errors.jsonl"))) == 1


@contextlib.contextmanager
def ftp(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    port = free_port()
    with started(["pyftpdlib", "-i", "127.0.0.1", "-p", port, "-d", str(folder), "-w"]):
        yield f"ftp://127.0.0.1:{port}", {}


@contextlib.contextmanager
def s3(_folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for module in ("s3fs", "moto.server"):
        pytest.importorskip(module, reason=f"{module} is not installed (too large for every test)")
    port = free_port()
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with started(["moto.server", "-p", port]):
        yield "s3://bucket", keys | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the stores' own clients
@pytest.mark.parametrize("serve", [ftp, s3])
def test_a_store_of_another_machine_is_read_and_written(
    rows: list[dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[Path], contextlib.AbstractContextManager[tuple[str, dict[str, str]]]],
) -> None:
    lines = [json.dumps(row) for row in rows[:40]]
    local = tmp_path / "local.parquet"
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert yanpan(*arguments(tmp_path / "in.jsonl", local)).returncode == 0
    (tmp_path / "store").mkdir()
    with serve(tmp_path / "store") as (url, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        store, root = connect(url)
        store.makedirs(f"{root}/in")
        for number in range(2):
            part = "\n".join(lines[number * 20 : number * 20 + 20])
            store.pipe_file(f"{root}/in/{number}.jsonl", part.encode())
        with cluster(1) as (address, _):
            options = arguments(f"{url}/in/*.jsonl", f"{url}/out", "--cluster", address)
            ended = yanpan(*options)
            assert ended.returncode == 0, ended.stderr
            assert yanpan(*options).returncode == 2  # there are results
        found: list[dict[str, Any]] = []
        for number in range(2):
            with store.open(f"{root}/out/part-0000{number}.parquet") as file:
                found += pq.read_table(file).to_pylist()
        summary = json.loads(store.cat_file(f"{root}/out/_run/summary.json"))
    assert found == pq.read_table(local).to_pylist()
    assert summary["rows"] == {"read": 40, "scored": 40, "failed": 0}


def connect(url: str) -> tuple[Any, str]:
    """The store behind an address, as soon as its server answers."""
    for _ in range(300):
        with contextlib.suppress(OSError):
            store, root = fsspec.core.url_to_fs(url)
            store.ls("/")
            return store, root
        time.sleep(0.1)
    raise TimeoutError(url)


def test_what_a_cluster_cannot_do_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    at = ("--cluster", "tcp://127.0.0.1:9")
    ended = yanpan(*arguments(empty, tmp_path / "out", *at))
    assert ended.returncode == 2
    assert "没有文件" in ended.stderr
    ended = yanpan(*arguments(empty, tmp_path / "out", *at, "--group-duplicates"))
    assert ended.returncode == 2
    assert "--group-duplicates 不能与 --cluster 同用" in ended.stderr


def arguments(source: Path | str, output: Path | str, *options: str) -> list[str]:
    return ["score", "--input", str(source), "--output", str(output), "--received-at", AT, *options]
