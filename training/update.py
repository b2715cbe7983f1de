"""A better model from a few corrections: the champion's weights, moved as far as they ask for.

The penalty pulls towards the champion's coefficients instead of towards zero, so what the new
labels do not speak of stays as it was; our own samples are learned again beside them, so that
nothing is unlearned. Vocabulary, calibration and second stage are the champion's. It takes neither
the corpora nor the time of a whole training.
"""

import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version as package_version
from itertools import compress
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit, log_expit, logsumexp
from sklearn.preprocessing import normalize
from sklearn.utils.class_weight import compute_sample_weight

from service.artifacts import StackedModel, load_model, read_manifest, save_bundle, write_json
from service.core.classify import FLAGS, Head
from service.core.errors import SampleError
from service.core.features import BLOCK_WEIGHTS, BLOCKS
from service.core.working_days import SHANGHAI
from service.policy_bundle import load_policy
from training.corrections import FEEDBACK
from training.evaluate import evaluate_classifier
from training.holdout import group_without, read_holdout
from training.matrix import count_features, read_keys
from training.samples import Sample, read_samples
from training.summary import summarize

# Inverse strength of the pull towards the champion; measured in docs/training.md.
_STRENGTH: Final = 1.0
_CORRECTION_WEIGHT: Final = 2.0

Floats = NDArray[np.float64]

_CARD: Final = """\
# Model card: yanpan {version}

Trained {trained_at} from {base} with {corrections} corrections and {samples} samples beside
them; policy bundle {policy_version}. What it is for, what it is and its limits: those of {base},
whose vocabulary, calibration and second stage it has.

On the {held} messages of the hold-out, which neither learned from:

| head | macro-F1 |
|---|---|
{heads}
"""


def update(
    base: Path,
    *,
    samples: Sequence[Path],
    corrections: Sequence[Sample],
    policy_folder: Path,
    output: Path,
    holdout: Sequence[Path] = (),
    signing_key: str | None = None,
    cache: Path | None = None,
) -> Path:
    """Trains a new bundle from another one; its folder.

    Args:
        base: the bundle to start from.
        samples: files and folders of samples.
        corrections: accepted feedback, which weighs more.
        policy_folder: the policy bundle.
        output: where the folder goes.
        holdout: what nothing may be learned from; our own hold-out if there are none.
        signing_key: verifies the base and signs the manifest.
        cache: where features of texts are kept for the next time.

    Raises:
        BundleError: the base cannot be used.
        SampleError: there is nothing to learn from, or a label that the base does not know.
    """
    model = load_model(base, signing_key=signing_key)
    held_out = read_holdout(holdout)
    everything = [*read_samples(samples), *corrections]
    is_free, _ = group_without(everything, held_out)
    learned = list(compress(everything, is_free))
    if not learned:
        raise SampleError("没有可学的样本。", "请用 --samples 或 --feedback 给出样本。")
    _check_labels(learned, model.heads)
    read = joblib.Memory(cache, verbose=0).cache(read_keys, ignore=["jobs"])
    keys = read([sample.text for sample in learned], policy_folder)
    X = _weigh(count_features(keys, model.vocabulary), model)
    weights = np.array([_weight(sample) for sample in learned])
    moved = _move(model, X, learned, weights)
    policy = load_policy(policy_folder)
    trained_at = datetime.now(SHANGHAI).replace(microsecond=0)
    base_manifest = read_manifest(base)
    digest = sha256(repr([base_manifest["files"], *map(_told, learned)]).encode()).hexdigest()
    manifest = {
        "version": f"{trained_at:%Y%m%d}-{digest[:8]}",
        "trained_at": trained_at.isoformat(),
        "base": base_manifest["version"],
        "messages": {
            "corrections": sum(sample.source == FEEDBACK for sample in learned),
            "judged": len(learned),
            "held_out": int((~is_free).sum()),
        },
        "policy_version": policy.version,
        "data_sha256": {"learned": digest},
        "profile": base_manifest.get("profile", {}),
        "versions": {
            "python": platform.python_version(),
            **{name: package_version(name) for name in ("scikit-learn", "numpy", "jieba")},
        },
    }
    metrics = evaluate_classifier(moved.classifier(), held_out, policy)
    folder = output / str(manifest["version"])
    save_bundle(folder, moved, {**manifest, "metrics": summarize(metrics)}, signing_key=signing_key)
    write_json(folder / "metrics.json", metrics)
    card = _render_card(manifest, metrics, len(held_out))
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    return folder


def _weight(sample: Sample) -> float:
    return _CORRECTION_WEIGHT if sample.source == FEEDBACK else sample.weight


def _told(sample: Sample) -> tuple[Any, ...]:
    return sample.text, sorted(sample.labels.items()), sorted(sample.flags.items())


def _check_labels(samples: Sequence[Sample], heads: Sequence[Head]) -> None:
    known = {head.name: set(head.labels) for head in heads}
    for sample in samples:
        for head, label in sample.labels.items():
            if label not in known.get(head, set()):
                raise SampleError(
                    f"样本 {sample.id} 的 {head} 标签 {label!r} 是所据模型没有的。",
                    "请不用 --base，从头训练。",
                )


def _weigh(counts: csr_matrix, model: StackedModel) -> csr_matrix:
    """(1 + ln count) · idf, each block scaled to its length, as the service does."""
    weighed = counts.astype(np.float64)
    weighed.data = (1 + np.log(weighed.data)) * model.arrays["idf"][weighed.indices]
    first = np.array([key[0] for key in model.vocabulary])
    blocks = [
        normalize(weighed[:, np.flatnonzero(first == block)]) * length
        for block, length in zip(BLOCKS, BLOCK_WEIGHTS, strict=True)
    ]
    return hstack(blocks, format="csr")


def _move(
    model: StackedModel, X: csr_matrix, samples: Sequence[Sample], weights: Floats
) -> StackedModel:
    """The model with the coefficients of every head that has labels moved."""
    coefficients = np.array(model.arrays["coefficients"], np.float64)
    intercepts = np.array(model.arrays["intercepts"], np.float64)
    for columns, truth in _targets(model.heads, samples):
        known = truth >= 0
        if not known.any():
            continue
        active = np.unique(X[known].indices)
        cells = active[:, None], columns
        start = (coefficients[cells], intercepts[columns])
        balanced = weights[known] * compute_sample_weight("balanced", truth[known])
        moved = _fit(X[known][:, active], truth[known], balanced, *start)
        coefficients[cells], intercepts[columns] = moved
    arrays = {**model.arrays, "coefficients": coefficients, "intercepts": intercepts}
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
) -> tuple[Floats, Floats]:
    """Where the loss and half the squared distance from the given coefficients are least together.

    Args:
        X: shape (messages, features).
        truth: the column of each message's label; of a flag 0 or 1.
        weights: how much each message counts.
        coefficients: where to start, shape (features, columns).
        intercepts: likewise, shape (columns,).
    """
    start = X @ coefficients + intercepts
    shape = (len(coefficients) + 1, len(intercepts))
    loss_of = _flag_loss if len(intercepts) == 1 else _head_loss

    def objective(flat: Floats) -> tuple[float, Floats]:
        change = flat.reshape(shape)
        loss, slope = loss_of(start + X @ change[:-1] + change[-1], truth, weights)
        gradient = np.vstack([X.T @ slope, slope.sum(axis=0)]) * _STRENGTH + change
        return _STRENGTH * loss + float((change**2).sum()) / 2, gradient.ravel()

    best = minimize(objective, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B")
    change = best.x.reshape(shape)
    return coefficients + change[:-1], intercepts + change[-1]


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


def _render_card(manifest: Mapping[str, Any], metrics: Mapping[str, Any], held: int) -> str:
    heads = "\n".join(
        f"| {head} | {figures['macro_f1']:.3f} |" for head, figures in metrics["heads"].items()
    )
    messages = manifest["messages"]
    return _CARD.format(
        **{key: manifest[key] for key in ("version", "trained_at", "base", "policy_version")},
        corrections=messages["corrections"],
        samples=messages["judged"] - messages["corrections"],
        held=held,
        heads=heads,
    )
