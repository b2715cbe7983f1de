"""Rows a second from a file and the memory it takes, by kind, processes and workers of a cluster.

    python -m benchmarks.files [--rows 20000] [--copies] [--cluster-rows 0]

The rows are our own samples over and over, with ids. Each run is a command of its own; the ratio is
to scoring the same texts in one process without files, times the processes.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.chain import assess
from benchmarks.texts import read_samples
from benchmarks.timing import freeze
from service.assessment_schema import assessment_json
from service.bootstrap import build_chain
from service.settings import Settings

_FILES: Final = 40  # of a folder that a cluster scores
_PORT: Final = 18_786
_RECEIVED: Final = "2026-01-05T08:30:00+08:00"
_INSIDE: Final = 4_000  # texts scored without files


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--copies", action="store_true", help="count copies of texts too")
    parser.add_argument("--cluster-rows", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    inside = _score_inside()
    print(f"{inside:.0f} rows a second in one process without files")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.rows:
            for kind in ("jsonl", "parquet"):
                source = folder / f"in.{kind}"
                _write(source, 0, options.rows)
                for workers in (1, 2):
                    more = ["--group-duplicates"] if options.copies else []
                    arguments = [str(source), str(folder / f"out.{kind}"), *more]
                    seconds, memory = _score(*arguments, "--workers", str(workers))
                    rate = options.rows / seconds
                    print(
                        f"{options.rows} rows of {kind}, {workers} processes: {seconds:.0f} s, "
                        f"{rate:.0f} a second, {rate / inside / workers:.2f} of one without files; "
                        f"at most {memory:.0f} MB a process"
                    )
        if options.cluster_rows:
            _print_cluster(folder, options.cluster_rows)


def _print_cluster(folder: Path, rows: int) -> None:
    """The same folder with one, two and three workers, of which one is killed midway."""
    source = folder / "in"
    source.mkdir()
    each = rows // _FILES
    for number in range(_FILES):
        _write(source / f"{number:03}.parquet", number * each, each)
    _write(folder / "whole.parquet", 0, each * _FILES)
    local = folder / "local.parquet"
    seconds, _ = _score(str(folder / "whole.parquet"), str(local), "--workers", "2")
    print(f"{rows} rows, 2 processes of one machine: {rows / seconds:.0f} a second")
    expected = pq.read_table(local)
    for count, is_killed in ((1, False), (2, False), (3, True)):
        output = folder / f"out{count}"
        with ExitStack() as stack:
            workers = _start_cluster(stack, count)
            began = time.perf_counter()
            run = subprocess.Popen(_command(str(source), str(output), "--cluster", _address()))  # noqa: S603
            if is_killed:
                time.sleep(seconds / 2)  # of what two of them took
                workers[0].kill()
            status = run.wait()
            seconds = time.perf_counter() - began
        is_equal = pq.read_table(output).equals(expected)
        print(
            f"{rows} rows on a cluster of {count}{', one killed' if is_killed else ''}: "
            f"{seconds:.0f} s, {rows / seconds:.0f} a second, status {status}, "
            f"{'equal to the local run' if is_equal else 'NOT WHAT THE LOCAL RUN GAVE'}"
        )


def _address() -> str:
    return f"tcp://127.0.0.1:{_PORT}"


def _start_cluster(stack: ExitStack, count: int) -> list["subprocess.Popen[bytes]"]:
    from distributed import Client  # noqa: PLC0415 — only for clusters

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdout=quiet, stderr=quiet)  # noqa: S603
        stack.callback(process.wait)
        stack.callback(process.kill)
        return process

    start("scheduler", "--host", "127.0.0.1", "--port", str(_PORT))
    workers = [start("worker", _address(), "--nthreads", "1", "--no-nanny") for _ in range(count)]
    with Client(_address(), timeout=60, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(count, timeout=60)
    return workers


def _score_inside() -> float:
    chain = build_chain(Settings())
    texts = list(itertools.islice(itertools.cycle(read_samples()), _INSIDE))
    freeze()
    began = time.perf_counter()
    for text in texts:
        assessment_json(assess(text, chain))
    return len(texts) / (time.perf_counter() - began)


def _write(path: Path, first: int, count: int) -> None:
    texts = itertools.islice(itertools.cycle(read_samples()), first, first + count)
    rows = ({"id": str(n), "text": text} for n, text in enumerate(texts, first))
    if path.suffix == ".parquet":
        with pq.ParquetWriter(path, pa.schema({"id": pa.string(), "text": pa.string()})) as writer:
            while batch := list(itertools.islice(rows, 10_000)):
                writer.write_table(pa.Table.from_pylist(batch))
    else:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _command(source: str, output: str, *options: str) -> Sequence[str]:
    command = [sys.executable, "-m", "service.cli", "score", "--input", source, "--output", output]
    same = ["--only-assessment", "--quiet", "--received-at", _RECEIVED]
    return [*command, *same, *options]


def _score(source: str, output: str, *options: str) -> tuple[float, float]:
    """Seconds, and the most memory in MB that one process held for itself."""
    began = time.perf_counter()
    run = subprocess.Popen(  # noqa: S603 — our own arguments
        _command(source, output, *options), stderr=subprocess.DEVNULL, start_new_session=True
    )
    most = 0.0
    while run.poll() is None:
        most = max([most, *(_own_memory(p) for p in _session(run.pid))])
        time.sleep(0.5)
    if run.returncode:
        raise RuntimeError(f"scoring ended with {run.returncode}")
    return time.perf_counter() - began, most


def _session(leader: int) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) == leader:
                found.append(process)
        except ProcessLookupError:
            continue
    return found


def _own_memory(process: Path) -> float:
    """Without the pages of mapped files, which the system takes back when it needs them."""
    try:
        lines = (process / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


if __name__ == "__main__":
    main()
