"""How the benchmarks take times: every way in turn within a round, medians over the rounds."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

ROUNDS: Final = 7
_RARE: Final = 0.99


class Way(NamedTuple):
    """Something to time: a function of one input, and the inputs."""

    call: Callable[[Any], object]
    inputs: Sequence[Any]


class Times(NamedTuple):
    """Microseconds for one input."""

    p50: float
    p99: float


def freeze() -> None:
    """Takes all that lives now out of the garbage collector's sight, as the service does."""
    gc.collect()
    gc.freeze()


def compare(ways: Mapping[str, Way], rounds: int = ROUNDS) -> dict[str, Times]:
    """The median and the 99th percentile of each way over all inputs and rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way.call(way.inputs[0])  # what is made lazily is made now
    for _ in range(rounds):
        for name, way in ways.items():
            for one in way.inputs:
                began = time.perf_counter()
                way.call(one)
                seconds[name].append(time.perf_counter() - began)
    return {name: _summarize(found) for name, found in seconds.items()}


def _summarize(seconds: Sequence[float]) -> Times:
    ordered = sorted(seconds)
    return Times(
        statistics.median(ordered) * 1e6,
        ordered[min(len(ordered) - 1, int(len(ordered) * _RARE))] * 1e6,
    )
