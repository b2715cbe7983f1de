"""The scikit-learn estimators of each head, and their calibration on held-out predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit, log_softmax, softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from service.core.features import BLOCK_WEIGHTS, BLOCKS

Floats = NDArray[np.float64]

# Inverse strength of the L2 penalty; measured in docs/training.md.
_HEAD_STRENGTH: Final = 3.0
_FLAG_STRENGTH: Final = 4.0
_VECTOR_LENGTH: Final = 0.6

_MISS_COST: Final = 10  # a miss is worth ten false alarms; see docs/training.md


class TermWeights:
    """Sublinear counts times inverse document frequency, each block of a fixed length.

    With word vectors, a message's weighted sum of its words' vectors (less the mean of the training
    messages) is appended to its features. It is a linear function of the features before it, so
    `fold` turns a model over both into one over the vocabulary alone.

    Args:
        vocabulary: the features, words before characters.
        vectors: shape (features, dimensions), zero for a feature that has none.
    """

    def __init__(
        self, vocabulary: Sequence[str], vectors: NDArray[np.float32] | None = None
    ) -> None:
        self._blocks = [
            np.array([i for i, key in enumerate(vocabulary) if key[0] == block], dtype=np.intp)
            for block in BLOCKS
        ]
        self._weights = [TfidfTransformer(sublinear_tf=True) for _ in BLOCKS]
        self._vectors = None if vectors is None else vectors * _VECTOR_LENGTH
        self._mean: Floats | None = None

    def fit(self, counts: csr_matrix) -> "TermWeights":
        """Learns the document frequencies, and the mean of the summed vectors."""
        for columns, weights in zip(self._blocks, self._weights, strict=True):
            weights.fit(counts[:, columns])
        if self._vectors is not None:
            self._mean = np.asarray((self._weigh(counts) @ self._vectors).mean(axis=0))
        return self

    def transform(self, counts: csr_matrix) -> csr_matrix:
        """Weights of shape (messages, features), the vocabulary's order kept; then the vectors."""
        weighed = self._weigh(counts)
        if self._vectors is None:
            return weighed
        summed = csr_matrix(weighed @ self._vectors - self._mean)
        return hstack([weighed, summed], format="csr", dtype=np.float32)

    def fold(self, coefficients: Floats, intercepts: Floats) -> tuple[Floats, Floats]:
        """The coefficients and intercepts of the same linear model over the vocabulary alone.

        Args:
            coefficients: shape (outputs, columns of `transform`).
            intercepts: shape (outputs,).
        """
        if self._vectors is None or self._mean is None:
            return coefficients, intercepts
        features = len(self._vectors)
        terms, vectors = coefficients[:, :features], coefficients[:, features:]
        return terms + vectors @ self._vectors.T, intercepts - vectors @ self._mean

    @property
    def idf(self) -> Floats:
        """Inverse document frequencies in the vocabulary's order (words before characters)."""
        return np.concatenate([weights.idf_ for weights in self._weights])

    def _weigh(self, counts: csr_matrix) -> csr_matrix:
        return hstack(
            [
                weights.transform(counts[:, columns]) * length
                for columns, weights, length in zip(
                    self._blocks, self._weights, BLOCK_WEIGHTS, strict=True
                )
            ],
            format="csr",
            dtype=np.float32,
        )


@dataclass
class HeadModel:
    """One trained head: scikit-learn's estimator and its labels in the estimator's order.

    A head of exclusive labels has one multinomial estimator; each flag is a head of one output. Of
    two labels scikit-learn gives one output too, the log-odds; halved, it is that of both.
    """

    labels: list[str]
    estimator: LogisticRegression

    def outputs(self, X: csr_matrix) -> Floats:
        """Uncalibrated log-odds, shape (messages, outputs)."""
        z: Floats = self.estimator.decision_function(X)
        return self._spread(z.reshape(len(z), -1).T).T

    @property
    def coefficients(self) -> Floats:
        """Shape (outputs, features)."""
        return self._spread(self.estimator.coef_)

    @property
    def intercepts(self) -> Floats:
        """Shape (outputs,)."""
        return self._spread(self.estimator.intercept_[:, None])[:, 0]

    def _spread(self, rows: Floats) -> Floats:
        """One row a label."""
        if len(rows) < len(self.labels):
            return np.concatenate([-rows, rows]) / 2
        return rows


def fit_head(
    X: csr_matrix, y: Sequence[str], weights: Sequence[float] | Floats, seed: int
) -> HeadModel:
    """A multinomial logistic regression with balanced classes over the rows that have a label."""
    estimator = _fit(X, np.asarray(y), weights, _HEAD_STRENGTH, seed)
    return HeadModel([str(label) for label in estimator.classes_], estimator)


def fit_flag(
    flag: str,
    X: csr_matrix,
    y: Sequence[bool] | NDArray[np.bool_],
    weights: Sequence[float] | Floats,
    seed: int,
) -> HeadModel:
    """A logistic regression for one flag."""
    estimator = _fit(X, np.asarray(y), weights, _FLAG_STRENGTH, seed)
    return HeadModel([flag], estimator)


def _fit(
    X: csr_matrix,
    y: NDArray[np.generic],
    weights: Sequence[float] | Floats,
    strength: float,
    seed: int,
) -> LogisticRegression:
    estimator = LogisticRegression(
        C=strength,
        class_weight="balanced",
        max_iter=300,
        random_state=seed,
        solver="liblinear" if y.dtype == np.bool_ else "lbfgs",
    )
    return estimator.fit(X, y, sample_weight=np.asarray(weights))


def probabilities(outputs: Floats, slope: float, offset: float) -> Floats:
    """Calibrated probabilities of shape (messages, outputs)."""
    z = outputs * slope + offset
    p: Floats = expit(z) if z.shape[1] == 1 else softmax(z, axis=1)
    return p


def fit_temperature(outputs: Floats, truth: NDArray[np.intp]) -> float:
    """The slope that makes softmax probabilities likeliest on held-out outputs (Guo et al. 2017).

    Args:
        outputs: held-out log-odds, shape (messages, labels).
        truth: the index of each message's label.
    """

    def loss(log_slope: float) -> float:
        z = log_softmax(outputs * np.exp(log_slope), axis=1)
        return float(-z[np.arange(len(truth)), truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def fit_platt(outputs: Floats, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of a logistic curve over held-out outputs of one flag (Platt 1999)."""
    curve = LogisticRegression(C=1e4).fit(outputs.reshape(-1, 1), truth)
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])


def best_threshold(
    p: Floats, truth: NDArray[np.bool_], least_precision: float | None = None
) -> float:
    """The probability from which a label wins, chosen on its held-out probabilities.

    Args:
        p: held-out probabilities, shape (messages,).
        truth: whether the label holds.
        least_precision: if given, the threshold with the least cost, a miss counting as ten false
            alarms, among those that keep this precision; else, or if none keeps it, the one with
            the highest F1.
    """
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(truth[order])
    raised = np.arange(1, len(p) + 1)
    score = 2 * hits / (truth.sum() + raised)
    if least_precision is not None:
        kept = hits / raised >= least_precision
        if kept.any():
            cost = _MISS_COST * (truth.sum() - hits) + (raised - hits)
            score = np.where(kept, -cost, -np.inf)
    best = int(np.argmax(score))
    following = p[order[best + 1]] if best + 1 < len(p) else 0.0
    return float((p[order[best]] + following) / 2)
