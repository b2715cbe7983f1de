"""What each step of an assessment costs, beside the obvious ways to do the same.

    python -m benchmarks.chain

The naive pipelines and the fair baseline (see `benchmarks.naive`) score the same messages with the
same model in the same rounds. "Classification" is segmentation and classification, as theirs is.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any, Final

from benchmarks.naive import Naive, Shared, build_pipelines
from benchmarks.texts import whole_messages
from benchmarks.timing import ROUNDS, Times, Way, compare, freeze
from service.assessment_schema import assessment_json
from service.bootstrap import build_chain, build_registry
from service.core.assess import Chain, assess_message
from service.core.features import Document
from service.core.message import Message
from service.core.segment import JiebaEngine, Segmenter
from service.settings import Settings

_LENGTHS: Final = (50, 200, 600)
_TYPICAL: Final = 200
_SLOW: Final = 20  # messages for the ways that take tens of milliseconds
_BATCH: Final = 500
_NOW: Final = datetime.fromisoformat("2026-01-05T08:30:00+08:00")


def main() -> None:
    """Prints the tables."""
    chain = build_chain(Settings())
    naive, shared = build_baselines(chain)
    oracle = Segmenter(chain.policy.dictionary, JiebaEngine(chain.policy.dictionary))
    freeze()
    columns = [_measure(whole_messages(n), chain, naive, shared, oracle) for n in _LENGTHS]
    _print_steps(columns)
    _print_batch(chain, naive, shared)
    _print_growth(chain)


def build_baselines(chain: Chain) -> tuple[Naive, Shared]:
    """The shipped model as scikit-learn serves it, twice."""
    folder = build_registry(Settings()).folder(chain.model_version)
    dictionary = chain.policy.dictionary
    return Naive(build_pipelines(folder, dictionary)), Shared(build_pipelines(folder, dictionary))


def classify(text: str, chain: Chain) -> Any:
    """Segmentation and classification of a clean text."""
    return chain.classifier.classify(Document(text, chain.segmenter.segment(text)))


def assess(text: str, chain: Chain) -> Any:
    """The whole assessment of a raw text, without explanation."""
    return assess_message(Message(text), chain, request_id="benchmark", now=_NOW)


def _measure(
    texts: Sequence[str], chain: Chain, naive: Naive, shared: Shared, oracle: Segmenter
) -> Mapping[str, Times]:
    clean = [chain.normalizer.normalize(text).text for text in texts]
    documents = [Document(text, chain.segmenter.segment(text)) for text in clean]
    assessments = [assess(text, chain) for text in texts]
    return compare(
        {
            "segmentation, jieba": Way(oracle.segment, clean),
            "classification, a pipeline a head (A)": Way(
                lambda text: naive.classify([text]), clean[:_SLOW]
            ),
            "classification, shared vectorizer (B2)": Way(
                lambda text: shared.classify([text]), clean[:_SLOW]
            ),
            "normalization": Way(chain.normalizer.normalize, texts),
            "segmentation": Way(chain.segmenter.segment, clean),
            "labels of a segmented text": Way(chain.classifier.classify, documents),
            "classification": Way(lambda text: classify(text, chain), clean),
            "whole assessment": Way(lambda text: assess(text, chain), texts),
            "assessment as JSON": Way(assessment_json, assessments),
        }
    )


def _print_steps(columns: Sequence[Mapping[str, Times]]) -> None:
    print(f"µs a message, p50 and p99 of {ROUNDS} rounds")
    print(f"{'':<40}" + "".join(f"{length:>9} characters" for length in _LENGTHS))
    for step in columns[0]:
        cells = [f"{column[step].p50:>11.0f} {column[step].p99:>8.0f}" for column in columns]
        print(f"{step:<40}" + "".join(cells))
    for text, upper, lower in (
        ("segmentation: jieba to ours", "segmentation, jieba", "segmentation"),
        ("classification: A to ours", "classification, a pipeline a head (A)", "classification"),
        ("classification: B2 to ours", "classification, shared vectorizer (B2)", "classification"),
        ("whole assessment to classification", "whole assessment", "classification"),
    ):
        ratios = [column[upper].p50 / column[lower].p50 for column in columns]
        print(f"{text:<40}" + "".join(f"{ratio:>19.1f}×" for ratio in ratios))


def _print_batch(chain: Chain, naive: Naive, shared: Shared) -> None:
    texts = (whole_messages(_TYPICAL) * _BATCH)[:_BATCH]
    clean = [chain.normalizer.normalize(text).text for text in texts]
    ways: dict[str, Callable[[], object]] = {
        "A": lambda: naive.classify(clean),
        "B2": lambda: shared.classify(clean),
        "classification": lambda: [classify(text, chain) for text in clean],
        "whole assessment": lambda: [assess(text, chain) for text in texts],
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            rates[name].append(len(clean) / (time.perf_counter() - began))
    print(f"\nbatches of {_BATCH}, about {_TYPICAL} characters: messages a second on one core")
    ours = median(rates["classification"])
    for name, found in rates.items():
        print(f"{name:<40}{median(found):>10.0f}   classification is {ours / median(found):.1f}×")


def _print_growth(chain: Chain) -> None:
    """Linear cost has exponent 1."""
    text = "\n".join(whole_messages(_TYPICAL))
    pieces = {size: text[:size] for size in (500, 1_000, 2_000, 4_000, 8_000, 16_000)}
    times = compare(
        {str(size): Way(lambda t: classify(t, chain), [p] * 3) for size, p in pieces.items()}
    )
    print(f"\nexponent of cost in text length, 500 to 16,000 characters: {_exponent(times):.2f}")
    messages = (whole_messages(_TYPICAL) * 8)[:1_600]
    times = compare(
        {
            str(size): Way(lambda batch: [classify(t, chain) for t in batch], [messages[:size]])
            for size in (25, 100, 400, 1_600)
        }
    )
    print(f"exponent of cost in batch size, 25 to 1,600 messages: {_exponent(times):.2f}")
    rare = compare({"": Way(chain.segmenter.segment, ["龘" * 200_000])})
    print(f"200,000 characters of one rare character segmented in {rare[''].p50 / 1e6:.3f} s")


def _exponent(times: Mapping[str, Times]) -> float:
    """Slope of the logarithms from the smallest size to the largest."""
    sizes = [int(size) for size in times]
    first, last = times[str(sizes[0])].p50, times[str(sizes[-1])].p50
    return math.log(last / first) / math.log(sizes[-1] / sizes[0])


if __name__ == "__main__":
    main()
