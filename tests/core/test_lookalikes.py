"""Danger words with exchanged characters are read as what they are, where that reads better."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bootstrap import build_chain
from service.core.assess import assess_message
from service.core.errors import PolicyError
from service.core.fluency import log_likelihood
from service.core.lookalikes import Lookalikes
from service.core.message import Message
from service.core.tracked_text import TrackedText
from service.core.vocabulary import Vocabulary, build_vocabulary
from service.schemas import now
from service.settings import Settings

CHAIN = build_chain(Settings())
LIKELIHOOD = CHAIN.classifier.log_likelihood


def read(text: str) -> str:
    normal = CHAIN.normalizer.normalize(text)
    return CHAIN.normalizer.undo_lookalikes(normal, LIKELIHOOD).text


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("再不给钱我就去自煞", "再不给钱我就去自杀"),
        ("楼上有人要足兆楼", "楼上有人要跳楼"),
        ("昨晚有人放🔥烧了车", "昨晚有人放火烧了车"),
        ("工地上歹匕了两个人", "工地上死了两个人"),
        ("明天都去政俯门口", "明天都去政府门口"),
        ("孩z被老师打了", "孩子被老师打了"),
        ("警*察打人", "警察打人"),
    ],
)
def test_what_was_exchanged_is_put_back(given: str, meant: str) -> None:
    assert read(given) == meant


@pytest.mark.parametrize(
    "given",
    [
        "大伙一起去吃饭",
        "一家4人每月用水八吨",
        "撞伤4人，已送医院",
        "太好吃了🔥🔥",
        "来自沙特的朋友",
        "两名民警查看了现场",
        "去寺里烧香",
        "打四折还是贵",
        "Kan ren bu zhun",
        "自杀",
    ],
)
def test_what_means_itself_stays(given: str) -> None:
    assert read(given) == CHAIN.normalizer.normalize(given).text


def test_the_assessment_tells_of_the_repair_and_quotes_what_was_written() -> None:
    text = "工钱再不给，我就从楼顶足兆楼，死给你们看"
    found = assess_message(Message(text), CHAIN, request_id="r", now=now())
    assert "disguise_undone" in found.text.repairs
    threat = next(flag for flag in found.flags if flag.label == "threat")
    assert any("足兆楼" in piece.text for piece in threat.evidence)
    assert all(text[e.start : e.end] == e.text for e in threat.evidence)


@given(st.text(st.sampled_from("自杀傻跳足兆楼歹匕死4了人放🔥zis ·，"), max_size=30))
def test_every_place_is_known(text: str) -> None:
    normal = CHAIN.normalizer.normalize(text)
    once = CHAIN.normalizer.undo_lookalikes(normal, LIKELIHOOD)
    for place in range(len(once.text)):
        start, end = once.origin(place, place + 1)
        assert 0 <= start < end <= len(text)


def test_a_word_is_put_back_only_if_the_text_becomes_likelier() -> None:
    words, forms = ["自杀 zi sha"], ["杀 = 傻"]
    text = TrackedText("他想自傻")
    for gain, is_meant in ((2.9, False), (3.1, True)):
        likelihood = {"他想自傻": 0.0, "他想自杀": gain}.__getitem__
        found = Lookalikes(words, forms).undo(text, likelihood)
        assert found.text == ("他想自杀" if is_meant else text.text)


def test_a_line_of_another_form_is_told() -> None:
    for line in ("自杀 = 自傻", "杀 傻", "杀 ="):
        with pytest.raises(PolicyError, match=line):
            Lookalikes(["自杀 zi sha"], [line])


def test_the_likelihood_is_that_of_stupid_backoff_over_documents() -> None:
    features = ["c我", "c想", "c我想"]
    idf = np.array([2.0, 3.0, 3.5], np.float32)
    vocabulary = Vocabulary(**build_vocabulary(features))
    assert log_likelihood("我想", vocabulary, idf) == pytest.approx((1 - 2) + (2 - 3.5))
    # Nothing known leads to 想: a character of context is given up for one nat.
    assert log_likelihood("想想", vocabulary, idf) == pytest.approx((1 - 3) + (1 - 3 - 1))
    assert math.isfinite(log_likelihood("龘", vocabulary, idf))
    assert log_likelihood("", vocabulary, idf) == 0
