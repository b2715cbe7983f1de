"""Words and characters → counted features; the same code serves training and scoring.

A feature is a string. Its first character tells its block: `w` a word or a pair of neighbouring
words, `c` a run of one to four characters. Digits are folded (`3500` → `0000` → one of four
lengths), so that no telephone number, identity number or amount can enter a vocabulary.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from service.core.damage import HAN
from service.core.segment import Word

BLOCKS: Final = ("w", "c")
BLOCK_WEIGHTS: Final = (0.5, 1.0)  # lengths of the blocks' vectors; measured in docs/training.md
LONGEST_GRAM: Final = 4
SCHEMA: Final = "words-1-2+characters-1-4/1"  # stored in bundles; a bundle of another is refused

_NUMBER: Final = re.compile(r"([0-9]+)(?:\.[0-9]+)?")
_DIGIT: Final = re.compile("[0-9]")
_MOST_DIGITS: Final = 4
TEXT_RUN: Final = re.compile(f"[{HAN}a-z0-9]+|[^\\w\\s]+")


@dataclass(frozen=True, slots=True)
class Document:
    """A normalized text and its words."""

    text: str
    words: Sequence[Word]


class Keys(NamedTuple):
    """The features of a document by kind, without the sign of their block and without spans."""

    words: list[str]
    word_pairs: list[str]
    grams: list[list[str]]  # one list for each length, from 1

    @property
    def total(self) -> int:
        """How many occurrences there are."""
        return len(self.words) + len(self.word_pairs) + sum(map(len, self.grams))

    def spelled(self) -> list[str]:
        """All of them with the sign of their block, as a vocabulary has them."""
        words = [f"w{key}" for key in (*self.words, *self.word_pairs)]
        return words + [f"c{key}" for of_length in self.grams for key in of_length]


def feature_keys(document: Document) -> Keys:
    """Every occurrence of every feature.

    >>> document = Document("12元", [Word("12", 0, 2), Word("元", 2, 3)])
    >>> feature_keys(document)  # doctest: +NORMALIZE_WHITESPACE
    Keys(words=['00', '元'], word_pairs=['00 元'],
         grams=[['0', '0', '元'], ['00', '0元'], ['00元'], []])
    """
    fold = fold_numbers if _DIGIT.search(document.text) else str.lower
    words = [fold(word.text) for word in document.words]
    folded = fold_text(document.text)
    grams: list[list[str]] = [[] for _ in range(LONGEST_GRAM)]
    for run in TEXT_RUN.findall(folded):
        size = len(run)
        for length, found in enumerate(grams[:size], 1):
            found += [run[start : start + length] for start in range(size - length + 1)]
    pairs = [f"{one} {other}" for one, other in pairwise(words)]
    return Keys(words, pairs, grams)


def gram_starts(document: Document) -> list[list[int]]:
    """Where the runs of `Keys.grams` begin in the text, in the same order."""
    runs = [run.span() for run in TEXT_RUN.finditer(fold_text(document.text))]
    return [
        [start for first, last in runs for start in range(first, last - length + 1)]
        for length in range(1, LONGEST_GRAM + 1)
    ]


def fold_numbers(word: str) -> str:
    """The word in lower case, each number as one to four zeros.

    >>> fold_numbers("3500.5元"), fold_numbers("A股")
    ('0000元', 'a股')
    """
    return _NUMBER.sub(_fold_number, word.lower())


def fold_text(text: str) -> str:
    """The text in lower case with every digit a zero, each character in its place.

    >>> fold_text("A座3楼")
    'a座0楼'
    """
    folded = text.lower()
    if len(folded) != len(text):  # a few letters lower to two; keep the spans right
        folded = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return _DIGIT.sub("0", folded)


def _fold_number(match: re.Match[str]) -> str:
    return "0" * min(len(match[1]), _MOST_DIGITS)
