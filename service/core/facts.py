"""Facts (事实): everything that is known of a message and that rules may ask about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from service.core.classify import Classification
from service.core.conditions import LEVELS, LEXICON, Fact
from service.core.labels import FLAGS, HEAD_NAMES, RESPONSE
from service.core.message import Message, Spread
from service.core.policy import Policy
from service.core.quantities import Quantity, current_figures

_HOUR: Final = 3600
_SPREAD: Final = ("views", "reposts", "comments", "likes", "engagement", "regions", "duplicates")
_MEASURED: Final = _SPREAD[:5]
_NOTHING_KNOWN: Final = Spread()
# Made once: to put these together for every message would cost as much as the rules do.
_FLAG: Final = {flag: f"flag.{flag}" for flag in FLAGS}
_CONFIDENCE: Final = {name: f"confidence.{name}" for name in (*FLAGS, *RESPONSE, *HEAD_NAMES)}


def gather_facts(
    message: Message,
    classification: Classification,
    policy: Policy,
    *,
    text: str = "",
    quantities: Sequence[Quantity] = (),
    now: datetime | None = None,
) -> dict[str, Fact]:
    """What is known of a message; what is unknown, or not shown by it, is absent.

    Args:
        message: for the metadata.
        classification: for labels, flags and confidences.
        policy: whose word lists are looked up in the text.
        text: title and text as normalized.
        quantities: the figures found in it.
        now: the time of receipt; speeds count up to `found_at`, else to it.
    """
    heads, media = classification.heads, message.media
    facts: dict[str, Fact] = {
        "topic": heads["topic"].label,
        "sentiment": heads["sentiment"].label,
        "intent": heads["intent"].label,
        "response": heads["response"].label,
        "text_level": text_level(classification),
    }
    asked = policy.asked_confidences
    for head in asked.heads:
        facts[_CONFIDENCE[head]] = heads[head].confidence
    for kind in asked.responses:
        facts[_CONFIDENCE[kind]] = heads["response"].scores[kind]
    for flag in asked.flags:
        facts[_CONFIDENCE[flag]] = classification.flags[flag]
    for flag in classification.raised:
        facts[_FLAG[flag]] = True
    for kind, figure in current_figures(quantities).items():
        facts[f"quantity.{kind}"] = figure
    for name, words in policy.asked_lexicons.items():
        if words.search(text):
            facts[f"{LEXICON}{name}"] = True
    if message.url is not None:
        facts["has_url"] = True
    given: dict[str, Fact] = {
        "channel": message.channel,
        "media.tier": media.tier,
        "media.reports": media.reports,
        "media.hot_search": media.hot_search,
        "involved_departments": message.involved_departments,
        "superior_request": message.superior_request,
    }
    facts.update((fact, value) for fact, value in given.items() if value is not None)
    if message.spread != _NOTHING_KNOWN:
        facts.update(_figures(message, policy.least_hours, now))
    return facts


def text_level(classification: Classification) -> str:
    """The level key of what the risk head says of the text alone."""
    return LEVELS[int(classification.heads["risk"].label) - 1]


def _figures(message: Message, least_hours: float, now: datetime | None) -> dict[str, Fact]:
    """The figures of the spread, and those per hour since publication.

    In less than `least_hours` a speed would say nothing yet.
    """
    known = {name: n for name in _SPREAD if (n := getattr(message.spread, name)) is not None}
    figures: dict[str, Fact] = {f"spread.{name}": n for name, n in known.items()}
    until = message.found_at or now
    if message.published_at is None or until is None or until < message.published_at:
        return figures
    hours = max((until - message.published_at).total_seconds() / _HOUR, least_hours)
    return figures | {f"speed.{name}": known[name] / hours for name in _MEASURED if name in known}
