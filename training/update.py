"""A better model from a few corrections: the champion's weights, moved as far as they ask for.

The penalty pulls towards the champion's coefficients instead of towards zero, so what the new
labels do not speak of stays as it was; our own samples are learned again beside them, so that
nothing is unlearned. Vocabulary, calibration and second stage are the champion's. It takes neither
the corpora nor the time of a whole training.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import compress
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np

from service.artifacts import load_model, read_manifest, save_bundle, write_json
from service.core.classify import Head
from service.core.errors import SampleError
from service.core.labels import OWN
from service.core.working_days import SHANGHAI
from service.policy_bundle import load_policy
from training.adapt import cross_fit, move, weigh
from training.corrections import FEEDBACK
from training.evaluate import evaluate_classifier
from training.holdout import group_without, read_holdout
from training.matrix import count_features, read_keys
from training.progress import Progress
from training.provenance import describe_code
from training.samples import Sample, Taxonomy, read_samples
from training.summary import summarize
from training.taxonomy import as_own, own_taxonomy, with_own_heads, with_own_profile
from training.train import write_report

_CORRECTION_WEIGHT: Final = 2.0

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
    taxonomy: Taxonomy | None = None,
    seed: int = 7,
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
        taxonomy: the deployment's own labels of some heads; see `training.taxonomy`.
        seed: of the folds that measure such a head.

    Raises:
        BundleError: the base cannot be used.
        SampleError: there is nothing to learn from, or a label that neither the base nor the
            taxonomy knows.
    """
    model = load_model(base, signing_key=signing_key)
    before = own_taxonomy(model.heads)
    own = {**before, **(taxonomy or {})}
    held_out = read_holdout(holdout, own)
    everything = [*read_samples(samples, own), *as_own(corrections, own)]
    is_free, groups = group_without(everything, held_out)
    learned, groups = list(compress(everything, is_free)), groups[is_free]
    if not learned:
        raise SampleError("没有可学的样本。", "请用 --samples 或 --feedback 给出样本。")
    _check_labels(learned, model.heads, own)
    progress = Progress(4)
    read = joblib.Memory(cache, verbose=0).cache(read_keys, ignore=["jobs"])
    keys = read([sample.text for sample in learned], policy_folder)
    progress.step("读成特征")
    is_correction = np.array([sample.source == FEEDBACK for sample in learned])
    X = weigh(count_features(keys, model.vocabulary), model)
    weights = np.array([_weight(sample) for sample in learned])
    changed = {head: names for head, names in own.items() if before.get(head) != names}
    model, figures = with_own_heads(model, changed, X, learned, weights, groups=groups, seed=seed)
    old = [head for head in model.heads if head.name not in figures]
    moved = move(model, X, learned, weights, heads=old)
    progress.step("更新")
    agreement = cross_fit(
        model, X, learned, weights, heads=old, is_correction=is_correction, groups=groups
    )
    progress.step("核对更正")
    policy = load_policy(policy_folder)
    trained_at = datetime.now(SHANGHAI).replace(microsecond=0)
    base_manifest = read_manifest(base)
    digest = sha256(repr([base_manifest["files"], *map(_told, learned)]).encode()).hexdigest()
    manifest = {
        "version": f"{trained_at:%Y%m%d}-{digest[:8]}",
        "trained_at": trained_at.isoformat(),
        "base": base_manifest["version"],
        "messages": {
            "corrections": int(is_correction.sum()),
            "judged": len(learned),
            "held_out": int((~is_free).sum()),
        },
        "corrections_agree": agreement,
        "policy_version": policy.version,
        "data_sha256": {"learned": digest},
        "profile": with_own_profile(base_manifest.get("profile", {}), learned, own),
        **describe_code(),
    }
    metrics = evaluate_classifier(moved.classifier(), held_out, policy)
    metrics |= {"own_heads": figures} if figures else {}
    progress.step("评测")
    folder = output / str(manifest["version"])
    save_bundle(folder, moved, {**manifest, "metrics": summarize(metrics)}, signing_key=signing_key)
    write_json(folder / "metrics.json", metrics)
    card = _render_card(manifest, metrics, len(held_out), own)
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    write_report(folder, metrics)
    return folder


def _weight(sample: Sample) -> float:
    return _CORRECTION_WEIGHT if sample.source == FEEDBACK else sample.weight


def _told(sample: Sample) -> tuple[Any, ...]:
    return sample.text, sorted(sample.labels.items()), sorted(sample.flags.items())


def _check_labels(samples: Sequence[Sample], heads: Sequence[Head], own: Taxonomy) -> None:
    known = {head.name: set(head.labels) for head in heads}
    known |= {f"{OWN}{head}": set(names) for head, names in own.items()}
    for sample in samples:
        for head, label in sample.labels.items():
            if label not in known.get(head, set()):
                raise SampleError(
                    f"样本 {sample.id} 的 {head} 标签 {label!r} 是所据模型没有的。",
                    "自有标签请用 --labels 给出名称，否则请不用 --base 从头训练。",
                )


def _render_card(
    manifest: Mapping[str, Any], metrics: Mapping[str, Any], held: int, own: Taxonomy
) -> str:
    heads = "\n".join(
        f"| {head} | {figures['macro_f1']:.3f} |" for head, figures in metrics["heads"].items()
    )
    for head, figures in metrics.get("own_heads", {}).items():
        heads += f"\n| {head} (cross-validated) | {figures['macro_f1']:.3f} |"
    for head, names in own.items():
        labels = "、".join(f"{label} {name}" for label, name in names.items())
        heads += f"\n\nLabels of {head}: {labels}."
    messages = manifest["messages"]
    return _CARD.format(
        **{key: manifest[key] for key in ("version", "trained_at", "base", "policy_version")},
        corrections=messages["corrections"],
        samples=messages["judged"] - messages["corrections"],
        held=held,
        heads=heads,
    )
