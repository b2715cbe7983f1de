"""A policy's own thresholds (本地阈值) over what the model said."""

from collections.abc import Mapping
from dataclasses import replace

from service.core.classify import FLAGS, Classification, Prediction


def apply_thresholds(
    classification: Classification, thresholds: Mapping[str, Mapping[str, float]]
) -> Classification:
    """The same probabilities, decided by the policy's thresholds where it has some.

    A flag is raised from its threshold. A label of another head wins from its threshold, the first
    named first, and below it only gives way; without thresholds the model's own decision stands.
    """
    if not thresholds:
        return classification
    heads = {
        head: _decide(prediction, thresholds[head]) if head in thresholds else prediction
        for head, prediction in classification.heads.items()
    }
    return replace(
        classification, heads=heads, raised=_raise(classification, thresholds.get(FLAGS, {}))
    )


def _decide(prediction: Prediction, thresholds: Mapping[str, float]) -> Prediction:
    scores = prediction.scores
    label = next((name for name, least in thresholds.items() if scores[name] >= least), None)
    if label is None:
        label = prediction.label
        if label in thresholds:
            rest = [name for name in scores if name not in thresholds] or list(scores)
            label = max(rest, key=scores.__getitem__)
    return Prediction(label, scores[label], scores)


def _raise(classification: Classification, thresholds: Mapping[str, float]) -> tuple[str, ...]:
    scores = classification.flags
    kept = [flag for flag in classification.raised if flag not in thresholds]
    reached = [flag for flag, least in thresholds.items() if scores[flag] >= least]
    return tuple(sorted([*kept, *reached], key=lambda flag: -scores[flag]))
