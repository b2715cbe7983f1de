"""Mixtures (混合样本): a message and idle chat in one text still say what the message says.

Real messages come with greetings, slogans and unrelated chat around the point. Some training
messages are therefore read once more with the words of a harmless one added, under their own
labels. Only counts are added up; no text is made.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from training.estimator import Floats, TermWeights
from training.samples import Sample

# Measured in docs/training.md.
_SHARE: Final = 0.4  # of the messages that are mixed
_WEIGHT: Final = 0.4  # of a mixture beside its message
_LONGEST: Final = 120  # characters of harmless chat


def with_mixtures(
    weights: TermWeights,
    counts: csr_matrix,
    rows: NDArray[np.intp],
    samples: Sequence[Sample],
    seed: int,
) -> tuple[csr_matrix, NDArray[np.intp], Floats]:
    """What to train on: the given rows and mixtures of them.

    Args:
        weights: fitted term weights.
        counts: feature counts of all samples.
        rows: the rows that may be trained on.
        samples: all samples in the order of the rows of `counts`.
        seed: of the draw.

    Returns:
        The weighed features; for each of their rows the row whose labels it bears; how much it
        counts.
    """
    own = np.array([samples[row].weight for row in rows])
    X = weights.transform(counts[rows])
    complete = np.array([row for row in rows if samples[row].is_complete], dtype=np.intp)
    idle = np.array([row for row in complete if _is_idle(samples[row])], dtype=np.intp)
    if not len(idle):
        return X, rows, own
    random = np.random.default_rng(seed)
    mixed = complete[random.random(len(complete)) < _SHARE]
    X_mixed = weights.transform(counts[mixed] + counts[random.choice(idle, len(mixed))])
    lighter = np.array([samples[row].weight * _WEIGHT for row in mixed])
    return (
        vstack([X, X_mixed], format="csr"),
        np.concatenate([rows, mixed]),
        np.concatenate([own, lighter]),
    )


def _is_idle(sample: Sample) -> bool:
    """Whether it is short and says nothing that an office would mind."""
    labels = sample.labels
    return (
        (labels["topic"], labels["response"], labels["risk"]) == ("other", "none", "1")
        and not any(sample.flags.values())
        and len(sample.text) < _LONGEST
    )
