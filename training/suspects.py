"""Labels that are suspicious (存疑): disputed by models that were trained on the other samples."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from service.core.features import Document
from service.core.reading import build_tools
from service.policy_bundle import load_policy
from training.crossval import FOLDS, calibrated_heads, classify_held, cross_validate
from training.disputes import find_disputes
from training.groups import group_duplicates
from training.matrix import choose_vocabulary, count_features, read_keys
from training.samples import EXCLUSIVE_HEADS, Sample
from training.tasks import make_tasks
from training.train import fuse

_FEWEST: Final = 20 * FOLDS  # samples of a head, below which folds say nothing
_MOST_FEATURES: Final = 30_000
_MOST_SPANS: Final = 3
_KEPT: Final = ("head", "label", "suggested", "p_label", "p_suggested")
_SEED: Final = 7


def find_suspects(samples: Sequence[Sample], policy_folder: Path) -> list[dict[str, Any]]:
    """The disputed labels, the likeliest errors first, each with the words that speak against it.

    Args:
        samples: what is to be checked.
        policy_folder: the policy bundle whose dictionary segments the texts.

    Returns:
        For each: `id`, `text`, `head`, `label`, `suggested`, the probabilities of both, and
        `spans`, the places in the text that speak most for the suggestion. Nothing for heads with
        too few samples.
    """
    heads = [
        head
        for head in EXCLUSIVE_HEADS
        if sum(head in sample.labels for sample in samples) >= _FEWEST
        and len({sample.labels.get(head) for sample in samples} - {None}) > 1
    ]
    if not heads:
        return []
    numbered = [replace(sample, id=str(number)) for number, sample in enumerate(samples)]
    texts = [sample.text for sample in samples]
    keys = read_keys(texts, policy_folder)
    groups = np.array(group_duplicates(texts))
    vocabulary = choose_vocabulary(keys, groups.tolist(), _MOST_FEATURES)
    counts = count_features(keys, vocabulary)
    tasks = make_tasks(numbered, heads)
    held, fitted = cross_validate(
        tasks, counts, vocabulary, numbered, groups, size=len(samples), seed=_SEED, vectors=None,
        progress=lambda _line: None,
    )  # fmt: skip
    disputes = find_disputes(numbered, classify_held(tasks, held, len(samples)))
    calibrated = calibrated_heads(tasks, held, np.ones(len(samples), dtype=bool))
    classifier = fuse(tasks, fitted.models, vocabulary, fitted.weights, calibrated).classifier()
    policy = load_policy(policy_folder)
    normalizer, segmenter = build_tools(policy)
    found = []
    for dispute in disputes:
        sample = samples[int(dispute["id"])]
        clean = normalizer.normalize(sample.text)
        document = Document(clean.text, segmenter.segment(clean.text))
        reasons = classifier.explain(document, dispute["head"], dispute["suggested"])
        spans = sorted(clean.origin(r.start, r.end) for r in reasons[:_MOST_SPANS])
        kept = {
            key: dispute[key] for key in ("head", "label", "suggested", "p_label", "p_suggested")
        }
        found.append({"id": sample.id, "text": sample.text, **kept, "spans": spans})
    return found
