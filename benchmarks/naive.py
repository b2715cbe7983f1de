"""The shipped model as scikit-learn would serve it: what the fused classifier is measured against.

`Naive` is the obvious way, a `Pipeline` for each head that segments with jieba for itself.
`Shared` is the fair one: one vectorizer for all heads, coefficients in the order that
scikit-learn's product wants. Neither has the second stage, which is to their advantage.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline

from service.artifacts import load_heads
from service.core.classify import FLAGS, Head
from service.core.features import BLOCK_WEIGHTS, LONGEST_GRAM, WORD
from service.core.segment import DictionaryEntry

_BLOCKS: Final = ("words", "characters")


def build_pipelines(folder: Path, dictionary: Sequence[DictionaryEntry]) -> dict[str, Pipeline]:
    """A pipeline for each head; all cut words with the same instance of jieba."""
    import jieba  # noqa: PLC0415 — a second that only who builds a pipeline should pay

    tokenizer = jieba.Tokenizer()
    for entry in dictionary:
        tokenizer.add_word(entry.term, entry.frequency, entry.tag)
    arrays = joblib.load(folder / "weights.joblib")
    features = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    return {
        head.name: Pipeline(
            [
                ("features", _vectorizer(features, arrays["idf"], tokenizer.lcut)),
                ("estimator", _estimator(head, arrays)),
            ]
        )
        for head in load_heads(folder)
    }


class Naive:
    """A pipeline a head."""

    def __init__(self, pipelines: dict[str, Pipeline]) -> None:
        self._pipelines = pipelines

    def classify(self, texts: Sequence[str]) -> dict[str, Any]:
        """Probabilities by head, shape (texts, labels)."""
        return {name: pipeline.predict_proba(texts) for name, pipeline in self._pipelines.items()}


class Shared:
    """One vectorizer for all heads."""

    def __init__(self, pipelines: dict[str, Pipeline]) -> None:
        self._vectorizer = next(iter(pipelines.values())).named_steps["features"]
        self._estimators = {name: p.named_steps["estimator"] for name, p in pipelines.items()}
        for estimator in self._estimators.values():
            estimator.coef_ = np.asfortranarray(estimator.coef_)

    def classify(self, texts: Sequence[str]) -> dict[str, Any]:
        """Probabilities by head, shape (texts, labels)."""
        X = self._vectorizer.transform(texts)
        return {name: estimator.predict_proba(X) for name, estimator in self._estimators.items()}


class _Flags(LogisticRegression):  # type: ignore[misc]
    """Logistic regressions that share a matrix: kinder than scikit-learn's one after the other."""

    def predict_proba(self, X: Any) -> Any:
        return 1 / (1 + np.exp(-self.decision_function(X)))


def _vectorizer(features: Sequence[str], idf: Any, cut: Callable[[str], list[str]]) -> FeatureUnion:
    border = sum(feature.startswith(WORD) for feature in features)
    options = {"sublinear_tf": True, "dtype": np.float32}
    words = TfidfVectorizer(
        tokenizer=cut,
        token_pattern=None,
        ngram_range=(1, 2),
        vocabulary=[feature[1:] for feature in features[:border]],
        **options,
    )
    characters = TfidfVectorizer(
        analyzer="char",
        ngram_range=(1, LONGEST_GRAM),
        vocabulary=[feature[1:] for feature in features[border:]],
        **options,
    )
    words.idf_, characters.idf_ = idf[:border], idf[border:]
    weights = dict(zip(_BLOCKS, BLOCK_WEIGHTS, strict=True))
    return FeatureUnion(
        list(zip(_BLOCKS, (words, characters), strict=True)), transformer_weights=weights
    )


def _estimator(head: Head, arrays: Any) -> LogisticRegression:
    estimator = _Flags() if head.name == FLAGS else LogisticRegression()
    estimator.coef_ = np.ascontiguousarray(arrays["coefficients"][:, head.columns].T)
    estimator.intercept_ = np.asarray(arrays["intercepts"][head.columns])
    estimator.classes_ = np.array(head.labels)
    return estimator
