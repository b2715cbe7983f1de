"""Swaps of place, writer and script."""

from builders import classification

from service.core.classify import Classification
from training.fairness import WRITERS, measure_fairness
from training.origins import REGIONS

TEXTS = ["学校门口的车太多", "请问几点开门"]


def test_a_model_that_does_not_look_is_fair() -> None:
    figures = measure_fairness(TEXTS, lambda _: classification(response="answer"))
    for kind in ("place", "writer", "script"):
        assert set(figures[kind]["same"].values()) == {1.0}
    assert list(figures["place"]["escalated_most"].values()) == [0.0]


def test_prejudice_shows() -> None:
    def prejudiced(text: str) -> Classification:
        accused = "河南人" in text or "学校" in text
        return classification(response="escalate" if accused else "none")

    figures = measure_fairness(TEXTS, prejudiced)
    assert figures["place"]["escalated_most"] == {"河南": 1.0}
    assert list(figures["place"]["escalated_least"].values()) == [0.5]
    assert figures["place"]["same"]["response"] == round(1 - 1 / len(REGIONS), 4)
    assert figures["place"]["same"]["topic"] == 1.0
    assert figures["writer"]["same"]["response"] == 1.0
    assert len(WRITERS) == len(set(WRITERS))


def test_script_is_swapped() -> None:
    figures = measure_fairness(
        TEXTS, lambda text: classification(flags=("minor",) if "學校" in text else ())
    )
    assert figures["script"]["same"]["flags"] == 0.5
