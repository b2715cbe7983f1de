"""The whole story: a raw message in, an assessment (研判结果) out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from service.core.assessment import (
    Assessment,
    Evidence,
    FlagReport,
    LabelReport,
    Recommendation,
    RiskAssessment,
    TextReport,
)
from service.core.classify import Classification, Classifier, Contribution, Prediction
from service.core.conditions import Fact, Facts
from service.core.errors import EmptyTextError, TextTooLongError
from service.core.features import Document
from service.core.labels import FLAGS, name_of
from service.core.message import MAX_CHARACTERS, Message
from service.core.normalize import NormalizedText, Normalizer
from service.core.policy import Policy
from service.core.response import NO_RESPONSE, recommend_response
from service.core.risk import assess_risk, text_level
from service.core.segment import Segmenter

_MOST_SPANS: Final = 5  # an officer reads a handful of spans, not a heat map
_EXPLAINED: Final = ("topic", "sentiment", "intent", "risk", "response")
_SERIOUS: Final = 3  # rank from which a message cannot be left without a response
_DIGITS: Final = 4  # of a probability or a weight; more would be noise


@dataclass(frozen=True, slots=True)
class Chain:
    """What it takes to judge: built once, shared by every message, never changed."""

    normalizer: Normalizer
    segmenter: Segmenter
    classifier: Classifier
    policy: Policy
    model_version: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """Title and text as one document, with the way back to each."""

    document: Document
    text: NormalizedText
    title: NormalizedText | None

    @property
    def _text_start(self) -> int:
        return len(self.document.text) - len(self.text.text)

    def locate(
        self, spans: Sequence[Contribution], message: Message
    ) -> tuple[list[Evidence], list[Evidence]]:
        """The spans in the original text, and those in the title, strongest first."""
        shift = self._text_start
        in_text = [
            _quote(message.text, self.text, start - shift, end - shift, weight)
            for start, end, weight in spans[:_MOST_SPANS]
            if start >= shift
        ]
        in_title = [  # a span never crosses the line end between title and text
            _quote(message.title or "", self.title, start, end, weight)
            for start, end, weight in spans[:_MOST_SPANS]
            if self.title and start < shift
        ]
        return in_text, in_title


def _quote(source: str, clean: NormalizedText, start: int, end: int, weight: float) -> Evidence:
    first, last = clean.origin(start, end)
    return Evidence(first, last, source[first:last], round(weight, _DIGITS))


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
    reading = _read(message, chain)
    classification = chain.classifier.classify(reading.document)
    flags = _report_flags(classification, reading, message, chain)
    facts = gather_facts(message, classification)
    risk = assess_risk(classification, flags, facts, chain.policy)
    response = recommend_response(
        classification.heads["response"],
        {**facts, "level": risk.level},
        chain.policy,
        message.found_at or now,
    )
    reasons = review_reasons(classification, risk, response, chain.policy)
    return Assessment(
        id=message.id,
        request_id=request_id,
        model_version=chain.model_version,
        policy_version=chain.policy.version,
        assessed_at=now,
        text=TextReport(reading.text.text, reading.text.repairs, len(message.text)),
        topic=_report("topic", classification),
        sentiment=_report("sentiment", classification),
        intent=_report("intent", classification),
        flags=flags,
        risk=risk,
        response=replace(
            response,
            confidence=round(response.confidence, _DIGITS),
            scores=_rounded(response.scores),
        ),
        needs_review=bool(reasons),
        review_reasons=reasons,
        explanation=_explain(classification, reading, message, chain) if explain else None,
    )


def _read(message: Message, chain: Chain) -> _Reading:
    if len(message.text.strip()) > MAX_CHARACTERS:
        raise TextTooLongError(f"正文超过 {MAX_CHARACTERS} 个字符。", "请截取要点或分成几条提交。")
    text = chain.normalizer.normalize(message.text)
    if not text.text:
        raise EmptyTextError("正文为空，或只有空白和不可见字符。", "请提交至少一个可见字符。")
    title = chain.normalizer.normalize(message.title) if message.title else None
    whole = f"{title.text}\n{text.text}" if title and title.text else text.text
    return _Reading(Document(whole, chain.segmenter.segment(whole)), text, title)


def gather_facts(message: Message, classification: Classification) -> Facts:
    """Everything that rules may ask about: labels, flags and figures, `None` where unknown."""
    spread, media = message.spread, message.media
    facts: dict[str, Fact] = {
        "channel": message.channel,
        "text_level": text_level(classification),
        "spread.views": spread.views,
        "spread.reposts": spread.reposts,
        "spread.comments": spread.comments,
        "spread.likes": spread.likes,
        "spread.engagement": spread.engagement,
        "spread.regions": spread.regions,
        "spread.duplicates": spread.duplicates,
        "media.tier": media.tier,
        "media.reports": media.reports,
        "media.hot_search": media.hot_search,
        "involved_departments": message.involved_departments,
        "superior_request": message.superior_request,
    }
    facts |= {head: p.label for head, p in classification.heads.items() if head != "risk"}
    return facts | {f"flag.{flag}": flag in classification.raised for flag in FLAGS}


def _report_flags(
    classification: Classification, reading: _Reading, message: Message, chain: Chain
) -> list[FlagReport]:
    reports = []
    for label in classification.raised:
        spans = chain.classifier.explain(reading.document, "flags", label)
        evidence, title_evidence = reading.locate(spans, message)
        confidence = round(classification.flags[label], _DIGITS)
        reports.append(
            FlagReport(label, name_of("flags", label), confidence, evidence, title_evidence)
        )
    return reports


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
    needless = risk.rank >= _SERIOUS and model == NO_RESPONSE
    harmless = risk.rank == 1 and response.type == "escalate" and response.value != NO_RESPONSE
    if needless or harmless:
        reasons.append("contradiction:risk_response")
    if "spam" in classification.raised and response.value != NO_RESPONSE:
        reasons.append("contradiction:spam_response")
    return reasons


def _explain(
    classification: Classification, reading: _Reading, message: Message, chain: Chain
) -> Mapping[str, Sequence[Evidence]]:
    explanation: dict[str, Sequence[Evidence]] = {}
    for head in _EXPLAINED:
        label = classification.heads[head].label
        spans = chain.classifier.explain(reading.document, head, label)
        explanation[head], in_title = reading.locate(spans, message)
        if in_title:
            explanation[f"title:{head}"] = in_title
    return explanation


def _report(head: str, classification: Classification) -> LabelReport:
    prediction: Prediction = classification.heads[head]
    return LabelReport(
        label=prediction.label,
        name=name_of(head, prediction.label),
        confidence=round(prediction.confidence, _DIGITS),
        scores=_rounded(prediction.scores),
    )


def _rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {label: round(p, _DIGITS) for label, p in scores.items()}
