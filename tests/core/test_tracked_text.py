import re

from hypothesis import given
from hypothesis import strategies as st

from service.core.tracked_text import TrackedText


def test_an_untouched_text_is_its_own_origin() -> None:
    assert TrackedText("abc").origin(1, 3) == (1, 3)


def test_a_replacement_of_the_same_length_is_followed_character_by_character() -> None:
    text = TrackedText("xＡＢx").replace(re.compile("ＡＢ"), "AB")
    assert [text.origin(i, i + 1) for i in range(4)] == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_any_other_replacement_stands_for_the_whole_match() -> None:
    text = TrackedText("a&nbsp;b").replace(re.compile("&nbsp;"), " ")
    assert text.text == "a b"
    assert text.origin(1, 2) == (1, 7)


def test_nothing_to_replace_gives_the_same_object() -> None:
    text = TrackedText("abc")
    assert text.replace(re.compile("b"), "b") is text
    assert text.cut(0, 3) is text
    assert text.realigned("abc") is text


@given(st.text("ab<>x", max_size=30))
def test_removing_twice_leads_back_through_both(raw: str) -> None:
    text = TrackedText(raw).replace(re.compile("<>?"), "").replace(re.compile("ab"), "")
    for i, char in enumerate(text.text):
        start, end = text.origin(i, i + 1)
        assert raw[start:end] == char
