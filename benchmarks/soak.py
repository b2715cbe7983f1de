"""What the service bears: `make soak`, or `python -m benchmarks.soak --seconds 600`.

Each trial starts the real service by its own command and prints a line or two; docs/reliability.md
keeps them. Load and service share the machine, so the rates are those of the two together.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from benchmarks.load import Load, Outcome
from benchmarks.postgres import Cluster, cluster, find_programs
from benchmarks.serving import HOST, apart, children, serving
from benchmarks.texts import whole_messages
from service.store.database import open_database
from service.store.feedback import FeedbackStore

_LENGTH: Final = 200
_WORKERS: Final = 2
_MANY: Final = 2_000  # connections: so many that those who wait must be refused
_PATIENCE: Final = 60
_SHOWN: Final = 3  # failures
_SHIPPED: Final = Path(__file__).resolve().parent.parent / "models"


def _await(is_so: Callable[[], bool], seconds: float = _PATIENCE) -> float:
    """Seconds until it is so."""
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > seconds:
            raise TimeoutError
        time.sleep(0.02)
    return time.monotonic() - began


def _status(
    port: int, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> int:
    """The status of an answer; 0 without one."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://{HOST}:{port}{path}",
        data,
        {"Content-Type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _load(port: int, connections: int = _MANY) -> Load:
    bodies = [json.dumps({"text": text}).encode() for text in whole_messages(_LENGTH)]
    return Load(port, bodies, connections)


def overload(environment: Mapping[str, str], seconds: float) -> None:
    """Twice the sustainable load, for long: is it shed, and does memory stay?"""
    with serving("--workers", str(_WORKERS), environment=environment) as server:
        # Enough connections that the kernel gives each worker its share.
        sustainable = asyncio.run(_load(server.port, 64).run(0, 10))
        rate = sustainable.by_status["200"] / 10
        print(f"sustainable: {rate:.0f} answers/s, p99 {sustainable.quantile(0.99):.0f} ms")
        samples: list[tuple[float, float]] = []
        ended = threading.Event()

        def sample() -> None:
            began = time.monotonic()
            while not ended.wait(2):
                samples.append((time.monotonic() - began, server.memory()))

        watching = threading.Thread(target=sample)
        watching.start()
        outcome = asyncio.run(_load(server.port).run(2 * rate, seconds))
        ended.set()
        watching.join()
        _print_outcome(f"2 x sustainable for {seconds:.0f} s", outcome)
        settled = samples[len(samples) // 5 :]
        slope = statistics.linear_regression(*zip(*settled, strict=True)).slope * 60
        first, last = settled[0][1], settled[-1][1]
        print(f"  memory {first:.0f} → {last:.0f} MB, slope {slope:+.2f} MB a minute")
        print(f"  workers alive: {len(children(server.process))} of {_WORKERS}")


def _print_outcome(name: str, outcome: Outcome) -> None:
    statuses = ", ".join(f"{status}: {n}" for status, n in sorted(outcome.by_status.items()))
    print(f"{name}: {statuses}")
    print(
        f"  answered: p50 {outcome.quantile(0.5):.0f}, p99 {outcome.quantile(0.99):.0f} ms; "
        f"refused: p99 {outcome.quantile(0.99, refused=True):.0f} ms"
    )
    for failure in outcome.failures[:_SHOWN]:
        print(f"  {failure}")


def killed(environment: Mapping[str, str], seconds: float) -> None:
    """A worker is killed every ten seconds under load."""
    with serving("--workers", str(_WORKERS), environment=environment) as (port, process):
        rate = asyncio.run(_load(port, 8).run(0, 5)).by_status["200"] / 5
        recoveries: list[float] = []
        ended = threading.Event()

        def kill() -> None:
            while not ended.wait(min(10, seconds / 3)):
                victim = children(process)[0]

                def is_whole(victim: int = victim) -> bool:
                    return len(set(children(process)) - {victim}) == _WORKERS

                os.kill(victim, signal.SIGKILL)
                begun = time.monotonic()
                with suppress(TimeoutError):
                    _await(is_whole, 10)
                    _await(lambda: _status(port, "/v1/score", {"text": "路灯坏了"}) == 200, 10)  # noqa: PLR2004
                recoveries.append(time.monotonic() - begun)

        killing = threading.Thread(target=kill)
        killing.start()
        outcome = asyncio.run(_load(port, 32).run(rate / 2, seconds))
        ended.set()
        killing.join()
        _print_outcome(f"{len(recoveries)} workers killed in {seconds:.0f} s", outcome)
        failed = outcome.by_status["lost"] + outcome.by_status["hung"]
        worst = max(recoveries, default=float("nan"))
        print(f"  failed {failed}, {failed / max(len(recoveries), 1):.1f} a kill")
        print(f"  whole again after {worst:.2f} s at most")


def database(environment: Mapping[str, str], seconds: float) -> None:
    """PostgreSQL is stopped and started again while corrections come in."""
    programs = find_programs()
    if programs is None:
        print("PostgreSQL stopped: left out, it is not installed")
        return
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder), programs) as running:
        own = {**environment, "YANPAN_DATABASE_URL": running.url}
        with serving("--workers", str(_WORKERS), environment=own) as (port, _):
            ended = threading.Event()
            accepted: set[str] = set()
            statuses: Counter[int] = Counter()

            def correct(name: str) -> None:
                number = 0
                while not ended.is_set():
                    number += 1
                    body = {
                        "message": {"text": f"路灯坏了第{number}次"},
                        "labels": {"topic": "urban_rural"},
                        "annotator": name,
                    }
                    key = f"{name}-{number}"
                    while True:  # a key that was not accepted is sent again
                        status = _status(port, "/v1/feedback", body, {"Idempotency-Key": key})
                        statuses[status] += 1
                        if status == 201:  # noqa: PLR2004 — HTTP's
                            accepted.add(key)
                            break
                        if ended.is_set():
                            break
                        time.sleep(0.05)

            threads = [threading.Thread(target=correct, args=(f"w{n}",)) for n in range(4)]
            for thread in threads:
                thread.start()
            stopping = threading.Thread(target=_stop_and_start, args=(running, seconds))
            stopping.start()
            outcome = asyncio.run(_load(port, 16).run(50, seconds))
            stopping.join()
            time.sleep(2)
            ended.set()
            for thread in threads:
                thread.join()
            rows = list(FeedbackStore(open_database(running.url)).read())
            kept = {f"{row['annotator']}-{row['text'][5:-1]}" for row in rows}
        told = ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items()))
        _print_outcome(f"scoring while PostgreSQL was down a third of {seconds:.0f} s", outcome)
        print(
            f"  corrections {told}; accepted {len(accepted)}, lost {len(accepted - kept)}, "
            f"kept twice {len(rows) - len(kept)}"
        )


def _stop_and_start(running: Cluster, seconds: float) -> None:
    time.sleep(seconds / 3)
    running.stop()
    time.sleep(seconds / 3)
    running.start()


def full_disk(environment: Mapping[str, str], _seconds: float) -> None:
    """No more may be written while a file is scored; then there is room again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [json.dumps({"text": text}) for text in whole_messages(_LENGTH) * 20]
        (folder / "in.jsonl").write_text("\n".join(rows), encoding="utf-8")
        output = folder / "out.jsonl"
        command = [sys.executable, "-m", "service.cli", "score", "--input"]
        command += [str(folder / "in.jsonl"), "--output", str(output), "--workers", "1"]

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

        env = {**os.environ, **environment}
        full = subprocess.run(command, env=env, preexec_fn=limit, capture_output=True, check=False)  # noqa: S603
        again = subprocess.run([*command, "--resume"], env=env, capture_output=True, check=False)  # noqa: S603
        written = len(output.read_text(encoding="utf-8").splitlines()) if output.exists() else 0
        told = full.stderr.decode().strip().splitlines()[-1:]
        print(f"disk full: exit {full.returncode}, {told}, nothing under its name before the end")
        print(f"  resumed: exit {again.returncode}, {written} of {len(rows)} rows")


def corrupt(environment: Mapping[str, str], _seconds: float) -> None:
    """The active model is exchanged for one with a damaged file, and back, under load."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        version = (_SHIPPED / "ACTIVE").read_text(encoding="utf-8").strip()
        for copy in (version, "damaged"):
            shutil.copytree(_SHIPPED / version, root / copy)
        weights = root / "damaged" / "weights.joblib"
        weights.write_bytes(weights.read_bytes()[:-100])
        (root / "ACTIVE").write_text(version, encoding="utf-8")
        own = {**environment, "YANPAN_MODELS_DIR": name}
        with serving("--workers", str(_WORKERS), environment=own) as (port, _):
            (root / "ACTIVE").write_text("damaged", encoding="utf-8")
            outcome = asyncio.run(_load(port, 8).run(100, 5))
            red = _status(port, "/health/ready")
            (root / "ACTIVE").write_text(version, encoding="utf-8")
            back = _await(lambda: _status(port, "/health/ready") == 200)  # noqa: PLR2004
        _print_outcome("a damaged model is activated", outcome)
        print(f"  /health/ready {red} meanwhile, 200 again {back:.2f} s after the way back")


def slow_callers(environment: Mapping[str, str], seconds: float) -> None:
    """Five hundred callers that send a byte a second, beside others."""
    with serving("--workers", str(_WORKERS), environment=environment) as (port, _):
        before = asyncio.run(_load(port, 8).run(100, 5))
        slow = [socket.create_connection((HOST, port)) for _ in range(500)]
        for one in slow:
            one.sendall(b"POST /v1/score HTTP/1.1\r\nHost: a\r\nX-Drip: ")
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(1):
                for one in slow:
                    with suppress(OSError):
                        one.send(b"a")

        dripping = threading.Thread(target=drip)
        dripping.start()
        outcome = asyncio.run(_load(port, 8).run(100, max(seconds, 15)))
        ended.set()
        dripping.join()
        cut = 0
        for one in slow:
            one.settimeout(0.2)
            with suppress(TimeoutError):
                try:
                    cut += one.recv(1) == b""
                except ConnectionError:
                    cut += 1
            one.close()
        _print_outcome(
            f"500 slow callers (p99 without them {before.quantile(0.99):.0f} ms)", outcome
        )
        print(f"  cut off: {cut} of 500")


_TRIALS: Final = {
    "overload": (overload, 1.0),
    "killed": (killed, 0.1),
    "database": (database, 0.05),
    "full_disk": (full_disk, 0.0),
    "corrupt": (corrupt, 0.0),
    "slow_callers": (slow_callers, 0.05),
}


def main() -> None:
    """Runs the trials in turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600, help="of the longest trial")
    parser.add_argument("--only", choices=_TRIALS, action="append")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        environment = apart(Path(name))
        for trial in options.only or _TRIALS:
            run, share = _TRIALS[trial]
            run(environment, max(options.seconds * share, 15))


if __name__ == "__main__":
    main()
