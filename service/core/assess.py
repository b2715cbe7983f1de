"""The whole story: a raw message in, an assessment (研判结果) out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from service.core.assessment import (
    Assessment,
    Evidence,
    FlagReport,
    LabelReport,
    QuantityReport,
    Recommendation,
    RiskAssessment,
    Span,
    TextReport,
)
from service.core.case import Case
from service.core.classify import Classification, Classifier, Prediction
from service.core.conditions import LEXICON, Facts
from service.core.facts import gather_facts
from service.core.grounds import Grounds
from service.core.labels import OWN, name_of
from service.core.message import Message
from service.core.normalize import Normalizer
from service.core.parts import find_hidden_danger
from service.core.policy import Policy
from service.core.quantities import KINDS, UNITS, Quantity, find_quantities
from service.core.reading import Reading, read_message
from service.core.response import recommend_response
from service.core.review import review_reasons
from service.core.risk import assess_risk
from service.core.segment import Segmenter
from service.core.thresholds import apply_thresholds

_EXPLAINED: Final = ("topic", "sentiment", "intent", "risk", "response")
_MOST_WORDS: Final = 5  # of a word list; an officer reads a handful
_DIGITS: Final = 4  # of a probability; more would be noise


@dataclass(frozen=True, slots=True)
class Chain:
    """What it takes to judge: built once, shared by every message, never changed."""

    normalizer: Normalizer
    segmenter: Segmenter
    classifier: Classifier
    policy: Policy
    model_version: str


def assess_message(
    message: Message, chain: Chain, *, request_id: str, now: datetime, explain: bool = False
) -> Assessment:
    """Judges one message.

    Args:
        message: the message as it came in.
        chain: the model and the policy in force.
        request_id: the caller's or the service's name for this request.
        now: the time of receipt, with an offset; deadlines count from it if `found_at` is absent.
        explain: whether to add, for every head, the spans that speak for its label.

    Raises:
        EmptyTextError: nothing is left to judge.
        TextTooLongError: more than 20,000 characters after trimming.
    """
    policy = chain.policy
    likelihood = chain.classifier.log_likelihood
    reading = read_message(message, chain.normalizer, chain.segmenter, likelihood)
    text = reading.document.text
    classified = chain.classifier.classify(reading.document)
    decided = apply_thresholds(classified, policy.thresholds)
    classification = find_hidden_danger(reading.document, decided, chain.classifier)
    found = find_quantities(text, now.date(), policy.circumstances)
    facts = gather_facts(message, classification, policy, text=text, quantities=found, now=now)
    flags = _report_flags(classification, reading, chain)
    quantities = [_report_quantity(quantity, reading) for quantity in found]
    grounds = Grounds(
        {flag.label: flag for flag in flags}, quantities, _find_words(facts, reading, policy)
    )
    risk, response = decide(
        Case(message, classification, policy.book.read(facts), now, grounds), policy
    )
    reasons = review_reasons(classification, risk, response, policy)
    if classification is not decided:
        reasons.append("danger_in_part")
    return Assessment(
        id=message.id,
        request_id=request_id,
        model_version=chain.model_version,
        policy_version=policy.version,
        assessed_at=now,
        text=TextReport(
            reading.text.text,
            reading.text.repairs,
            len(message.text),
            unknown_words=round(1 - classification.coverage.words, _DIGITS),
        ),
        topic=_report("topic", classification, chain.classifier),
        sentiment=_report("sentiment", classification, chain.classifier),
        intent=_report("intent", classification, chain.classifier),
        flags=flags,
        quantities=quantities,
        risk=risk,
        response=replace(
            response,
            confidence=round(response.confidence, _DIGITS),
            scores=_rounded(response.scores),
        ),
        needs_review=bool(reasons),
        review_reasons=reasons,
        explanation=_explain(classification, reading, chain) if explain else None,
    )


def decide(case: Case, policy: Policy) -> tuple[RiskAssessment, Recommendation]:
    """Level first, then the response to a message of that level."""
    risk = assess_risk(case, policy)
    return risk, recommend_response(case, risk.level, policy)


def _report_flags(
    classification: Classification, reading: Reading, chain: Chain
) -> list[FlagReport]:
    reports = []
    for label in classification.raised:
        spans = chain.classifier.explain(reading.document, "flags", label)
        confidence = round(classification.flags[label], _DIGITS)
        reports.append(
            FlagReport(label, name_of("flags", label), confidence, *reading.quote(spans))
        )
    return reports


def _report_quantity(quantity: Quantity, reading: Reading) -> QuantityReport:
    span = reading.locate(quantity.start, quantity.end)
    return QuantityReport(
        kind=quantity.kind,
        name=KINDS[quantity.kind],
        least=quantity.least,
        most=None if math.isinf(quantity.most) else quantity.most,
        unit=UNITS[quantity.kind],
        status=quantity.status,
        where=span.where,
        start=span.start,
        end=span.end,
        text=span.text,
    )


def _find_words(facts: Facts, reading: Reading, policy: Policy) -> dict[str, list[Span]]:
    """Where the words stand that a word list found."""
    return {
        name: [
            reading.locate(*found.span())
            for found in islice(words.finditer(reading.document.text), _MOST_WORDS)
        ]
        for name, words in policy.asked_lexicons.items()
        if f"{LEXICON}{name}" in facts
    }


def _explain(
    classification: Classification, reading: Reading, chain: Chain
) -> Mapping[str, Sequence[Evidence]]:
    explanation: dict[str, Sequence[Evidence]] = {}
    for head in _EXPLAINED:
        asked = _reported(head, classification)
        label = classification.heads[asked].label
        spans = chain.classifier.explain(reading.document, asked, label)
        explanation[head], in_title = reading.quote(spans)
        if in_title:
            explanation[f"title:{head}"] = in_title
    return explanation


def _reported(head: str, classification: Classification) -> str:
    """The deployment's own head of that name, where the model brings one."""
    own = f"{OWN}{head}"
    return own if own in classification.heads else head


def _report(head: str, classification: Classification, classifier: Classifier) -> LabelReport:
    asked = _reported(head, classification)
    prediction: Prediction = classification.heads[asked]
    label = prediction.label
    return LabelReport(
        label=label,
        name=classifier.names.get(asked, {}).get(label) or name_of(head, label),
        confidence=round(prediction.confidence, _DIGITS),
        scores=_rounded(prediction.scores),
    )


def _rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {label: round(p, _DIGITS) for label, p in scores.items()}
