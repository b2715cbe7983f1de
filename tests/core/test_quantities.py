"""Figures in text: what is counted, whom it befell, and whether it is of here and now."""

import time
from datetime import date

import pytest
from builders import POLICY
from hypothesis import given
from hypothesis import strategies as st

from service.core.quantities import (
    KINDS,
    STATUSES,
    Circumstances,
    current_figures,
    find_quantities,
)

TODAY = date(2026, 1, 5)
WORDS = POLICY.circumstances


def found(text: str) -> list[tuple[str, float, str]]:
    return [(q.kind, q.least, q.status) for q in find_quantities(text, TODAY, WORDS)]


def figures(text: str) -> dict[str, float]:
    return current_figures(find_quantities(text, TODAY, WORDS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("造成12死5伤", {"deaths": 12, "injured": 5}),
        ("12 死 5 伤", {"deaths": 12, "injured": 5}),
        ("致1人死亡、2人重伤", {"deaths": 1, "seriously_injured": 2}),
        ("死亡3人受伤5人", {"deaths": 3, "injured": 5}),
        ("三名工人从脚手架坠落死亡", {"deaths": 3}),
        ("一家三口不幸遇难", {"deaths": 3}),
        ("已有九位老人去世", {"deaths": 9}),
        ("受伤人数达到20人", {"injured": 20}),
        ("死伤几十人", {"injured": 20}),
        ("五人失踪", {"missing": 5}),
        ("七名矿工被困井下", {"trapped": 7}),
        ("上百名学生呕吐腹泻", {"poisoned": 100}),
        ("三十多人在政府门口拉横幅", {"gathered": 30}),
        ("聚集了三百多人", {"gathered": 300}),
        ("打死学生，千人围堵", {"gathered": 1000}),
        ("打死学生千人围堵", {"gathered": 1000}),
        ("近百户停水", {"households": 90}),
        ("三百多户人家", {"households": 300}),
        ("欠三十多个农民工工资120多万元", {"money": 1_200_000}),
        ("退我2000余元", {"money": 2000}),
        ("损失1.2亿元", {"money": 120_000_000, "loss": 120_000_000}),
        ("我们五十二个人的学费", {"people": 52}),
        ("车上12人，全部遇难", {"deaths": 12}),
    ],
)
def test_it_finds_who_and_how_many(text: str, expected: dict[str, float]) -> None:
    known = figures(text)
    known.pop("dead_or_missing", None)
    assert known == expected


@pytest.mark.parametrize(
    "text",
    [
        "今天第三人民医院",
        "死了500只鸡",
        "罪该万死",
        "孩子12岁，三年级",
        "4.2 死亡条件",
        "一起去吧，一定要来",
        "2024年3月5日",
        "买了2套房，住3楼",
        "给我100个理由",
    ],
)
def test_what_counts_no_people_homes_or_money_is_left_alone(text: str) -> None:
    assert figures(text) == {}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("没有3人受伤", "denied"),
        ("并未造成3人死亡", "denied"),
        ("万一死了十个人怎么办", "supposed"),
        ("难道非要死10个人才管", "supposed"),
        ("去年这里死了三个人", "past"),
        ("2008年地震死亡8万人", "past"),
        ("2025年11月塌方死亡3人", "current"),
        ("去年死过人，今天又有3人死亡", "current"),
        ("演习中30人受伤送医", "unreal"),
        ("电影里死了30个人", "unreal"),
        ("600名游客滞留3小时", "brief"),
        ("600名游客滞留30小时", "current"),
        ("600名游客滞留", "current"),
    ],
)
def test_only_what_is_of_here_and_now_counts(text: str, status: str) -> None:
    first = find_quantities(text, TODAY, WORDS)[0]
    assert first.status == status
    assert (first.kind in figures(text)) == (status == "current")


def test_a_sentence_of_the_past_does_not_taint_the_next() -> None:
    assert figures("去年死了三十人。今天两人死亡")["deaths"] == 2


def test_a_permit_that_is_missing_denies_no_deaths() -> None:
    assert figures("无证驾驶致3人死亡")["deaths"] == 3


def test_the_dead_and_the_missing_are_counted_together() -> None:
    assert figures("8人遇难，2人失联")["dead_or_missing"] == 10


def test_the_largest_figure_of_a_kind_stands() -> None:
    assert figures("早上3人死亡，晚上增至5人死亡")["deaths"] == 5


def test_the_words_of_the_past_come_from_the_bundle() -> None:
    words = Circumstances.of_words(["打从头起"], [])
    assert find_quantities("打从头起死了3人", TODAY, words)[0].status == "past"
    assert find_quantities("去年死了3人", TODAY, words)[0].status == "current"


COUNTS = st.integers(2, 99_999)
EVENTS = st.sampled_from(
    ["死亡", "受伤", "重伤", "失踪", "被困", "中毒", "聚集", "滞留", "遇难", "失联"]
)


@given(COUNTS, EVENTS, st.sampled_from(["{n}人{e}", "{n}名群众{e}", "{e}{n}人", "已有{n}人{e}。"]))
def test_a_plain_figure_is_found_as_it_is(count: int, event: str, pattern: str) -> None:
    text = pattern.format(n=count, e=event)
    (quantity,) = find_quantities(text, TODAY, WORDS)
    assert (quantity.least, quantity.most, quantity.status) == (count, count, "current")
    assert str(count) in text[quantity.start : quantity.end]


@given(COUNTS, COUNTS, EVENTS)
def test_more_victims_are_never_read_as_fewer(one: int, other: int, event: str) -> None:
    fewer, more = sorted((one, other))
    first, second = (figures(f"现场{count}人{event}") for count in (fewer, more))
    assert first.keys() == second.keys()
    assert all(first[kind] <= second[kind] for kind in first)


@given(
    st.text("一二三十百万几多近死伤亡失踪人户元名聚集去年没有无，。0123456789 -至小时", max_size=60)
)
def test_any_text_gives_sane_figures(text: str) -> None:
    for quantity in find_quantities(text, TODAY, WORDS):
        assert quantity.kind in KINDS
        assert quantity.status in STATUSES
        assert 0 <= quantity.least <= quantity.most
        assert 0 <= quantity.start < quantity.end <= len(text)


@pytest.mark.parametrize(
    "unit", ["三十多人死亡", "一", "近", "无", "3人，", "10-", "十百千万亿", "没有人"]
)
def test_the_cost_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = unit * (characters // len(unit))
        best = []
        for _ in range(3):
            start = time.perf_counter()
            find_quantities(text, TODAY, WORDS)
            best.append(time.perf_counter() - start)
        return min(best)

    # Four times the text in linear time is four times the work, in quadratic time sixteen.
    assert seconds(20_000) < 10 * seconds(5_000) + 0.01
