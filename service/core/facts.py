"""Facts (事实): everything that rules may ask about a message; `None` where it is unknown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from service.core.classify import Classification
from service.core.conditions import LEVELS, LEXICON, Fact, Facts
from service.core.labels import FLAGS
from service.core.message import Message, Spread
from service.core.policy import Policy
from service.core.quantities import KINDS, Quantity, current_figures

_HOUR: Final = 3600
_NO_FLAGS: Final = {f"flag.{flag}": False for flag in FLAGS}
_NO_QUANTITIES: Final[dict[str, Fact]] = {f"quantity.{kind}": None for kind in KINDS}
_MEASURED: Final = ("views", "reposts", "comments", "likes", "engagement")
_NO_SPEEDS: Final[dict[str, Fact]] = {f"speed.{name}": None for name in _MEASURED}


def gather_facts(
    message: Message,
    classification: Classification,
    policy: Policy,
    *,
    text: str = "",
    quantities: Sequence[Quantity] = (),
    now: datetime | None = None,
) -> dict[str, Fact]:
    """What is known of a message.

    Args:
        message: for the metadata.
        classification: for labels, flags and confidences.
        policy: whose word lists are looked up in the text.
        text: title and text as normalized.
        quantities: the figures found in it.
        now: the time of receipt; speeds count up to `found_at`, else to it.
    """
    spread, media = message.spread, message.media
    facts: dict[str, Fact] = {
        **_NO_FLAGS,
        **_NO_QUANTITIES,
        **_NO_SPEEDS,
        "channel": message.channel,
        "has_url": message.url is not None,
        "text_level": text_level(classification),
        "spread.views": spread.views,
        "spread.reposts": spread.reposts,
        "spread.comments": spread.comments,
        "spread.likes": spread.likes,
        "spread.engagement": spread.engagement,
        "spread.regions": spread.regions,
        "spread.duplicates": spread.duplicates,
        "media.tier": message.media.tier,
        "media.reports": media.reports,
        "media.hot_search": media.hot_search,
        "involved_departments": message.involved_departments,
        "superior_request": message.superior_request,
    }
    for head, prediction in classification.heads.items():
        if head != "risk":
            facts[head] = prediction.label
        facts[f"confidence.{head}"] = prediction.confidence
    for kind, probability in classification.heads["response"].scores.items():
        facts[f"confidence.{kind}"] = probability
    for flag, probability in classification.flags.items():
        facts[f"confidence.{flag}"] = probability
    for flag in classification.raised:
        facts[f"flag.{flag}"] = True
    for kind, figure in current_figures(quantities).items():
        facts[f"quantity.{kind}"] = figure
    facts.update(_speeds(spread, message, policy.least_hours, now))
    for name, words in policy.asked_lexicons.items():
        facts[f"{LEXICON}{name}"] = any(word in text for word in words)
    return facts


def text_level(classification: Classification) -> str:
    """The level key of what the risk head says of the text alone."""
    return LEVELS[int(classification.heads["risk"].label) - 1]


def _speeds(
    spread: Spread, message: Message, least_hours: float, now: datetime | None
) -> dict[str, Fact]:
    """Figures per hour since publication; under `least_hours` they would say nothing yet."""
    until = message.found_at or now
    if message.published_at is None or until is None or until < message.published_at:
        return {}
    hours = max((until - message.published_at).total_seconds() / _HOUR, least_hours)
    known = {name: getattr(spread, name) for name in _MEASURED}
    return {f"speed.{name}": n / hours for name, n in known.items() if n is not None}


def absent(facts: Facts, fact: str) -> dict[str, Fact]:
    """The same facts without one of them: a flag not raised, a figure unknown."""
    return {**facts, fact: False if isinstance(facts.get(fact), bool) else None}
