"""How likely a run of characters is, by the runs that a model knows.

Stupid backoff (Brants et al. 2007, "Large Language Models in Machine Translation"), with the number
of documents that hold a run in the place of its count: idf is the logarithm of its inverse, so the
logarithm of a quotient is the difference of two.
"""

from typing import Final

import numpy as np

from service.core.classify import Floats
from service.core.features import LONGEST_GRAM, Document
from service.core.fingerprints import take_fingerprints
from service.core.segment import Words
from service.core.vocabulary import Vocabulary

_BACKOFF: Final = 1.0  # nats for each character of context that is given up (ln 0.4 ≈ −0.9)
_CONTEXT: Final = 3  # characters of a run that count; to give up a longer one costs nothing
_UNKNOWN: Final = 16.0  # nats for a character that the model does not know


def log_likelihood(text: str, vocabulary: Vocabulary, idf: Floats) -> float:
    """Natural logarithm of how likely the text is; to be compared with that of a text like it.

    Args:
        text: a few characters; the cost grows with its length.
        vocabulary: the known runs, among other features.
        idf: inverse document frequency of each feature, shape (features,).
    """
    found = take_fingerprints(Document(text, Words([], [])))
    places, rows = vocabulary.find(found.grams[found.inside])
    inverse = np.full(int(np.count_nonzero(found.inside)), np.inf)
    inverse[places] = idf.take(rows)
    table = np.full(found.grams.shape, np.inf)
    table[found.inside] = inverse
    known: list[list[float]] = table.tolist()
    return sum(_of_character(known, last) for last in range(len(text)))


def _of_character(known: list[list[float]], last: int) -> float:
    """Of the character there, after the longest known run that leads to it."""
    longest = min(LONGEST_GRAM, last + 1)
    for length in range(longest, 0, -1):
        run = known[last - length + 1]
        if run[length - 1] < np.inf:
            before = run[length - 2] if length > 1 else 1.0  # every document holds the empty run
            given_up = min(longest, _CONTEXT) - min(length, _CONTEXT)
            return before - run[length - 1] - _BACKOFF * given_up
    return -_UNKNOWN
