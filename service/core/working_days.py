"""Working days (工作日) of China: weekends, public holidays and the working weekends of 调休."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, timezone
from typing import Final

_SATURDAY: Final = 5
# Asia/Shanghai, without daylight saving since 1991; a constant needs no time-zone database.
SHANGHAI: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Which days are worked.

    Attributes:
        holidays: days off that the State Council announced or the law names.
        working_weekends: Saturdays and Sundays that are worked in exchange (调休).
        years: for each year that is covered, whether its arrangement was announced (`True`) or is
            only what the law alone gives until it is (`False`).
    """

    holidays: frozenset[date] = frozenset()
    working_weekends: frozenset[date] = frozenset()
    years: Mapping[int, bool] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on that day.

        >>> WorkingCalendar().is_working_day(date(2026, 1, 3))
        False
        """
        if day in self.working_weekends:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def after(self, start: date, working_days: int) -> date:
        """The day on which the last of so many working days falls, the first day not counted.

        >>> WorkingCalendar().after(date(2026, 3, 5), 5)
        datetime.date(2026, 3, 12)
        """
        day = start
        while working_days > 0:
            day += timedelta(days=1)
            working_days -= self.is_working_day(day)
        return day

    def doubt(self, start: date, end: date) -> str | None:
        """What should be said of a period that reaches into a year not announced, in Chinese."""
        for year in range(start.year, end.year + 1):
            if year not in self.years:
                return f"{year} 年放假安排未录入，仅按周末推算"
            if not self.years[year]:
                return f"{year} 年放假安排公布前按法定节假日推算"
        return None
