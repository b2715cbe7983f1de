"""Labels that held-out predictions dispute."""

from service.core.classify import Classification, Prediction
from training.disputes import find_disputes
from training.samples import Sample


def judged(label: str, p: float) -> tuple[Sample, Classification]:
    """A sample so labelled, and a model that gives `negative` the probability p."""
    scores = {"negative": p, "positive": 1 - p}
    head = {
        "sentiment": Prediction(max(scores, key=scores.__getitem__), max(scores.values()), scores)
    }
    sample = Sample("x", labels={"sentiment": label}, id=f"{label}-{p}", source="yanpan")
    return sample, Classification(head, {}, ())


def test_the_most_confident_disputes_come_first_and_doubt_is_no_dispute() -> None:
    pairs = [judged("negative", p) for p in (0.9, 0.8, 0.85, 0.45, 0.02)]
    pairs += [judged("positive", p) for p in (0.1, 0.2, 0.15, 0.95)]
    found = find_disputes(*zip(*pairs, strict=True))
    assert [row["id"] for row in found] == ["negative-0.02", "positive-0.95"]
    assert found[0]["suggested"] == "positive"
    assert found[0]["p_suggested"] == 0.98
    assert "text" not in found[0]


def test_heads_that_nobody_labelled_or_trained_are_left_out() -> None:
    sample, classification = judged("negative", 0.1)
    assert find_disputes([Sample("x")], [classification]) == []
    assert find_disputes([sample], [Classification({}, {}, ())]) == []
