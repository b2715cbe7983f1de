"""The served model: linear models of all heads in one matrix, then a second stage for some."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.core.classify import (
    Classification,
    Contribution,
    Coverage,
    Floats,
    Head,
    Interpreter,
    Refinement,
    volume,
)
from service.core.features import BLOCK_WEIGHTS, LONGEST_GRAM, Document
from service.core.fingerprints import Fingerprints, Numbers, Places, take_fingerprints
from service.core.fluency import log_likelihood
from service.core.vocabulary import KINDS, PAIRS, WORDS, Rows, Vocabulary

_PAIR: Final = 2  # characters
_ZERO: Final = np.zeros(1, np.intp)
_DIGITS: Final = 6  # of a weight, beyond which is the noise of adding up
_LEAST_SHARE: Final = 1 / 3  # of the strongest word's weight, for a word to explain a label


@dataclass(slots=True)
class _Analysis:
    """What the first stage made of a document, whatever the label.

    Attributes:
        document: the document.
        features: its features.
        places, found: which of them are known, in the order of `_together`, and the row of each.
        rows, values, times: the distinct rows in order, their weights, and how often each occurs.
        inputs: the linear outputs of all heads, and last the volume of the message.
        spans: the first and last character of each known feature and those of each word, once an
            explanation asked for them.
    """

    document: Document
    features: Fingerprints
    places: Places
    found: Rows
    rows: Places
    values: Floats
    times: NDArray[np.intp]
    inputs: Floats
    spans: "_Spans | None" = None


@dataclass(frozen=True, slots=True)
class _Spans:
    """Where the known features were read from, and where the words are.

    Attributes:
        index: the place of each known feature's row among the distinct ones.
        starts, ends: the span of each known feature.
        word_starts, word_ends: those of the words.
        is_word: which of the words are no marks.
    """

    index: Places
    starts: Places
    ends: Places
    word_starts: Places
    word_ends: Places
    is_word: NDArray[np.bool_]


class StackedClassifier:
    """Term-weighted features times one coefficient matrix that serves all heads, then refined.

    Args:
        vocabulary: the known features, one a row of the matrix, those of words first.
        idf: inverse document frequency of each feature, shape (features,).
        coefficients: shape (features, outputs).
        intercepts: shape (outputs,).
        heads: how the outputs are shared out.
        refinements: the second stage of the heads that have one.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        idf: Floats,
        coefficients: Floats,
        intercepts: Floats,
        heads: Sequence[Head],
        *,
        refinements: Sequence[Refinement] = (),
    ) -> None:
        self._vocabulary = vocabulary
        self._of_words = int(np.count_nonzero(vocabulary.kinds <= PAIRS))
        self._idf = idf.view(np.ndarray)  # mapped all the same, but sliced without ceremony
        self._coefficients = coefficients.view(np.ndarray)
        self._intercepts = intercepts
        self._heads = {head.name: head for head in heads}
        self._interpreter = Interpreter(heads)
        self._refinements = {refinement.head: refinement for refinement in refinements}
        self._second_stage = _join(refinements, self._heads) if refinements else None
        # Of the last document alone: its labels are asked one after the other. Threads may take
        # turns; each finds its own document in what it reads, or analyses it again.
        self._last: _Analysis | None = None

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """The labels of each head."""
        return {name: head.labels for name, head in self._heads.items()}

    @property
    def names(self) -> Mapping[str, Mapping[str, str]]:
        """Chinese names of the labels of the heads that are not of the codebook."""
        return {name: head.names for name, head in self._heads.items() if head.names}

    def classify(self, document: Document) -> Classification:
        """The labels of one document; an empty one gets what the intercepts say."""
        analysis = self._analyse(document)
        outputs = analysis.inputs[:-1]
        if self._second_stage:
            columns, refinement = self._second_stage
            outputs = outputs.copy()
            outputs[columns] = refinement.apply(analysis.inputs)
        coverage = self._measure_coverage(analysis.features, analysis.rows)
        return self._interpreter.read(outputs, coverage)

    def rate_flags(
        self, document: Document, parts: Sequence[tuple[int, int]]
    ) -> list[Mapping[str, float]]:
        """The probability of each flag in parts of a document, each read by itself.

        What was found in the document is shared out; nothing is read again. Flags have no second
        stage, so the linear outputs are theirs.

        Args:
            document: the document.
            parts: at least one; the first character of each and the one after its last, in order
                and without overlap.
        """
        analysis = self._analyse(document)
        spans = _locate(analysis)
        firsts, lasts = np.array(parts, np.intp).reshape(-1, 2).T
        part = firsts.searchsorted(spans.starts, "right") - 1
        inside = (part >= 0) & (spans.ends <= lasts.take(part))
        size = len(self._idf)
        found, times = _count(part[inside] * size + analysis.found[inside])
        owners, rows = np.divmod(found, size)
        borders = owners.searchsorted(np.arange(len(parts) + 1)).tolist()
        rated = []
        for start, end in pairwise(borders):
            mine = rows[start:end]
            values = self._weigh(mine, times[start:end])
            outputs = values @ self._coefficients.take(mine, axis=0) + self._intercepts
            rated.append(self._interpreter.read_flags(outputs))
        return rated

    def log_likelihood(self, text: str) -> float:
        """How likely a short text is by the runs of characters in the vocabulary."""
        return log_likelihood(text, self._vocabulary, self._idf)

    def explain(self, document: Document, head: str, label: str) -> list[Contribution]:
        """The spans of whole words that speak most for the label, strongest first.

        Each feature's share of the output is spread evenly over the places it was read from and
        the characters there, so the weights of all characters add up to the output without its
        intercept; for a head with a second stage, to what the words add to its output through the
        outputs of all heads. Words that carry at least a third of the strongest word's weight are
        kept, and neighbours joined.
        """
        analysis = self._analyse(document)
        spans = _locate(analysis)
        upto = np.zeros(len(document.text) + 1)
        np.cumsum(self._character_weights(document, head, label), out=upto[1:])
        words = document.words
        weights = upto.take(spans.word_ends) - upto.take(spans.word_starts)
        joined: list[tuple[int, int, float]] = []
        for place in _strongest(weights, spans.is_word):
            start, weight = words.starts[place], weights.item(place)
            end = start + len(words.texts[place])
            if joined and joined[-1][1] == start:
                first, _, before = joined.pop()
                joined.append((first, end, before + weight))
            else:
                joined.append((start, end, weight))
        # Rounded, so that equals stay in reading order.
        joined.sort(key=lambda span: -round(span[2], _DIGITS))
        return [Contribution(*span) for span in joined]

    def _analyse(self, document: Document) -> _Analysis:
        last = self._last  # read once: another thread may be putting its own there
        if last is None or last.document is not document:
            self._last = last = self._read(document)
        return last

    def _read(self, document: Document) -> _Analysis:
        features = take_fingerprints(document)
        together = _together(features)
        places, found = self._vocabulary.find(together)
        rows, times = _count(found)
        values = self._weigh(rows, times)
        inputs = np.empty(len(self._intercepts) + 1, np.float32)
        inputs[:-1] = values @ self._coefficients.take(rows, axis=0) + self._intercepts
        inputs[-1] = volume(len(together))
        return _Analysis(document, features, places, found, rows, values, times, inputs)

    def _weigh(self, rows: Places, times: NDArray[np.intp]) -> Floats:
        """(1 + ln count) · idf, each block scaled to its length."""
        values: Floats = (1 + np.log(times, dtype=np.float32)) * self._idf.take(rows)
        border = int(rows.searchsorted(self._of_words))
        for block, length in zip((values[:border], values[border:]), BLOCK_WEIGHTS, strict=True):
            np.multiply(block, np.float32(length / (math.sqrt(block @ block) or 1)), out=block)
        return values

    def _measure_coverage(self, features: Fingerprints, rows: Places) -> Coverage:
        known = np.bincount(self._vocabulary.kinds.take(rows), minlength=KINDS)
        words = _distinct(features.words)
        pairs = _distinct(features.grams[:, _PAIR - 1][features.inside[:, _PAIR - 1]])
        return Coverage(
            known.item(WORDS) / words if words else 0.0,
            known.item(PAIRS + _PAIR) / pairs if pairs else 1.0,
        )

    def _character_weights(self, document: Document, head: str, label: str) -> NDArray[np.float64]:
        """What each character adds to an output, shape (characters,)."""
        analysis = self._analyse(document)
        spans = _locate(analysis)
        column = self._heads[head].labels.index(label)
        if head in self._refinements:
            slopes = self._refinements[head].slopes(analysis.inputs, column)
            shares = self._coefficients.take(analysis.rows, axis=0) @ slopes[:-1]
        else:
            outputs = self._coefficients.shape[1]
            places = analysis.rows * outputs + (self._heads[head].first + column)
            shares = self._coefficients.ravel().take(places)
        each = shares * analysis.values / analysis.times
        added = each.take(spans.index) / (spans.ends - spans.starts)
        # What a span adds, spread over its characters: up where it begins and down where it ends.
        size = len(document.text) + 1
        up, down = (np.bincount(where, added, size) for where in (spans.starts, spans.ends))
        weights: NDArray[np.float64] = np.cumsum(up - down)[:-1]
        return weights


def _join(
    refinements: Sequence[Refinement], heads: Mapping[str, Head]
) -> tuple[Places, Refinement]:
    """All refinements as one, whose outputs do not share units, and their columns."""
    columns = [np.arange(heads[r.head].first, heads[r.head].columns.stop) for r in refinements]
    joined = Refinement(
        "+".join(refinement.head for refinement in refinements),
        np.concatenate([refinement.hidden for refinement in refinements], axis=1),
        np.concatenate([refinement.hidden_bias for refinement in refinements]),
        _block_diagonal([refinement.output for refinement in refinements]),
        np.concatenate([refinement.output_bias for refinement in refinements]),
    )
    return np.concatenate(columns), joined


def _block_diagonal(blocks: Sequence[Floats]) -> Floats:
    whole = np.zeros(np.sum([block.shape for block in blocks], axis=0), np.float32)
    first, left = 0, 0
    for block in blocks:
        last, right = first + block.shape[0], left + block.shape[1]
        whole[first:last, left:right] = block
        first, left = last, right
    return whole


def _count(found: Rows) -> tuple[Places, NDArray[np.intp]]:
    """The distinct rows in order, and how often each was found."""
    ordered = np.sort(found)
    borders = (ordered[1:] != ordered[:-1]).nonzero()[0] + 1
    firsts = np.concatenate((_ZERO, borders))[: len(found)]
    lasts = np.concatenate((borders, (len(found),)))[: len(found)]
    return ordered.take(firsts).astype(np.intp), lasts - firsts


def _together(features: Fingerprints) -> Numbers:
    """All of them in one array, runs of characters by their beginning."""
    return np.concatenate((features.words, features.pairs, features.grams[features.inside]))


def _distinct(numbers: Numbers) -> int:
    ordered = np.sort(numbers)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + (len(ordered) > 0)


def _strongest(weights: NDArray[np.float64], is_word: NDArray[np.bool_]) -> list[int]:
    """The places, in order, of the words that explain a label.

    A mark shares in the weights but explains nothing.
    """
    of_words = np.where(is_word, weights, 0)
    most = of_words.max(initial=0)
    if most <= 0:
        return []
    places: list[int] = (of_words >= most * _LEAST_SHARE).nonzero()[0].tolist()
    return places


def _locate(analysis: _Analysis) -> _Spans:
    if analysis.spans is None:
        document = analysis.document
        words = document.words
        word_starts = np.array(words.starts, np.intp)
        word_ends = word_starts + np.array(list(map(len, words.texts)), np.intp)
        runs = analysis.features.inside.ravel().nonzero()[0]
        run_starts, run_lasts = np.divmod(runs, LONGEST_GRAM)
        starts = (word_starts, word_starts[:-1], run_starts)
        ends = (word_ends, word_ends[1:], run_starts + run_lasts + 1)
        analysis.spans = _Spans(
            analysis.rows.searchsorted(analysis.found),
            np.concatenate(starts).take(analysis.places),
            np.concatenate(ends).take(analysis.places),
            word_starts,
            word_ends,
            np.array([text[0].isalnum() for text in words.texts], np.bool_),
        )
    return analysis.spans
