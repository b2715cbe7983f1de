"""Every rule of the shipped policy fires on one case and does not on a near miss of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, POLICY, case, classification

from service.core.assess import decide
from service.core.case import Case
from service.core.message import MediaAttention, Message, Spread
from service.core.rules import RuleTable

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Given:
    """What is known of a message, in the words of `builders.case`."""

    said: dict[str, Any]
    message: Message

    def case(self) -> Case:
        return case(classification(**self.said), self.message)


def text(text: str = "文", **said: Any) -> Given:
    return Given(said, Message(text))


def meta(said: dict[str, Any] | None = None, **fields: Any) -> Given:
    return Given(said or {}, Message("文", **fields))


def spread(hours: float | None = None, said: dict[str, Any] | None = None, **figures: int) -> Given:
    published = NOW - hours * HOUR if hours else None
    return meta(said, spread=Spread(**figures), published_at=published)


def media(said: dict[str, Any] | None = None, **known: Any) -> Given:
    return meta(said, media=MediaAttention(**known))


def told(**said: Any) -> dict[str, Any]:
    return said


ESCALATE, CLARIFY, ANSWER = (told(response=kind) for kind in ("escalate", "clarify", "answer"))
CASES: dict[str, tuple[Given, Given]] = {
    # levels: what the text says
    "R-CASUALTY": (text(flags=("casualty",), **ESCALATE), text(flags=("casualty",), **CLARIFY)),
    "R-ACCIDENT": (text(flags=("accident",), **CLARIFY), text(flags=("accident",), **ANSWER)),
    "R-THREAT": (
        text(flags=("threat",)),
        text(flags=("threat",), confidence={"threat": 0.49}),
    ),
    "R-MOBILISE": (text(flags=("mobilise",), **ESCALATE), text(flags=("mobilise",), **ANSWER)),
    "R-PETITION-GROUP": (
        text(flags=("petition", "collective"), **ESCALATE),
        text(flags=("petition",), **ESCALATE),
    ),
    "R-PETITION": (
        text(flags=("petition",)),
        text(flags=("petition",), confidence={"petition": 0.4}),
    ),
    "R-MINOR": (
        text(flags=("minor",), **ANSWER),
        text(flags=("minor",), confidence={"minor": 0.5}, **ANSWER),
    ),
    "R-MISCONDUCT": (
        text(flags=("misconduct",), **ANSWER),
        text(flags=("misconduct",), confidence={"misconduct": 0.5}, **ANSWER),
    ),
    "R-COLLECTIVE-HARDSHIP": (
        text(flags=("collective", "hardship")),
        text(flags=("collective",)),
    ),
    "R-HARDSHIP": (
        text(flags=("hardship",)),
        text(flags=("hardship",), confidence={"hardship": 0.4}),
    ),
    "R-MEDIA-TEXT": (
        text(flags=("media",), **ANSWER),
        text(flags=("media",), confidence={"media": 0.6}, **ANSWER),
    ),
    # levels: figures in the text
    "R-DEATHS-2": (
        text("客车翻了，两人死亡，一人失踪", **ESCALATE),
        text("客车翻了，两人死亡", **ESCALATE),
    ),
    "R-DEATHS-3": (text("大火致10人遇难", **ESCALATE), text("大火致近10人遇难", **ESCALATE)),
    "R-DEATHS-4": (text("溃坝，死了三十多人", **CLARIFY), text("溃坝，死了二十九人", **CLARIFY)),
    "R-SERIOUSLY-INJURED-2": (text("10人重伤", **ESCALATE), text("9人重伤", **ESCALATE)),
    "R-SERIOUSLY-INJURED-3": (text("五十余人重伤", **ESCALATE), text("49人重伤", **ESCALATE)),
    "R-SERIOUSLY-INJURED-4": (text("上百人重伤", **ESCALATE), text("近百人重伤", **ESCALATE)),
    "R-STRANDED-2": (text("五十名游客滞留"), text("五十名游客滞留3小时")),
    "R-STRANDED-3": (text("200名旅客滞留两天"), text("199名旅客滞留两天")),
    "R-STRANDED-4": (text("滞留500多人"), text("去年滞留500多人")),
    "R-INJURED-2": (text("12人受伤", **ESCALATE), text("演习中12人受伤", **ESCALATE)),
    "R-INJURED-3": (text("55人受伤", **ESCALATE), text("没有55人受伤", **ESCALATE)),
    "R-POISONED-2": (text("三个孩子食物中毒", **ESCALATE), text("两个孩子食物中毒", **ESCALATE)),
    "R-POISONED-3": (text("三十多名学生腹泻", **ESCALATE), text("二十多名学生腹泻", **ESCALATE)),
    "R-TRAPPED-3": (text("7名矿工被困井下", **ESCALATE), text("7只羊被困", **ESCALATE)),
    "R-GATHERED-2": (
        text("十几人堵在门口", flags=("collective",)),
        text("十几人堵在门口"),
    ),
    "R-GATHERED-3": (text("上千人聚集", **ESCALATE), text("近千人聚集", **ESCALATE)),
    "R-GATHERED-4": (text("五千多人围堵", **ESCALATE), text("四千多人围堵", **ESCALATE)),
    "R-HOUSEHOLDS-2": (
        text("近百户停水", flags=("hardship",)),
        text("九户停水", flags=("hardship",)),
    ),
    "R-LOSS-2": (text("损失1000万元", **ANSWER), text("投资1000万元", **ANSWER)),
    "R-LOSS-3": (text("损失五千多万元", **ANSWER), text("损失四千多万元", **ANSWER)),
    "R-LOSS-4": (text("损失1.2亿元", **ANSWER), text("损失9900万元", **ANSWER)),
    # spread and media
    "R-VIEWS-2": (spread(views=5_000), spread(views=4_999)),
    "R-VIEWS-3": (spread(views=500_000), spread(views=499_999)),
    "R-REPOSTS-2": (spread(reposts=500), spread(reposts=499)),
    "R-ENGAGEMENT-2": (spread(likes=1_000), spread(likes=999)),
    "R-ENGAGEMENT-3": (spread(comments=5_000, likes=5_000), spread(likes=9_999)),
    "R-ENGAGEMENT-4": (spread(likes=50_000), spread(likes=49_999)),
    "R-COMMENTS-2": (spread(comments=500), spread(comments=499)),
    "R-REGIONS-2": (spread(regions=3), spread(regions=2)),
    "R-DUPLICATES-2": (spread(duplicates=500), spread(duplicates=499)),
    "R-DUPLICATES-3": (spread(duplicates=2_000), spread(duplicates=1_999)),
    "R-DUPLICATES-4": (spread(duplicates=10_000), spread(duplicates=9_999)),
    "R-SPEED-VIEWS-2": (spread(0.5, views=5_000), spread(2, views=9_999)),
    "R-SPEED-VIEWS-3": (spread(3, views=300_000), spread(views=300_000)),
    "R-SPEED-ENGAGEMENT-2": (spread(2, likes=600), spread(3, likes=600)),
    "R-SPEED-ENGAGEMENT-3": (spread(1, likes=3_000), spread(2, likes=3_000)),
    "R-MEDIA-LOCAL": (media(tier="local"), media(tier="none")),
    "R-MEDIA-REPORTS": (media(reports=3), media(reports=2)),
    "R-MEDIA-PROVINCIAL": (media(tier="provincial"), media(tier="local")),
    "R-MEDIA-CENTRAL": (media(tier="overseas"), media(tier="provincial")),
    "R-HOT-SEARCH": (media(hot_search=True), media(hot_search=False)),
    # responses
    "E1": (
        text(flags=("casualty", "accident"), confidence={"escalate": 0.1}),
        text(flags=("casualty", "accident", "hearsay"), confidence={"escalate": 0.1}),
    ),
    "E1-FIGURES": (
        text("大火致12人遇难", **ANSWER),
        text("大火致12人遇难", flags=("hearsay",), **ANSWER),
    ),
    "E2": (
        text(flags=("mobilise",)),
        text(flags=("mobilise",), confidence={"mobilise": 0.3, "escalate": 0.2}),
    ),
    "E2-GATHERED": (
        text("十几人围堵", flags=("petition",), **ANSWER),
        text("九人围堵", flags=("petition",), **ANSWER),
    ),
    "E2-PETITION": (
        text(flags=("petition", "collective"), risk="3"),
        text(flags=("petition", "collective"), risk="2"),
    ),
    "E3": (text(flags=("threat",)), text(flags=("threat",), confidence={"threat": 0.39})),
    "E4": (
        text(flags=("minor",), risk="3", confidence={"escalate": 0.3}),
        text(flags=("minor",), risk="2", confidence={"escalate": 0.3}),
    ),
    "E5": (
        text("几十人为清真饭店的事闹起来", flags=("collective",), risk="2"),
        text("清真饭店卫生差", risk="2"),
    ),
    "E6": (
        text(flags=("misconduct",), risk="3", confidence={"escalate": 0.3}),
        text(flags=("misconduct",), risk="3", confidence={"escalate": 0.2}),
    ),
    "E7-MEDIA": (media(tier="provincial"), media(tier="local")),
    "E7-HOT": (media(hot_search=True), media(hot_search=False)),
    "E7-SPREAD": (spread(reposts=10_000), spread(reposts=9_999)),
    "E7-VIEWS": (spread(views=500_000), spread(views=499_999)),
    "E7-COPIES": (spread(duplicates=2_000), spread(duplicates=1_999)),
    "E8": (
        spread(said=told(flags=("hearsay",), risk="3"), reposts=500),
        spread(said=told(flags=("hearsay",), risk="3"), reposts=499),
    ),
    "E9-SUPERIOR": (meta(superior_request=True), meta(superior_request=False)),
    "E9-DEPARTMENTS": (meta(involved_departments=2), meta(involved_departments=1)),
    "E9-REGIONS": (spread(said=ANSWER, regions=3), spread(said=ANSWER, regions=2)),
    "C1": (text(flags=("hearsay",), **CLARIFY), text(flags=("hearsay",), **ANSWER)),
    "C2": (text(flags=("misread",), **CLARIFY), text(flags=("misread",))),
    "C3": (text("这是旧视频，别信", **CLARIFY), text("这是旧视频，别信", **ANSWER)),
    "A1": (text(intent="tipoff", **ANSWER), text(intent="tipoff")),
    "A2": (text(intent="consult", **ANSWER), text(intent="consult")),
    "A3": (text(intent="help", **ANSWER), text(intent="help")),
    "A4": (text(intent="suggestion", **ANSWER), text(intent="praise", **ANSWER)),
    # value of a response
    "V-ESCALATE": (text(**ESCALATE), text(**CLARIFY)),
    "V-MISREAD": (text(flags=("misread",), **CLARIFY), text(flags=("misread",), **ANSWER)),
    "V-CLARIFY": (text(**CLARIFY), text(**ANSWER)),
    "V-SUPERIOR": (meta(ANSWER, superior_request=True), meta(ANSWER, superior_request=False)),
    "V-INTEREST": (text(risk="2", **ANSWER), text(**ANSWER)),
    "V-ASK": (text(intent="consult", **ANSWER), text(intent="praise", **ANSWER)),
    "V-OPTIONAL": (text(intent="praise", **ANSWER), text(intent="help", **ANSWER)),
    # the six official dispositions
    "D-MAJOR": (text(**ESCALATE), text(**ANSWER)),
    "D-FALSE": (text(flags=("hearsay",), **CLARIFY), text(**CLARIFY)),
    "D-MISTAKEN": (
        text(flags=("misread",), sentiment="negative", **CLARIFY),
        text(flags=("misread",), **CLARIFY),
    ),
    "D-UNCLEAR": (text(**CLARIFY), text(flags=("hearsay",), **CLARIFY)),
    "D-SUGGESTION": (text(intent="suggestion", **ANSWER), text(intent="consult", **ANSWER)),
    "D-QUESTION": (text(intent="consult", **ANSWER), text(intent="help", **ANSWER)),
    "D-DIFFICULTY": (text(intent="help", **ANSWER), text(intent="consult", **ANSWER)),
    # clocks
    "T-INFORMATION": (text(risk="3", **ESCALATE), text(risk="2", **ESCALATE)),
    "T-PRESS": (text(risk="3", **ESCALATE), text(risk="2", **ESCALATE)),
    "T-RESPONSE": (text(risk="2", **ESCALATE), text(risk="3", **ESCALATE)),
    "T-TOURISM": (
        text(topic="travel_agency", intent="complaint", **ANSWER),
        text(topic="travel_agency", intent="consult", **ANSWER),
    ),
    # verification
    "VERIFY-HEARSAY": (text(flags=("misread",)), text(flags=("abuse",))),
    "VERIFY-GRAVE": (text(flags=("misconduct",)), text(flags=("minor",))),
    "VERIFY-RESPONSE": (text(**CLARIFY), text(**ANSWER)),
    "VERIFY-CLAIM": (text(intent="tipoff", **ANSWER), text(intent="complaint", **ANSWER)),
    # steps
    "S-CALL": (text(**ESCALATE), text(**CLARIFY)),
    "S-CONSULT": (text(**ESCALATE), text(**ANSWER)),
    "S-RESCUE": (text(flags=("threat",)), text(flags=("abuse",))),
    "S-LISTEN": (text(flags=("mobilise",)), text(flags=("collective",))),
    "S-MINOR": (text(flags=("minor",)), text()),
    "S-CONFIDENTIAL": (text(flags=("misconduct",)), text()),
    "S-VERIFY": (text(**CLARIFY), text(**ANSWER)),
    "S-CLARIFY": (text(**CLARIFY), text(**ESCALATE)),
    "S-ACCEPT": (text(**ANSWER), text(**CLARIFY)),
    "S-ANSWER": (text(**ANSWER), text()),
    "S-REDIRECT": (text(**ANSWER), text(topic="health", **ANSWER)),
    "S-COORDINATE": (meta(involved_departments=2), meta(involved_departments=1)),
    "S-CONTINUE": (text(risk="3", **CLARIFY), text(risk="3", **ANSWER)),
    "S-LOG": (text(), text(**ANSWER)),
    # press conferences and experts
    "P-GRAVE": (text(risk="3", **ESCALATE), text(risk="2", **ESCALATE)),
    "P-MEDIA": (media(CLARIFY, tier="local"), media(ANSWER, tier="local")),
    "X-MISREAD": (text(flags=("misread",), **CLARIFY), text(flags=("misread",), **ANSWER)),
    "X-SCIENCE": (text(topic="health", **CLARIFY), text(topic="transport", **CLARIFY)),
    # channels
    "W-OFFICIAL": (text(risk="3", **ESCALATE), text(risk="3", **ANSWER)),
    "W-CONFIDENTIAL": (
        text(flags=("misconduct",), intent="tipoff", **ANSWER),
        text(flags=("misconduct",), intent="claim", **ANSWER),
    ),
    "W-CARRIER": (meta(CLARIFY, channel="weibo"), meta(CLARIFY, channel="mailbox")),
    "W-DIRECT": (meta(ANSWER, channel="mailbox"), meta(ANSWER, channel="forum")),
    "W-SITE": (meta(ANSWER, channel="forum"), meta(ANSWER, channel="hotline_12345")),
    # offices
    "O-EMERGENCY": (text(flags=("accident",), **ESCALATE), text(flags=("accident",))),
    "O-DISCIPLINE": (text(flags=("misconduct",), **ANSWER), text(flags=("misconduct",))),
    "O-PETITION": (text(flags=("petition",), **ANSWER), text(flags=("petition",))),
    "O-CYBER": (text(**CLARIFY), text(**ANSWER)),
    "O-PUBLICITY": (media(hot_search=True), media(tier="none")),
    "O-SUPERIOR": (spread(regions=3), spread(regions=2)),
    "O-LEAD": (meta(involved_departments=2), meta(involved_departments=1)),
}
TABLES = {
    name: table
    for name in type(POLICY).__dataclass_fields__
    if isinstance(table := getattr(POLICY, name), RuleTable)
} | {"additions": POLICY.offices.additions}


def fired(given: Given) -> set[str]:
    """The ids of all rules that have a say in a decision."""
    known = given.case()
    risk, response = decide(known, POLICY)
    chosen = response.type if response.value != "none" else "none"
    decided = {**known.facts, "level": risk.level, "response": chosen}
    ids = {rule.id for rule in (*risk.rules, *response.rules)}
    ids |= {deadline.rule for deadline in response.deadlines}
    ids |= {response.official_disposition.id} if response.official_disposition else set()
    for name in ("calls", "verification", "steps", "additions"):
        ids |= {rule.id for rule in TABLES[name].fired(decided)}
    return ids


@pytest.mark.parametrize("rule", list(CASES))
def test_the_rule_fires(rule: str) -> None:
    assert rule in fired(CASES[rule][0])


@pytest.mark.parametrize("rule", list(CASES))
def test_the_rule_does_not_fire_on_a_near_miss(rule: str) -> None:
    assert rule not in fired(CASES[rule][1])


def test_every_rule_of_the_bundle_has_its_cases() -> None:
    assert set(CASES) == {rule.id for table in TABLES.values() for rule in table}


@pytest.mark.parametrize("name", list(TABLES))
def test_the_book_finds_what_asking_every_rule_would_find(name: str) -> None:
    for hit, miss in CASES.values():
        for given in (hit, miss):
            facts = given.case().facts
            asked = [rule.id for rule in TABLES[name] if rule.when.holds(facts)]
            found = POLICY.book.fired(TABLES[name], POLICY.book.read(facts))
            assert [rule.id for rule in found] == asked
