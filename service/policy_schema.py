"""The shape of a policy bundle: what `policy.toml` and `holidays.toml` may hold, checked whole."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from service.core import labels
from service.core.conditions import LEVELS, Condition
from service.core.policy import RESPONSE_TYPES
from service.rule_schema import (
    DEFAULT_SOURCE,
    CallRuleIn,
    ChannelRuleIn,
    DeadlineIn,
    DispositionIn,
    DraftRuleIn,
    LevelRuleIn,
    MessageRuleIn,
    OfficeRuleIn,
    ResponseRuleIn,
    RuleIn,
    Score,
    Share,
    Strict,
    ValueRuleIn,
    Words,
    fault,
    known,
)


class LevelIn(Strict):
    """A level's name, colour, band of scores and the score that a rule gives."""

    name: Words
    colour: Literal["blue", "yellow", "orange", "red"]
    least: Score
    most: Score
    anchor: Score

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.least <= self.anchor <= self.most:
            raise fault("分值应满足 least ≤ anchor ≤ most。")
        return self


class LevelsIn(Strict):
    """The four levels, whose bands follow each other."""

    low: LevelIn
    medium: LevelIn
    high: LevelIn
    critical: LevelIn

    @model_validator(mode="after")
    def _cover_everything(self) -> Self:
        bands = [getattr(self, key) for key in LEVELS]
        starts = [0, *(band.most + 1 for band in bands)]
        if starts != [*(band.least for band in bands), 101]:
            raise fault("四级的分值区间应从 0 到 100 首尾相接。")
        return self


class DimensionIn(Strict):
    """How much a dimension moves the score within the band of its level, 0–1."""

    weight: Share


class DimensionsIn(Strict):
    """The plan's four factors."""

    nature: DimensionIn
    reach: DimensionIn
    media: DimensionIn
    consequence: DimensionIn


class OfficeIn(Strict):
    """An office and the topics it handles."""

    name: Words
    topics: list[str]

    @field_validator("topics")
    @classmethod
    def _topics_are_known(cls, topics: list[str]) -> list[str]:
        return [known(labels.TOPIC)(topic) for topic in topics]


class OwnersIn(Strict):
    """The table of offices (承办单位)."""

    source: Words = DEFAULT_SOURCE
    least_support: Share
    offices: Annotated[list[OfficeIn], Field(min_length=1)]
    additions: list[OfficeRuleIn] = Field(default_factory=list)

    @model_validator(mode="after")
    def _each_topic_once(self) -> Self:
        named = Counter(topic for office in self.offices for topic in office.topics)
        if double := [topic for topic, times in named.items() if times > 1]:
            raise fault(f"话题 {'、'.join(double)} 归了两个单位。", "每个话题只归一个。")
        if missing := [topic for topic in labels.TOPIC if topic not in named]:
            raise fault(f"话题 {'、'.join(missing)} 没有单位。", "请为每个话题指定一个。")
        return self


class ReviewIn(Strict):
    """When a person should look, 0–1."""

    least_coverage: Share
    least_pair_coverage: Share
    least_confidence: dict[str, Share]

    @field_validator("least_confidence")
    @classmethod
    def _heads_are_known(cls, table: dict[str, float]) -> dict[str, float]:
        return {known(labels.HEAD_NAMES)(head): least for head, least in table.items()}


class DraftIn(Strict):
    """How a draft policy is judged from past messages."""

    least_similarity: Share
    most_neighbours: Annotated[int, Field(ge=1, le=1_000, strict=True)]
    groups: dict[str, Annotated[list[Words], Field(min_length=1)]]
    rules: list[DraftRuleIn]
    outline: list[Words]


class MetaIn(Strict):
    """The bundle's name and what it is for."""

    name: Words
    description: str = ""


class NatureIn(Strict):
    """Base scores of the nature dimension, by intent."""

    intents: dict[str, Score]

    @field_validator("intents")
    @classmethod
    def _every_intent(cls, table: dict[str, int]) -> dict[str, int]:
        scores = {known(labels.INTENT)(intent): score for intent, score in table.items()}
        if missing := [intent for intent in labels.INTENT if intent not in scores]:
            raise fault(f"缺少 {'、'.join(missing)}。")
        return scores


class PolicyIn(Strict):
    """`policy.toml`."""

    meta: MetaIn
    levels: LevelsIn
    dimensions: DimensionsIn
    nature: NatureIn
    thresholds: dict[str, dict[str, Share]] = Field(default_factory=dict)
    least_hours: Annotated[float, Field(gt=0)] = 1.0
    level_rules: list[LevelRuleIn]
    response_rules: list[ResponseRuleIn]
    values: list[ValueRuleIn]
    dispositions: list[DispositionIn]
    channels: list[ChannelRuleIn]
    calls: list[CallRuleIn]
    verification: list[MessageRuleIn]
    steps: list[MessageRuleIn]
    deadlines: list[DeadlineIn]
    owners: OwnersIn
    review: ReviewIn
    draft: DraftIn

    @field_validator("thresholds")
    @classmethod
    def _labels_are_known(cls, table: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for head, thresholds in table.items():
            for label in thresholds:
                known(labels.HEADS[known(labels.HEADS)(head)])(label)
        return table

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen = Counter(rule.id for rule in self.rules())
        if double := [id_ for id_, times in seen.items() if times > 1]:
            raise fault(f"规则编号 {'、'.join(double)} 重复。", "每条规则用不同的 id。")
        return self

    @model_validator(mode="after")
    def _something_always_decides(self) -> Self:
        for name, rules in (("values", self.values), ("channels", self.channels)):
            _check_first_match(name, rules)
        for kind in RESPONSE_TYPES:
            mine = [rule for rule in self.dispositions if rule.type == kind]
            _check_first_match(f"dispositions 中 {kind} ", mine)
        return self

    def rules(self) -> Iterator[RuleIn]:
        """Every rule of the bundle, of whatever kind."""
        yield from self.level_rules
        yield from self.response_rules
        yield from self.values
        yield from self.dispositions
        yield from self.channels
        yield from self.calls
        yield from self.verification
        yield from self.steps
        yield from self.deadlines
        yield from self.owners.additions
        yield from self.draft.rules


def _check_first_match(name: str, rules: Sequence[RuleIn]) -> None:
    """The last must always hold, and none before it, or those below could never decide."""
    if not rules or rules[-1].when != Condition():
        raise fault(f"{name}的最后一项必须无条件。", "在末尾加一项 when = []。")
    for rule in rules[:-1]:
        if rule.when == Condition():
            raise fault(f"{name}的 {rule.id} 无条件，它下面的永远轮不到。", "请移到末尾。")


class HolidayIn(Strict):
    """Days off in a row, and the weekends that are worked for them (调休)."""

    name: Words
    first: date
    last: date
    worked: list[date] = Field(default_factory=list)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise fault("last 早于 first。")
        if weekdays := [str(day) for day in self.worked if day.weekday() < 5]:  # noqa: PLR2004
            raise fault(f"{'、'.join(weekdays)} 不是周末。", "worked 只列调休上班的周六、周日。")
        return self


class YearIn(Strict):
    """One year's arrangement; `announced = false` until the State Council's notice is out."""

    source: Words
    announced: bool
    holidays: list[HolidayIn]


class HolidaysIn(Strict):
    """`holidays.toml`."""

    years: Mapping[int, YearIn]

    @model_validator(mode="after")
    def _days_lie_in_their_year(self) -> Self:
        for year, arrangement in self.years.items():
            for holiday in arrangement.holidays:
                near = (holiday.first.year, holiday.last.year)
                if year not in near:
                    raise fault(f"{holiday.name} 不在 {year} 年。")
        return self
