"""Danger in one part of a long message."""

from datetime import UTC, datetime

from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.message import Message

NOW = datetime(2026, 1, 5, tzinfo=UTC)
THREAT = "我已经站在楼顶了，今天拿不到工钱我就从这里跳下去，死给你们看！"
IDLE = (
    "今天去菜市场买了两斤排骨，配上玉米和胡萝卜慢慢炖了一锅汤。阳台上的月季又开了几朵，邻居过来看了直夸好看。"
    "下午和老同学通了电话，聊起当年一起骑车上学的日子。晚饭后沿着河边走了一圈，风很舒服，路上遇见好多散步的人。"
)


def assess(text: str, chain: Chain) -> Assessment:
    return assess_message(Message(text), chain, request_id="r", now=NOW)


def flags(found: Assessment) -> set[str]:
    return {flag.label for flag in found.flags}


def test_a_threat_in_idle_talk_is_seen_wherever_it_stands(chain: Chain) -> None:
    assert "threat" in flags(assess(THREAT, chain))
    for before, after in ((8, 0), (4, 4), (0, 8)):
        found = assess(IDLE * before + THREAT + IDLE * after, chain)
        assert "threat" in flags(found)
        assert "danger_in_part" in found.review_reasons
        assert found.response.type == "escalate"


def test_idle_talk_alone_raises_nothing(chain: Chain) -> None:
    found = assess(IDLE * 8, chain)
    assert not flags(found) & {"threat", "mobilise", "casualty", "accident", "minor"}
    assert "danger_in_part" not in found.review_reasons


def test_words_without_any_sentence_are_read_too(chain: Chain) -> None:
    assert assess("路灯坏了没有人修" * 500, chain).text.characters == 4_000
