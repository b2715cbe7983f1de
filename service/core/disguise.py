"""Danger words misspelled to slip past filters (拼音、别字替字), back as they should be."""

import re
from collections.abc import Iterable
from typing import Final

from service.core.errors import PolicyError
from service.core.tracked_text import TrackedText

_MARKS: Final = r"[\s.·*_/|\-]?"  # one may part the syllables
_LETTER: Final = re.compile("[A-Za-z]")
_TONED: Final = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ"
_HAS_TONE: Final = re.compile(f"[{_TONED}]")
_PLAIN: Final = str.maketrans(_TONED, "aaaaeeeeiiiioooouuuuvvvvvnnnm")


class Disguises:
    """The words of a list, in any mixture of characters and pinyin.

    Args:
        lines: a word and the toneless syllable of each of its characters, `自杀 zi sha`, or other
            spellings of it, `自杀 = 自鲨`.

    Raises:
        PolicyError: a line has not as many syllables as characters.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._words: dict[str, re.Pattern[str]] = {}
        self._aliases: dict[str, str] = {}
        patterns: list[str] = []
        firsts: set[str] = set()
        for line in lines:
            word, *spelt = line.split()
            if spelt[:1] == ["="]:
                self._aliases |= dict.fromkeys(spelt[1:], word)
                patterns += map(re.escape, spelt[1:])
                firsts |= {alias[0] for alias in spelt[1:]}
                continue
            if not 1 < len(word) == len(spelt) or not all(s.isascii() for s in spelt):
                told = f"disguises.txt：“{line}”的音节与字数不符。"
                hint = "一行一词，词后按字给出音节，如：自杀 zi sha；别的写法，如：自杀 = 自鲨。"
                raise PolicyError(told, hint)
            pairs = list(zip(word, spelt, strict=True))
            spelled = [f"(?:{han}|{syllable})" for han, syllable in pairs]
            self._words[word] = re.compile(_MARKS.join(spelled))
            # Each way to begin is a branch of its own, which re passes over by one comparison.
            rest = _MARKS + _MARKS.join(spelled[1:])
            patterns += [f"{first}{rest}" for first in pairs[0]]
            firsts |= {first[0] for first in pairs[0]}
        # Nothing of a longer word in letters: "zi" of "zipper" is no syllable.
        whole = f"(?<![a-z])(?=[{''.join(sorted(firsts))}])(?:{'|'.join(patterns)})(?![a-z])"
        self._pattern = re.compile(whole) if patterns else None

    def undo(self, text: TrackedText) -> TrackedText:
        """The text with the words in characters; itself where none is spelled.

        >>> Disguises(["自杀 zi sha"]).undo(TrackedText("他要Zì shā，想自sha了")).text
        '他要自杀，想自杀了'
        """
        if self._pattern is None:
            return text
        plain = _plain(text.text)
        edits = []
        for match in self._pattern.finditer(plain):
            word = self._word(match[0])
            if word != match[0]:
                edits.append((*match.span(), word))
        return text.edited(edits)

    def _word(self, spelled: str) -> str:
        """The word behind a spelling; one that is written out, if with marks in it, stays."""
        if spelled in self._aliases:
            return self._aliases[spelled]
        if not _LETTER.search(spelled):
            return spelled
        return next(word for word, pattern in self._words.items() if pattern.fullmatch(spelled))


def _plain(text: str) -> str:
    """Capitals as small letters and those with a tone without it; one for one, so places stay."""
    small = text.lower()
    if len(small) != len(text):  # a capital İ is two small letters
        small = "".join(lowered if len(lowered := c.lower()) == 1 else c for c in text)
    return small.translate(_PLAIN) if _HAS_TONE.search(small) else small
