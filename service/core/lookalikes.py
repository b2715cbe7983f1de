"""Danger words in which characters were exchanged (形近字、音近字、拆字), where that reads better.

Whoever writes 自鲨, 歹匕了 or 放🔥 means 自杀, 死了 and 放火; who writes 4人 or 看人 seldom means
死人 or 砍人. What a model knows of which characters follow which tells them apart: a word is put
back only where the text becomes much likelier by it. docs/reliability.md tells what that finds and
what it changes in vain.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from service.core.damage import HAN
from service.core.disguise import MARK, as_plain_letters, look_for, read_words
from service.core.errors import PolicyError
from service.core.tracked_text import TrackedText

LogLikelihood = Callable[[str], float]

_JOINT: Final = f"{MARK}?"
_AROUND: Final = 6  # characters on both sides that a word is read with
_MOST: Final = 200  # words that are weighed in a text, so that none takes long
# By how many nats a text must become likelier for each character that was exchanged. Another
# character stands there by chance (四人 is no 死人) more often than a letter, a sign or a part.
_FOR_CHARACTER: Final = 3.0
_FOR_SIGN: Final = 2.0
_HAN: Final = re.compile(f"[{HAN}]")


class Lookalikes:
    """The words of a list, with any of their characters exchanged.

    Args:
        words: lines of words with their syllables, as `Disguises` takes them.
        lines: what a character is exchanged for, `死 = 四 亖 4 歹匕`.

    Raises:
        PolicyError: a line is not of that form.
    """

    def __init__(self, words: Iterable[str] = (), lines: Iterable[str] = ()) -> None:
        forms = _read_forms(lines)
        self._words: list[str] = []
        self._parts: list[re.Pattern[str]] = []
        branches: dict[str, list[str]] = defaultdict(list)
        numbers: dict[str, list[int]] = defaultdict(list)
        seconds: set[str] = set()
        by_length = sorted(read_words(words).items(), key=lambda pair: -len(pair[0]))
        for word, syllables in by_length if forms else ():
            each = [
                (han, *forms.get(han, ()), syllable, *_initials(syllable))
                for han, syllable in zip(word, syllables, strict=True)
            ]
            self._parts.append(re.compile(_JOINT.join(f"({_any_of(all_)})" for all_ in each)))
            rest = _JOINT + _JOINT.join(map(_any_of, each[1:]))
            for first in dict.fromkeys(each[0]):
                branches[first[0]].append(f"{_alone(first)}{rest}()")  # the group tells which
                numbers[first[0]].append(len(self._words))
                seconds |= {first[1]} if len(first) > 1 else {form[0] for form in each[1]}
            self._words.append(word)
        self._branches = {
            first: (re.compile("|".join(many)), numbers[first]) for first, many in branches.items()
        }
        self._begin = look_for(branches, seconds)

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
            pattern, numbers = self._branches[begin[0]]
            match = pattern.match(plain, begin.start())
            if match is None or match.lastindex is None or not _HAN.search(match[0]):
                continue
            number = numbers[match.lastindex - 1]
            word = self._words[number]
            if match[0] == word:
                continue
            parts = self._parts[number].fullmatch(match[0])
            if parts:
                yield *match.span(), word, _cost(word, parts)


def _read_forms(lines: Iterable[str]) -> Mapping[str, Sequence[str]]:
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


def _any_of(forms: Iterable[str]) -> str:
    longest_first = sorted(dict.fromkeys(forms), key=len, reverse=True)
    return f"(?:{'|'.join(map(_alone, longest_first))})"


def _alone(form: str) -> str:
    """No piece of a longer word in letters, nor of a longer number."""
    if not form.isascii():
        return re.escape(form)
    like = "0-9" if form.isdigit() else "a-z"
    return f"(?<![{like}]){re.escape(form)}(?![{like}])"


def _cost(word: str, parts: re.Match[str]) -> float:
    """How much likelier a text must become by the word, for what stands in its place."""
    groups = parts.groups("")
    costs = [
        _FOR_CHARACTER if len(part) == 1 and _HAN.match(part) else _FOR_SIGN
        for han, part in zip(word, groups, strict=True)
        if part != han
    ]
    if len(parts[0]) > sum(map(len, groups)):  # marks part it
        costs.append(_FOR_SIGN)
    return sum(costs)
