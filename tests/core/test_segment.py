import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.segment import Segmenter
from service.policy_bundle import load_policy
from service.settings import Settings

POLICY = load_policy(Settings().policy_dir)
SEGMENTER = Segmenter(POLICY.dictionary)


def test_the_dictionary_is_large_enough_and_of_one_word_a_line() -> None:
    terms = [entry.term for entry in POLICY.dictionary]
    assert len(terms) >= 300
    assert len(set(terms)) == len(terms)
    assert all(2 <= len(term) <= 8 for term in terms)


@pytest.mark.parametrize("term", [entry.term for entry in POLICY.dictionary][::10])
def test_a_domain_term_stays_whole_in_a_sentence(term: str) -> None:
    assert term in [word.text for word in SEGMENTER.segment(f"我，{term}，他")]


@given(st.text(max_size=60))
def test_words_lie_in_order_where_they_say_and_leave_out_only_white_space(text: str) -> None:
    words = SEGMENTER.segment(text)
    assert all(text[word.start : word.end] == word.text for word in words)
    assert "".join(word.text for word in words).split() == "".join(text.split()).split()


def test_a_long_run_of_one_character_is_bounded_work() -> None:
    """Unbounded, jieba needs minutes for this; the bound keeps it to a second or so."""
    began = time.monotonic()
    words = SEGMENTER.segment("龘" * 50_000)
    assert sum(len(word.text) for word in words) == 50_000
    assert time.monotonic() - began < 60  # a hang, not a speed, is what this catches
