"""The figures of an evaluation, on predictions made to order."""

from typing import Any

import numpy as np
import pytest
from builders import classification
from sklearn.metrics import f1_score

from service.core.labels import FLAGS, RESPONSE
from service.policy_bundle import load_policy
from service.settings import Settings
from training.evaluate import measure
from training.samples import Sample
from training.summary import render_summary

RANDOM = np.random.default_rng(4)
LABELS = list(RESPONSE)
TRUTH = RANDOM.choice(LABELS, 600)
GUESS = np.where(RANDOM.random(600) < 0.7, TRUTH, RANDOM.choice(LABELS, 600))


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    samples = [
        Sample(
            "话",
            labels={"response": str(label)},
            flags=dict.fromkeys(FLAGS, False),
            collection="letters" if i % 3 else "posts",
            traits=("dialect",) if i % 5 == 0 else (),
        )
        for i, label in enumerate(TRUTH)
    ]
    said = [classification(response=str(label), intent="consult") for label in GUESS]
    return measure(samples, said, load_policy(Settings().policy_dir))


def test_the_interval_is_that_of_messages_drawn_with_replacement(report: dict[str, Any]) -> None:
    random = np.random.default_rng(9)
    draws = (random.integers(0, len(TRUTH), len(TRUTH)) for _ in range(800))
    values = [f1_score(TRUTH[d], GUESS[d], average="macro") for d in draws]
    wanted = np.percentile(values, [2.5, 97.5])
    assert report["heads"]["response"]["interval"] == pytest.approx(wanted, abs=0.01)


def test_collections_have_every_figure_and_traits_the_main_ones(report: dict[str, Any]) -> None:
    response = report["heads"]["response"]
    letters = response["slices"]["collection"]["letters"]
    assert letters.keys() | {"slices"} == response.keys()
    part = np.arange(600) % 3 > 0
    assert letters["messages"] == part.sum() == 400
    assert letters["macro_f1"] == pytest.approx(
        f1_score(TRUTH[part], GUESS[part], average="macro"), abs=1e-4
    )
    assert response["slices"]["trait"]["dialect"]["messages"] == 120


def test_the_truth_is_sought_among_the_two_likeliest(report: dict[str, Any]) -> None:
    response = report["heads"]["response"]
    assert response["accuracy"] < response["top2"] < 1


def test_review_counts_every_message_once(report: dict[str, Any]) -> None:
    review = report["review"]
    assert review["letters"]["messages"] + review["posts"]["messages"] == 600
    for figures in review.values():
        right = figures["share"] * (figures["accuracy_reviewed"] or 0)
        right += (1 - figures["share"]) * (figures["accuracy_rest"] or 0)
        assert right == pytest.approx((TRUTH == GUESS).mean(), abs=0.05)


def test_the_summary_tells_each_collection_and_the_watched_labels(report: dict[str, Any]) -> None:
    summary = render_summary(report)
    for shown in ("letters ", "posts ", "escalate", "recall", "review, letters"):
        assert shown in summary
