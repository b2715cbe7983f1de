"""Held-out predictions by grouped cross-validation, and what is fitted on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.model_selection import StratifiedGroupKFold

from service.core.classify import Classification, Head, Interpreter
from training.estimator import (
    Floats,
    HeadModel,
    TermWeights,
    best_threshold,
    fit_platt,
    fit_temperature,
    probabilities,
)
from training.mixing import with_mixtures
from training.samples import Sample
from training.tasks import Task, fit_task, grouped, ordered_outputs

FOLDS: Final = 5
PARTS: Final = FOLDS + 1
# Labels that may win before the likeliest one does, in order, and the precision each must keep.
# A missed escalation is the worst fault: it costs ten false alarms, but a desk that is called out
# in vain more often than not stops looking. `None` weighs precision and recall alike (F1).
_PRECEDENCE: Final[Mapping[str, Mapping[str, float | None]]] = {
    "response": {"escalate": 0.55, "clarify": None}
}
# The same cost for the flags that tell of danger to people; the others are raised for the best F1.
_DANGER_PRECISION: Final = 0.65
_DANGER_FLAGS: Final = frozenset({"casualty", "accident", "minor", "threat", "mobilise"})

# Natural messages, and natural examples of a flag, from which calibration and thresholds are fitted
# on them alone; fewer make a threshold that chance has set.
_FEWEST_MESSAGES: Final = 500
_FEWEST_EXAMPLES: Final = 40


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out outputs of a task over the judged samples.

    Attributes:
        outputs: log-odds of shape (judged, labels).
        folds: the fold each sample was held out in.
        natural: whether each is a message as a desk may meet it; see `Sample.is_natural`.
    """

    outputs: Floats
    folds: NDArray[np.intp]
    natural: NDArray[np.bool_]


class Fitted(NamedTuple):
    """Models of all tasks by name, and the term weights that they stand on."""

    weights: TermWeights
    models: dict[str, HeadModel]


def cross_validate(
    tasks: Sequence[Task],
    counts: csr_matrix,
    vocabulary: Sequence[str],
    samples: Sequence[Sample],
    groups: NDArray[np.intp],
    *,
    size: int,
    seed: int,
    vectors: NDArray[np.float32] | None = None,
    progress: Callable[[str], None],
) -> tuple[dict[str, Held], Fitted]:
    """Outputs for every judged sample by models that never saw its group, and the models of all.

    The models to ship are fitted beside the folds, so that no core waits for the last one.

    Args:
        tasks: what to train.
        counts: feature counts of all samples, the judged ones first.
        vocabulary: the columns of `counts`.
        samples: all samples in the order of the rows.
        groups: the duplicate group of each row.
        size: how many rows are judged by the codebook; the rest only trains.
        seed: for folds and solvers.
        vectors: word vectors as `TermWeights` takes them.
        progress: is told of every part done, of `PARTS`.
    """
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    strata = [sample.labels.get("response", "") for sample in samples[:size]]
    fold_of = np.zeros(size, dtype=np.intp)
    outputs = {task.name: np.zeros((size, len(task.labels))) for task in tasks}
    tests = [test for _, test in splitter.split(strata, strata, groups[:size])]

    def fit(rows: NDArray[np.intp]) -> Fitted:
        weights = TermWeights(vocabulary, vectors).fit(counts[rows[rows < size]])
        training = with_mixtures(weights, counts, rows, samples, seed)
        return Fitted(weights, {task.name: fit_task(task, *training, seed) for task in tasks})

    def held_out(test: NDArray[np.intp]) -> dict[str, Floats]:
        fitted = fit(np.flatnonzero(~np.isin(groups, groups[test])))
        X_test = fitted.weights.transform(counts[test])
        return {
            task.name: ordered_outputs(fitted.models[task.name], task, X_test) for task in tasks
        }

    parts = [*(delayed(held_out)(test) for test in tests), delayed(fit)(np.arange(len(samples)))]
    done = Parallel(n_jobs=-1, return_as="generator")(parts)
    for fold, test in enumerate(tests):
        fold_of[test] = fold
        for name, z in next(done).items():
            outputs[name][test] = z
        progress(f"交叉验证 {fold + 1}/{FOLDS}")
    whole = next(done)
    progress("全部样本")
    natural = np.array([sample.is_natural for sample in samples[:size]])
    return {name: Held(z, fold_of, natural) for name, z in outputs.items()}, whole


def _calibration_rows(task: Task, held: Held, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the given rows those that tell how sure the model may be of messages to come.

    Natural ones, unless they are too few or hold a flag too rarely: those written for the project
    or chosen because a model was unsure of them are harder, and their shares are not natural.
    """
    truth = task.truth[: len(rows)]
    known: NDArray[np.bool_] = rows & (truth >= 0)
    natural = known & held.natural
    examples = (truth[natural] == 1).sum() if task.is_flag else natural.sum()
    enough = _FEWEST_EXAMPLES if task.is_flag else _FEWEST_MESSAGES
    return natural if examples >= enough else known


def _calibrate(task: Task, held: Held, rows: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset from the held-out outputs of the given rows."""
    truth = task.truth[: len(rows)]
    if task.is_flag:
        return fit_platt(held.outputs[rows], truth[rows] == 1)
    return fit_temperature(held.outputs[rows], truth[rows]), 0.0


def _choose_thresholds(task: Task, p: Floats, truth: NDArray[np.intp]) -> dict[str, float]:
    """Probabilities from which labels win, chosen one after the other on what is left."""
    if task.is_flag:
        flag = task.labels[0]
        least_precision = _DANGER_PRECISION if flag in _DANGER_FLAGS else None
        return {flag: best_threshold(p[:, 0], truth == 1, least_precision)}
    thresholds = {}
    for label, least_precision in _PRECEDENCE.get(task.name, {}).items():
        column = task.labels.index(label)
        threshold = best_threshold(p[:, column], truth == column, least_precision)
        thresholds[label] = threshold
        left = p[:, column] < threshold
        p, truth = p[left], truth[left]
    return thresholds


def _head(
    tasks: Sequence[Task], held: Mapping[str, Held], rows: NDArray[np.bool_], first: int
) -> Head:
    """The served form of one exclusive head, or of all flags together, calibrated on `rows`."""
    slopes: list[float] = []
    offsets: list[float] = []
    thresholds: dict[str, float] = {}
    for task in tasks:
        known = _calibration_rows(task, held[task.name], rows)
        slope, offset = _calibrate(task, held[task.name], known)
        slopes += [slope] * len(task.labels)
        offsets += [offset] * len(task.labels)
        p = probabilities(held[task.name].outputs[known], slope, offset)
        thresholds |= _choose_thresholds(task, p, task.truth[: len(rows)][known])
    return Head(
        name=tasks[0].name.split(".")[0],
        labels=tuple(label for task in tasks for label in task.labels),
        first=first,
        slopes=np.array(slopes, dtype=np.float32),
        offsets=np.array(offsets, dtype=np.float32),
        thresholds=thresholds,
    )


def calibrated_heads(
    tasks: Sequence[Task], held: Mapping[str, Held], rows: NDArray[np.bool_]
) -> list[Head]:
    """All heads in the order of the output columns."""
    heads, first = [], 0
    for group in grouped(tasks):
        heads.append(_head(group, held, rows, first))
        first += len(heads[-1].labels)
    return heads


def classify_held(
    tasks: Sequence[Task], held: Mapping[str, Held], size: int
) -> list[Classification]:
    """Held-out classifications, each calibrated and thresholded without its own fold."""
    folds = next(iter(held.values())).folds
    columns = [held[task.name].outputs for group in grouped(tasks) for task in group]
    outputs = np.concatenate(columns, axis=1).astype(np.float32)
    classified: list[Classification] = [Classification({}, {}, ())] * size
    for fold in range(FOLDS):
        interpreter = Interpreter(calibrated_heads(tasks, held, folds != fold))
        for row in np.flatnonzero(folds == fold):
            classified[row] = interpreter.read(outputs[row])
    return classified
