import math
import sys
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.normalize import Normalizer
from service.core.segment import JiebaEngine, Segmenter, choose_engine
from service.policy_bundle import load_policy
from service.settings import Settings
from training.corpora import read_texts

POLICY = load_policy(Settings().policy_dir)
SEGMENTER = Segmenter(POLICY.dictionary)
JIEBA = JiebaEngine(POLICY.dictionary)
ORACLE = Segmenter(POLICY.dictionary, JIEBA)


def test_the_dictionary_is_large_enough_and_of_one_word_a_line() -> None:
    terms = [entry.term for entry in POLICY.dictionary]
    assert len(terms) >= 300
    assert len(set(terms)) == len(terms)
    assert all(2 <= len(term) <= 8 for term in terms)


@pytest.mark.parametrize("term", [entry.term for entry in POLICY.dictionary][::10])
def test_a_domain_term_stays_whole_in_a_sentence(term: str) -> None:
    assert term in SEGMENTER.segment(f"我，{term}，他").texts


@given(st.text(max_size=60))
def test_words_lie_in_order_where_they_say_and_leave_out_only_white_space(text: str) -> None:
    words = SEGMENTER.segment(text)
    spans = zip(words.starts, words.ends, strict=True)
    assert [text[start:end] for start, end in spans] == words.texts
    assert "".join(words.texts) == "".join(text.split())


def test_a_long_run_of_one_character_is_bounded_work() -> None:
    """Unbounded, jieba needs minutes for this; the bound keeps it to a second or so."""
    began = time.monotonic()
    words = SEGMENTER.segment("龘" * 50_000)
    assert sum(map(len, words.texts)) == 50_000
    assert time.monotonic() - began < 60  # a hang, not a speed, is what this catches


def test_the_fast_engine_serves_and_jieba_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert SEGMENTER.engine.startswith("rjieba ")
    monkeypatch.setitem(sys.modules, "rjieba", None)  # what an import of a missing package meets
    assert choose_engine([]).name.startswith("jieba ")


@pytest.mark.parametrize(
    "text",
    [
        "2010-2014年的T_T，看SuperJunior-M和p1-2",
        "身高823.7cm，T.O.E.F.L和QTJ-4，见t.cn/abc",
        "一百%的C++和C#，3.5%，v1.2.3_beta&more",
        "㐀㐁龥鿖鿿𠀀𠀁字",
        "半个\ud83d字",
        "旅行社零团费，12345热线没人接",
        "",
        "   ",
    ],
)
def test_its_words_are_those_of_jieba(text: str) -> None:
    assert SEGMENTER.segment(text) == ORACLE.segment(text)


# Of what jieba and its port could part differently: marks, figures, letters, other scripts, spaces.
HAN = "旅行社的人民政府小区停水了吗很好看一二三零"
ODD = st.text(f"{HAN}abcXYZ012389-+#&._%，。！？ \n\t㐀鿖𠀀éñカナ한", max_size=40)


@given(ODD)
def test_any_mixture_is_cut_as_jieba_cuts_it(text: str) -> None:
    assert SEGMENTER.segment(text) == ORACLE.segment(text)


def test_of_real_messages_it_cuts_all_but_ties_as_jieba_does(data: Path) -> None:
    """Where two ways to cut are as likely to the last bit (啊啊啊啊), rounding decides.

    It does so otherwise in rjieba, which adds the domain terms' frequencies to no total.
    """
    texts = [
        text
        for name, path, size in (
            ("smp2020", "sentiment/smp2020_weibo.parquet", 16_000),
            ("letters_with_replies", "letters/letters_with_replies.parquet", 2_600),
            ("topic7", "topic7/train.parquet", 2_600),
        )
        for text in sample(list(read_texts(name, data / path)), size)
    ]
    normalizer = Normalizer(POLICY.search_terms, POLICY.disguises)
    clean = [normalizer.normalize(text).text for text in texts]
    cuts = [(SEGMENTER.segment(text).texts, ORACLE.segment(text).texts) for text in clean]
    same = sum(ours == theirs for ours, theirs in cuts)
    as_likely = sum(ours == theirs or is_tie(ours, theirs) for ours, theirs in cuts)
    print(f"{same} of {len(cuts)} real messages cut alike, {as_likely} alike or as likely")
    assert len(cuts) >= 20_000
    assert same / len(cuts) >= 0.998
    assert as_likely / len(cuts) >= 0.9999


def is_tie(ours: list[str], theirs: list[str]) -> bool:
    """Whether jieba's own dictionary makes both as likely."""
    return abs(likelihood(ours) - likelihood(theirs)) < 1e-6


def likelihood(words: list[str]) -> float:
    tokenizer = JIEBA._tokenizer  # noqa: SLF001
    total = math.log(tokenizer.total)
    return sum(math.log(tokenizer.FREQ.get(word) or 1) - total for word in words)


def sample(texts: list[str], size: int) -> list[str]:
    return Random(7).sample(texts, min(size, len(texts)))  # noqa: S311 — to vary a test
