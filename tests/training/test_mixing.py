"""Mixtures of messages and idle chat."""

import numpy as np
from scipy.sparse import csr_matrix

from service.core.labels import FLAGS
from training.estimator import TermWeights
from training.mixing import with_mixtures
from training.samples import Sample

VOCABULARY = ["w甲", "w乙", "w丙", "c丁"]


def sample(*, idle: bool, weight: float = 1.0) -> Sample:
    labels = {"topic": "other", "sentiment": "neutral", "intent": "other"}
    labels |= {"response": "none" if idle else "escalate", "risk": "1" if idle else "3"}
    return Sample("话", labels=labels, flags=dict.fromkeys(FLAGS, False), weight=weight)


def test_mixtures_bear_the_labels_of_the_message_and_the_words_of_both() -> None:
    samples = [sample(idle=False, weight=0.5)] * 40 + [sample(idle=True)] * 10
    counts = csr_matrix(np.array([[1, 0, 0, 1]] * 40 + [[0, 1, 0, 1]] * 10, dtype=np.float32))
    weights = TermWeights(VOCABULARY).fit(counts)
    rows = np.arange(50)
    X, source, worth = with_mixtures(weights, counts, rows, samples, 0)
    assert X.shape[0] == len(source) == len(worth) > 60
    assert source[:50].tolist() == rows.tolist()
    mixed = source[50:]
    grave = X[50:][mixed < 40].toarray()
    assert (grave[:, 0] > 0).all()  # its own word
    assert (grave[:, 1] > 0).all()  # and that of idle chat
    assert set(np.round(worth[50:][mixed < 40], 3)) == {0.2}


def test_only_the_rows_that_may_be_trained_on_are_mixed() -> None:
    samples = [sample(idle=True)] * 3 + [sample(idle=False)] * 20
    counts = csr_matrix(np.eye(4, dtype=np.float32)[[0, 1, 2] + [1] * 20])
    weights = TermWeights(VOCABULARY).fit(counts)
    rows = np.array([1, *range(3, 23)])  # idle chat of w甲 and w丙 is held out
    X, source, _ = with_mixtures(weights, counts, rows, samples, 0)
    assert set(source.tolist()) <= set(rows.tolist())
    assert not X[:, [0, 2]].toarray().any()


def test_without_idle_chat_nothing_is_mixed() -> None:
    samples = [Sample("话", labels={"topic": "甲"})] * 4
    counts = csr_matrix(np.ones((4, 4), dtype=np.float32))
    weights = TermWeights(VOCABULARY).fit(counts)
    X, source, worth = with_mixtures(weights, counts, np.arange(4), samples, 0)
    assert X.shape[0] == len(source) == len(worth) == 4
