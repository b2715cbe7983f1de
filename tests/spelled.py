"""Features spelled out one by one with their spans: slow and plain, the oracle of the fast way."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.core.features import LONGEST_GRAM, TEXT_RUN, Document, fold_numbers, fold_text
from service.core.segment import Word


class Feature(NamedTuple):
    """A feature and the span of the normalized text that it was read from."""

    key: str
    start: int
    end: int


def features(document: Document) -> Iterator[Feature]:
    """Every occurrence of every feature.

    >>> document = Document("12元", [Word("12", 0, 2), Word("元", 2, 3)])
    >>> [f.key for f in features(document)][:4]
    ['w00', 'w元', 'w00 元', 'c0']
    """
    yield from _word_features(document.words)
    yield from _character_features(document.text)


def _word_features(words: Sequence[Word]) -> Iterator[Feature]:
    previous: Word | None = None
    before = ""
    for word in words:
        folded = fold_numbers(word.text)
        yield Feature(f"w{folded}", word.start, word.end)
        if previous is not None:
            yield Feature(f"w{before} {folded}", previous.start, word.end)
        previous, before = word, folded


def _character_features(text: str) -> Iterator[Feature]:
    folded = fold_text(text)
    for run in TEXT_RUN.finditer(folded):
        first, last = run.span()
        for start in range(first, last):
            for end in range(start + 1, min(start + LONGEST_GRAM, last) + 1):
                yield Feature(f"c{folded[start:end]}", start, end)
