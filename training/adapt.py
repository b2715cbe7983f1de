"""A linear model moved towards new labels, as far as they pull against a leash to where it was."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit, log_expit, logsumexp
from sklearn.preprocessing import normalize
from sklearn.utils.class_weight import compute_sample_weight

from service.artifacts import StackedModel
from service.core.classify import FLAGS, Head
from service.core.features import BLOCK_WEIGHTS, BLOCKS
from training.samples import Sample

# Inverse strength of the pull back; measured in docs/training.md.
_STRENGTH: Final = 1.0
_CLOSE: Final = 1e-5  # relative gain of a step that ends the search; finer changes no answer
_FOLDS: Final = 3

Floats = NDArray[np.float64]


def cross_fit(
    model: StackedModel,
    X: csr_matrix,
    samples: Sequence[Sample],
    weights: Floats,
    *,
    heads: Sequence[Head],
    is_correction: NDArray[np.bool_],
    groups: NDArray[np.intp],
) -> dict[str, float]:
    """Whether corrections teach what other corrections say: how often the labels are theirs.

    A third of the corrections is kept back in turn, near-duplicates together, and asked about.
    Labels that contradict each other and the samples are not met any better than before.

    Args:
        model: where to start.
        X: weighed features of the samples.
        samples: what is learned.
        weights: how much each counts.
        heads: which of its heads are asked about; not those that learned the corrections already.
        is_correction: which of them are corrections.
        groups: the near-duplicate group of each.

    Returns:
        `base` and `learned`, shares over all exclusive labels of corrections; empty without any.
    """
    exclusive = [head for head in heads if head.name != FLAGS]
    fold_of = groups % _FOLDS
    before = after = total = 0
    for fold in range(_FOLDS if is_correction.any() else 0):
        asked = is_correction & (fold_of == fold)
        kept = ~asked & ~(np.isin(groups, groups[asked]))
        if not asked.any():
            continue
        rest = list(compress(samples, kept))
        moved = move(model, X[kept], rest, weights[kept], heads=exclusive)
        for columns, truth in _targets(exclusive, samples):
            known = asked & (truth >= 0)
            if known.any():
                total += int(known.sum())
                before += _hits(model, X[known], columns, truth[known])
                after += _hits(moved, X[known], columns, truth[known])
    if not total:
        return {}
    return {"base": round(before / total, 4), "learned": round(after / total, 4)}


def _hits(
    model: StackedModel, X: csr_matrix, columns: NDArray[np.intp], truth: NDArray[np.intp]
) -> int:
    z = X @ model.arrays["coefficients"][:, columns] + model.arrays["intercepts"][columns]
    return int((z.argmax(axis=1) == truth).sum())


def weigh(counts: csr_matrix, model: StackedModel) -> csr_matrix:
    """(1 + ln count) · idf, each block scaled to its length, as the service does.

    Args:
        counts: of the model's features, shape (samples, features).
        model: its vocabulary and document frequencies.
    """
    weighed = counts.astype(np.float64)
    weighed.data = (1 + np.log(weighed.data)) * model.arrays["idf"][weighed.indices]
    first = np.array([key[0] for key in model.vocabulary])
    blocks = [
        normalize(weighed[:, np.flatnonzero(first == block)]) * length
        for block, length in zip(BLOCKS, BLOCK_WEIGHTS, strict=True)
    ]
    return hstack(blocks, format="csr")


def move(
    model: StackedModel,
    X: csr_matrix,
    samples: Sequence[Sample],
    weights: Floats,
    *,
    heads: Sequence[Head] | None = None,
) -> StackedModel:
    """The model with the coefficients of every head that has labels moved towards them.

    Args:
        model: where to start.
        X: weighed features of the samples, shape (samples, features).
        samples: what is learned.
        weights: how much each sample counts.
        heads: which to move; all if `None`.
    """
    coefficients = np.array(model.arrays["coefficients"], np.float64)
    intercepts = np.array(model.arrays["intercepts"], np.float64)
    for columns, truth in _targets(heads or model.heads, samples):
        known = truth >= 0
        if not known.any():
            continue
        active = np.unique(X[known].indices)
        cells = active[:, None], columns
        balanced = weights[known] * compute_sample_weight("balanced", truth[known])
        coefficients[cells] = _fit(
            X[known][:, active], truth[known], balanced, coefficients[cells], intercepts[columns]
        )
    arrays = {**model.arrays, "coefficients": coefficients}
    return StackedModel(model.vocabulary, arrays, model.heads, model.refinements)


def _targets(
    heads: Sequence[Head], samples: Sequence[Sample]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """For each exclusive head and each flag its columns, and the truth of every sample or −1."""
    for head in heads:
        if head.name == FLAGS:
            for column, flag in enumerate(head.labels, head.first):
                yield (
                    np.array([column]),
                    np.array([int(sample.flags.get(flag, -1)) for sample in samples]),
                )
        else:
            places = {label: place for place, label in enumerate(head.labels)}
            truth = [places.get(sample.labels.get(head.name, ""), -1) for sample in samples]
            yield np.arange(head.first, head.columns.stop), np.array(truth)


def _fit(
    X: csr_matrix,
    truth: NDArray[np.intp],
    weights: Floats,
    coefficients: Floats,
    intercepts: Floats,
) -> Floats:
    """Coefficients where the loss and half the squared distance from the given ones are least.

    The intercepts stay: they hold how common each label is, which samples picked to be learned
    from do not tell, and what calibration and the second stage rest on.

    Args:
        X: shape (messages, features).
        truth: the column of each message's label; of a flag 0 or 1.
        weights: how much each message counts.
        coefficients: where to start, shape (features, columns).
        intercepts: shape (columns,).
    """
    start = X @ coefficients + intercepts
    loss_of = _flag_loss if len(intercepts) == 1 else _head_loss

    def objective(flat: Floats) -> tuple[float, Floats]:
        change = flat.reshape(coefficients.shape)
        loss, slope = loss_of(start + X @ change, truth, weights)
        gradient = _STRENGTH * (X.T @ slope) + change
        return _STRENGTH * loss + float((change**2).sum()) / 2, gradient.ravel()

    nothing = np.zeros(coefficients.size)
    best = minimize(objective, nothing, jac=True, method="L-BFGS-B", options={"ftol": _CLOSE})
    moved: Floats = coefficients + best.x.reshape(coefficients.shape)
    return moved


def _head_loss(z: Floats, truth: NDArray[np.intp], weights: Floats) -> tuple[float, Floats]:
    """The logistic loss of exclusive labels, and its slope by each output."""
    rows = np.arange(len(truth))
    log_p = z - logsumexp(z, axis=1, keepdims=True)
    slope = np.exp(log_p)
    slope[rows, truth] -= 1
    return -float(weights @ log_p[rows, truth]), slope * weights[:, None]


def _flag_loss(z: Floats, truth: NDArray[np.intp], weights: Floats) -> tuple[float, Floats]:
    signs = np.where(truth == 1, 1, -1)
    loss = -float(weights @ log_expit(signs * z[:, 0]))
    return loss, (weights * (expit(z[:, 0]) - truth))[:, None]
