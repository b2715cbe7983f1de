"""Danger words in which characters were exchanged (形近字、音近字、拆字), where that reads better.

Whoever writes 自鲨, 歹匕了 or 放🔥 means 自杀, 死了 and 放火; who writes 4人 or 看人 seldom means
死人 or 砍人. What a model knows of which characters follow which tells them apart: a word is put
back only where the text becomes much likelier by it. docs/reliability.md tells what that finds and
what it changes in vain.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.core.damage import HAS_HAN
from service.core.disguise import MARK, as_plain_letters, look_for, read_words
from service.core.errors import PolicyError
from service.core.tracked_text import TrackedText

LogLikelihood = Callable[[str], float]

_IS_MARK: Final = re.compile(MARK).match
_AROUND: Final = 6  # characters on both sides that a word is read with
_MOST: Final = 200  # words that are weighed in a text, so that none takes long
# By how many nats a text must become likelier for each character that was exchanged. Another
# character stands there by chance (四人 is no 死人) more often than a letter, a sign or a part.
_FOR_CHARACTER: Final = 3.0
_FOR_SIGN: Final = 2.0


@dataclass(frozen=True, eq=False, slots=True)
class _Word:
    """A word, and for each of its characters what it may be written as, by first character."""

    text: str
    forms: tuple[Mapping[str, Sequence[str]], ...]


class Lookalikes:
    """The words of a list, with any of their characters exchanged.

    Args:
        words: lines of words with their syllables, as `Disguises` takes them.
        lines: what a character is exchanged for, `死 = 四 亖 4 歹匕`.

    Raises:
        PolicyError: a line is not of that form.
    """

    def __init__(self, words: Iterable[str] = (), lines: Iterable[str] = ()) -> None:
        forms = read_forms(lines)
        # By the first two characters of what is written, but for a mark between them.
        self._beginning_with: dict[str, dict[_Word, None]] = defaultdict(dict)
        by_length = sorted(read_words(words).items(), key=lambda pair: -len(pair[0]))
        for text, syllables in by_length if forms else ():
            each = [
                (han, *forms.get(han, ()), syllable, *_initials(syllable))
                for han, syllable in zip(text, syllables, strict=True)
            ]
            word = _Word(text, tuple(map(_by_first, each)))
            for form in each[0]:
                for second in form[1:2] or word.forms[1]:
                    self._beginning_with[form[0] + second][word] = None
        pairs = self._beginning_with.keys()
        self._begin = look_for({pair[0] for pair in pairs}, {pair[1] for pair in pairs})

    def undo(self, text: TrackedText, likelihood: LogLikelihood) -> TrackedText:
        """The text with the words put back that make it much likelier; itself without any.

        Args:
            text: a normalized text.
            likelihood: natural logarithm of how likely a text is.
        """
        edits: list[tuple[int, int, str]] = []
        for weighed, (start, end, word, cost) in enumerate(self._find(text.text)):
            if weighed == _MOST:
                break
            if edits and start < edits[-1][1]:
                continue
            before = text.text[max(0, start - _AROUND) : start]
            after = text.text[end : end + _AROUND]
            as_written = likelihood(before + text.text[start:end] + after)
            if likelihood(before + word + after) - as_written > cost:
                edits.append((start, end, word))
        return text.edited(edits)

    def _find(self, text: str) -> Iterator[tuple[int, int, str, float]]:
        """Where a word may be meant that is not written, and how much likelier it must be."""
        if self._begin is None:
            return
        plain = as_plain_letters(text)
        for begin in self._begin.finditer(plain):
            start = begin.start()
            second = start + 1 + (_IS_MARK(plain, start + 1) is not None)
            for word in self._beginning_with.get(begin[0] + plain[second : second + 1], ()):
                if found := _read(word, plain, start):
                    end, cost = found
                    if cost and HAS_HAN.search(plain, start, end):
                        yield start, end, word.text, cost
                    break


def _read(word: _Word, plain: str, start: int) -> tuple[int, float] | None:
    """Where the word ends that may be meant there, and how much likelier it must be."""
    place, cost, is_parted = start, 0.0, False
    for han, forms in zip(word.text, word.forms, strict=True):
        if place > start and _IS_MARK(plain, place):
            place, is_parted = place + 1, True
        for form in forms.get(plain[place : place + 1], ()):
            if plain.startswith(form, place) and _stands_alone(form, plain, place):
                break
        else:
            return None
        if form != han:
            is_character = len(form) == 1 and HAS_HAN.match(form)
            cost += _FOR_CHARACTER if is_character else _FOR_SIGN
        place += len(form)
    return place, cost + _FOR_SIGN * is_parted


def _stands_alone(form: str, plain: str, place: int) -> bool:
    """No piece of a longer word in letters, nor of a longer number."""
    if not form.isascii():
        return True
    around = plain[place - 1 : place] + plain[place + len(form) : place + len(form) + 1]
    return not any(c.isascii() and c.isdigit() == form.isdigit() and c.isalnum() for c in around)


def read_forms(lines: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """What each character is exchanged for.

    Raises:
        PolicyError: a line is not of that form.
    """
    forms = {}
    for line in lines:
        character, *written = line.split()
        if len(character) != 1 or written[:1] != ["="] or not written[1:]:
            hint = "一行一字，后面是被写成的样子，如：死 = 四 亖 歹匕。"
            raise PolicyError(f"lookalikes.txt：“{line}”不成一行。", hint)
        forms[character] = written[1:]
    return forms


def _initials(syllable: str) -> tuple[str, ...]:
    """`s` and `sh` of `sha`: how people shorten a word."""
    return (syllable[0], syllable[:2]) if syllable[1:2] == "h" else (syllable[0],)


def _by_first(forms: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Forms by their first character, long ones first."""
    found = defaultdict(list)
    for form in sorted(dict.fromkeys(forms), key=len, reverse=True):
        found[form[0]].append(form)
    return dict(found)
