"""The same scoring on a real Dask cluster: scheduler and workers are processes of their own."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import ROOT, yanpan

from training.samples import read_samples

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

AT = "2026-01-05T08:30:00+08:00"
FILES = 6
WORKERS = 3


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    texts = [sample.text for sample in read_samples([ROOT / "data" / "samples"])]
    return [{"编号": f"r{n}", "正文": text} for n, text in enumerate(texts[:3_000])]


@contextlib.contextmanager
def cluster() -> Iterator[tuple[str, "list[subprocess.Popen[bytes]]"]]:
    """The address of a scheduler, and its workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    place = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2]]
    scheduler = subprocess.Popen([*dask, "scheduler", *place, "--no-dashboard"], cwd=ROOT, **quiet)
    worker = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    workers = [subprocess.Popen(worker, cwd=ROOT, **quiet) for _ in range(WORKERS)]
    try:
        with distributed.Client(address, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(WORKERS, timeout=60)
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


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


def test_an_address_without_a_scheduler_and_a_folder_without_files_are_told(
    tmp_path: Path,
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = yanpan(*arguments(empty, tmp_path / "out", "--cluster", "tcp://127.0.0.1:9"))
    assert ended.returncode == 2
    assert "没有文件" in ended.stderr


def arguments(source: Path, output: Path, *options: str) -> list[str]:
    return ["score", "--input", str(source), "--output", str(output), "--received-at", AT, *options]
