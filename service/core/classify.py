"""Features → labels with calibrated probabilities, in two stages whose every weight is known.

Linear models judge all heads from words and characters; a small network then judges some heads
(response, risk) anew from what all of them said.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from service.core.features import (
    Document,
)
from service.core.values import value

Floats = NDArray[np.float32]

_LARGEST: Final = 60.0  # an output beyond which a probability is 0 or 1 to the last bit
_EVEN: Final = 0.5  # the probability from which a flag without a threshold is raised
FLAGS: Final = "flags"  # the one head whose labels do not exclude each other


@value
class Prediction:
    """What one head says: the label, its calibrated probability, and those of all labels."""

    label: str
    confidence: float
    scores: Mapping[str, float]


class Coverage(NamedTuple):
    """Shares (0–1) of a message's distinct words and pairs of characters that the model knows.

    Words tell other languages, pairs tell characters in disorder and old Chinese. Without any
    pair there is nothing unknown about pairs.
    """

    words: float
    pairs: float


_ALL_KNOWN: Final = Coverage(1.0, 1.0)


@value
class Classification:
    """What all heads say of one message.

    Attributes:
        heads: a prediction for each head with exclusive labels (topic, sentiment, …).
        flags: the probability of each flag, whether raised or not.
        raised: the flags whose probability reaches their threshold, likeliest first.
        coverage: how much of the message the model knows.
    """

    heads: Mapping[str, Prediction]
    flags: Mapping[str, float]
    raised: tuple[str, ...]
    coverage: Coverage = _ALL_KNOWN


class Contribution(NamedTuple):
    """A span of the normalized text and what it adds to the log-odds score of a label."""

    start: int
    end: int
    weight: float


class Classifier(Protocol):
    """Anything that labels a document and can say which words made it do so."""

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """The labels of each head, in the order of the model."""

    @property
    def names(self) -> Mapping[str, Mapping[str, str]]:
        """Chinese names of the labels of the heads that are not of the codebook."""

    def classify(self, document: Document) -> Classification:
        """The labels of one document."""

    def rate_flags(
        self, document: Document, parts: Sequence[tuple[int, int]]
    ) -> list[Mapping[str, float]]:
        """The probability of each flag in parts of a document, each read by itself."""

    def explain(self, document: Document, head: str, label: str) -> list[Contribution]:
        """The spans that speak most for the label, strongest first."""

    def log_likelihood(self, text: str) -> float:
        """How likely a short text is by what was learned, to compare it with another."""


@dataclass(frozen=True, slots=True)
class Head:
    """One head of a linear model: which outputs are its own and how they become probabilities.

    Attributes:
        name: `topic`, `sentiment`, … or `flags`.
        labels: one label for each output column.
        first: the first of its output columns.
        slopes, offsets: calibration; output z becomes z · slope + offset before the softmax
            (exclusive labels) or the logistic function (flags).
        thresholds: labels that win as soon as their probability reaches the threshold, in order
            of precedence; for flags, the probability from which a flag is raised (else 0.5).
        names: Chinese names of labels that are not the codebook's.
    """

    name: str
    labels: tuple[str, ...]
    first: int
    slopes: Floats
    offsets: Floats
    thresholds: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> slice:
        """Its output columns."""
        return slice(self.first, self.first + len(self.labels))

    def decide(self, scores: Mapping[str, float]) -> str:
        """The label that wins under the thresholds."""
        if not self.thresholds:
            return max(scores, key=scores.__getitem__)
        for label, threshold in self.thresholds.items():
            if scores[label] >= threshold:
                return label
        rest = [label for label in self.labels if label not in self.thresholds] or self.labels
        return max(rest, key=scores.__getitem__)


@dataclass(frozen=True, slots=True)
class Refinement:
    """The second stage of one head: one layer of rectified units over the outputs of all heads.

    Between the kinks of its units it is linear, so what a word adds to a linear output can be
    followed through it exactly.

    Attributes:
        head: the head whose outputs it replaces.
        hidden, hidden_bias: shapes (inputs, units) and (units,); the inputs are the outputs of all
            heads and, last, the volume of the message (see `volume`).
        output, output_bias: shapes (units, labels) and (labels,).
    """

    head: str
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats

    def apply(self, inputs: Floats) -> Floats:
        """The head's new outputs, shape (…, labels), for inputs of shape (…, inputs)."""
        units = np.maximum(inputs @ self.hidden + self.hidden_bias, 0)
        refined: Floats = units @ self.output + self.output_bias
        return refined

    def slopes(self, inputs: Floats, label: int) -> Floats:
        """By how much the label's output grows with each input here, shape (inputs,)."""
        active = inputs @ self.hidden + self.hidden_bias > 0
        slopes: Floats = self.hidden[:, active] @ self.output[active, label]
        return slopes


def volume(features: int) -> float:
    """How much there is to read, as the second stage takes it: ln(1 + number of features)."""
    return math.log1p(features)


class Interpreter:
    """Outputs → labels, by the calibration and thresholds of the heads.

    Args:
        heads: how the outputs are shared out, in the order of their columns.
    """

    def __init__(self, heads: Iterable[Head]) -> None:
        together = tuple(heads)
        self._slopes = np.concatenate([head.slopes for head in together])
        self._offsets = np.concatenate([head.offsets for head in together])
        self._exclusive = [(head, head.columns) for head in together if head.name != FLAGS]
        self._flags = next(((head, head.columns) for head in together if head.name == FLAGS), None)

    def read(self, outputs: Floats, coverage: Coverage = _ALL_KNOWN) -> Classification:
        """What the outputs of one message mean.

        Args:
            outputs: uncalibrated log-odds of all heads, shape (outputs,).
            coverage: how much of the message the model knows.
        """
        powers = self._powers(outputs)
        predictions = {}
        for head, columns in self._exclusive:
            mine = powers[columns]
            total = sum(mine)
            scores = {label: power / total for label, power in zip(head.labels, mine, strict=True)}
            label = head.decide(scores)
            predictions[head.name] = Prediction(label, scores[label], scores)
        if self._flags is None:
            return Classification(predictions, {}, (), coverage)
        head, columns = self._flags
        flags = _odds_to_probabilities(head, powers[columns])
        least = head.thresholds
        raised = [flag for flag, p in flags.items() if p >= least.get(flag, _EVEN)]
        raised.sort(key=lambda flag: -flags[flag])
        return Classification(predictions, flags, tuple(raised), coverage)

    def read_flags(self, outputs: Floats) -> Mapping[str, float]:
        """The probability of each flag alone; none without that head."""
        if self._flags is None:
            return {}
        head, columns = self._flags
        return _odds_to_probabilities(head, self._powers(outputs)[columns])

    def _powers(self, outputs: Floats) -> list[float]:
        """The odds, as plain numbers: for so few, they cost less than numpy's calls."""
        calibrated = outputs * self._slopes + self._offsets
        bounded = np.minimum(np.maximum(calibrated, -_LARGEST), _LARGEST)
        powers: list[float] = np.exp(bounded, dtype=np.float64).tolist()
        return powers


def _odds_to_probabilities(flags: Head, odds: Sequence[float]) -> dict[str, float]:
    return {flag: each / (1 + each) for flag, each in zip(flags.labels, odds, strict=True)}
