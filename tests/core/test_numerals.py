"""Numerals: a table of how people write them, and properties over many numbers."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.numerals import NUMERAL, Amount, modifier_start, parse_numeral

_DIGITS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """A number as it is read out."""
    for unit, mark in ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if number >= unit:
            head, rest = divmod(number, unit)
            gap = "零" if 0 < rest < unit // 10 else ""
            return in_chinese(head) + mark + gap + (in_chinese(rest) if rest else "")
    return _DIGITS[number]


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("12", 12, 12),
        ("1,200", 1200, 1200),
        ("1.2万", 12_000, 12_000),
        ("3千多", 3000, 3999),
        ("2000余", 2000, 2999),
        ("10多万", 100_000, 190_000),
        ("三", 3, 3),
        ("两", 2, 2),
        ("三十多", 30, 39),
        ("百余", 100, 199),
        ("十几", 11, 19),
        ("几十", 20, 99),
        ("几", 2, 9),
        ("数百", 200, 999),
        ("数十万", 200_000, 990_000),
        ("三千多万", 30_000_000, 39_990_000),
        ("三五", 3, 5),
        ("三四十", 30, 40),
        ("三二亿", 200_000_000, 300_000_000),
        ("十七八", 17, 18),
        ("一两百", 100, 200),
        ("一百五", 150, 150),
        ("两万三", 23_000, 23_000),
        ("二〇二五", 2025, 2025),
        ("一亿两千万", 120_000_000, 120_000_000),
        ("10-20", 10, 20),
        ("2-3万", 20_000, 30_000),
        ("五至六十", 50, 60),
        ("近百", 90, 100),
        ("将近一千", 900, 1000),
        ("约30", 30, 30),
        ("不到10", 1, 10),
        ("至少30", 30, math.inf),
        ("上千", 1000, math.inf),
        ("超过三百", 300, math.inf),
    ],
)
def test_it_reads_what_people_write(text: str, least: float, most: float) -> None:
    assert parse_numeral(text) == Amount(least, most)


@pytest.mark.parametrize("text", ["", "人", "来", "多", "第三", "几几", "1.2.3"])
def test_what_is_no_numeral_is_none(text: str) -> None:
    assert parse_numeral(text) is None


@given(st.integers(1, 10**9))
def test_a_number_read_out_is_that_number(number: int) -> None:
    text = in_chinese(number)
    assert re.fullmatch(NUMERAL, text)
    assert parse_numeral(text) == Amount(number, number)


@given(st.integers(1, 10**9))
def test_digits_are_that_number_with_and_without_commas(number: int) -> None:
    assert parse_numeral(str(number)) == parse_numeral(f"{number:,}") == Amount(number, number)


@given(st.integers(1, 10**7), st.sampled_from(["近", "约", "至少", "不到", "超过", ""]))
def test_the_bounds_are_in_order_and_near_the_number(number: int, modifier: str) -> None:
    amount = parse_numeral(f"{modifier}{in_chinese(number)}")
    assert amount is not None
    assert 0 < amount.least <= number <= amount.most


@given(st.text("零一二三十百千万亿几数多余近约0123456789.,-至", max_size=12))
def test_any_rubbish_is_a_sane_amount_or_none(text: str) -> None:
    amount = parse_numeral(text)
    assert amount is None or 0 <= amount.least <= amount.most


def test_a_modifier_is_found_only_right_before_the_numeral() -> None:
    assert modifier_start("共有近百户", 3) == 2
    assert modifier_start("近处有百户", 3) == 3
