"""The policy (研判规则) in force, as data: levels, rules, deadlines, offices and words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from service.core.conditions import Condition
from service.core.labels import FLAGS, HEAD_NAMES, RESPONSE
from service.core.quantities import Circumstances
from service.core.rules import Rule, RuleBook, RuleTable
from service.core.segment import DictionaryEntry
from service.core.working_days import WorkingCalendar

DIMENSIONS: Final[Mapping[str, str]] = {
    "nature": "性质",
    "reach": "影响范围",
    "media": "媒体介入程度",
    "consequence": "可能产生的后果",
}
RESPONSE_TYPES: Final = ("escalate", "clarify", "answer")  # in order of precedence
VALUES: Final = ("required", "optional")
PUBLISHING: Final[Mapping[str, str]] = {
    "same_site": "在载发该信息的平台公开回应",
    "direct_reply": "直接答复反映人",
    "official_release": "通过权威发布渠道发布",
}
CALLS: Final[Mapping[str, str]] = {"press_conference": "新闻发布会", "expert": "专家解读"}
CLOCKS: Final[Mapping[str, str]] = {"hours": "自然小时", "working_days": "工作日"}


@dataclass(frozen=True, slots=True)
class Level:
    """A risk level: its rank 1–4, colour, the band of its scores and the score a rule gives."""

    key: str
    name: str
    rank: int
    colour: str
    least: int
    most: int
    anchor: int


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """A clock that starts when the message was found: `amount` hours or working days."""

    id: str
    text: str
    source: str
    when: Condition
    action: str
    name: str
    clock: str
    amount: int


@dataclass(frozen=True, slots=True)
class DispositionRule:
    """One of the six official ways to dispose of what was found (国办发〔2016〕80号)."""

    id: str
    text: str
    source: str
    when: Condition
    type: str
    action: str


@dataclass(frozen=True, slots=True)
class Offices:
    """Which office (承办单位) handles which topic.

    `least_support` is the probability from which another topic's office is named beside it;
    `additions` are rules that call in one more office, by their effect.
    """

    by_topic: Mapping[str, str]
    source: str
    least_support: float
    additions: RuleTable[Rule]


@dataclass(frozen=True, slots=True)
class ReviewRule:
    """When the model should not be trusted alone, 0–1: probabilities, known words and pairs."""

    least_confidence: Mapping[str, float]
    least_coverage: float
    least_pair_coverage: float


@dataclass(frozen=True, slots=True)
class DraftPolicy:
    """How the risk of a draft policy (重大政策出台前) is judged from past messages.

    Attributes:
        least_similarity: cosine from which a past message counts as similar.
        most_neighbours: how many similar messages of each passage count.
        groups: groups of people with the words that name them.
        rules: rules over `draft.…` facts, by level.
        outline: the headings of a contingency plan, to be filled in.
    """

    least_similarity: float
    most_neighbours: int
    groups: Mapping[str, Sequence[str]]
    rules: RuleTable[Rule]
    outline: Sequence[str]


class AskedConfidences(NamedTuple):
    """Heads, response types and flags whose probability a rule asks about."""

    heads: Sequence[str]
    responses: Sequence[str]
    flags: Sequence[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy bundle in force; `version` is the hash of its files.

    `asked_lexicons` are the word lists that rules ask about; `book` indexes every rule that is
    asked about a message; `anchors` are the scores of the levels by their ranks as labels;
    `following` are the tables that are asked once level and response are decided;
    `asked_confidences` are the probabilities that rules ask about.
    """

    version: str
    name: str
    levels: Mapping[str, Level]
    weights: Mapping[str, float]
    intent_scores: Mapping[str, int]
    thresholds: Mapping[str, Mapping[str, float]]
    level_rules: RuleTable[Rule]
    response_rules: RuleTable[Rule]
    values: RuleTable[Rule]
    dispositions: RuleTable[DispositionRule]
    channels: RuleTable[Rule]
    calls: RuleTable[Rule]
    verification: RuleTable[Rule]
    steps: RuleTable[Rule]
    deadlines: RuleTable[DeadlineRule]
    offices: Offices
    calendar: WorkingCalendar
    review: ReviewRule
    draft: DraftPolicy
    least_hours: float
    asked_lexicons: Mapping[str, re.Pattern[str]]
    circumstances: Circumstances
    dictionary: Sequence[DictionaryEntry]
    search_terms: Sequence[str]
    disguises: Sequence[str]
    lookalikes: Sequence[str]
    book: RuleBook = field(init=False, repr=False, compare=False)
    anchors: Mapping[str, int] = field(init=False, repr=False, compare=False)
    following: tuple[RuleTable[Any], ...] = field(init=False, repr=False, compare=False)
    asked_confidences: AskedConfidences = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        anchors = {str(level.rank): level.anchor for level in self.levels.values()}
        object.__setattr__(self, "anchors", anchors)
        following: list[RuleTable[Any]] = [self.values, self.dispositions, self.channels]
        following += [self.calls, self.verification, self.steps, self.deadlines]
        following.append(self.offices.additions)
        object.__setattr__(self, "following", tuple(following))
        tables = [
            table
            for name in self.__dataclass_fields__
            if isinstance(table := getattr(self, name, None), RuleTable)
        ]
        book = RuleBook([*tables, self.offices.additions])
        object.__setattr__(self, "book", book)
        heads, responses, flags = (
            tuple(name for name in names if book.asks(f"confidence.{name}"))
            for names in (HEAD_NAMES, RESPONSE, FLAGS)
        )
        asked = AskedConfidences(heads, responses, flags)
        object.__setattr__(self, "asked_confidences", asked)
