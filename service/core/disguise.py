"""Danger words misspelled to slip past filters (拼音、别字替字), back as they should be."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from service.core.errors import PolicyError
from service.core.tracked_text import TrackedText

MARK: Final = r"[\s.·*_/|\-]"
"""What may part the syllables or characters of a word."""
_JOINT: Final = f"{MARK}?"
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
        PolicyError: a line has not as many syllables as characters, or a spelling is one character.
    """

    def __init__(self, lines: Sequence[str] = ()) -> None:
        self._words: dict[str, re.Pattern[str]] = {}
        self._aliases = read_aliases(lines)
        patterns = list(map(re.escape, self._aliases))
        firsts = {alias[0] for alias in self._aliases}
        seconds = {alias[1] for alias in self._aliases}
        for word, spelt in read_words(lines).items():
            pairs = list(zip(word, spelt, strict=True))
            spelled = [f"(?:{han}|{syllable})" for han, syllable in pairs]
            self._words[word] = re.compile(_JOINT.join(spelled))
            # Each way to begin is a branch of its own, which re passes over by one comparison.
            rest = _JOINT + _JOINT.join(spelled[1:])
            patterns += [f"{first}{rest}" for first in pairs[0]]
            firsts |= {first[0] for first in pairs[0]}
            seconds |= {spelt[0][1:2], *(second[0] for second in pairs[1])}
        self._begin = look_for(firsts, seconds)
        # Nothing of a longer word in letters: "zi" of "zipper" is no syllable.
        self._whole = re.compile(f"(?<![a-z])(?:{'|'.join(patterns)})(?![a-z])")

    def undo(self, text: TrackedText) -> TrackedText:
        """The text with the words in characters; itself where none is spelled.

        >>> Disguises(["自杀 zi sha"]).undo(TrackedText("他要Zì shā，想自sha了")).text
        '他要自杀，想自杀了'
        """
        if self._begin is None:
            return text
        plain = as_plain_letters(text.text)
        edits = []
        done = 0
        for begin in self._begin.finditer(plain):
            match = self._whole.match(plain, begin.start())
            if match is None or match.start() < done:
                continue
            done = match.end()
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


def read_words(lines: Iterable[str]) -> dict[str, list[str]]:
    """The words of a list that are given with their syllables.

    Raises:
        PolicyError: a line has not as many syllables as characters.
    """
    words = {}
    for line in lines:
        word, *syllables = line.split()
        if syllables[:1] == ["="]:
            continue
        if not 1 < len(word) == len(syllables) or not all(s.isascii() for s in syllables):
            told = f"disguises.txt：“{line}”的音节与字数不符。"
            hint = "一行一词，词后按字给出音节，如：自杀 zi sha；别的写法，如：自杀 = 自鲨。"
            raise PolicyError(told, hint)
        words[word] = syllables
    return words


def look_for(firsts: Collection[str], seconds: Collection[str]) -> re.Pattern[str] | None:
    """A first character that a second follows, or a mark; `None` if nothing begins anywhere.

    No letter within a run of letters. Such a look is cheap, and spares most texts the search.
    """
    first, second = (re.escape("".join(sorted(all_))) for all_ in (firsts, seconds))
    return re.compile(f"[{first}](?<![a-z][a-z])(?=[{second}]|{MARK})") if first else None


def read_aliases(lines: Iterable[str]) -> dict[str, str]:
    """The word behind each of its other spellings.

    Raises:
        PolicyError: a spelling is one character, which would be read so wherever it stands.
    """
    found = {}
    for line in lines:
        word, *aliases = line.split()
        if aliases[:1] != ["="]:
            continue
        if any(len(alias) == 1 for alias in aliases[1:]):
            hint = "写法至少两字；一个字被写成的样子请列在 lookalikes.txt。"
            raise PolicyError(f"disguises.txt：“{line}”里有一个字的写法。", hint)
        found.update(dict.fromkeys(aliases[1:], word))
    return found


def as_plain_letters(text: str) -> str:
    """Capitals as small letters and those with a tone without it; one for one, so places stay."""
    small = text.lower()
    if len(small) != len(text):  # a capital İ is two small letters
        small = "".join(lowered if len(lowered := c.lower()) == 1 else c for c in text)
    return small.translate(_PLAIN) if _HAS_TONE.search(small) else small
