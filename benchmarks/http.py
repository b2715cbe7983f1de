"""Requests a second over HTTP, the time to the first answer, and the memory of all workers.

    python -m benchmarks.http

The service, the bare echo of the same framework and the naive service run in turn on the same
server program, loaded by `wrk` over the loopback; ratios are within one run.
"""

import json
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from benchmarks.chain import assess
from benchmarks.serving import HOST, SERVICE, Server, serving
from benchmarks.texts import whole_messages
from benchmarks.timing import ROUNDS, freeze
from service.assessment_schema import assessment_json
from service.bootstrap import build_chain
from service.settings import Settings

_UVICORN: Final = ("-m", "uvicorn", "--no-access-log", "--log-level", "warning", "--factory")
_PROGRAMS: Final = {
    "service": SERVICE,
    "echo": (*_UVICORN, "benchmarks.servers:echo"),
    "naive": (*_UVICORN, "benchmarks.servers:naive"),
}
_SECONDS: Final = 2
_CONNECTIONS: Final = 16
_LENGTH: Final = 200
_WORKERS: Final = (1, 2, 4)
_JSON: Final = {"Content-Type": "application/json"}
# wrk sends the messages in turn; a body each, made once.
_SCRIPT: Final = """
local bodies = {}
for line in io.lines("%s") do bodies[#bodies + 1] = line end
local turn = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  turn = turn %% #bodies + 1
  return wrk.format(nil, nil, nil, bodies[turn])
end
function done(summary)
  io.write(string.format("%%d %%d %%d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


def main() -> None:
    """Prints the tables."""
    _print_starts()
    _print_memory()
    if shutil.which("wrk") is None:
        print("requests a second: skipped, `wrk` is not installed (apt-get install wrk)")
        return
    _print_throughput()


def _print_throughput() -> None:
    messages = whole_messages(_LENGTH)
    print(f"requests a second, {_CONNECTIONS} connections, messages of about {_LENGTH} characters")
    with tempfile.TemporaryDirectory() as folder:
        bodies = Path(folder) / "bodies"
        lines = (json.dumps({"text": text}, ensure_ascii=False) for text in messages)
        bodies.write_text("\n".join(lines), encoding="utf-8")
        script = Path(folder) / "post.lua"
        script.write_text(_SCRIPT % bodies, encoding="utf-8")
        rates: dict[str, list[float]] = {name: [] for name in _PROGRAMS}
        with (
            _serving("service") as service,
            _serving("echo") as echo,
            _serving("naive") as naive,
        ):
            ports = {"service": service.port, "echo": echo.port, "naive": naive.port}
            for _ in range(ROUNDS):
                for name, port in ports.items():
                    rates[name].append(_load(port, script))
            medians = {name: statistics.median(found) for name, found in rates.items()}
            outside, inside = _load_batches(service.port, messages)
    for name, rate in medians.items():
        print(f"{name:<12}{rate:>10.0f}{rate / medians['echo']:>9.2f} of the echo")
    print(f"service to naive {medians['service'] / medians['naive']:.0f}×")
    print(
        f"messages a second in batches of {len(messages)}: over HTTP {outside:.0f}, "
        f"in-process {inside:.0f}, {outside / inside:.2f} of it"
    )


def _load(port: int, script: Path) -> float:
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "-s", str(script)]
    run = subprocess.run(  # noqa: S603 — our own arguments
        [*command, f"http://{HOST}:{port}/v1/score"], check=True, capture_output=True, text=True
    )
    requests, microseconds, errors = map(int, run.stdout.split("\n")[-2].split())
    if errors:
        raise RuntimeError(f"{errors} requests failed")
    return requests / microseconds * 1e6


def _load_batches(port: int, messages: Sequence[str]) -> tuple[float, float]:
    """Messages a second through the batch endpoint, and in this process without HTTP."""
    chain = build_chain(Settings())
    freeze()
    body = json.dumps({"messages": [{"text": text} for text in messages]}).encode()
    outside, inside = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        _post(port, "/v1/score/batch", body)
        outside.append(len(messages) / (time.perf_counter() - began))
        began = time.perf_counter()
        for text in messages:
            assessment_json(assess(text, chain))
        inside.append(len(messages) / (time.perf_counter() - began))
    return statistics.median(outside), statistics.median(inside)


def _print_starts() -> None:
    print(f"seconds from the command to the first answer, median of {ROUNDS}")
    times: dict[str, list[float]] = {"service": [], "naive": [], "echo": []}
    body = json.dumps({"text": "公园的路灯坏了一周没有人修"}).encode()
    for _ in range(ROUNDS):
        for name, found in times.items():
            began = time.perf_counter()
            with _serving(name) as server:
                _post(server.port, "/v1/score", body)
                found.append(time.perf_counter() - began)
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, seconds in medians.items():
        print(f"{name:<12}{seconds:>8.2f}{seconds / medians['naive']:>9.2f} of naive")


def _print_memory() -> None:
    """Proportional set size: a page that n processes share counts a nth in each."""
    print("proportional set size in MB, all processes of the server, after 200 messages")
    body = json.dumps({"messages": [{"text": t} for t in whole_messages(_LENGTH)]}).encode()
    for workers in _WORKERS:
        row = {}
        for name in ("service", "naive"):
            with _serving(name, workers) as server:
                port = server.port
                for _ in range(8 * workers):  # the kernel chooses the worker; all get some
                    if name == "service":
                        _post(port, "/v1/score/batch", body)
                    else:
                        _post(port, "/v1/score", json.dumps({"text": "公园的路灯坏了"}).encode())
                row[name] = server.memory()
        share = row["service"] / row["naive"]
        print(
            f"{workers} workers  service {row['service']:>6.0f}  naive {row['naive']:>6.0f}"
            f"  {share:.2f}"
        )


def _serving(name: str, workers: int = 1) -> AbstractContextManager[Server]:
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return serving("--workers", str(workers), program=_PROGRAMS[name], environment=threads)


def _post(port: int, path: str, body: bytes) -> None:
    request = urllib.request.Request(f"http://{HOST}:{port}{path}", body, _JSON)
    with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310
        answer.read()


if __name__ == "__main__":
    main()
