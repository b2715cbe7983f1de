"""When a person should look (需要人工复核): doubt, unknown words, contradictions."""

from typing import Final

from service.core.assessment import NO_RESPONSE, Recommendation, RiskAssessment
from service.core.classify import Classification
from service.core.policy import Policy

_SERIOUS: Final = 3  # rank from which a message cannot be left without a response
_GRAVEST: Final = 4  # always confirmed by a person (POLICY: 特别重大 needs explicit figures)


def review_reasons(
    classification: Classification,
    risk: RiskAssessment,
    response: Recommendation,
    policy: Policy,
) -> list[str]:
    """Why a person should look: doubt, unknown words, heads or rules that contradict each other."""
    reasons = [
        f"low_confidence:{head}"
        for head, least in policy.review.least_confidence.items()
        if classification.heads[head].confidence < least
    ]
    known, least = classification.coverage, policy.review
    if known.words < least.least_coverage or known.pairs < least.least_pair_coverage:
        reasons.append("unfamiliar_text")
    model = classification.heads["response"].label
    if model == NO_RESPONSE and response.value != NO_RESPONSE:
        reasons.append("rule_raised_response")
    if risk.rank == _GRAVEST:
        reasons.append("critical_level")
    needless = risk.rank >= _SERIOUS and model == NO_RESPONSE
    harmless = risk.rank == 1 and response.type == "escalate" and response.value != NO_RESPONSE
    if needless or harmless:
        reasons.append("contradiction:risk_response")
    if "spam" in classification.raised and response.value != NO_RESPONSE:
        reasons.append("contradiction:spam_response")
    return reasons
