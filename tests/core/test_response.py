"""The decision table: type, value, secondaries, deadlines, verification."""

from datetime import UTC, datetime, timedelta

import pytest
from builders import classification

from service.core.assess import gather_facts
from service.core.assessment import Recommendation
from service.core.classify import Classification
from service.core.message import MediaAttention, Message, Spread
from service.core.response import recommend_response
from service.core.risk import assess_risk
from service.policy_bundle import load_policy
from service.settings import Settings

POLICY = load_policy(Settings().policy_dir)
FOUND = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def recommend(judged: Classification, message: Message | None = None) -> Recommendation:
    facts = gather_facts(message or Message("文"), judged)
    risk = assess_risk(judged, [], facts, POLICY)
    prediction = judged.heads["response"]
    return recommend_response(prediction, {**facts, "level": risk.level}, POLICY, FOUND)


@pytest.mark.parametrize(
    ("judged", "kind", "rule"),
    [
        (classification(flags=("casualty", "accident")), "escalate", "E1"),
        (classification(flags=("mobilise",)), "escalate", "E2"),
        (classification(flags=("petition", "collective"), risk="3"), "escalate", "E2-PETITION"),
        (classification(flags=("threat",)), "escalate", "E3"),
        (classification(flags=("minor",), risk="3"), "escalate", "E4"),
        (classification(flags=("hearsay",), response="clarify"), "clarify", "C1"),
        (classification(flags=("misread",), response="clarify"), "clarify", "C2"),
        (classification(intent="complaint", response="answer"), "answer", "A1"),
        (classification(intent="tipoff", response="answer"), "answer", "A1"),
        (classification(intent="consult", response="answer"), "answer", "A2"),
        (classification(intent="help"), "answer", "A3"),
        (classification(intent="suggestion", response="answer"), "answer", "A4"),
    ],
)
def test_each_rule_that_reads_the_text_fires(judged: Classification, kind: str, rule: str) -> None:
    response = recommend(judged)
    assert response.type == kind
    assert rule in [r.id for r in response.rules]


@pytest.mark.parametrize(
    ("judged", "rule"),
    [
        (classification(flags=("casualty", "accident", "hearsay")), "E1"),
        (classification(flags=("petition", "collective"), risk="2"), "E2-PETITION"),
        (classification(flags=("petition",), risk="3"), "E2-PETITION"),
        (classification(flags=("minor",), risk="2"), "E4"),
        (classification(flags=("hearsay",)), "C1"),
        (classification(intent="complaint"), "A1"),
        (classification(intent="praise", response="answer"), "A3"),
    ],
)
def test_each_near_miss_does_not(judged: Classification, rule: str) -> None:
    assert rule not in [r.id for r in recommend(judged).rules]


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (Message("文", media=MediaAttention(tier="provincial")), "E7-MEDIA"),
        (Message("文", media=MediaAttention(hot_search=True)), "E7-HOT"),
        (Message("文", spread=Spread(reposts=10_000)), "E7-SPREAD"),
        (Message("文", spread=Spread(views=500_000)), "E7-VIEWS"),
        (Message("文", spread=Spread(duplicates=2_000)), "E7-COPIES"),
        (Message("文", superior_request=True), "E9-SUPERIOR"),
        (Message("文", involved_departments=2), "E9-DEPARTMENTS"),
    ],
)
def test_each_rule_that_reads_the_metadata_fires(message: Message, rule: str) -> None:
    response = recommend(classification(), message)
    assert response.type == "escalate"
    assert rule in [r.id for r in response.rules]


@pytest.mark.parametrize(
    "message",
    [
        Message("文", media=MediaAttention(tier="local", hot_search=False)),
        Message("文", spread=Spread(reposts=9_999, duplicates=1_999, views=499_999)),
        Message("文", superior_request=False, involved_departments=1),
    ],
)
def test_near_misses_in_the_metadata_do_not(message: Message) -> None:
    assert recommend(classification(), message).value == "none"


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
