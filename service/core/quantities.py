"""Figures that a message tells (数量): who died, was hurt, gathered, is stranded; homes, money.

A figure counts only as current: what is denied (无人伤亡), long past (去年), rehearsed or invented
(演习) or only supposed (万一) is reported with that status and reaches no rule.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from types import MappingProxyType
from typing import Final

from service.core.numerals import Amount, modifier_start, parse_numeral
from service.core.quantity_patterns import (
    CANDIDATE,
    CONTINUED,
    DATE,
    DENIED,
    EVENTS,
    NUMBER,
    NUMBERS,
    OTHER,
    PAUSE,
    SUPPOSED,
    THIS_TIME,
    TOKEN,
)
from service.core.values import value

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "deaths": "死亡",
        "missing": "失踪",
        "dead_or_missing": "死亡（含失踪）",
        "seriously_injured": "重伤",
        "injured": "受伤",
        "poisoned": "中毒",
        "trapped": "被困",
        "stranded": "滞留",
        "gathered": "聚集",
        "people": "人数",
        "households": "户数",
        "money": "金额",
        "loss": "损失",
        "stranded_hours": "滞留时间",
    }
)
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(KINDS, "人")
    | {"households": "户", "money": "元", "loss": "元", "stranded_hours": "小时"}
)
CURRENT: Final = "current"
STATUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        CURRENT: "当前",
        "denied": "被否定",
        "past": "往事",
        "unreal": "演习或虚构",
        "supposed": "假设",
        "brief": "不足一天",
    }
)

_STALE_MONTHS: Final = 6  # an event older than this is history to a duty desk
_DAY: Final = 24
_MOST_NUMBERS: Final = 300  # nobody writes more; a flood of them must not hold up the desk
_MOST_TRIES: Final = 1_500  # places of a text where a numeral may begin
_STOPS: Final = "。！？!?\n"
_LONGEST_SENTENCE: Final = 120  # what tells of a figure's time stands no farther from it
_FARTHEST: Final = 16  # characters between a figure and what happened to the people counted
_REACH: Final = _FARTHEST + 8  # with the event's own length


@value
class Quantity:
    """A figure in the text: `least` to `most` (may be infinite), in code points `start`–`end`.

    `least` is what rules compare: what is surely said. `status` is one of `STATUSES`.
    """

    kind: str
    least: float
    most: float
    status: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Words that take a figure out of here and now: of the past (去年), or not real (演习)."""

    past: re.Pattern[str]
    unreal: re.Pattern[str]

    @classmethod
    def of_words(cls, past: Iterable[str], unreal: Iterable[str]) -> "Circumstances":
        """Compiled from word lists, which may be empty."""
        return cls(any_of(past), any_of(unreal))


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds the longest of the words that begins at a place.

    >>> any_of(["旧图", "旧图片"]).findall("旧图片和旧图")
    ['旧图片', '旧图']
    """
    ordered = sorted(words, key=len, reverse=True)
    if not ordered:
        return re.compile(r"(?!)")
    first = "".join(sorted({re.escape(word[0]) for word in ordered}))  # spares most tries
    return re.compile(f"(?=[{first}])(?:{'|'.join(map(re.escape, ordered))})")


def find_quantities(text: str, today: date, circumstances: Circumstances) -> list[Quantity]:
    """Every figure of a normalized text, in the order of the text.

    Args:
        text: title and text as normalized.
        today: what "two years ago" is reckoned from.
        circumstances: words that tell of the past or of what is not real.

    >>> today, none = date(2026, 1, 5), Circumstances.of_words([], [])
    >>> [(q.kind, q.least) for q in find_quantities("爆炸造成12死5伤，近百户受影响", today, none)]
    [('deaths', 12), ('injured', 5), ('households', 90)]
    """
    found = []
    for kind, amount, start, end in _pair(text):
        status = _status(text, start, end, today, circumstances)
        found.append(Quantity(kind, amount.least, amount.most, status, start, end))
    return _without_brief_stays(found)


def current_figures(quantities: Sequence[Quantity]) -> dict[str, float]:
    """The largest current figure of each kind; deaths and missing also together (含失踪)."""
    figures: dict[str, float] = {}
    for quantity in quantities:
        if quantity.status == CURRENT:
            figures[quantity.kind] = max(figures.get(quantity.kind, 0), quantity.least)
    if "deaths" in figures or "missing" in figures:
        figures["dead_or_missing"] = figures.get("deaths", 0) + figures.get("missing", 0)
    return figures


def _pair(text: str) -> Iterator[tuple[str, Amount, int, int]]:
    """Figures and what happened to the people counted, within reach of each other."""
    numbers = list(islice(_numbers(text), _MOST_NUMBERS))
    for first, last in _windows(numbers):
        mine = [number for number in numbers if first <= number.start() < last]
        tokens = [*mine, *TOKEN.finditer(text, first, last)]
        tokens.sort(key=re.Match.start)
        yield from _pair_in_order(text, tokens)


def _windows(numbers: Sequence[re.Match[str]]) -> list[tuple[int, int]]:
    """Where to look for events: around every figure, overlapping places joined."""
    windows: list[tuple[int, int]] = []
    for number in numbers:
        if number.lastgroup == OTHER:
            continue
        first, last = max(0, number.start() - _REACH), number.end() + _REACH
        if windows and first <= windows[-1][1]:
            windows[-1] = (windows[-1][0], last)
        else:
            windows.append((first, last))
    return windows


def _numbers(text: str) -> Iterator[re.Match[str]]:
    """Numerals with a unit; a cheap look finds the places where one may begin.

    Text made of numerals has thousands of such places, and each costs as much as a real one.
    """
    position = tries = 0
    while tries < _MOST_TRIES and (candidate := CANDIDATE.search(text, position)):
        tries += 1
        number = NUMBER.match(text, candidate.start())
        if number and text[number.start() - 1 : number.start()] not in CONTINUED:
            yield number
        position = number.end() if number else candidate.start() + 1


def _pair_in_order(
    text: str, tokens: Sequence[re.Match[str]]
) -> Iterator[tuple[str, Amount, int, int]]:
    """Each figure goes with the nearest event before it or after it, from left to right."""
    number: re.Match[str] | None = None
    event: re.Match[str] | None = None
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        kind = str(token.lastgroup)
        if kind == PAUSE:
            yield from _lone(text, number)
            number = event = None
        elif kind in NUMBERS:
            if event and _belongs_to_earlier(event, token, following):
                yield from _together(text, str(event.lastgroup), token, event.start(), token.end())
                event = number = None
            else:
                yield from _lone(text, number)
                number = token
        elif kind in EVENTS:
            if number and token.start() - number.end() <= _FARTHEST and kind != "loss":
                start = modifier_start(text, number.start())
                yield from _together(text, kind, number, start, token.end())
                number = event = None
            else:
                event = token
        else:
            if kind != OTHER:
                yield from _measured(text, kind, token, event)
            number = None
    yield from _lone(text, number)


def _belongs_to_earlier(
    event: re.Match[str], number: re.Match[str], following: re.Match[str] | None
) -> bool:
    """Whether a figure goes with the event before it rather than with the one after it."""
    before = number.start() - event.end()
    if following is None or following.lastgroup not in EVENTS:
        return before <= _FARTHEST
    return before <= min(following.start() - number.end(), _FARTHEST)


def _amount(text: str, number: re.Match[str]) -> Amount | None:
    return parse_numeral(text[modifier_start(text, number.start()) : number.end("number")].strip())


def _together(
    text: str, kind: str, number: re.Match[str], start: int, end: int
) -> Iterator[tuple[str, Amount, int, int]]:
    amount = _amount(text, number)
    if amount and amount.least == int(amount.least):  # 4.2 死亡 is a heading
        yield kind, amount, start, end


def _lone(text: str, number: re.Match[str] | None) -> Iterator[tuple[str, Amount, int, int]]:
    """People counted without anything having happened to them."""
    if number and number.lastgroup == "person":
        start = modifier_start(text, number.start())
        yield from _together(text, "people", number, start, number.end())


def _measured(
    text: str, kind: str, token: re.Match[str], event: re.Match[str] | None
) -> Iterator[tuple[str, Amount, int, int]]:
    """Homes, money and hours, which carry their own unit."""
    amount = _amount(text, token)
    if not amount:
        return
    start, end, unit = modifier_start(text, token.start()), token.end(), token[kind]
    if kind == "household":
        yield "households", amount, start, end
    elif kind == "money":
        for mark, factor in (("万", 10**4), ("亿", 10**8)):
            amount = amount.times(factor) if mark in unit else amount
        yield "money", amount, start, end
        if event and event.lastgroup == "loss":
            yield "loss", amount, start, end
    elif kind == "time":
        hours = amount if "时" in unit or "钟" in unit else amount.times(_DAY)
        yield "stranded_hours", hours, start, end


def _without_brief_stays(found: Sequence[Quantity]) -> list[Quantity]:
    """Hours count only beside people stranded; people stranded under a day are no such event."""
    if not any(q.kind in ("stranded", "trapped") for q in found):
        return [q for q in found if q.kind != "stranded_hours"]
    hours = [q.least for q in found if q.kind == "stranded_hours"]
    if not hours or max(hours) >= _DAY:
        return list(found)
    return [
        Quantity(q.kind, q.least, q.most, "brief", q.start, q.end)
        if q.kind == "stranded" and q.status == CURRENT
        else q
        for q in found
    ]


def _status(text: str, start: int, end: int, today: date, words: Circumstances) -> str:
    """Whether a figure is of here and now, by the sentence that it stands in."""
    near = text[max(0, start - _LONGEST_SENTENCE) : start]
    before = near[max(near.rfind(mark) for mark in _STOPS) + 1 :]
    far = text[end : end + _LONGEST_SENTENCE]
    ends = [n for mark in _STOPS if (n := far.find(mark)) >= 0]
    after = far[: min(ends, default=len(far))]
    clause = before[max(before.rfind("，"), before.rfind(",")) + 1 :]
    if DENIED.search(clause):
        return "denied"
    if SUPPOSED.search(clause):
        return "supposed"
    if words.unreal.search(before) or words.unreal.search(after):
        return "unreal"
    if _is_past(before, today, words.past):
        return "past"
    return CURRENT


def _is_past(before: str, today: date, past: re.Pattern[str]) -> bool:
    dates = list(DATE.finditer(before))
    if dates:
        year, month = int(dates[-1][1]), int(dates[-1][2] or 12)
        return (today.year - year) * 12 + today.month - month > _STALE_MONTHS
    marks = list(past.finditer(before))
    return bool(marks) and not THIS_TIME.search(before, marks[-1].end())
