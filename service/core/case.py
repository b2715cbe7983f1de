"""A case (案情): one message with all that is known of it when it is judged."""

from dataclasses import dataclass
from datetime import datetime

from service.core.classify import Classification
from service.core.conditions import Facts
from service.core.grounds import NO_GROUNDS, Grounds
from service.core.message import Message


@dataclass(frozen=True, slots=True)
class Case:
    """What rules are applied to.

    Attributes:
        message: the message, for where it appeared and when it was found.
        classification: what the heads say.
        facts: labels, flags and figures; see `service.core.facts`.
        now: the time of receipt; clocks start from it where `found_at` is absent.
        grounds: the words and figures of the message behind the facts.
    """

    message: Message
    classification: Classification
    facts: Facts
    now: datetime
    grounds: Grounds = NO_GROUNDS
