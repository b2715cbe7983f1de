"""The second stage as it is trained."""

import numpy as np
import pytest

from service.core.classify import Refinement
from training.second_stage import fit_refinement
from training.tasks import Task

INPUTS = np.random.default_rng(1).normal(size=(1_200, 4)).astype(np.float32)
ONES = np.ones(len(INPUTS))


def fit(truth: np.ndarray[tuple[int], np.dtype[np.intp]], labels: str) -> Refinement:
    return fit_refinement(Task("response", tuple(labels), truth), INPUTS, truth, ONES, 0)


def test_it_learns_what_no_linear_model_can() -> None:
    """Whether just one of two heads speaks up."""
    truth = ((INPUTS[:, 0] > 0) != (INPUTS[:, 1] > 0)).astype(np.intp) + (INPUTS[:, 2] > 1.5)
    found = fit(truth, "abc").apply(INPUTS).argmax(axis=1)
    assert (found == truth).mean() > 0.75


def test_outputs_are_centred_so_that_each_tells_what_speaks_for_its_label() -> None:
    truth = (INPUTS[:, 0] > 0).astype(np.intp) + (INPUTS[:, 1] > 0)
    outputs = fit(truth, "abc").apply(INPUTS)
    assert outputs.sum(axis=1) == pytest.approx(np.zeros(len(outputs)), abs=1e-4)


def test_two_labels_and_a_label_never_seen() -> None:
    truth = (INPUTS[:, 0] > 0).astype(np.intp) * 2
    outputs = fit(truth, "abc").apply(INPUTS)
    assert (outputs.argmax(axis=1) == truth).mean() > 0.9
    assert outputs[:, 1].max() < outputs[:, [0, 2]].min()
