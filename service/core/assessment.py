"""The assessment (研判结果) and its parts, named and shaped as docs/api.md promises."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, Final

from service.core.values import value

NO_RESPONSE: Final = "none"


@value
class Evidence:
    """A span of the original text, in code points, end-exclusive.

    `weight` is what it adds to the label's log-odds score; a flag's evidence carries it too.
    """

    start: int
    end: int
    text: str
    weight: float


@value
class Span:
    """Words of the original, in code points, end-exclusive; `where` is `text` or `title`."""

    where: str
    start: int
    end: int
    text: str


@value
class QuantityReport:
    """A figure of the message: `least` to `most`, or without an upper bound where that is `None`.

    `status` is `current`, or why it does not count: see `service.core.quantities.STATUSES`.
    """

    kind: str
    name: str
    least: float
    most: float | None
    unit: str
    status: str
    where: str
    start: int
    end: int
    text: str


@value
class RuleEvidence:
    """A fact that made a rule fire, in words, and where in the message it was read."""

    fact: str
    text: str
    spans: Sequence[Span] = ()


@value
class Counterfactual:
    """What the level or the response would be (`result`) without one fact."""

    without: str
    result: str
    text: str


@value
class TextReport:
    """What normalization made of the text; `characters` counts the original's code points.

    `unknown_words` is the share (0–1) of its distinct words that the model does not know.
    """

    normalized: str
    repairs: Sequence[str]
    characters: int
    truncated: bool = False
    unknown_words: float = 0.0


@value
class LabelReport:
    """One head's label with its name, its probability and the probabilities of all labels."""

    label: str
    name: str
    confidence: float
    scores: Mapping[str, float]


@value
class FlagReport:
    """A raised flag (要素) with the spans that speak for it, in the text and in the title."""

    label: str
    name: str
    confidence: float
    evidence: Sequence[Evidence] = ()
    title_evidence: Sequence[Evidence] = ()


@value
class Dimension:
    """One of the plan's four factors: score 0–100, or `None` with basis `unknown`."""

    name: str
    score: int | None
    basis: str
    evidence: Sequence[str] = ()


@value
class RuleReport:
    """A rule that had a say; `effect` is the level, type, value or channel it spoke for."""

    id: str
    text: str
    source: str
    effect: str
    evidence: Sequence[RuleEvidence] = ()


@value
class RiskAssessment:
    """The level (等级), its rank 1–4, a score 0–100 inside the level's band, and the reasons."""

    level: str
    name: str
    rank: int
    colour: str
    score: int
    dimensions: Mapping[str, Dimension]
    rules: Sequence[RuleReport]
    counterfactuals: Sequence[Counterfactual] = ()


@value
class Deadline:
    """By when something is due, and which rule says so.

    `clock` is `hours` or `working_days`, `amount` how many of them; `note` tells of a holiday
    arrangement that is not announced yet.
    """

    action: str
    name: str
    due_at: datetime
    source: str
    rule: str
    clock: str
    amount: int
    is_next: bool
    is_overdue: bool
    note: str | None = None


@value
class OfficialDisposition:
    """Which of the six cases of 国办发〔2016〕80号 it is, and what that document asks for."""

    id: str
    name: str
    action: str
    source: str


@value
class Call:
    """A press conference or an expert that is called for, and why."""

    kind: str
    name: str
    reason: str
    source: str


@value
class Owner:
    """Which office would handle it (承办单位): a hint from the topic, not an assignment."""

    lead: str
    support: Sequence[str]
    reasons: Sequence[str]
    source: str


@value
class Place:
    """Where the response would be read: how, on which site, under which address."""

    name: str
    site: str | None
    url: str | None


@value
class Recommendation:
    """The suggested response (处置建议): advice; a person decides."""

    type: str
    name: str
    value: str
    confidence: float
    scores: Mapping[str, float]
    secondary: Sequence[str]
    rules: Sequence[RuleReport]
    counterfactuals: Sequence[Counterfactual]
    official_disposition: OfficialDisposition | None
    deadlines: Sequence[Deadline]
    steps: Sequence[str]
    channel: str
    place: Place
    owner: Owner
    called_for: Sequence[Call]
    needs_verification: bool

    @property
    def conclusion(self) -> str:
        """The type, or `none` where nothing need be answered: the label of the response head."""
        return self.type if self.value != NO_RESPONSE else NO_RESPONSE


@value
class Assessment:
    """The whole answer for one message."""

    id: str | None
    request_id: str
    model_version: str
    policy_version: str
    assessed_at: datetime
    text: TextReport
    topic: LabelReport
    sentiment: LabelReport
    intent: LabelReport
    flags: Sequence[FlagReport]
    quantities: Sequence[QuantityReport]
    risk: RiskAssessment
    response: Recommendation
    needs_review: bool
    review_reasons: Sequence[str]
    explanation: Mapping[str, Sequence[Evidence]] | None = field(default=None)

    def labels(self) -> dict[str, Any]:
        """Every head's answer by its key: the level as its rank, the raised flags as a set."""
        return {
            "topic": self.topic.label,
            "sentiment": self.sentiment.label,
            "intent": self.intent.label,
            "response": self.response.conclusion,
            "risk": self.risk.rank,
            "flags": {flag.label for flag in self.flags},
        }
