"""A message read (通读): title and text as one normalized document, with the way back to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.core.assessment import Evidence, Span
from service.core.classify import Contribution
from service.core.errors import EmptyTextError, TextTooLongError
from service.core.features import Document
from service.core.lookalikes import LogLikelihood
from service.core.message import MAX_CHARACTERS, Message
from service.core.normalize import NormalizedText, Normalizer
from service.core.policy import Policy
from service.core.segment import Segmenter

_MOST_SPANS: Final = 5  # an officer reads a handful of spans, not a heat map
_DIGITS: Final = 4  # of a weight; more would be noise


@dataclass(frozen=True, slots=True)
class Reading:
    """Title and text as one document, the title on a line of its own."""

    message: Message
    document: Document
    text: NormalizedText
    title: NormalizedText | None

    @property
    def _text_start(self) -> int:
        return len(self.document.text) - len(self.text.text)

    def locate(self, start: int, end: int) -> Span:
        """Where a span of the document stands in the original; it never crosses the title's end."""
        shift = self._text_start
        if start >= shift or not self.title:
            first, last = self.text.origin(start - shift, end - shift)
            return Span("text", first, last, self.message.text[first:last])
        first, last = self.title.origin(start, end)
        return Span("title", first, last, (self.message.title or "")[first:last])

    def quote(self, spans: Sequence[Contribution]) -> tuple[list[Evidence], list[Evidence]]:
        """The strongest spans in the original text, and those in the title."""
        quoted: dict[str, list[Evidence]] = {"text": [], "title": []}
        for start, end, weight in spans[:_MOST_SPANS]:
            span = self.locate(start, end)
            evidence = Evidence(span.start, span.end, span.text, round(weight, _DIGITS))
            quoted[span.where].append(evidence)
        return quoted["text"], quoted["title"]


def build_tools(policy: Policy) -> tuple[Normalizer, Segmenter]:
    """What a text is read with, by the lexicons and the dictionary of a policy."""
    return build_normalizer(policy), Segmenter(policy.dictionary)


def build_normalizer(policy: Policy) -> Normalizer:
    """What makes a text clean, by the lexicons of a policy."""
    return Normalizer(policy.search_terms, policy.disguises, policy.lookalikes)


def check_length(text: str) -> None:
    """Whether there is something to read, and not too much.

    Raises:
        EmptyTextError: nothing is left to judge.
        TextTooLongError: more than 20,000 characters after trimming.
    """
    length = len(text.strip())
    if not length:
        raise _empty()
    if length > MAX_CHARACTERS:
        raise TextTooLongError(f"正文超过 {MAX_CHARACTERS} 个字符。", "请截取要点或分成几条提交。")


def read_message(
    message: Message, normalizer: Normalizer, segmenter: Segmenter, likelihood: LogLikelihood
) -> Reading:
    """Normalizes and segments a message.

    Args:
        message: the message as it came in.
        normalizer: makes it clean.
        segmenter: cuts it into words.
        likelihood: natural logarithm of how likely a text is.

    Raises:
        EmptyTextError: nothing is left to judge.
        TextTooLongError: more than 20,000 characters after trimming.
    """

    def clean(raw: str) -> NormalizedText:
        return normalizer.undo_lookalikes(normalizer.normalize(raw), likelihood)

    check_length(message.text)
    text = clean(message.text)
    if not text.text:
        raise _empty()
    title = clean(message.title) if message.title else None
    whole = f"{title.text}\n{text.text}" if title and title.text else text.text
    return Reading(message, Document(whole, segmenter.segment(whole)), text, title)


def _empty() -> EmptyTextError:
    return EmptyTextError("正文为空，或只有空白和不可见字符。", "请提交至少一个可见字符。")
