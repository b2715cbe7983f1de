from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from spelled import features

from service.core.features import Document, feature_keys, fold_text, gram_starts
from service.core.segment import Segmenter

SEGMENTER = Segmenter()


def keys(text: str) -> list[str]:
    return [f.key for f in features(Document(text, SEGMENTER.segment(text)))]


def test_words_pairs_and_characters_are_features() -> None:
    assert {"w导游", "w骂人", "w导游 骂人", "c导", "c导游", "c导游骂", "c导游骂人"} <= set(
        keys("导游骂人")
    )


def test_no_digit_but_zero_ever_enters_a_feature() -> None:
    for key in keys("电话13912345678，身份证340101199001011234，订单A20240618，价格3,500.5元"):
        assert not set(key) & set("123456789")


def test_how_long_a_number_is_can_be_seen() -> None:
    assert "w0" in keys("死亡 3 人")
    assert "w00" in keys("死亡 30 人")
    assert "w0000" in keys("聚集 123456 人")


@given(st.text(max_size=40))
def test_every_feature_lies_inside_the_text(text: str) -> None:
    document = Document(text, SEGMENTER.segment(text))
    assert all(0 <= f.start < f.end <= len(text) for f in features(document))


@given(st.text(max_size=60) | st.text("景区Aa12.5İΣ，。 \n龥", max_size=40))
def test_the_fast_way_gives_the_same_features(text: str) -> None:
    document = Document(text, SEGMENTER.segment(text))
    fast = feature_keys(document)
    spelled = fast.spelled()
    assert Counter(spelled) == Counter(feature.key for feature in features(document))
    assert fast.total == len(spelled)
    for length, (found, starts) in enumerate(
        zip(fast.grams, gram_starts(document), strict=True), 1
    ):
        folded = fold_text(text)
        assert [folded[start : start + length] for start in starts] == found
