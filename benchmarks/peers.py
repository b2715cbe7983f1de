"""Accuracy and speed beside SnowNLP's sentiment and fastText, on our own samples.

    python -m benchmarks.peers

Our linear models and fastText learn from four fifths of `data/samples/` and are asked about the
rest, with near-duplicates on one side; both read the words of the service's segmenter. SnowNLP
brings its own sentiment, learned from shop reviews; asked is which of the negative and positive
messages is which.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from sklearn.metrics import f1_score

from benchmarks.timing import ROUNDS
from service.bootstrap import build_chain
from service.core.assess import Chain
from service.core.classify import Head
from service.core.features import Document, spell_features
from service.core.stacked import StackedClassifier
from service.settings import Settings
from training.estimator import TermWeights, fit_head
from training.groups import group_duplicates
from training.matrix import choose_vocabulary, count_features, count_keys
from training.samples import Sample, read_samples
from training.tasks import Task
from training.train import fuse

_SAMPLES: Final = Path(__file__).resolve().parents[1] / "data" / "samples"
_FEATURES: Final = 60_000
_FOLDS: Final = 5
_EVEN: Final = 0.5
_SIDES: Final = ("negative", "positive")
_SHOWN: Final = 200  # messages timed


def main() -> None:
    """Prints the tables."""
    chain = build_chain(Settings())
    samples = read_samples([_SAMPLES])
    groups = group_duplicates([sample.text for sample in samples])
    held = [group % _FOLDS == 0 for group in groups]
    learned = [sample for sample, out in zip(samples, held, strict=True) if not out]
    asked = [sample for sample, out in zip(samples, held, strict=True) if out]
    try:
        import fasttext  # noqa: PLC0415 — only this benchmark needs it
        import snownlp  # noqa: PLC0415 — likewise
    except ImportError:
        print("fastText and SnowNLP are not installed: pip install -r requirements-bench.txt")
        sys.exit(1)
    print(f"topic: {len(learned)} messages to learn from, {len(asked)} asked")
    _print_topics(chain, learned, asked, fasttext)
    print("sentiment, positive or negative")
    _print_sentiment(chain, learned, asked, snownlp)


def _print_topics(
    chain: Chain, learned: Sequence[Sample], asked: Sequence[Sample], fasttext: Any
) -> None:
    ours = _fit_ours(chain, learned, "topic")
    theirs = _fit_fasttext(chain, learned, fasttext)
    texts = [chain.normalizer.normalize(sample.text).text for sample in asked]
    truth = [sample.labels["topic"] for sample in asked]
    documents = [Document(text, chain.segmenter.segment(text)) for text in texts]
    lines = [" ".join(document.words.texts) for document in documents]
    ways: dict[str, tuple[Callable[[Any], str], Sequence[Any]]] = {
        "ours": (lambda document: ours.classify(document).heads["topic"].label, documents),
        "fastText": (lambda line: str(theirs.predict(line)[0][0])[len("__label__") :], lines),
    }
    _print_ways(ways, truth)


def _print_sentiment(
    chain: Chain, learned: Sequence[Sample], asked: Sequence[Sample], snownlp: Any
) -> None:
    ours = _fit_ours(chain, learned, "sentiment")
    decided = [s for s in asked if s.labels.get("sentiment") in ("negative", "positive")]
    texts = [chain.normalizer.normalize(sample.text).text for sample in decided]
    ways: dict[str, tuple[Callable[[Any], str], Sequence[Any]]] = {
        "ours": (lambda text: _polarity(text, chain, ours), texts),
        "SnowNLP": (lambda text: _SIDES[snownlp.SnowNLP(text).sentiments > _EVEN], texts),
    }
    _print_ways(ways, [sample.labels["sentiment"] for sample in decided])


def _polarity(text: str, chain: Chain, ours: StackedClassifier) -> str:
    read = Document(text, chain.segmenter.segment(text))
    scores = ours.classify(read).heads["sentiment"].scores
    return _SIDES[scores["positive"] > scores["negative"]]


def _print_ways(
    ways: dict[str, tuple[Callable[[Any], str], Sequence[Any]]], truth: Sequence[str]
) -> None:
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (judge, inputs) in ways.items():
            began = time.perf_counter()
            for one in inputs[:_SHOWN]:
                judge(one)
            rates[name].append(len(inputs[:_SHOWN]) / (time.perf_counter() - began))
    for name, (judge, inputs) in ways.items():
        found = [judge(one) for one in inputs]
        score = f1_score(truth, found, average="macro")
        print(f"{name:<40}macro-F1 {score:.3f}{median(rates[name]):>10.0f} messages/s")


def _fit_ours(chain: Chain, learned: Sequence[Sample], name: str) -> StackedClassifier:
    keys = []
    for sample in learned:
        text = chain.normalizer.normalize(sample.text).text
        keys.append(spell_features(Document(text, chain.segmenter.segment(text))))
    counted = count_keys(keys)
    vocabulary = choose_vocabulary(counted, range(len(keys)), _FEATURES)
    counts = count_features(counted, vocabulary)
    weights = TermWeights(vocabulary).fit(counts)
    truth = [sample.labels[name] for sample in learned]
    fitted = fit_head(weights.transform(counts), truth, [1.0] * len(truth), 0)
    labels = tuple(sorted(set(truth)))
    size = len(labels)
    head = Head(name, labels, 0, np.ones(size, np.float32), np.zeros(size, np.float32))
    task = Task(name, labels, np.zeros(0, dtype=np.intp))
    model = fuse([task], {name: fitted}, vocabulary, weights, [head])
    return model.classifier()


def _fit_fasttext(chain: Chain, learned: Sequence[Sample], fasttext: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "learn"
        lines = []
        for sample in learned:
            text = chain.normalizer.normalize(sample.text).text
            words = " ".join(chain.segmenter.segment(text).texts)
            lines.append(f"__label__{sample.labels['topic']} {words}\n")
        path.write_text("".join(lines), encoding="utf-8")
        # The best of six settings on a fifth of the messages to learn from.
        return fasttext.train_supervised(
            str(path),
            epoch=50,
            lr=1.0,
            wordNgrams=2,
            minn=1,
            maxn=3,
            bucket=500_000,
            thread=1,
            verbose=0,
        )


if __name__ == "__main__":
    main()
