"""The decision table: type, value, secondaries, deadlines, verification."""

from datetime import UTC, datetime, timedelta

import pytest
from builders import POLICY, case, classification

from service.core.assess import decide
from service.core.assessment import Recommendation
from service.core.classify import Classification
from service.core.message import Message

FOUND = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def recommend(judged: Classification, message: Message | None = None) -> Recommendation:
    return decide(case(judged, message, now=FOUND), POLICY)[1]


def test_the_gravest_proposal_wins_and_the_others_become_secondary() -> None:
    judged = classification(intent="complaint", response="clarify", flags=("hearsay", "mobilise"))
    response = recommend(judged)
    assert (response.type, list(response.secondary)) == ("escalate", ["clarify", "answer"])


def test_without_any_proposal_the_value_is_none_and_the_type_the_likeliest_of_three() -> None:
    response = recommend(classification())
    assert response.value == "none"
    assert response.type in ("escalate", "clarify", "answer")
    assert (list(response.deadlines), list(response.secondary)) == ([], [])
    assert response.confidence == pytest.approx(0.8)


def test_an_answer_to_somebody_who_asked_for_nothing_is_optional() -> None:
    assert recommend(classification(intent="praise", response="answer")).value == "optional"
    assert recommend(classification(intent="consult", response="answer")).value == "required"


@pytest.mark.parametrize(
    ("judged", "hours"),
    [
        (classification(response="answer"), {"response": 48}),
        (classification(response="clarify", risk="2"), {"response": 48}),
        (
            classification(response="escalate", risk="3"),
            {"authoritative_information": 5, "press_conference": 24},
        ),
    ],
)
def test_deadlines_count_from_when_the_message_was_found(
    judged: Classification, hours: dict[str, int]
) -> None:
    due = {d.action: d.due_at for d in recommend(judged).deadlines}
    assert due == {action: FOUND + timedelta(hours=n) for action, n in hours.items()}


@pytest.mark.parametrize("flag", ["hearsay", "misread", "misconduct", "casualty", "accident"])
def test_what_the_model_cannot_know_needs_verification(flag: str) -> None:
    assert recommend(classification(flags=(flag,))).needs_verification


def test_an_ordinary_question_needs_none() -> None:
    assert not recommend(classification(intent="consult", response="answer")).needs_verification


def test_a_clarification_goes_to_the_site_that_carries_the_claim() -> None:
    judged = classification(response="clarify", flags=("hearsay",))
    assert recommend(judged, Message("文", channel="weibo")).channel == "same_site"


def test_a_ticket_is_answered_directly() -> None:
    judged = classification(response="answer", intent="help")
    assert recommend(judged, Message("文", channel="hotline_12345")).channel == "direct_reply"
