"""The second stage: response and risk judged anew from what all heads say of a message together."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from service.core.classify import Refinement
from training.crossval import FOLDS, Held
from training.estimator import Floats
from training.samples import Sample
from training.tasks import Task, grouped

_REFINED: Final = ("response", "risk")

# Measured in docs/training.md.
_MEMBERS: Final = 3
_UNITS: Final = 32
_PENALTY: Final = 0.1
_PASSES: Final = 25

_NEVER: Final = -30.0  # the output of a label that the messages do not hold


def refine(
    tasks: Sequence[Task],
    held: Mapping[str, Held],
    volumes: Floats,
    samples: Sequence[Sample],
    seed: int,
) -> tuple[dict[str, Held], list[Refinement]]:
    """The held-out outputs with those of the refined heads replaced, and the networks to ship.

    A network is trained on held-out outputs of the first stage, for those that it will meet are
    of messages unknown to the first stage too. For the replaced outputs of a fold it never saw
    that fold. The inputs of the other folds come from first stages that did see the fold; trained
    on nested folds instead, the figures are the same within noise (docs/training.md).

    Args:
        tasks: what was trained; without `response` and `risk` nothing is refined.
        held: their held-out outputs of the first stage.
        volumes: the volume of each judged message, shape (judged,).
        samples: the judged samples.
        seed: of the networks.
    """
    columns = [held[task.name].outputs for group in grouped(tasks) for task in group]
    inputs = np.hstack([*columns, volumes[:, None]]).astype(np.float32)
    folds = next(iter(held.values())).folds
    weights = np.array([sample.weight for sample in samples])

    def fit(task: Task, rows: NDArray[np.bool_]) -> Refinement:
        truth = task.truth[: len(rows)]
        known = rows & (truth >= 0)
        return fit_refinement(task, inputs[known], truth[known], weights[known], seed)

    refined = dict(held)
    refinements = []
    for task in tasks:
        if task.name not in _REFINED:
            continue
        parts = [folds != fold for fold in range(FOLDS)] + [np.ones(len(folds), dtype=bool)]
        *by_fold, whole = Parallel(n_jobs=-1)(delayed(fit)(task, rows) for rows in parts)
        outputs = np.zeros_like(held[task.name].outputs)
        for fold, refinement in enumerate(by_fold):
            outputs[folds == fold] = refinement.apply(inputs[folds == fold])
        refined[task.name] = replace(held[task.name], outputs=outputs)
        refinements.append(whole)
    return refined, refinements


def fit_refinement(
    task: Task, inputs: NDArray[np.float32], truth: NDArray[np.intp], weights: Floats, seed: int
) -> Refinement:
    """Networks of one hidden layer, classes balanced, joined into one whose output is their mean.

    Args:
        task: the head whose outputs are replaced.
        inputs: outputs of all heads and the volume, shape (messages, inputs).
        truth: the index of each message's label.
        weights: how much each message counts.
        seed: of the first network.
    """
    scaler = StandardScaler().fit(inputs)
    scaled = scaler.transform(inputs)
    balanced = weights * compute_sample_weight("balanced", truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the passes are few on purpose
        members = [
            MLPClassifier(
                hidden_layer_sizes=(_UNITS,),
                alpha=_PENALTY,
                batch_size=256,
                learning_rate_init=2e-3,
                max_iter=_PASSES,
                n_iter_no_change=_PASSES,
                random_state=seed + member,
            ).fit(scaled, truth, sample_weight=balanced)
            for member in range(_MEMBERS)
        ]
    hidden = np.hstack([m.coefs_[0] for m in members]) / scaler.scale_[:, None]
    hidden_bias = np.hstack([m.intercepts_[0] for m in members]) - scaler.mean_ @ hidden
    top = np.vstack([m.coefs_[1] for m in members]) / len(members)
    top_bias = np.mean([m.intercepts_[1] for m in members], axis=0)
    if top.shape[1] == 1:  # two labels share one output
        top, top_bias = np.hstack([-top, top]) / 2, np.hstack([-top_bias, top_bias]) / 2
    # A softmax sees differences alone; centred, a label's own output tells what speaks for it.
    output = np.zeros((len(top), len(task.labels)))
    output[:, members[0].classes_] = top - top.mean(axis=1, keepdims=True)
    output_bias = np.full(len(task.labels), _NEVER)
    output_bias[members[0].classes_] = top_bias - top_bias.mean()
    layers = (hidden, hidden_bias, output, output_bias)
    return Refinement(task.name, *(layer.astype(np.float32) for layer in layers))
