"""Text → words (分词); the only module that knows a segmenter.

jieba's output is the standard. rjieba, its port to Rust, gives the same words twenty times as fast
once three habits of it are mended; jieba itself serves where rjieba is not installed, and as the
oracle of the tests.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import accumulate
from typing import ClassVar, Final, NamedTuple, Protocol

from service.core.damage import HAN

# jieba's hidden Markov model is quadratic in an unbroken run of Chinese characters; nobody writes
# runs of this length, so cutting them changes no real text.
_LONGEST_RUN: Final = 1_000
_LONG_RUN: Final = re.compile(f"[{HAN}]{{{_LONGEST_RUN + 1},}}")
# jieba knows no Chinese character beyond U+9FD5 and leaves each a word of its own; rjieba does not,
# and refuses half a surrogate pair.
_UNKNOWN_TO_JIEBA: Final = re.compile(
    "([\\u3400-\\u4dbf\\u9fd6-\\u9fff\\uf900-\\ufaff\\ud800-\\udfff\\U00020000-\\U0003ffff])"
)
# Where a word of neither dictionary holds one of these marks, jieba parts it and rjieba does not.
_MARK: Final = re.compile(r"[-+#&._%]")
_PARTED: Final = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")
_WHITE: Final = re.compile(r"\s")
_MARK_OR_UNKNOWN: Final = re.compile(f"{_MARK.pattern}|{_UNKNOWN_TO_JIEBA.pattern}")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text and where they start in it, in code points; none holds white space."""

    texts: list[str]
    starts: list[int]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def ends(self) -> list[int]:
        """Where they end, exclusive."""
        return [start + len(text) for start, text in zip(self.starts, self.texts, strict=True)]


class DictionaryEntry(NamedTuple):
    """A term of the domain dictionary; without a frequency, the engine finds one that keeps it."""

    term: str
    frequency: int | None = None
    tag: str | None = None


class Engine(Protocol):
    """What cuts a text into words that together are the text."""

    name: str

    def cut(self, text: str) -> list[str]:
        """The words, white space too."""


class RjiebaEngine:
    """rjieba, mended to give jieba's words.

    Raises:
        ImportError: rjieba is not installed.
    """

    _is_spare_taken: ClassVar[bool] = False

    def __init__(self, dictionary: Iterable[DictionaryEntry]) -> None:
        import rjieba  # noqa: PLC0415 — a platform may have no wheel of it

        self.name = f"rjieba {version('rjieba')}"
        # Importing it builds one; the first engine takes that and spares a second dictionary.
        spare = rjieba._DEFAULT_JIEBA  # noqa: SLF001
        self._tokenizer = rjieba.Jieba() if RjiebaEngine._is_spare_taken else spare
        RjiebaEngine._is_spare_taken = True
        for entry in dictionary:
            self._tokenizer.add_word(entry.term, entry.frequency, entry.tag or "")

    def cut(self, text: str) -> list[str]:
        """The words, white space too."""
        words: list[str]
        if not _MARK_OR_UNKNOWN.search(text):  # most texts; looked for at once, for speed
            words = self._tokenizer.cut(text)
            return words
        words = []
        for piece in _UNKNOWN_TO_JIEBA.split(text):
            words += [piece] if _UNKNOWN_TO_JIEBA.match(piece) else self._cut_known(piece)
        return words

    def _cut_known(self, text: str) -> list[str]:
        return [part for word in self._tokenizer.cut(text) for part in self._part(word)]

    def _part(self, word: str) -> list[str]:
        if len(word) == 1 or not _MARK.search(word) or self._tokenizer.has_word(word):
            return [word]
        return [part for part in _PARTED.split(word) if part]


class JiebaEngine:
    """jieba itself; its prefix dictionary is built here, in about a second."""

    def __init__(self, dictionary: Iterable[DictionaryEntry]) -> None:
        import jieba  # noqa: PLC0415 — a second and a hundred megabytes that rjieba spares

        self.name = f"jieba {version('jieba')}"
        jieba.default_logger.setLevel(logging.WARNING)  # it reports its start on standard error
        self._tokenizer = jieba.Tokenizer()
        self._tokenizer.initialize()
        for entry in dictionary:
            self._tokenizer.add_word(entry.term, entry.frequency, entry.tag)

    def cut(self, text: str) -> list[str]:
        """The words, white space too."""
        words: list[str] = self._tokenizer.lcut(text)
        return words


def choose_engine(dictionary: Iterable[DictionaryEntry]) -> Engine:
    """The fastest engine that is installed."""
    entries = list(dictionary)
    try:
        return RjiebaEngine(entries)
    except ImportError:
        return JiebaEngine(entries)


class Segmenter:
    """A segmenter with the domain dictionary of a policy bundle.

    Args:
        dictionary: the terms to keep whole.
        engine: what cuts; the fastest that is installed if `None`.
    """

    def __init__(
        self, dictionary: Iterable[DictionaryEntry] = (), engine: Engine | None = None
    ) -> None:
        self._engine = engine or choose_engine(dictionary)
        self.engine: Final = self._engine.name

    def segment(self, text: str) -> Words:
        """The words of a normalized text in order, white space left out.

        >>> Segmenter([DictionaryEntry("零团费")]).segment("零团费 真坑人")
        Words(texts=['零团费', '真', '坑人'], starts=[0, 4, 5])
        """
        if len(text) <= _LONGEST_RUN:
            words = self._engine.cut(text)
        else:
            words = [word for piece in _bounded(text) for word in self._engine.cut(piece)]
        starts = list(accumulate(map(len, words), initial=0))[:-1]
        if not _WHITE.search(text):
            return Words(words, starts)
        kept = [place for place, word in enumerate(words) if not word.isspace()]
        return Words([words[place] for place in kept], [starts[place] for place in kept])


def _bounded(text: str) -> Iterator[str]:
    """The text in pieces that hold no over-long run of Chinese characters."""
    done = 0
    for run in _LONG_RUN.finditer(text):
        for cut in range(run.start() + _LONGEST_RUN, run.end(), _LONGEST_RUN):
            yield text[done:cut]
            done = cut
    if done < len(text):
        yield text[done:]
