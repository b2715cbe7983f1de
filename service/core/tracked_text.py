"""A text that remembers, character by character, where in the original it came from."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress


@dataclass(frozen=True, slots=True)
class TrackedText:
    """A text with the original span of each of its characters.

    Attributes:
        text: the text as it stands now.
        starts, ends: for each character of `text`, the code points `[start, end)` of the
            original that it stands for; both `None` while nothing was changed.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The original span behind `text[start:end]`, for 0 ≤ start < end ≤ len(text).

        >>> TrackedText("a<b>c").replace(re.compile("<b>"), "").origin(0, 2)
        (0, 5)
        """
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def replace(
        self, pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str]
    ) -> "TrackedText":
        """Replaces every match, keeping track of origins; self where nothing changes.

        A replacement of the same length is followed character by character; every character
        of any other replacement stands for the whole match.
        """
        edits = []
        for match in pattern.finditer(self.text):
            replacement = new if isinstance(new, str) else new(match)
            if replacement != match[0]:
                edits.append((match.start(), match.end(), replacement))
        return self.edited(edits)

    def realigned(self, text: str) -> "TrackedText":
        """The same origins under another text of the same length."""
        return self if text == self.text else TrackedText(text, self.starts, self.ends)

    def cut(self, start: int, end: int) -> "TrackedText":
        """Only `text[start:end]`, with its origins."""
        if (start, end) == (0, len(self.text)):
            return self
        starts, ends = self._origins()
        return TrackedText(self.text[start:end], starts[start:end], ends[start:end])

    def _origins(self) -> tuple[list[int], list[int]]:
        if self.starts is None or self.ends is None:
            size = len(self.text)
            return list(range(size)), list(range(1, size + 1))
        return self.starts, self.ends

    def edited(self, edits: Sequence[tuple[int, int, str]]) -> "TrackedText":
        """Spans replaced, in order and without overlap, keeping track of origins."""
        if not edits:
            return self
        if all(len(new) in (0, end - start) for start, end, new in edits):
            return self._thinned(edits)
        old_starts, old_ends = self._origins()
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, replacement in edits:
            pieces += (self.text[done:start], replacement)
            starts += old_starts[done:start]
            ends += old_ends[done:start]
            if len(replacement) == end - start:
                starts += old_starts[start:end]
                ends += old_ends[start:end]
            else:
                starts += [old_starts[start]] * len(replacement)
                ends += [old_ends[end - 1]] * len(replacement)
            done = end
        pieces.append(self.text[done:])
        return TrackedText("".join(pieces), starts + old_starts[done:], ends + old_ends[done:])

    def _thinned(self, edits: Sequence[tuple[int, int, str]]) -> "TrackedText":
        """The same where every character stays in its place or goes; thousands may go at once."""
        starts, ends = self._origins()
        characters = list(self.text)
        stays = bytearray(b"\1") * len(characters)
        for start, end, new in edits:
            if new:
                characters[start:end] = new
            else:
                stays[start:end] = bytes(end - start)
        return TrackedText(
            "".join(compress(characters, stays)),
            list(compress(starts, stays)),
            list(compress(ends, stays)),
        )
