from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spelled import features

from service.core.features import Document, spell_features
from service.core.fingerprints import fingerprint, take_fingerprints
from service.core.segment import Segmenter, Words
from service.core.vocabulary import Vocabulary, build_vocabulary

SEGMENTER = Segmenter()
ANY_TEXT = st.text(max_size=60) | st.text("景区Aa12.5İΣ，。 _é\n龥𠀀", max_size=40)


def read(text: str) -> Document:
    return Document(text, SEGMENTER.segment(text))


def keys(text: str) -> list[str]:
    return [f.key for f in features(read(text))]


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
    assert all(0 <= f.start < f.end <= len(text) for f in features(read(text)))


@given(ANY_TEXT)
def test_the_features_to_learn_from_are_the_plain_ones(text: str) -> None:
    assert Counter(spell_features(read(text))) == Counter(keys(text))


@given(ANY_TEXT)
def test_fingerprints_are_those_of_the_features_spelled_out(text: str) -> None:
    found = take_fingerprints(read(text))
    taken = [*found.words, *found.pairs, *found.grams[found.inside]]
    assert Counter(map(int, taken)) == Counter(map(fingerprint, keys(text)))


@given(ANY_TEXT)
def test_fingerprints_of_characters_stand_where_their_runs_begin(text: str) -> None:
    found = take_fingerprints(read(text))
    starts, lasts = np.nonzero(found.inside)
    taken = {
        (int(start), int(start) + int(last) + 1, int(found.grams[start, last]))
        for start, last in zip(starts, lasts, strict=True)
    }
    spelled = {
        (f.start, f.end, fingerprint(f.key)) for f in features(read(text)) if f.key[0] == "c"
    }
    assert taken == spelled


def test_every_character_of_unicode_is_of_the_same_kind_of_run_in_both() -> None:
    every = "".join(map(chr, range(0x110000)))
    for first in range(0, len(every), 0x10000):
        text = " ".join(every[first : first + 0x10000])
        document = Document(text, Words([], []))
        inside = take_fingerprints(document).inside[:, 0]
        spelled = {f.start for f in features(document) if f.end == f.start + 1}
        assert set(inside.nonzero()[0].tolist()) == spelled


FEATURES = sorted({key for text in ("导游骂人3次", "景区A票价太贵，没人管") for key in keys(text)})


@given(st.text("导游骂人3次景区A票价太贵，没人管 ", max_size=40))
def test_a_vocabulary_finds_exactly_its_own_features(text: str) -> None:
    vocabulary = Vocabulary(**build_vocabulary(FEATURES))
    spelled = spell_features(read(text))
    numbers = np.array([fingerprint(key) for key in spelled], np.uint64)
    places, rows = vocabulary.find(numbers)
    rows_of = {key: row for row, key in enumerate(FEATURES)}
    known = [(place, rows_of[key]) for place, key in enumerate(spelled) if key in rows_of]
    assert list(zip(places.tolist(), rows.tolist(), strict=True)) == known


def test_a_vocabulary_refuses_a_feature_that_is_there_twice() -> None:
    with pytest.raises(ValueError, match="same fingerprint"):
        build_vocabulary(["c景", "w景", "c景"])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100])
def test_a_vocabulary_may_be_of_any_size(size: int) -> None:
    numbered = [f"c{chr(0x4E00 + n)}" for n in range(size)]
    vocabulary = Vocabulary(**build_vocabulary(numbered))
    numbers = np.array([fingerprint(key) for key in numbered], np.uint64)
    assert vocabulary.find(numbers)[1].tolist() == list(range(size))
