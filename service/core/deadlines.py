"""Clocks (时限): natural hours and working days from when a message was found."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final

from service.core.assessment import Deadline
from service.core.policy import DeadlineRule
from service.core.working_days import SHANGHAI, WorkingCalendar

_LAST_SECOND: Final = time(23, 59, 59)


def find_deadlines(
    rules: Sequence[DeadlineRule], calendar: WorkingCalendar, start: datetime, now: datetime
) -> Sequence[Deadline]:
    """What is due, soonest first; the soonest that is not yet past is marked as next.

    Args:
        rules: the clocks that run, by the level and the response that were decided on. After a
            person changed either, those of the new decision give the dates anew.
        calendar: the working days.
        start: when the message was found, or received.
        now: what "past" is reckoned from.
    """
    due = [(_due_at(rule, start, calendar), rule) for rule in rules]
    due.sort(key=lambda pair: pair[0])
    following = next((at for at, _ in due if at > now), None)
    return [
        Deadline(
            action=rule.action,
            name=rule.name,
            due_at=at,
            source=rule.source,
            rule=rule.id,
            clock=rule.clock,
            amount=rule.amount,
            is_next=at == following,
            is_overdue=at <= now,
            note=_note(rule, start, at, calendar),
        )
        for at, rule in due
    ]


def _due_at(rule: DeadlineRule, start: datetime, calendar: WorkingCalendar) -> datetime:
    if rule.clock == "hours":
        return start + timedelta(hours=rule.amount)
    day = calendar.after(start.astimezone(SHANGHAI).date(), rule.amount)
    return datetime.combine(day, _LAST_SECOND, SHANGHAI)


def _note(
    rule: DeadlineRule, start: datetime, due: datetime, calendar: WorkingCalendar
) -> str | None:
    if rule.clock == "hours":
        return None
    return calendar.doubt(start.astimezone(SHANGHAI).date(), due.date())
