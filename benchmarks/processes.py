"""How the work of assessing grows with processes, which share nothing but the model's pages.

python -m benchmarks.processes
"""

import multiprocessing
import os
import time
from statistics import median
from typing import Final

from benchmarks.chain import assess
from benchmarks.texts import whole_messages
from benchmarks.timing import ROUNDS, freeze
from service.bootstrap import build_chain
from service.settings import Settings

_SECONDS: Final = 2.0
_COUNTS: Final = (1, 2)


def main() -> None:
    """Prints the table."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    chain = build_chain(Settings())
    texts = whole_messages(200)
    freeze()
    fork = multiprocessing.get_context("fork")

    def work(start: float, done: "multiprocessing.Queue[int]") -> None:
        count = 0
        while time.time() < start:
            pass
        while time.time() < start + _SECONDS:
            assess(texts[count % len(texts)], chain)
            count += 1
        done.put(count)

    rates: dict[int, list[float]] = {count: [] for count in _COUNTS}
    for _ in range(ROUNDS):
        for count in _COUNTS:
            done = fork.Queue()
            start = time.time() + 0.2
            workers = [fork.Process(target=work, args=(start, done)) for _ in range(count)]
            for worker in workers:
                worker.start()
            rates[count].append(sum(done.get() for _ in workers) / _SECONDS)
            for worker in workers:
                worker.join()
    print(f"whole assessments a second on {os.cpu_count()} cores, medians of {ROUNDS} rounds")
    for count, found in rates.items():
        print(f"{count} processes{median(found):>10.0f}{median(found) / median(rates[1]):>8.2f}×")


if __name__ == "__main__":
    main()
