"""Word vectors from unlabelled texts, and their folding into the weights of words."""

import numpy as np
import pytest

from service.settings import Settings
from training.estimator import TermWeights, fit_head
from training.matrix import choose_vocabulary, count_features, read_keys
from training.samples import Sample, read_samples
from training.word_vectors import learn_vectors

POLICY = Settings().policy_dir
SAMPLES: list[Sample] = read_samples([Settings().policy_dir.parents[1] / "data" / "samples"])[::3]


def test_words_in_the_same_company_are_alike() -> None:
    """Hospital words keep one company, school words another; the sentences are never the same."""
    places = {"医院": ("医生", "护士", "病人", "挂号"), "学校": ("老师", "学生", "家长", "作业")}
    random = np.random.default_rng(0)
    texts = [
        f"{random.choice(words)}在{place}，{random.choice(words)}和{random.choice(words)}{n}"
        for n in range(600)
        for place, words in places.items()
    ]
    vocabulary = ["w医生", "w护士", "w老师", "w学生", "w未见"]
    doctor, nurse, teacher, pupil, unseen = learn_vectors(texts, vocabulary, POLICY, 0)
    assert doctor @ nurse > doctor @ teacher + 0.3
    assert teacher @ pupil > nurse @ pupil + 0.3
    assert np.linalg.norm(doctor) == pytest.approx(1, abs=1e-3)
    assert not unseen.any()


def test_a_model_over_words_and_vectors_folds_into_one_over_words() -> None:
    keys = read_keys([sample.text for sample in SAMPLES], POLICY)
    vocabulary = choose_vocabulary(keys, range(len(SAMPLES)), 3_000)
    counts = count_features(keys, vocabulary)
    vectors = np.random.default_rng(0).normal(size=(len(vocabulary), 8)).astype(np.float32)
    plain = TermWeights(vocabulary).fit(counts)
    weights = TermWeights(vocabulary, vectors).fit(counts)
    X = weights.transform(counts)
    assert X[:, len(vocabulary) :].mean(axis=0) == pytest.approx(np.zeros((1, 8)), abs=1e-5)
    model = fit_head(X, [s.labels["sentiment"] for s in SAMPLES], [1.0] * len(SAMPLES), 0)
    coefficients, intercepts = weights.fold(model.coefficients, model.intercepts)
    folded = plain.transform(counts) @ coefficients.T + intercepts
    assert folded == pytest.approx(model.outputs(X), abs=1e-4)
