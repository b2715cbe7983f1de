"""Clocks (时限): natural hours and working days from when a message was found."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone
from typing import Final

from service.core.assessment import Deadline
from service.core.conditions import Facts
from service.core.policy import DeadlineRule, Policy
from service.core.working_days import WorkingCalendar

# China's one time zone, without daylight saving since 1991: working days are days of this zone.
CHINA: Final = timezone(timedelta(hours=8))
_LAST_SECOND: Final = time(23, 59, 59)


def find_deadlines(
    facts: Facts, policy: Policy, start: datetime, now: datetime
) -> Sequence[Deadline]:
    """What is due, soonest first; the soonest that is not yet past is marked as next.

    Args:
        facts: labels and flags, with the `level` and the `response` that were decided on. Called
            again after a person changed either, it gives the clocks anew from the same start.
        policy: the bundle in force.
        start: when the message was found, or received.
        now: what "past" is reckoned from.
    """
    due = [(_due_at(rule, start, policy.calendar), rule) for rule in policy.deadlines.fired(facts)]
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
            note=_note(rule, start, at, policy.calendar),
        )
        for at, rule in due
    ]


def _due_at(rule: DeadlineRule, start: datetime, calendar: WorkingCalendar) -> datetime:
    if rule.clock == "hours":
        return start + timedelta(hours=rule.amount)
    day = calendar.after(start.astimezone(CHINA).date(), rule.amount)
    return datetime.combine(day, _LAST_SECOND, CHINA)


def _note(
    rule: DeadlineRule, start: datetime, due: datetime, calendar: WorkingCalendar
) -> str | None:
    if rule.clock == "hours":
        return None
    return calendar.doubt(start.astimezone(CHINA).date(), due.date())
