"""A taxonomy of the deployment's own (自有标签体系) beside the champion's heads.

A labels file names, for a head that no rule is bound to be about, the deployment's labels and their
Chinese names. The head is trained on the samples that bear them and takes the place of ours in what
is reported. Ours is judged on beside it, unseen: rules, offices and the second stage read that, so
that level and response of every message stay what they were.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.model_selection import StratifiedGroupKFold

from service.artifacts import StackedModel
from service.core.classify import Classification, Classifier, Head, Interpreter, Refinement
from service.core.errors import SampleError
from service.core.features import Document
from service.core.labels import OWN, REPLACEABLE, own_names
from training.crossval import FOLDS
from training.estimator import Floats, fit_head, fit_temperature
from training.evaluate import measure_head
from training.samples import Sample, Taxonomy
from training.tasks import Task, ordered_outputs

_FEWEST: Final = 10  # samples of a label, below which it cannot be learned and measured
_LONGEST: Final = 64  # characters of a label or a name


def read_taxonomy(path: Path) -> Taxonomy:
    """The labels of a file: `{"topic": {"parks": "公园绿化", …}}`.

    Raises:
        SampleError: it is not such a file; the detail says what to mend.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SampleError(f"标签文件 {path} 不能读。", "应为 UTF-8 的 JSON。") from error
    shape = '应为 {"topic": {"标签": "名称", …}}，可换的判断：' + "、".join(REPLACEABLE) + "。"
    if not isinstance(table, dict) or not table:
        raise SampleError(f"标签文件 {path} 没有标签。", shape)
    for head, names in table.items():
        if head not in REPLACEABLE:
            why = "回应、风险和要素是研判规则的用语，不能换。"
            raise SampleError(f"标签文件 {path}：不能换 {head!r}。{why}", shape)
        if not isinstance(names, dict) or not all(map(_is_name, [*names, *names.values()])):
            raise SampleError(f"标签文件 {path}：{head} 的标签或名称不是短字符串。", shape)
        doubled = [one for one, n in Counter([*names, *names.values()]).items() if n > 1]
        doubled = [one for one in doubled if names.get(one) != one]
        if len(names) < 2 or doubled:  # noqa: PLR2004 — a choice needs two
            told = f"{doubled} 不止一次" if doubled else "少于两种标签"
            raise SampleError(f"标签文件 {path}：{head} {told}。", shape)
    return table


def _is_name(given: Any) -> bool:
    return isinstance(given, str) and given == given.strip() and 0 < len(given) <= _LONGEST


def own_taxonomy(heads: Iterable[Head]) -> Taxonomy:
    """The deployment's own labels among those of a model's heads."""
    return own_names({head.name: head.names for head in heads})


def with_own_heads(
    model: StackedModel,
    taxonomy: Taxonomy,
    X: csr_matrix,
    samples: Sequence[Sample],
    weights: Floats,
    *,
    groups: NDArray[np.intp],
    seed: int,
) -> tuple[StackedModel, dict[str, Any]]:
    """The model with the heads of a labels file, and their cross-validated figures.

    Args:
        model: the champion; a head of the same name gives way.
        taxonomy: what the labels file says.
        X: weighed features of the samples, shape (samples, features).
        samples: what is learned; those without a label of the head are left out.
        weights: how much each counts.
        groups: the near-duplicate group of each, kept together in the folds.
        seed: of folds and solver.

    Raises:
        SampleError: a label has fewer than ten samples.
    """
    figures = {}
    for name, names in taxonomy.items():
        head = f"{OWN}{name}"
        labels = tuple(names)
        index = {label: place for place, label in enumerate(labels)}
        truth = np.array([index.get(sample.labels.get(head, ""), -1) for sample in samples])
        known = truth >= 0
        counts = np.bincount(truth[known], minlength=len(labels))
        if rare := [f"{labels[i]}（{counts[i]}）" for i in np.flatnonzero(counts < _FEWEST)]:
            told = f"{name} 的标签 {'、'.join(rare)} 不足 {_FEWEST} 条样本。"
            raise SampleError(told, "请补充标注，或从标签文件中去掉它。")
        task = Task(head, labels, truth[known])
        learned = list(compress(samples, known))
        held = _hold_out(task, X[known], weights[known], groups[known], seed)
        temperature = fit_temperature(held, task.truth)
        shape = np.full(len(labels), temperature, np.float32)
        alone = Head(head, labels, 0, shape, np.zeros_like(shape), names=dict(names))
        read = Interpreter([alone]).read
        said = [read(row).heads[head] for row in held.astype(np.float32)]
        figures[head] = measure_head(head, learned, [one.label for one in said], said)
        fitted = fit_head(X[known], [labels[i] for i in task.truth], weights[known], seed)
        order = [fitted.labels.index(label) for label in labels]
        bare = _without(model, head)
        model = _append(bare, alone, fitted.coefficients[order].T, fitted.intercepts[order])
    return model, figures


def _hold_out(
    task: Task, X: csr_matrix, weights: Floats, groups: NDArray[np.intp], seed: int
) -> Floats:
    """Outputs of every sample by a model that never saw its group, shape (samples, labels)."""
    held = np.zeros((len(task.truth), len(task.labels)))
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for rows, asked in splitter.split(task.truth, task.truth, groups):
        labels = [task.labels[i] for i in task.truth[rows]]
        held[asked] = ordered_outputs(
            fit_head(X[rows], labels, weights[rows], seed), task, X[asked]
        )
    return held


def _append(
    model: StackedModel, head: Head, coefficients: Floats, intercepts: Floats
) -> StackedModel:
    """The model with one more head behind the others; the second stage does not read it."""
    outputs = len(model.arrays["intercepts"])
    arrays = {
        **model.arrays,
        "coefficients": np.hstack([model.arrays["coefficients"], coefficients]),
        "intercepts": np.concatenate([model.arrays["intercepts"], intercepts]),
    }
    unread = np.zeros(len(head.labels), np.intp)
    refinements = [
        _rewire(refinement, np.insert(refinement.hidden, outputs + unread, 0, axis=0))
        for refinement in model.refinements
    ]
    heads = [*model.heads, replace(head, first=outputs)]
    return StackedModel(model.vocabulary, arrays, heads, refinements)


def _without(model: StackedModel, name: str) -> StackedModel:
    """The model without an own head, or as it is."""
    gone = next((head for head in model.heads if head.name == name), None)
    if gone is None:
        return model
    arrays = {
        **model.arrays,
        "coefficients": np.delete(model.arrays["coefficients"], gone.columns, axis=1),
        "intercepts": np.delete(model.arrays["intercepts"], gone.columns),
    }
    refinements = [
        _rewire(refinement, np.delete(refinement.hidden, gone.columns, axis=0))
        for refinement in model.refinements
    ]
    heads = [
        replace(head, first=head.first - len(gone.labels)) if head.first > gone.first else head
        for head in model.heads
        if head is not gone
    ]
    return StackedModel(model.vocabulary, arrays, heads, refinements)


def _rewire(refinement: Refinement, hidden: Any) -> Refinement:
    return replace(refinement, hidden=hidden.astype(np.float32))


def with_own_profile(
    profile: Mapping[str, Mapping[str, float]], samples: Sequence[Sample], taxonomy: Taxonomy
) -> dict[str, Mapping[str, float]]:
    """The profile of the training messages with the shares of own labels in the place of ours.

    How sure the head is of them is not told: those learned are not those to come.
    """
    own = dict(profile)
    for name in taxonomy:
        labels = Counter(s.labels[key] for s in samples if (key := f"{OWN}{name}") in s.labels)
        if labels:
            own[name] = {label: round(n / labels.total(), 5) for label, n in labels.items()}
            own.pop(f"{name}_confidence", None)
    return own


def as_own(samples: Sequence[Sample], taxonomy: Taxonomy) -> list[Sample]:
    """Corrections, whose labels are of the head that was reported when they were made."""
    return [
        replace(
            sample,
            labels={
                f"{OWN}{head}" if label in taxonomy.get(head, {}) else head: label
                for head, label in sample.labels.items()
            },
        )
        for sample in samples
    ]


def codebook_only(classifier: Classifier) -> Classifier:
    """The classifier without own heads, for what is stated in the codebook's labels."""
    return _CodebookOnly(classifier)


class _CodebookOnly:
    def __init__(self, classifier: Classifier) -> None:
        self.labels = {h: v for h, v in classifier.labels.items() if not h.startswith(OWN)}
        self.names: Mapping[str, Mapping[str, str]] = {}
        self.explain = classifier.explain
        self.rate_flags = classifier.rate_flags
        self.log_likelihood = classifier.log_likelihood
        self._classifier = classifier

    def classify(self, document: Document) -> Classification:
        said = self._classifier.classify(document)
        heads = {head: one for head, one in said.heads.items() if head in self.labels}
        return replace(said, heads=heads)
