"""Danger words in pinyin and in wrong characters are read as what they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.disguise import Disguises
from service.core.errors import PolicyError
from service.core.normalize import Normalizer
from service.core.tracked_text import TrackedText
from service.policy_bundle import load_policy
from service.settings import Settings

POLICY = load_policy(Settings().policy_dir)
DISGUISES = Disguises(POLICY.disguises)
NORMALIZER = Normalizer(POLICY.search_terms, POLICY.disguises)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("我想zisha", "我想自杀"),
        ("我想ZiSha了", "我想自杀了"),
        ("他说要zì shā", "他说要自杀"),
        ("要tiao楼", "要跳楼"),
        ("都去市政府门口jù·jí", "都去市政府门口聚集"),
        ("都去ｊｕｊｉ", "都去聚集"),
        ("他要🅉🄸🅂🄷🄰", "他要自杀"),
        ("他要自鲨", "他要自杀"),
        ("在门口静座", "在门口静坐"),
    ],
)
def test_a_spelled_word_is_read(given: str, read: str) -> None:
    found = NORMALIZER.normalize(given)
    assert found.text == read
    assert "disguise_undone" in found.repairs


@pytest.mark.parametrize(
    "given",
    [
        "他自 杀了",
        "Shanghai zishang",
        "买个zipper",
        "www.tiaolouqi.com",
        "来自沙特",
        "民警查看数据集",
    ],
)
def test_what_only_looks_so_stays(given: str) -> None:
    assert DISGUISES.undo(TrackedText(given)).text == given


@given(st.text(st.sampled_from("自杀zishaZÌ ·跳楼tiaolou，s了"), max_size=40))
def test_undone_once_is_undone_and_every_place_is_known(text: str) -> None:
    once = DISGUISES.undo(TrackedText(text))
    assert DISGUISES.undo(once).text == once.text
    for place in range(len(once.text)):
        start, end = once.origin(place, place + 1)
        assert 0 <= start < end <= len(text)


def test_a_line_that_does_not_fit_is_told() -> None:
    for line in ("自杀 zi", "自杀", "自 zi", "自杀 = 自鲨 4"):
        with pytest.raises(PolicyError, match=f"“{line}”"):
            Disguises([line])
