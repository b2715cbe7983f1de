"""Text → words (分词); the only module that knows a segmenter."""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import jieba

from service.core.damage import HAN

# jieba's hidden Markov model is quadratic in an unbroken run of Chinese characters; nobody writes
# runs of this length, so cutting them changes no real text.
_LONGEST_RUN: Final = 1_000
_LONG_RUN: Final = re.compile(f"[{HAN}]{{{_LONGEST_RUN + 1},}}")


class Word(NamedTuple):
    """A word and its span in the text it was cut from, in code points, end-exclusive."""

    text: str
    start: int
    end: int


class DictionaryEntry(NamedTuple):
    """A term of the domain dictionary; without a frequency, jieba finds one that keeps it whole."""

    term: str
    frequency: int | None = None
    tag: str | None = None


class Segmenter:
    """jieba with the domain dictionary of a policy bundle.

    Args:
        dictionary: the terms to keep whole.

    The prefix dictionary is built here, once, in about a second.
    """

    engine: Final = f"jieba {jieba.__version__}"

    def __init__(self, dictionary: Iterable[DictionaryEntry] = ()) -> None:
        jieba.default_logger.setLevel(logging.WARNING)  # it reports its start on standard error
        self._tokenizer = jieba.Tokenizer()
        self._tokenizer.initialize()
        for entry in dictionary:
            self._tokenizer.add_word(entry.term, entry.frequency, entry.tag)

    def segment(self, text: str) -> list[Word]:
        """The words of a normalized text in order, white space left out.

        >>> [w.text for w in Segmenter([DictionaryEntry("零团费")]).segment("零团费 真坑人")]
        ['零团费', '真', '坑人']
        """
        words: list[Word] = []
        for offset, piece in _bounded(text):
            words += (
                Word(word, offset + start, offset + end)
                for word, start, end in self._tokenizer.tokenize(piece)
                if not word.isspace()
            )
        return words


def _bounded(text: str) -> Iterator[tuple[int, str]]:
    """The text in pieces that hold no over-long run of Chinese characters."""
    done = 0
    for run in _LONG_RUN.finditer(text):
        for cut in range(run.start() + _LONGEST_RUN, run.end(), _LONGEST_RUN):
            yield done, text[done:cut]
            done = cut
    if done < len(text):
        yield done, text[done:]
