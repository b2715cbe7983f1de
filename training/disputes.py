"""Label cleaning: labels that held-out predictions confidently dispute (Northcutt et al. 2021)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from service.core.classify import Classification
from training.samples import EXCLUSIVE_HEADS, Sample


def find_disputes(
    samples: Sequence[Sample], classified: Sequence[Classification]
) -> list[dict[str, Any]]:
    """The labels to read again, the likeliest errors first, by confident learning.

    A label is disputed if another label of its head has at least the probability that it has on
    average on messages that bear it, and is likelier than the given one.

    Args:
        samples: judged samples.
        classified: what models say of them that did not see them.

    Returns:
        One row a disputed label: `id`, `collection`, `source`, `head`, `label`, the model's
        `suggested` label, and the probabilities of both. No text, so that the list may be kept.
    """
    rows = []
    for head in EXCLUSIVE_HEADS:
        mine = [i for i, sample in enumerate(samples) if head in sample.labels]
        if not mine or head not in classified[0].heads:
            continue
        labels = list(classified[mine[0]].heads[head].scores)
        p = np.array([list(classified[i].heads[head].scores.values()) for i in mine])
        given = np.array([labels.index(samples[i].labels[head]) for i in mine])
        usual = np.array(
            [p[given == k, k].mean() if (given == k).any() else 1 for k in range(len(labels))]
        )
        confident = np.where(p >= usual, p, 0)
        suggested = confident.argmax(axis=1)
        row = np.arange(len(mine))
        disputed = (p[row, suggested] > p[row, given]) & (confident[row, suggested] > 0)
        for i in np.flatnonzero(disputed):
            sample = samples[mine[i]]
            rows.append(
                {
                    "id": sample.id,
                    "collection": sample.collection,
                    "source": sample.source,
                    "head": head,
                    "label": labels[given[i]],
                    "suggested": labels[suggested[i]],
                    "p_label": round(float(p[i, given[i]]), 4),
                    "p_suggested": round(float(p[i, suggested[i]]), 4),
                }
            )
    return sorted(rows, key=lambda row: (row["p_label"] - row["p_suggested"], row["id"]))
