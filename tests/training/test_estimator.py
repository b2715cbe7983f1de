"""How a threshold is chosen on held-out probabilities."""

import numpy as np

from training.estimator import best_threshold

P = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
TRUTH = np.array([True, True, False, False, True, False, False, False])


def test_without_a_floor_the_highest_f1_wins() -> None:
    assert 0.7 < best_threshold(P, TRUTH) < 0.8


def test_a_miss_costs_ten_false_alarms_while_the_precision_is_kept() -> None:
    assert 0.4 < best_threshold(P, TRUTH, 0.55) < 0.5  # three of five are right
    assert 0.7 < best_threshold(P, TRUTH, 0.65) < 0.8


def test_a_floor_that_nothing_keeps_falls_back_to_f1() -> None:
    wrong_first = np.array([False, True, True, False, False, False, False, False])
    assert best_threshold(P, wrong_first, 0.9) == best_threshold(P, wrong_first)
