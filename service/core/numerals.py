"""Chinese and Arabic numerals as people write them: 三十多, 近百, 2000余, 1.2万, 三五, 10-20."""

import math
import re
from typing import Final, NamedTuple

_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "两": 2, "俩": 2, "仨": 3, "壹": 1, "贰": 2, "叁": 3,
}  # fmt: skip
_UNITS: Final = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_SECTIONS: Final = {"万": 10**4, "亿": 10**8}
_SOME: Final = "几数"  # a digit that is not told: two to nine
_NEARLY: Final = 0.9  # 近、将近: nine tenths at least, by our own reading of the word

_AT_LEAST: Final = (
    "至少|起码|最少|不少于|不低于|超过|超|逾|多达|高达|上(?=[百千万亿])|成(?=[百千万])"
)
_AT_MOST: Final = "不到|不足|少于|不超过|最多|至多|低于"
_ALMOST: Final = "将近|接近|近"
_ABOUT: Final = "大约|大概|约莫|约|差不多"
_ARABIC: Final = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d{1,12}(?:\.\d{1,6})?"
_CHINESE_MARKS: Final = f"{''.join(_DIGITS)}{''.join(_UNITS)}万亿{_SOME}"
_CHINESE: Final = f"[{_CHINESE_MARKS}]{{1,24}}"
_PLAIN: Final = f"(?:(?:{_ARABIC})[多余几来]?[十百千]?[多余来]?万?亿?|{_CHINESE}(?:[多余][万亿])?)"

MARKS: Final = f"0-9{_CHINESE_MARKS}"
"""What a numeral begins with, for a class of a regular expression."""
NUMERAL: Final = (
    rf"(?!万一|[一十]定|千万别|万万|亿万){_PLAIN}(?:\s?[-—~～至到]{{1,2}}\s?{_PLAIN})?[多余来]?"
)
"""A regular expression (without groups) of everything that `parse_numeral` reads, bare."""

_MODIFIER: Final = re.compile(rf"(?:{_AT_LEAST}|{_AT_MOST}|{_ALMOST}|{_ABOUT})\s?(?=.)")
_LONGEST_MODIFIER: Final = 5  # with a space


_PARTS: Final = re.compile(
    rf"(?:(?P<least>{_AT_LEAST})|(?P<most>{_AT_MOST})|(?P<almost>{_ALMOST})|{_ABOUT})?\s?"
    rf"(?P<first>{_PLAIN})(?:\s?[-—~～至到]{{1,2}}\s?(?P<second>{_PLAIN}))?(?P<more>[多余来]?)$"
)
_ARABIC_PARTS: Final = re.compile(
    f"(?P<number>{_ARABIC})(?P<more>[多余几来]?)(?P<unit>[十百千]?)(?P<more2>[多余来]?)"
    "(?P<section>万?亿?)$"
)
_LEAST_POSITIONAL: Final = 3  # digits in a row without a unit: 一二三 is 123, 三五 is three to five


class Amount(NamedTuple):
    """What a numeral says: at least `least` and at most `most`, which may be infinite."""

    least: float
    most: float

    def times(self, factor: float) -> "Amount":
        """The same amount in a smaller unit."""
        return Amount(self.least * factor, self.most * factor)


def parse_numeral(text: str) -> Amount | None:
    """The amount a numeral stands for, or `None` if it is none.

    >>> parse_numeral("三十多"), parse_numeral("近百"), parse_numeral("10-20")
    (Amount(least=30, most=39), Amount(least=90, most=100), Amount(least=10, most=20))
    """
    found = _PARTS.match(text)
    if not found:
        return None
    amount = _parse_plain(found["first"])
    if amount and found["second"]:
        amount = _span(amount, _parse_plain(found["second"]), found["second"])
    if not amount:
        return None
    if found["more"]:
        amount = _and_more(amount)
    if found["least"]:
        return Amount(amount.least, math.inf)
    if found["most"]:
        return Amount(min(1, amount.most), amount.most)
    if found["almost"]:
        return Amount(math.ceil(amount.least * _NEARLY), amount.most)
    return amount


def modifier_start(text: str, start: int) -> int:
    """Where the word that limits the numeral at `start` (近, 至少) begins; `start` without one.

    >>> modifier_start("共有近百户", 3)
    2
    """
    for first in range(max(0, start - _LONGEST_MODIFIER), start):
        found = _MODIFIER.match(text, first)
        if found and found.end() == start:
            return first
    return start


def _span(first: Amount, second: Amount | None, text: str) -> Amount | None:
    """`2-3万` is 20,000 to 30,000: a lower first figure shares the unit of the second."""
    if not second:
        return None
    unit = max((n for mark, n in {**_UNITS, **_SECTIONS}.items() if mark in text), default=1)
    if first.most * unit <= second.most:
        first = first.times(unit)
    return Amount(min(first.least, second.least), max(first.most, second.most))


def _parse_plain(text: str) -> Amount | None:
    found = _ARABIC_PARTS.match(text)
    if not found:
        return _parse_chinese(text)
    number = float(found["number"].replace(",", ""))
    amount = Amount(number, number)
    if found["more"] and found["unit"]:  # 10多万 counts its 多 in 万
        amount = _and_more(amount)
    amount = amount.times(_UNITS.get(found["unit"], 1))
    if found["more2"] or (found["more"] and not found["unit"]):
        amount = _and_more(amount)
    for mark in found["section"]:
        amount = amount.times(_SECTIONS[mark])
    return Amount(_whole(amount.least), _whole(amount.most))


def _whole(number: float) -> float:
    return int(number) if number == int(number) else round(number, 6)


def _and_more(amount: Amount) -> Amount:
    """多, 余: up to the next round figure: 三十多 is 30 to 39, 2000余 is 2,000 to 2,999."""
    base = int(amount.least)
    if amount.least != amount.most or base <= 0:
        return Amount(amount.least, max(amount.most, amount.least))
    step = 1
    while base % (step * 10) == 0:
        step *= 10
    return Amount(base, base + step - 1 if step > 1 else base)


def _parse_chinese(text: str) -> Amount | None:
    """Digits and units with 几 and 数 for a digit untold, section by section of 万 and 亿."""
    text = text.removeprefix("好")
    head, more, section_mark = _split_more(text)
    if more:  # 三千多万
        amount = _parse_chinese(head)
        return _and_more(amount).times(_SECTIONS.get(section_mark, 1)) if amount else None
    if not any(mark in _UNITS or mark in _SECTIONS for mark in text):
        return _parse_digits(text)
    total = section = digits = Amount(0, 0)
    last_unit, is_open = 1, False
    for mark in text:
        if mark in _UNITS:
            section = _add(section, _in_units(digits, _UNITS[mark], is_told=is_open))
            digits, is_open, last_unit = Amount(0, 0), False, _UNITS[mark]
        elif mark in _SECTIONS:
            total = _close_section(total, _add(section, digits), _SECTIONS[mark])
            section = digits = Amount(0, 0)
            is_open, last_unit = False, _SECTIONS[mark]
        elif mark in "零〇":
            last_unit = 1
        else:
            digits, is_open = _next_digit(digits, mark, is_open=is_open), True
    if is_open and last_unit >= 100 and text[-1] not in _SOME:  # noqa: PLR2004
        digits = digits.times(last_unit // 10)  # 一百五, 两万三
    return _add(_add(total, section), digits)


def _split_more(text: str) -> tuple[str, str, str]:
    """三千多万 as 三千, 多, 万; a text without 多 as itself and two empty strings."""
    for mark in "多余":
        head, more, rest = text.partition(mark)
        if more:
            return head, more, rest
    return text, "", ""


def _next_digit(digits: Amount, mark: str, *, is_open: bool) -> Amount:
    """A digit, or the second of two that make a range (三五)."""
    if mark in _SOME:
        return Amount(1, 9)
    digit = _DIGITS[mark]
    if not is_open:
        return Amount(digit, digit)
    return Amount(min(digits.least, digit), max(digits.most, digit))


def _in_units(digits: Amount, unit: int, *, is_told: bool) -> Amount:
    """几十 is 20 to 99; 十 alone is one ten."""
    if not is_told:
        return Amount(unit, unit)
    if digits == Amount(1, 9):
        return Amount(2 * unit, 10 * unit - 1)
    return digits.times(unit)


def _close_section(total: Amount, section: Amount, unit: int) -> Amount:
    if unit == _SECTIONS["亿"]:
        return (_add(total, section) if section.most or total.most else Amount(1, 1)).times(unit)
    return _add(total, (section if section.most else Amount(1, 1)).times(unit))


def _parse_digits(text: str) -> Amount | None:
    """Digits alone: one digit, 三五 (three to five), or a figure digit by digit (一二三)."""
    if any(mark in _SOME for mark in text):
        return Amount(2, 9) if len(text) == 1 else None
    digits = [_DIGITS[mark] for mark in text]
    if len(digits) >= _LEAST_POSITIONAL or 0 in digits[1:]:
        figure = int("".join(map(str, digits)))
        return Amount(figure, figure)
    return Amount(min(digits), max(digits))


def _add(one: Amount, other: Amount) -> Amount:
    return Amount(one.least + other.least, one.most + other.most)
