"""Population stability against the messages of training."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.drift import FEWEST, DriftCounter, Seen, stability_index

SHARES = st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1), min_size=1)


def seen(topic: str, characters: int = 80) -> Seen:
    return Seen({"topic": topic}, {"topic": 0.8}, (), characters, 0.1)


def count(topics: dict[str, int], characters: int = 80) -> DriftCounter:
    counter = DriftCounter()
    for topic, number in topics.items():
        for _ in range(number):
            counter.add(seen(topic, characters))
    return counter


@given(SHARES, SHARES)
def test_an_index_is_never_negative_and_the_same_both_ways(
    then: dict[str, float], now: dict[str, float]
) -> None:
    index = stability_index(then, now)
    assert index >= 0
    assert index == pytest.approx(stability_index(now, then))
    assert stability_index(then, then) == 0


def test_the_same_messages_are_stable_and_others_are_told_by_what_changed() -> None:
    then = count({"transport": 600, "health": 400}).profile()
    same = count({"transport": 590, "health": 410}).compare(then)
    assert (same["verdict"], same["messages"]) == ("stable", 1_000)
    shifted = count({"transport": 400, "health": 600}).compare(then)
    assert shifted["verdict"] == "shifted"
    assert "话题" in shifted["text"]
    drifted = count({"transport": 600, "health": 400}, characters=900).compare(then)
    assert drifted["verdict"] == "drifted"
    assert "字数" in drifted["text"]
    assert "话题" not in drifted["text"]


def test_too_few_messages_or_no_profile_give_no_verdict() -> None:
    then = count({"transport": 600}).profile()
    assert count({"health": FEWEST - 1}).compare(then)["verdict"] == "unknown"
    assert count({"health": FEWEST}).compare({})["verdict"] == "unknown"


def test_chance_alone_is_not_drift() -> None:
    dice = random.Random(1)  # noqa: S311 — to draw messages
    topics = [f"t{n}" for n in range(16)]
    then = count(dict.fromkeys(topics, 200)).profile()
    for _ in range(20):
        drawn = dice.choices(topics, k=FEWEST)
        now = count({topic: drawn.count(topic) for topic in topics if topic in drawn})
        assert now.compare(then)["verdict"] == "stable"
