"""Classifications made to order, for tests of what follows the classifier."""

from service.core.classify import Classification, Prediction
from service.core.labels import FLAGS, HEADS


def classification(
    *,
    topic: str = "other",
    sentiment: str = "neutral",
    intent: str = "other",
    response: str = "none",
    risk: str = "1",
    flags: tuple[str, ...] = (),
) -> Classification:
    chosen = {
        "topic": topic,
        "sentiment": sentiment,
        "intent": intent,
        "response": response,
        "risk": risk,
    }
    heads = {head: _prediction(head, label) for head, label in chosen.items()}
    scores = {flag: 0.9 if flag in flags else 0.05 for flag in FLAGS}
    return Classification(heads, scores, flags)


def _prediction(head: str, label: str) -> Prediction:
    rest = 0.2 / (len(HEADS[head]) - 1)
    return Prediction(label, 0.8, dict.fromkeys(HEADS[head], rest) | {label: 0.8})
