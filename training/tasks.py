"""What is to be trained: a task for each exclusive head and for each flag."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from service.core.classify import FLAGS
from service.core.errors import SampleError
from service.core.labels import HEADS
from training.estimator import Floats, HeadModel, fit_flag, fit_head
from training.samples import Sample, ordered_labels


@dataclass(frozen=True, slots=True)
class Task:
    """One output group to be trained: an exclusive head, or a single flag.

    Attributes:
        name: `topic` … or `flags.KEY`.
        labels: the head's labels in the codebook's order; one for a flag.
        truth: index of the label (for a flag 0 or 1) of every sample, −1 where it is not known.
    """

    name: str
    labels: tuple[str, ...]
    truth: NDArray[np.intp]

    @property
    def is_flag(self) -> bool:
        """Whether it is a single flag."""
        return self.name.startswith(f"{FLAGS}.")


def make_tasks(samples: Sequence[Sample], heads: Sequence[str] | None) -> list[Task]:
    """The tasks of the named heads, or of all.

    Raises:
        SampleError: a head is unknown, or the samples hold less than two of its labels.
    """
    unknown = set(heads or ()) - set(HEADS)
    if unknown:
        raise SampleError(f"未知的判断 {sorted(unknown)}。", f"可用：{'、'.join(HEADS)}。")
    tasks = []
    for head in heads or HEADS:
        if head == FLAGS:
            tasks += [_flag_task(flag, samples) for flag in HEADS[FLAGS]]
        else:
            tasks.append(_head_task(head, samples))
    return tasks


def _head_task(head: str, samples: Sequence[Sample]) -> Task:
    labels = ordered_labels(head, {s.labels[head] for s in samples if head in s.labels})
    if len(labels) < 2:  # noqa: PLR2004 — a choice needs two
        raise SampleError(f"样本中 {head} 的标签不足两种。", "请补充标注样本，或用 --heads 略过。")
    index = {label: i for i, label in enumerate(labels)}
    truth = [index.get(sample.labels.get(head, ""), -1) for sample in samples]
    return Task(head, labels, np.array(truth))


def _flag_task(flag: str, samples: Sequence[Sample]) -> Task:
    truth = np.array([int(sample.flags.get(flag, -1)) for sample in samples])
    if not {0, 1} <= set(truth.tolist()):
        raise SampleError(f"样本中没有 {flag} 的正例或反例。", "请补充标注样本。")
    return Task(f"{FLAGS}.{flag}", (flag,), truth)


def grouped(tasks: Sequence[Task]) -> list[list[Task]]:
    """One list a served head: each exclusive head alone, all flags together at the end."""
    exclusive = [[task] for task in tasks if not task.is_flag]
    flags = [task for task in tasks if task.is_flag]
    return [*exclusive, flags] if flags else exclusive


def fit_task(
    task: Task, X: csr_matrix, rows: NDArray[np.intp], weights: Floats, seed: int
) -> HeadModel:
    """Trains one task on those rows of X whose label is known.

    Args:
        task: what to train.
        X: weighed features.
        rows: for each row of X the sample whose labels it bears.
        weights: how much each row of X counts.
        seed: of the solver.
    """
    known = task.truth[rows] >= 0
    truth = task.truth[rows][known]
    if task.is_flag:
        return fit_flag(task.labels[0], X[known], truth == 1, weights[known], seed)
    return fit_head(X[known], [task.labels[i] for i in truth], weights[known], seed)


def ordered_outputs(model: HeadModel, task: Task, X: csr_matrix) -> Floats:
    """Outputs in the order of the task's labels; a label the fold never saw gets the lowest."""
    z = model.outputs(X)
    if task.is_flag:
        return z
    ordered = np.full((len(z), len(task.labels)), z.min())
    ordered[:, [task.labels.index(label) for label in model.labels]] = z
    return ordered
