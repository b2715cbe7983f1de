"""The contract's shapes of what goes out: an assessment as JSON."""

from datetime import datetime
from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from service.core.assessment import Assessment
from service.schemas import Level, ResponseType


class EvidenceOut(BaseModel):
    """原文中的一段。A span of the original text, in code points, end-exclusive."""

    start: int
    end: int
    text: str
    weight: float = Field(description="对该标签的贡献 / contribution to the label's log-odds score")


class TextOut(BaseModel):
    """规范化结果。What normalization made of the text."""

    normalized: str
    repairs: list[str] = Field(description="所做的修复 / repairs that were made")
    characters: int = Field(description="原文字符数 / code points of the original")
    truncated: bool
    unknown_words: float = Field(
        ge=0, le=1, description="模型不认识的词的比例 / share of words that the model does not know"
    )


class LabelOut(BaseModel):
    """一个判断。One head's label."""

    label: str
    name: str
    confidence: float = Field(ge=0, le=1, description="校准概率 / calibrated probability")
    scores: dict[str, float]


class FlagOut(BaseModel):
    """要素。A danger sign or other fact that the text shows."""

    label: str
    name: str
    confidence: float = Field(ge=0, le=1)
    evidence: list[EvidenceOut]
    title_evidence: list[EvidenceOut] = Field(description="标题中的依据 / spans of the title")


class SpanOut(BaseModel):
    """原文中的位置。Words of the original text or title, in code points, end-exclusive."""

    where: Literal["text", "title"]
    start: int
    end: int
    text: str


class QuantityOut(BaseModel):
    """文中的数量；most 为空表示无上限。A figure of the message; a null `most` has no bound."""

    kind: str
    name: str
    least: float
    most: float | None
    unit: str
    status: Literal["current", "denied", "past", "unreal", "supposed", "brief"] = Field(
        description="只有 current 参与规则 / only current figures reach the rules"
    )
    where: Literal["text", "title"]
    start: int
    end: int
    text: str


class RuleEvidenceOut(BaseModel):
    """规则的依据。A fact that made a rule fire, and the words it was read from."""

    fact: str
    text: str
    spans: list[SpanOut]


class CounterfactualOut(BaseModel):
    """反事实。What the level or the response would be without one fact."""

    without: str
    result: str
    text: str = Field(examples=["没有“号召聚集”，等级为较大"])


class DimensionOut(BaseModel):
    """研判维度；score 为空表示未知。One factor; a null score means unknown."""

    name: str
    score: int | None = Field(ge=0, le=100)
    basis: Literal["text", "metadata", "rule", "unknown"]
    evidence: list[str]


class RuleOut(BaseModel):
    """触发的规则。A rule that had a say, with what made it fire."""

    id: str
    text: str
    source: str
    effect: str
    evidence: list[RuleEvidenceOut]


class RiskOut(BaseModel):
    """风险研判。The level with its reasons."""

    level: Level
    name: str
    rank: int = Field(ge=1, le=4)
    colour: Literal["blue", "yellow", "orange", "red"]
    score: int = Field(ge=0, le=100)
    dimensions: dict[Literal["nature", "reach", "media", "consequence"], DimensionOut]
    rules: list[RuleOut]
    counterfactuals: list[CounterfactualOut]


class DeadlineOut(BaseModel):
    """时限。By when something is due."""

    action: str
    name: str
    due_at: datetime
    source: str
    rule: str
    clock: Literal["hours", "working_days"]
    amount: int
    is_next: bool = Field(description="下一个到期的 / the next that is due")
    is_overdue: bool
    note: str | None


class OfficialDispositionOut(BaseModel):
    """国办发〔2016〕80号的六类处置之一。One of the six official dispositions."""

    id: str
    name: str
    action: str
    source: str


class CallOut(BaseModel):
    """是否需要新闻发布会或专家解读。A press conference or an expert that is called for."""

    kind: Literal["press_conference", "expert"]
    name: str
    reason: str
    source: str


class OwnerOut(BaseModel):
    """承办单位提示。Which office would handle it: a hint, not an assignment."""

    lead: str
    support: list[str]
    reasons: list[str]
    source: str


class PlaceOut(BaseModel):
    """回应在哪里发布。Where the response would be read."""

    name: str
    site: str | None
    url: str | None


class ResponseOut(BaseModel):
    """处置建议，由人决定。The suggested response; a person decides."""

    type: ResponseType
    name: str
    value: Literal["required", "optional", "none"]
    confidence: float = Field(ge=0, le=1)
    scores: dict[str, float]
    secondary: list[ResponseType]
    rules: list[RuleOut]
    counterfactuals: list[CounterfactualOut]
    official_disposition: OfficialDispositionOut | None
    deadlines: list[DeadlineOut]
    steps: list[str]
    channel: Literal["same_site", "direct_reply", "official_release"]
    place: PlaceOut
    owner: OwnerOut
    called_for: list[CallOut]
    needs_verification: bool


class AssessmentOut(BaseModel):
    """研判结果。The whole assessment of one message."""

    model_config = ConfigDict(protected_namespaces=("model_dump",))

    id: str | None
    request_id: str
    model_version: str
    policy_version: str
    assessed_at: datetime
    text: TextOut
    topic: LabelOut
    sentiment: LabelOut
    intent: LabelOut
    flags: list[FlagOut]
    quantities: list[QuantityOut]
    risk: RiskOut
    response: ResponseOut
    needs_review: bool
    review_reasons: list[str]
    explanation: dict[str, list[EvidenceOut]] | None = Field(
        None, description="仅在请求时给出 / only on request"
    )


_NOT_EXPLAINED: Final = b',"explanation":null}'


def assessment_table(assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON-ready values; `explanation` only where it was asked for."""
    table: dict[str, Any] = orjson.loads(assessment_json(assessment))
    return table


def assessment_json(assessment: Assessment) -> bytes:
    """The same as UTF-8 JSON, written at once: `explanation` is its last field."""
    written = orjson.dumps(assessment)
    return (
        written.removesuffix(_NOT_EXPLAINED) + b"}" if assessment.explanation is None else written
    )
