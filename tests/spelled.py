"""Features spelled out one by one with their spans: slow and plain, the oracle of the fast way."""

from collections.abc import Iterator
from typing import NamedTuple

from service.core.features import LONGEST_GRAM, RUN, Document, fold_text, fold_words
from service.core.segment import Words


class Feature(NamedTuple):
    """A feature and the span of the normalized text that it was read from."""

    key: str
    start: int
    end: int


def features(document: Document) -> Iterator[Feature]:
    """Every occurrence of every feature.

    >>> [f.key for f in features(Document("12元", Words(["12", "元"], [0, 2])))][:4]
    ['w00', 'w元', 'w00 元', 'c0']
    """
    yield from _word_features(document.words)
    yield from _character_features(document.text)


def _word_features(words: Words) -> Iterator[Feature]:
    previous: int | None = None
    before = ""
    for word, start in zip(words.texts, words.starts, strict=True):
        folded = fold_words([word])
        end = start + len(word)
        yield Feature(f"w{folded}", start, end)
        if previous is not None:
            yield Feature(f"w{before} {folded}", previous, end)
        previous, before = start, folded


def _character_features(text: str) -> Iterator[Feature]:
    folded = fold_text(text)
    for run in RUN.finditer(folded):
        first, last = run.span()
        for start in range(first, last):
            for end in range(start + 1, min(start + LONGEST_GRAM, last) + 1):
                yield Feature(f"c{folded[start:end]}", start, end)
