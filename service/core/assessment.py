"""The assessment (研判结果) and its parts, named and shaped as docs/api.md promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the original text, in code points, end-exclusive.

    `weight` is what it adds to the label's log-odds score; a flag's evidence carries it too.
    """

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class TextReport:
    """What normalization made of the text; `characters` counts the original's code points."""

    normalized: str
    repairs: Sequence[str]
    characters: int
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class LabelReport:
    """One head's label with its name, its probability and the probabilities of all labels."""

    label: str
    name: str
    confidence: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FlagReport:
    """A raised flag (要素) with the spans that speak for it, in the text and in the title."""

    label: str
    name: str
    confidence: float
    evidence: Sequence[Evidence] = ()
    title_evidence: Sequence[Evidence] = ()


@dataclass(frozen=True, slots=True)
class Dimension:
    """One of the plan's four factors: score 0–100, or `None` with basis `unknown`."""

    name: str
    score: int | None
    basis: str
    evidence: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LevelRuleReport:
    """A rule that had a say in the level."""

    id: str
    text: str
    source: str
    effect: str


@dataclass(frozen=True, slots=True)
class RiskAssessment:
    """The level (等级), its rank 1–4, a score 0–100 inside the level's band, and the reasons."""

    level: str
    name: str
    rank: int
    colour: str
    score: int
    dimensions: Mapping[str, Dimension]
    rules: Sequence[LevelRuleReport]


@dataclass(frozen=True, slots=True)
class ResponseRuleReport:
    """A rule that had a say in the response."""

    id: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when something is due, and which rule says so."""

    action: str
    name: str
    due_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The suggested response (处置建议): advice; a person decides."""

    type: str
    name: str
    value: str
    confidence: float
    scores: Mapping[str, float]
    secondary: Sequence[str]
    rules: Sequence[ResponseRuleReport]
    deadlines: Sequence[Deadline]
    steps: Sequence[str]
    channel: str
    needs_verification: bool


@dataclass(frozen=True, slots=True)
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
    risk: RiskAssessment
    response: Recommendation
    needs_review: bool
    review_reasons: Sequence[str]
    explanation: Mapping[str, Sequence[Evidence]] | None = field(default=None)
