"""Clocks: natural hours, working days, what is next, and a reclassification."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from builders import POLICY

from service.core.assessment import Deadline
from service.core.conditions import Facts
from service.core.deadlines import find_deadlines

FOUND = datetime.fromisoformat("2026-02-12T16:00:00+08:00")
GRAVE: Facts = {"level": "high", "response": "escalate"}
TOUR: Facts = {
    "level": "low",
    "response": "answer",
    "topic": "travel_agency",
    "intent": "complaint",
}


def clocks(facts: Facts, start: datetime, now: datetime) -> Sequence[Deadline]:
    return find_deadlines(POLICY.deadlines.fired(facts), POLICY.calendar, start, now)


def due(facts: Facts, now: datetime = FOUND) -> dict[str, datetime]:
    return {d.action: d.due_at for d in clocks(facts, FOUND, now)}


def test_a_grave_matter_has_five_and_twenty_four_hours() -> None:
    assert due(GRAVE) == {
        "authoritative_information": FOUND + timedelta(hours=5),
        "press_conference": FOUND + timedelta(hours=24),
    }


def test_a_tourism_complaint_has_five_working_days_across_the_spring_festival() -> None:
    # 13 (Friday), 14 (Saturday, worked), then 24, 25 and 26 February.
    acceptance = due(TOUR)["acceptance"]
    assert acceptance == datetime.fromisoformat("2026-02-26T23:59:59+08:00")


def test_the_day_of_receipt_is_that_of_china_wherever_the_caller_is() -> None:
    start = datetime.fromisoformat("2026-03-02T20:00:00+00:00")  # already 3 March in China
    (last,) = [d for d in clocks(TOUR, start, start) if d.clock == "working_days"]
    assert last.due_at == datetime.fromisoformat("2026-03-10T23:59:59+08:00")


@pytest.mark.parametrize(
    ("hours", "following", "overdue"),
    [
        (0, "authoritative_information", []),
        (5, "press_conference", ["authoritative_information"]),
        (30, None, ["authoritative_information", "press_conference"]),
    ],
)
def test_it_says_which_is_next_and_which_is_past(
    hours: int, following: str | None, overdue: list[str]
) -> None:
    found = clocks(GRAVE, FOUND, FOUND + timedelta(hours=hours))
    assert next((d.action for d in found if d.is_next), None) == following
    assert [d.action for d in found if d.is_overdue] == overdue


def test_a_reclassification_gives_the_clocks_anew_from_the_same_start() -> None:
    later = FOUND + timedelta(hours=3)
    assert due({**GRAVE, "level": "medium"}, later) == {"response": FOUND + timedelta(hours=48)}
    assert due(GRAVE, later)["authoritative_information"] == FOUND + timedelta(hours=5)


def test_each_deadline_names_its_rule_its_clock_and_its_source() -> None:
    for deadline in clocks(TOUR, FOUND, FOUND):
        assert deadline.rule in [rule.id for rule in POLICY.deadlines]
        assert deadline.source
        assert (deadline.clock, deadline.amount) in [("hours", 48), ("working_days", 5)]


def test_a_year_without_a_notice_is_noted() -> None:
    start = datetime.fromisoformat("2026-12-30T10:00:00+08:00")
    notes = {d.clock: d.note for d in clocks(TOUR, start, start)}
    assert notes["hours"] is None
    assert "2027" in str(notes["working_days"])
