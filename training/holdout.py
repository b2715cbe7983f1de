"""The frozen hold-out: samples that no model learns from, for the gate to compare models by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.core.errors import SampleError
from training.groups import group_duplicates
from training.samples import Sample, Taxonomy, read_samples

SAMPLES: Final = Path(__file__).resolve().parent.parent / "data" / "samples"
_IDS: Final = SAMPLES / "holdout.txt"


def read_holdout(paths: Sequence[Path] = (), taxonomy: Taxonomy | None = None) -> list[Sample]:
    """The samples of other files, or our own that `data/samples/holdout.txt` names by their ids.

    Args:
        paths: the other files.
        taxonomy: the deployment's own labels that they may bear.

    Raises:
        SampleError: a file is missing or a row is wrong, or an id is of no sample.
    """
    if paths:
        return read_samples(paths, taxonomy)
    ids = set(_IDS.read_text(encoding="utf-8").split())
    found = [sample for sample in read_samples([SAMPLES]) if sample.id in ids]
    if missing := ids - {sample.id for sample in found}:
        raise SampleError(f"{_IDS} 中的 {min(missing)} 不是样本的编号。", "请恢复 data/samples。")
    return found


def group_without(
    samples: Sequence[Sample], held_out: Sequence[Sample]
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which samples are neither held out nor near-duplicates of such; and the group of each.

    Args:
        samples: what might be learned from.
        held_out: what must not be known.
    """
    texts = [sample.text for sample in (*samples, *held_out)]
    groups = np.array(group_duplicates(texts), np.intp)
    ours, theirs = groups[: len(samples)], groups[len(samples) :]
    return ~np.isin(ours, theirs), ours
