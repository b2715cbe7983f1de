"""A case (案情): one message with all that is known of it when it is judged."""

from datetime import datetime

from service.core.classify import Classification
from service.core.conditions import Facts
from service.core.grounds import NO_GROUNDS, Grounds
from service.core.message import Message
from service.core.rules import Standing
from service.core.values import value


@value
class Case:
    """What rules are applied to.

    Attributes:
        message: the message, for where it appeared and when it was found.
        classification: what the heads say.
        standing: labels, flags and figures as the policy's rule book reads them.
        now: the time of receipt; clocks start from it where `found_at` is absent.
        grounds: the words and figures of the message behind the facts.
    """

    message: Message
    classification: Classification
    standing: Standing
    now: datetime
    grounds: Grounds = NO_GROUNDS

    @property
    def facts(self) -> Facts:
        """Labels, flags and figures; see `service.core.facts`."""
        return self.standing.facts
