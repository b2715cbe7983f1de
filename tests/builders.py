"""Classifications and cases made to order, for tests of what follows the classifier."""

from collections.abc import Mapping
from datetime import UTC, datetime

from service.core.case import Case
from service.core.classify import Classification, Prediction
from service.core.facts import gather_facts
from service.core.labels import FLAGS, HEADS
from service.core.message import Message
from service.core.policy import Policy
from service.core.quantities import find_quantities
from service.policy_bundle import load_policy
from service.settings import Settings

POLICY = load_policy(Settings().policy_dir)
NOW = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def classification(
    *,
    topic: str = "other",
    sentiment: str = "neutral",
    intent: str = "other",
    response: str = "none",
    risk: str = "1",
    flags: tuple[str, ...] = (),
    confidence: Mapping[str, float] | None = None,
) -> Classification:
    """What the heads say; `confidence` sets probabilities of flags, responses or topics."""
    chosen = {
        "topic": topic,
        "sentiment": sentiment,
        "intent": intent,
        "response": response,
        "risk": risk,
    }
    heads = {head: _prediction(head, label) for head, label in chosen.items()}
    scores = {flag: 0.9 if flag in flags else 0.05 for flag in FLAGS}
    for label, p in (confidence or {}).items():
        if label in scores:
            scores[label] = p
        for head in ("response", "topic"):
            if label in heads[head].scores:
                changed = {**heads[head].scores, label: p}
                heads[head] = Prediction(heads[head].label, changed[heads[head].label], changed)
    return Classification(heads, scores, flags)


def _prediction(head: str, label: str) -> Prediction:
    rest = 0.2 / (len(HEADS[head]) - 1)
    return Prediction(label, 0.8, dict.fromkeys(HEADS[head], rest) | {label: 0.8})


def case(
    judged: Classification | None = None,
    message: Message | None = None,
    policy: Policy = POLICY,
    now: datetime = NOW,
) -> Case:
    """A message with what is known of it, ready to be decided on."""
    judged, message = judged or classification(), message or Message("文")
    found = find_quantities(message.text, now.date(), policy.circumstances)
    facts = gather_facts(message, judged, policy, text=message.text, quantities=found, now=now)
    return Case(message, judged, policy.book.read(facts), now)
