"""A policy's own thresholds decide over the same probabilities."""

import pytest
from builders import classification

from service.core.thresholds import apply_thresholds


@pytest.mark.parametrize(
    ("threshold", "probability", "raised"),
    [(0.3, 0.35, True), (0.3, 0.25, False), (0.95, 0.9, False)],
)
def test_a_flag_is_raised_from_the_policys_threshold(
    threshold: float, probability: float, *, raised: bool
) -> None:
    said = classification(flags=("minor",), confidence={"threat": probability})
    decided = apply_thresholds(said, {"flags": {"threat": threshold}})
    assert ("threat" in decided.raised) is raised
    assert "minor" in decided.raised  # the model's own threshold stands for the others


def test_a_label_wins_from_its_threshold_and_gives_way_below_it() -> None:
    said = classification(response="answer", confidence={"escalate": 0.3})
    won = apply_thresholds(said, {"response": {"escalate": 0.3}}).heads["response"]
    assert (won.label, won.confidence) == ("escalate", 0.3)
    assert apply_thresholds(said, {"response": {"escalate": 0.31}}).heads["response"].label == (
        "answer"
    )
    given_way = apply_thresholds(classification(response="answer"), {"response": {"answer": 0.9}})
    assert given_way.heads["response"].label != "answer"


def test_without_thresholds_the_models_decision_stands() -> None:
    said = classification(response="clarify", flags=("minor",))
    assert apply_thresholds(said, {}) is said
