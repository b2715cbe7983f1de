import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.core.duplicates import group, sign

STORY = (
    "昨天晚上八点多，幸福小区三号楼突然停水，物业说是水泵坏了，让大家等通知，"
    "可是等到今天中午还是没有人来修，家里老人孩子连喝的水都没有，打电话也没人接。"
)
OTHER = (
    "人民公园东门的路灯坏了快一个月，晚上散步看不清台阶，上周已经有老人摔倒，"
    "多次向管理处反映都说会处理，到现在一盏也没有修好，希望有关部门重视。"
)
# What happens to a text when it is passed on.
PASSED_ON = [
    f"转发：{STORY}",
    STORY.replace("，", ", ").replace("。", "！！！"),
    f"{STORY}大家看看",
    STORY.replace("三号楼", "3号楼"),
    "\n".join(STORY.split("，")),
]


def groups(texts: list[str]) -> list[int]:
    return [int(first) for first in group(np.stack([sign(text) for text in texts]))]


def test_what_was_passed_on_is_one_event_and_another_matter_is_not() -> None:
    assert groups([OTHER, STORY, *PASSED_ON]) == [0, *[1] * (1 + len(PASSED_ON))]


def test_letters_of_one_matter_in_other_words_are_not_copies() -> None:
    again = "我家住在幸福小区，水泵坏了停水到现在，老人孩子没水喝，物业电话打不通，什么时候能修好？"
    assert groups([STORY, again]) == [0, 1]


def test_a_text_without_letters_is_a_copy_of_its_like_alone() -> None:
    assert groups(["！！！", "？？", "！！！", "👍👍"]) == [0, 1, 0, 3]


def test_no_texts_are_no_groups() -> None:
    assert group(np.zeros((0, 64), np.uint8)).tolist() == []


@given(st.lists(st.sampled_from([STORY, OTHER, *PASSED_ON, "路灯坏了", ""]), max_size=12))
def test_the_same_text_is_always_in_the_same_group_named_by_its_first(texts: list[str]) -> None:
    if not texts:
        return
    found = groups(texts)
    assert all(found[first] == first <= place for place, first in enumerate(found))
    first_of: dict[str, int] = {}
    for text, one in zip(texts, found, strict=True):
        assert first_of.setdefault(text, one) == one


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_groups_are_those_of_texts_joined_one_by_one(seed: int, count: int) -> None:
    dice = np.random.default_rng(seed)
    signatures = dice.integers(0, 256, (3, 64), np.uint8)[dice.integers(0, 3, count)]
    changed = dice.random(signatures.shape) < dice.choice([0.0, 0.1, 0.3], (count, 1))
    signatures = np.where(changed, dice.integers(0, 256, signatures.shape), signatures)
    signatures = signatures.astype(np.uint8)
    expected = list(range(count))
    for band in range(0, 64, 4):
        seen: dict[bytes, int] = {}
        for text in range(count):
            leader = seen.setdefault(signatures[text, band : band + 4].tobytes(), text)
            if np.mean(signatures[text] == signatures[leader]) >= 0.7:
                one, other = expected[text], expected[leader]
                expected = [min(one, other) if e in (one, other) else e for e in expected]
    assert group(signatures).tolist() == expected


def test_a_hundred_thousand_characters_are_signed_in_little_memory() -> None:
    assert sign(STORY * 1_500).shape == (64,)
