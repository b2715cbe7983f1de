"""Raw text → clean text (规范化), with the list of repairs and the way back to the original."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from opencc import OpenCC

from service.core import damage
from service.core.disguise import Disguises
from service.core.lookalikes import LogLikelihood, Lookalikes
from service.core.tracked_text import TrackedText

_MOST_PASSES: Final = 6  # real pages settle in two; only text made to nest tags needs more
_FEWEST_SEARCH_TERMS: Final = 3
_FEWEST_SEPARATORS: Final = 2
DISGUISE_UNDONE: Final = "disguise_undone"
"""The repair of a danger word that was written so as not to be found."""


@dataclass(frozen=True, slots=True)
class NormalizedText:
    """The clean text, the repairs that were made, and the origins of its characters."""

    tracked: TrackedText
    repairs: tuple[str, ...]

    @property
    def text(self) -> str:
        """The clean text."""
        return self.tracked.text

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Span of the original behind `text[start:end]`, in code points, end-exclusive."""
        return self.tracked.origin(start, end)


class Normalizer:
    """Repairs what crawlers, mail programs, input methods and evasion do to Chinese text.

    Normalizing twice gives the same as once; a text with Chinese in it never becomes one without;
    every character of the clean text has an origin. Build one and keep it: it holds the OpenCC
    dictionaries.

    Args:
        search_terms: words typical of search-engine spam, from the policy bundle's
            `lexicons/search_spam.txt`.
        disguises: danger words with their pinyin, from its `lexicons/disguises.txt`.
        lookalikes: what their characters are exchanged for, from its `lexicons/lookalikes.txt`.
    """

    def __init__(
        self,
        search_terms: Iterable[str] = (),
        disguises: Sequence[str] = (),
        lookalikes: Iterable[str] = (),
    ) -> None:
        self._disguises = Disguises(disguises)
        self._lookalikes = Lookalikes(disguises, lookalikes)
        self._search_terms = tuple(search_terms)
        self._to_simplified = OpenCC("t2s").convert
        # For text known to be traditional: also tells the particle 著 from the 著 of 著名.
        self._from_traditional = OpenCC("tw2s").convert
        self._steps: tuple[tuple[str, Callable[[TrackedText], TrackedText]], ...] = (
            ("width_folded", _fold_width),
            ("invisible_removed", _remove_invisible),
            ("html_removed", _remove_markup),
            ("search_spam_removed", self._remove_search_spam),  # spaces still part the terms
            ("pinyin_removed", _remove_pinyin),
            (DISGUISE_UNDONE, self._disguises.undo),
            ("spaces_removed", _join_han),
            ("", _collapse_spaces),  # layout, not damage: never reported
            ("boilerplate_removed", _remove_furniture),
            ("punctuation_repaired", _repair_punctuation),
            ("traditional_to_simplified", self._simplify),
        )

    def normalize(self, raw: str) -> NormalizedText:
        """The clean text of `raw`, its repairs in the order they were made, and its origins.

        >>> Normalizer().normalize("負責(zé)任&nbsp;").text
        '负责任'
        """
        text = TrackedText(raw)
        repairs: dict[str, None] = {}
        for passes in range(2 * _MOST_PASSES):
            before = text.text
            if passes == _MOST_PASSES:
                text = text.replace(damage.MARKUP_OPENING, " ")
            for name, step in self._steps:
                after = step(text)
                if after is not text and name:
                    repairs[name] = None
                text = after
            if text.text == before:
                break
        return NormalizedText(text, tuple(repairs))

    def undo_lookalikes(self, text: NormalizedText, likelihood: LogLikelihood) -> NormalizedText:
        """The same with danger words put back whose characters were exchanged.

        Args:
            text: what `normalize` gave.
            likelihood: natural logarithm of how likely a text is, which a model knows.
        """
        tracked = self._lookalikes.undo(text.tracked, likelihood)
        if tracked is text.tracked:
            return text
        return NormalizedText(tracked, tuple(dict.fromkeys((*text.repairs, DISGUISE_UNDONE))))

    def _remove_search_spam(self, text: TrackedText) -> TrackedText:
        """Cuts a leading chain of search terms off, where a genuine text follows it.

        One term in between may be unknown: the lists are stuffed with names and places.
        """
        if _count_separators(text.text) < _FEWEST_SEPARATORS:
            return text
        end, hits, misses, position = 0, 0, 0, 0
        while misses <= 1 and (term := damage.SEARCH_TERM.match(text.text, position)):
            position = term.end()
            if any(word in term[1] for word in self._search_terms):
                end, hits, misses = position, hits + 1, 0
            else:
                misses += 1
        separators = _count_separators(text.text[:end])
        is_list = hits >= _FEWEST_SEARCH_TERMS and separators >= _FEWEST_SEPARATORS
        if is_list and damage.HAS_HAN.search(text.text, end):
            return text.cut(end, len(text.text))
        return text

    def _simplify(self, text: TrackedText) -> TrackedText:
        simplified = self._to_simplified(text.text)
        if simplified == text.text:
            return text
        converted = self._from_traditional(text.text)
        # Both tables keep the length today; a later one that did not would break the origins.
        return text.realigned(converted) if len(converted) == len(text.text) else text


def _fold_width(text: TrackedText) -> TrackedText:
    if not damage.COMPATIBILITY_FORM.search(text.text):
        return text
    singly = text.realigned(text.text.translate(damage.COMPATIBLE_SINGLES))
    return singly.replace(damage.COMPATIBILITY_FORM, damage.fold_compatibility)


def _remove_invisible(text: TrackedText) -> TrackedText:
    return text.replace(damage.LINE_END, "\n").replace(damage.INVISIBLE, "")


def _remove_markup(text: TrackedText) -> TrackedText:
    if not damage.MARKUP_OPENING.search(text.text):
        return text
    text = text.replace(damage.ENTITY, damage.unescape_entity)
    without = text.replace(damage.HIDDEN_ELEMENT, "")
    return _unless_emptied(text, without).replace(damage.TAG, damage.drop_tag)


def _count_separators(text: str) -> int:
    return sum(map(text.count, damage.TITLE_SEPARATORS))


def _remove_pinyin(text: TrackedText) -> TrackedText:
    """Drops pinyin notes; toneless ones only on a page that also has toned ones."""
    if "(" not in text.text and "（" not in text.text:
        return text
    notes = [m[1] for m in damage.PINYIN_NOTE.finditer(text.text) if damage.is_pinyin(m[1])]
    if not any(map(damage.has_tone, notes)):
        return text
    return text.replace(damage.PINYIN_NOTE, lambda m: "" if damage.is_pinyin(m[1]) else m[0])


def _join_han(text: TrackedText) -> TrackedText:
    return text if _is_unbroken(text.text) else text.replace(damage.SPACE_IN_HAN, "")


def _collapse_spaces(text: TrackedText) -> TrackedText:
    if _is_unbroken(text.text):
        return text
    text = text.replace(damage.SPACES, damage.collapse_space)
    stripped = text.text.strip()
    start = text.text.find(stripped)
    return text.cut(start, start + len(stripped))


def _is_unbroken(text: str) -> bool:
    """Whether there is no white space in it."""
    return text.split(None, 1) == [text]


def _remove_furniture(text: TrackedText) -> TrackedText:
    for repair in damage.FURNITURE:
        text = _unless_emptied(text, _repair(text, repair))
    return text


def _repair_punctuation(text: TrackedText) -> TrackedText:
    for repair in damage.PUNCTUATION:
        text = _repair(text, repair)
    return text


def _repair(text: TrackedText, repair: damage.Repair) -> TrackedText:
    return text.replace(repair.pattern, repair.new) if repair.may_occur(text.text) else text


def _unless_emptied(before: TrackedText, after: TrackedText) -> TrackedText:
    """The text after a removal, or before it where the removal took the last Chinese away."""
    if after is before or damage.HAS_HAN.search(after.text):
        return after
    return before if damage.HAS_HAN.search(before.text) else after
