"""Words and characters → features, spelled out: what a model learns from and is known to know.

A feature is a string. Its first character tells its block: `w` a word or a pair of neighbouring
words, `c` a run of one to four characters. Digits are folded (`3500` → `0000` → one of four
lengths), so that no telephone number, identity number or amount can enter a vocabulary. Scoring
takes the same features by their fingerprints, see `fingerprints`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from service.core.damage import HAN
from service.core.segment import Words

WORD: Final = "w"
CHARACTERS: Final = "c"
BLOCKS: Final = (WORD, CHARACTERS)
BLOCK_WEIGHTS: Final = (0.5, 1.0)  # lengths of the blocks' vectors; measured in docs/training.md
LONGEST_GRAM: Final = 4
SCHEMA: Final = "words-1-2+characters-1-4/1"  # stored in bundles; a bundle of another is refused

_NUMBER: Final = re.compile(r"([0-9]+)(?:\.[0-9]+)?")
_DIGIT: Final = re.compile("[0-9]")
_MOST_DIGITS: Final = 4
# Features of characters never cross from one kind of run to another, nor a gap.
RUN_KINDS: Final = (f"[{HAN}a-z0-9]", "[^\\w\\s]")
RUN: Final = re.compile("|".join(f"{kind}+" for kind in RUN_KINDS))


@dataclass(frozen=True, slots=True)
class Document:
    """A normalized text and its words."""

    text: str
    words: Words


def spell_features(document: Document) -> list[str]:
    """Every occurrence of every feature: words, their pairs, then characters by length.

    >>> spell_features(Document("12元", Words(["12", "元"], [0, 2])))
    ['w00', 'w元', 'w00 元', 'c0', 'c0', 'c元', 'c00', 'c0元', 'c00元']
    """
    words = fold_words(document.words.texts).split()
    spelled = [f"{WORD}{word}" for word in words]
    spelled += [f"{WORD}{one} {other}" for one, other in pairwise(words)]
    runs: Sequence[str] = RUN.findall(fold_text(document.text))
    for length in range(1, LONGEST_GRAM + 1):
        for run in runs:
            last = len(run) - length
            spelled += [f"{CHARACTERS}{run[at : at + length]}" for at in range(last + 1)]
    return spelled


def fold_words(words: Sequence[str]) -> str:
    """The words in lower case with a space between them, each number as one to four zeros.

    >>> fold_words(["A股", "3500.5", "元"])
    'a股 0000 元'
    """
    joined = " ".join(words).lower()
    return _NUMBER.sub(_fold_number, joined) if _DIGIT.search(joined) else joined


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
