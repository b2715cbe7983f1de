from typing import Any

from training.corrections import resolve


def row(annotator: str, labels: dict[str, Any], text: str = "路灯坏了") -> dict[str, Any]:
    return {
        "id": annotator,
        "text": text,
        "annotator": annotator,
        "labels": labels,
        "channel": None,
    }


def test_the_majority_decides_and_a_tie_is_left_out_and_told() -> None:
    rows = [
        row("甲", {"topic": "transport", "sentiment": "negative"}),
        row("乙", {"topic": "transport", "sentiment": "neutral"}),
        row("丙", {"topic": "urban_rural"}),
    ]
    (sample,), (contested,) = resolve(rows)
    assert sample.labels == {"topic": "transport"}
    assert contested.answers == {"negative": ["甲"], "neutral": ["乙"]}


def test_the_last_word_of_an_annotator_counts_and_the_rest_of_the_former_stays() -> None:
    rows = [row("甲", {"topic": "other", "risk": "1"}), row("甲", {"topic": "health"})]
    (sample,), contested = resolve(rows)
    assert sample.labels == {"topic": "health", "risk": "1"}
    assert contested == []


def test_flags_are_judged_one_by_one() -> None:
    rows = [row("甲", {"flags": ["minor", "media"]}), row("乙", {"flags": ["minor"]})]
    (sample,), (contested,) = resolve(rows)
    assert sample.flags["minor"]
    assert not sample.flags["casualty"]
    assert "media" not in sample.flags
    assert contested.head == "媒体曝光"


def test_without_a_text_there_is_nothing_to_learn_from() -> None:
    assert resolve([{**row("甲", {"topic": "other"}), "text": None}]) == ([], [])
