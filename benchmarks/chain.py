"""What each step of an assessment costs, for messages of 50, 200 and 600 characters.

    python -m benchmarks.chain

Steps and jieba, the oracle, are timed in turn within every round; the table gives medians over the
messages and rounds in microseconds, and the ratio to jieba's segmentation of the same messages.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from service.assessment_schema import assessment_json
from service.bootstrap import build_chain
from service.core.assess import Chain, assess_message
from service.core.features import Document
from service.core.message import Message
from service.core.segment import JiebaEngine, Segmenter
from service.settings import Settings

_LENGTHS: Final = (50, 200, 600)
_MESSAGES: Final = 100
_ROUNDS: Final = 7
_SAMPLES: Final = Path(__file__).resolve().parents[1] / "data" / "samples"
_NOW: Final = datetime.fromisoformat("2026-01-05T08:30:00+08:00")

Step = Callable[[Any], object]


def main() -> None:
    """Prints the table."""
    chain = build_chain(Settings())
    oracle = Segmenter(chain.policy.dictionary, JiebaEngine(chain.policy.dictionary))
    gc.collect()
    gc.freeze()
    print(f"p50 in µs over {_MESSAGES} messages and {_ROUNDS} rounds; × is to jieba's")
    print(f"{'step':<28}" + "".join(f"{length:>8} characters" for length in _LENGTHS))
    columns = [_measure(make_texts(length), chain, oracle) for length in _LENGTHS]
    for step in columns[0]:
        cells = [f"{c[step]:>10.0f}{c[step] / c['jieba']:>8.2f}×" for c in columns]
        print(f"{step:<28}" + "".join(cells))


def make_texts(length: int) -> list[str]:
    """Messages of one length: our own samples, joined and cut."""
    rows = [
        json.loads(line)["text"]
        for path in sorted(_SAMPLES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    joined = "".join(rows[::7])
    return [joined[n * length : (n + 1) * length] for n in range(_MESSAGES)]


def _measure(texts: Sequence[str], chain: Chain, oracle: Segmenter) -> Mapping[str, float]:
    documents = [Document(text, chain.segmenter.segment(text)) for text in texts]
    assessments = [_assess(text, chain) for text in texts]
    steps: dict[str, tuple[Step, Sequence[Any]]] = {
        "jieba": (oracle.segment, texts),
        "normalize": (chain.normalizer.normalize, texts),
        f"segment ({chain.segmenter.engine})": (chain.segmenter.segment, texts),
        "classify": (chain.classifier.classify, documents),
        "whole assessment": (lambda text: _assess(text, chain), texts),
        "assessment as JSON": (assessment_json, assessments),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(_ROUNDS):
        for name, (step, inputs) in steps.items():
            for one in inputs:
                start = time.perf_counter()
                step(one)
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) * 1e6 for name, seconds in times.items()}


def _assess(text: str, chain: Chain) -> Any:
    return assess_message(Message(text), chain, request_id="benchmark", now=_NOW)


if __name__ == "__main__":
    main()
