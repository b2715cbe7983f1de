"""Working days of China: the notices of 2025 and 2026, and what is said of years without one."""

from datetime import date, timedelta

import pytest
from builders import POLICY
from hypothesis import given
from hypothesis import strategies as st

from service.core.working_days import WorkingCalendar

CALENDAR = POLICY.calendar


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2025, 1, 26), True),  # a Sunday worked for the Spring Festival
        (date(2025, 1, 28), False),
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),
        (date(2026, 1, 2), False),
        (date(2026, 1, 4), True),
        (date(2026, 2, 23), False),
        (date(2026, 2, 24), True),
        (date(2026, 5, 9), True),
        (date(2026, 9, 20), True),
        (date(2026, 11, 28), False),
        (date(2027, 2, 5), False),
    ],
)
def test_the_notices_of_the_state_council_are_kept(day: date, *, worked: bool) -> None:
    assert CALENDAR.is_working_day(day) is worked


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 3, 2), 5, date(2026, 3, 9)),
        (date(2026, 2, 12), 5, date(2026, 2, 26)),  # 13, 14 (worked), 24, 25, 26
        (date(2025, 9, 27), 3, date(2025, 9, 30)),
        (date(2025, 9, 30), 1, date(2025, 10, 9)),
        (date(2026, 3, 7), 0, date(2026, 3, 7)),
    ],
)
def test_the_day_of_receipt_is_not_counted(start: date, days: int, due: date) -> None:
    assert CALENDAR.after(start, days) == due


@given(st.dates(date(2025, 1, 1), date(2027, 12, 1)), st.integers(1, 30))
def test_there_are_as_many_working_days_as_asked_for(start: date, days: int) -> None:
    due = CALENDAR.after(start, days)
    between = [start + timedelta(days=n) for n in range(1, (due - start).days + 1)]
    assert sum(map(CALENDAR.is_working_day, between)) == days
    assert CALENDAR.is_working_day(due)


def test_a_year_without_a_notice_is_said_to_be_reckoned() -> None:
    assert CALENDAR.doubt(date(2026, 3, 1), date(2026, 3, 9)) is None
    assert "2027" in str(CALENDAR.doubt(date(2026, 12, 30), date(2027, 1, 6)))
    assert "未录入" in str(CALENDAR.doubt(date(2031, 3, 1), date(2031, 3, 9)))


def test_without_any_calendar_weekends_are_still_off() -> None:
    assert WorkingCalendar().after(date(2026, 3, 6), 1) == date(2026, 3, 9)
