"""Danger in a part of a long message (长文中的险情): what idle talk around it must not drown.

The model weighs a message as a whole, so a threat in one sentence of a long text counts little. Of
a long message each part is therefore asked by itself whether people are in danger. A part must be
surer than a message; docs/reliability.md tells what that finds, and what it raises in vain.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from service.core.classify import Classification, Classifier
from service.core.features import Document

_LONG: Final = 400  # characters from which a message is read in parts
_PART: Final = 40  # characters that a part has at least
_MOST: Final = 20  # parts, so that a very long message takes no more than twice its time
_SURE: Final = 0.6
_DANGER: Final = ("threat", "mobilise", "casualty", "accident", "minor")
_SENTENCE_END: Final = re.compile(r"[。！？!?；;\n]+")


def find_hidden_danger(
    document: Document, classification: Classification, classifier: Classifier
) -> Classification:
    """The classification with the dangers that a part of a long message tells of raised too.

    Args:
        document: the message.
        classification: what the model says of it as a whole.
        classifier: asked of every part.
    """
    if len(document.text) < _LONG:
        return classification
    flags = dict(classification.flags)
    hidden = []
    for rated in classifier.rate_flags(document, list(_parts(document.text))):
        for flag in _DANGER:
            if rated.get(flag, 0) >= _SURE and flag not in classification.raised:
                hidden.append(flag)
                flags[flag] = max(flags[flag], rated[flag])
    if not hidden:
        return classification
    raised = sorted({*classification.raised, *hidden}, key=lambda flag: -flags[flag])
    return replace(classification, flags=flags, raised=tuple(raised))


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Whole sentences together, and no part shorter than it must be, but the last."""
    least = max(_PART, len(text) // _MOST)
    start = 0
    for end in (*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)):
        if end - start >= least or start < end == len(text):
            yield start, end
            start = end
