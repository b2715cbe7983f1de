"""The fused classifier against scikit-learn's own arithmetic, and its explanations."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from spelled import features

from service.artifacts import StackedModel
from service.core.assess import Chain
from service.core.classify import Coverage, Head, Refinement, volume
from service.core.features import Document
from service.core.normalize import Normalizer
from service.core.segment import Segmenter, Words
from service.core.stacked import StackedClassifier
from service.core.vocabulary import build_vocabulary
from service.settings import Settings
from training.estimator import HeadModel, TermWeights, fit_flag, fit_head
from training.matrix import choose_vocabulary, count_features, count_keys
from training.samples import Sample, read_samples
from training.tasks import Task
from training.train import fuse

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = read_samples([ROOT / "data" / "samples"])
TRAIN, HELD = SAMPLES[::4], SAMPLES[1::2]
NORMALIZER, SEGMENTER = Normalizer(), Segmenter()


def document(text: str) -> Document:
    clean = NORMALIZER.normalize(text).text
    return Document(clean, SEGMENTER.segment(clean))


def keys(text: str) -> list[str]:
    return [f.key for f in features(document(text))]


@dataclass(frozen=True)
class Fitted:
    """The same model twice: fused, and as scikit-learn has it."""

    model: StackedModel
    weights: TermWeights
    estimators: dict[str, HeadModel]

    @cached_property
    def classifier(self) -> StackedClassifier:
        return self.model.classifier()

    def matrix(self, samples: list[Sample]) -> csr_matrix:
        return self.weights.transform(
            count_features(count_keys([keys(s.text) for s in samples]), self.model.vocabulary)
        )


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    counted = count_keys([keys(s.text) for s in TRAIN])
    vocabulary = choose_vocabulary(counted, range(len(TRAIN)), 5_000)
    counts = count_features(counted, vocabulary)
    weights = TermWeights(vocabulary).fit(counts)
    X = weights.transform(counts)
    ones = [1.0] * len(TRAIN)
    sentiment = fit_head(X, [s.labels["sentiment"] for s in TRAIN], ones, 0)
    casualty = fit_flag("casualty", X, [s.flags["casualty"] for s in TRAIN], ones, 0)
    labels = ("negative", "neutral", "positive")
    tasks = [
        Task("sentiment", labels, np.zeros(0, dtype=np.intp)),
        Task("flags.casualty", ("casualty",), np.zeros(0, dtype=np.intp)),
    ]
    heads = [
        Head("sentiment", labels, 0, np.ones(3, np.float32), np.zeros(3, np.float32)),
        Head("flags", ("casualty",), 3, np.ones(1, np.float32), np.zeros(1, np.float32)),
    ]
    estimators = {"sentiment": sentiment, "flags.casualty": casualty}
    model = fuse(tasks, estimators, vocabulary, weights, heads)
    arrays = {name: np.asarray(array, np.float32) for name, array in model.arrays.items()}
    return Fitted(replace(model, arrays=arrays), weights, estimators)


def test_fused_scores_equal_scikit_learns_on_a_thousand_messages(fitted: Fitted) -> None:
    held = HELD[:1_000]
    assert len(held) == 1_000
    X = fitted.matrix(held)
    sentiment = fitted.estimators["sentiment"].estimator.predict_proba(X)
    casualty = fitted.estimators["flags.casualty"].estimator.predict_proba(X)[:, 1]
    for row, sample in enumerate(held):
        classification = fitted.classifier.classify(document(sample.text))
        scores = classification.heads["sentiment"].scores
        found = [scores[label] for label in ("negative", "neutral", "positive")]
        assert found == pytest.approx(sentiment[row].tolist(), abs=1e-5)
        assert classification.flags["casualty"] == pytest.approx(casualty[row], abs=1e-5)


def test_contributions_are_exact(fitted: Fitted) -> None:
    """Every character's weight together is the output less the intercept."""
    read = document(HELD[0].text)
    weights = fitted.classifier._character_weights(read, "flags", "casualty")  # noqa: SLF001
    p = fitted.classifier.classify(read).flags["casualty"]
    intercept = float(fitted.estimators["flags.casualty"].intercepts[0])
    assert weights.sum() == pytest.approx(np.log(p / (1 - p)) - intercept, abs=1e-4)


def test_flags_of_a_part_are_those_of_the_part_by_itself(fitted: Fitted) -> None:
    whole = document("\n".join(sample.text for sample in HELD[:30]))
    ends = [place + 1 for place, character in enumerate(whole.text) if character == "\n"]
    parts = list(pairwise([0, *ends, len(whole.text)]))
    rated = fitted.classifier.rate_flags(whole, parts)
    assert len(rated) == len(parts) >= 30
    for (start, end), flags in zip(parts, rated, strict=True):
        inside = [n for n, at in enumerate(whole.words.starts) if start <= at < end]
        words = Words(
            [whole.words.texts[n] for n in inside], [whole.words.starts[n] - start for n in inside]
        )
        alone = fitted.classifier.classify(Document(whole.text[start:end], words)).flags
        assert flags == pytest.approx(alone, abs=1e-6)


@pytest.fixture(scope="module")
def refined(fitted: Fitted) -> StackedClassifier:
    """The same first stage with a second stage of random weights for the sentiment."""
    random = np.random.default_rng(5)
    layers = [random.normal(size=shape) for shape in ((5, 8), (8,), (8, 3), (3,))]
    refinement = Refinement("sentiment", *(layer.astype(np.float32) for layer in layers))
    return replace(fitted.model, refinements=[refinement]).classifier()


def test_a_second_stage_judges_from_all_outputs_and_the_length(
    fitted: Fitted, refined: StackedClassifier
) -> None:
    sample = HELD[0]
    X = fitted.matrix([sample])
    outputs = [fitted.estimators[name].outputs(X)[0] for name in ("sentiment", "flags.casualty")]
    inputs = np.array([*outputs[0], *outputs[1], volume(len(keys(sample.text)))])
    layers = refined._refinements["sentiment"]  # noqa: SLF001
    units = np.maximum(layers.hidden.T @ inputs + layers.hidden_bias, 0)
    wanted = np.exp(layers.output.T @ units + layers.output_bias)
    found = refined.classify(document(sample.text))
    scores = list(found.heads["sentiment"].scores.values())
    assert scores == pytest.approx((wanted / wanted.sum()).tolist(), abs=1e-4)
    assert found.flags == fitted.classifier.classify(document(sample.text)).flags


def test_contributions_are_exact_through_the_second_stage(
    fitted: Fitted, refined: StackedClassifier
) -> None:
    """Every character's weight together, the intercepts and the length give the refined output."""
    read = document(HELD[0].text)
    weights = refined._character_weights(read, "sentiment", "negative")  # noqa: SLF001
    layers = refined._refinements["sentiment"]  # noqa: SLF001
    inputs = refined._analyse(read).inputs  # noqa: SLF001
    slopes = layers.slopes(inputs, 0)
    bare = np.append(fitted.classifier._intercepts, inputs[-1])  # noqa: SLF001
    active = inputs @ layers.hidden + layers.hidden_bias > 0
    constant = layers.hidden_bias[active] @ layers.output[active, 0] + layers.output_bias[0]
    assert weights.sum() + bare @ slopes + constant == pytest.approx(
        layers.apply(inputs)[0], abs=1e-3
    )


def test_an_empty_document_gets_what_the_intercepts_say(fitted: Fitted) -> None:
    classification = fitted.classifier.classify(Document("", Words([], [])))
    assert sum(classification.heads["sentiment"].scores.values()) == pytest.approx(1)
    assert classification.coverage == Coverage(0, 1)
    assert fitted.classifier.explain(Document("", Words([], [])), "flags", "casualty") == []


def test_a_threshold_lets_a_grave_label_win_before_it_is_likeliest() -> None:
    head = Head(
        "response",
        ("answer", "escalate"),
        0,
        np.ones(2, np.float32),
        np.zeros(2, np.float32),
        {"escalate": 0.3},
    )
    assert head.decide({"answer": 0.65, "escalate": 0.35}) == "escalate"
    assert head.decide({"answer": 0.75, "escalate": 0.25}) == "answer"


def test_the_shipped_vocabulary_is_that_of_its_index_and_holds_no_number(chain: Chain) -> None:
    folder = Settings().models_dir / chain.model_version
    lines = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert {line[0] for line in lines} == {"w", "c"}
    assert not any(set(line) & set("123456789") for line in lines)
    index = joblib.load(folder / "index.joblib")
    for name, array in build_vocabulary(lines).items():
        assert np.array_equal(index[name], array), name
