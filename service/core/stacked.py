"""The served model: linear models of all heads in one matrix, then a second stage for some."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

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
from service.core.features import (
    BLOCK_WEIGHTS,
    BLOCKS,
    Document,
    feature_keys,
    gram_starts,
)

_PAIR: Final = 2  # characters


class _Spans(NamedTuple):
    """Where the known features were read from: rows, and spans as arrays."""

    rows: list[int]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]


@dataclass(slots=True)
class _Analysis:
    """What the first stage made of a document, whatever the label.

    Attributes:
        document: the document.
        found: the row of every occurrence of a feature, `None` where it is unknown, in the order
            of `Keys`.
        coverage: how much of them the model knows.
        rows, values, times: the known ones, their weights, and how often each occurs.
        inputs: the linear outputs of all heads, and last the volume of the message.
        spans: where they stand, once an explanation asked for it.
    """

    document: Document
    found: list[int | None]
    coverage: Coverage
    rows: NDArray[np.intp]
    values: Floats
    times: Floats
    inputs: Floats
    spans: _Spans | None = None


class StackedClassifier:
    """Term-weighted features times one coefficient matrix that serves all heads, then refined.

    Args:
        vocabulary: the known features, one a row of the matrix.
        idf: inverse document frequency of each feature, shape (features,).
        coefficients: shape (features, outputs).
        intercepts: shape (outputs,).
        heads: how the outputs are shared out.
        refinements: the second stage of the heads that have one.
    """

    def __init__(
        self,
        vocabulary: Iterable[str],
        idf: Floats,
        coefficients: Floats,
        intercepts: Floats,
        heads: Sequence[Head],
        *,
        refinements: Sequence[Refinement] = (),
    ) -> None:
        self._rows: dict[str, dict[str, int]] = {block: {} for block in BLOCKS}
        for row, key in enumerate(vocabulary):
            self._rows[key[0]][key[1:]] = row
        self._idf = idf.view(np.ndarray)  # mapped all the same, but sliced without ceremony
        self._coefficients = coefficients.view(np.ndarray)
        self._intercepts = intercepts
        self._heads = {head.name: head for head in heads}
        self._interpreter = Interpreter(heads)
        self._refinements = {refinement.head: refinement for refinement in refinements}
        # Of the last document alone: its labels are asked one after the other. Threads may take
        # turns; each finds its own document in what it reads, or analyses it again.
        self._last: _Analysis | None = None

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """The labels of each head."""
        return {name: head.labels for name, head in self._heads.items()}

    def classify(self, document: Document) -> Classification:
        """The labels of one document; an empty one gets what the intercepts say."""
        analysis = self._analyse(document)
        outputs = analysis.inputs[:-1].copy()
        for refinement in self._refinements.values():
            outputs[self._heads[refinement.head].columns] = refinement.apply(analysis.inputs)
        return self._interpreter.read(outputs, analysis.coverage)

    def explain(self, document: Document, head: str, label: str) -> list[Contribution]:
        """The spans of whole words that speak most for the label, strongest first.

        Each feature's share of the output is spread evenly over the places it was read from and
        the characters there, so the weights of all characters add up to the output without its
        intercept; for a head with a second stage, to what the words add to its output through the
        outputs of all heads. Words that carry at least a third of the strongest word's weight are
        kept, and neighbours joined.
        """
        weights = self._character_weights(document, head, label)
        upto = [0.0, *np.cumsum(weights).tolist()]
        words = [
            (word.start, word.end, upto[word.end] - upto[word.start])
            for word in document.words
            if word.text[0].isalnum()  # a mark shares in the weights but explains nothing
        ]
        least = max((weight for _, _, weight in words), default=0.0) / 3
        spans: list[Contribution] = []
        for start, end, weight in words:
            if weight <= 0 or weight < least:
                continue
            if spans and spans[-1].end == start:
                start, weight = spans[-1].start, spans[-1].weight + weight  # noqa: PLW2901
                spans.pop()
            spans.append(Contribution(start, end, weight))
        return sorted(spans, key=lambda span: -span.weight)

    def _analyse(self, document: Document) -> _Analysis:
        last = self._last  # read once: another thread may be putting its own there
        if last is not None and last.document is document:
            return last
        keys = feature_keys(document)
        words, grams = (self._rows[block] for block in BLOCKS)
        of_words = list(map(words.get, keys.words))
        of_grams = [list(map(grams.get, of_length)) for of_length in keys.grams]
        of_blocks = (
            [*of_words, *map(words.get, keys.word_pairs)],
            list(chain.from_iterable(of_grams)),
        )
        rows, values, times = self._weigh(of_blocks)
        outputs = values @ self._coefficients[rows] + self._intercepts
        coverage = Coverage(
            _known_share(of_words, keys.words, 0.0),
            _known_share(of_grams[_PAIR - 1], keys.grams[_PAIR - 1], 1.0),
        )
        found = [row for block in of_blocks for row in block]
        inputs = np.append(outputs, np.float32(volume(keys.total)))
        analysis = _Analysis(document, found, coverage, rows, values, times, inputs)
        self._last = analysis
        return analysis

    def _weigh(
        self, of_blocks: Iterable[Sequence[int | None]]
    ) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Rows, weights and counts of the known features, the blocks one after the other.

        A weight is (1 + ln count) · idf, each block scaled to its length.
        """
        counts: list[Counter[Any]] = [Counter(found) for found in of_blocks]
        for known in counts:
            known.pop(None, None)  # all that the model does not know
        rows = [np.array(list(known), np.intp) for known in counts]
        times = [np.array(list(known.values()), np.float32) for known in counts]
        weighed = []
        for mine, count, length in zip(rows, times, BLOCK_WEIGHTS, strict=True):
            values = (1 + np.log(count)) * self._idf[mine]
            norm = math.sqrt(values @ values)
            weighed.append(values * np.float32(length / (norm or 1)))
        return np.concatenate(rows), np.concatenate(weighed), np.concatenate(times)

    def _character_weights(self, document: Document, head: str, label: str) -> NDArray[np.float64]:
        """What each character adds to an output, shape (characters,)."""
        analysis = self._analyse(document)
        rows, values = analysis.rows, analysis.values
        column = self._heads[head].labels.index(label)
        if head in self._refinements:
            slopes = self._refinements[head].slopes(analysis.inputs, column)
            shares = values * (self._coefficients[rows] @ slopes[:-1])
        else:
            shares = values * self._coefficients[rows, self._heads[head].first + column]
        share_of = dict(zip(rows.tolist(), (shares / analysis.times).tolist(), strict=True))
        spans = analysis.spans = analysis.spans or _locate(analysis)
        added = np.array([share_of[row] for row in spans.rows]) / (spans.ends - spans.starts)
        # What a span adds, spread over its characters: up where it begins and down where it ends.
        size = len(document.text) + 1
        up, down = (np.bincount(where, added, size) for where in (spans.starts, spans.ends))
        weights: NDArray[np.float64] = np.cumsum(up - down)[:-1]
        return weights


def _locate(analysis: _Analysis) -> _Spans:
    """The spans of the known features, in the order in which they were looked up."""
    words = analysis.document.words
    starts = [word.start for word in words] + [word.start for word in words[:-1]]
    ends = [word.end for word in words] + [word.end for word in words[1:]]
    for length, places in enumerate(gram_starts(analysis.document), 1):
        starts += places
        ends += [place + length for place in places]
    known = [place for place, row in enumerate(analysis.found) if row is not None]
    return _Spans(
        [row for row in analysis.found if row is not None],
        np.array(starts, np.intp)[known],
        np.array(ends, np.intp)[known],
    )


def _known_share(rows: Sequence[int | None], keys: Sequence[str], of_none: float) -> float:
    """The share of the distinct keys that have a row."""
    known = set(rows)
    known.discard(None)
    return len(known) / len(set(keys)) if keys else of_none
