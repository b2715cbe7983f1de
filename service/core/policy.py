"""The policy (研判规则): dimensions, level rules, response rules, deadlines and steps, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from service.core import labels
from service.core.conditions import LEVELS, Condition, parse_condition
from service.core.errors import PolicyError
from service.core.segment import DictionaryEntry

DIMENSIONS: Final = ("nature", "reach", "media", "consequence")
RESPONSE_TYPES: Final = ("escalate", "clarify", "answer")  # in order of precedence

T = TypeVar("T")


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
class Rule:
    """A named rule: when it holds, it speaks for a level or a response type (`effect`).

    `dimension` is the factor that a level rule belongs to; response rules have none.
    """

    id: str
    text: str
    source: str
    when: Condition
    effect: str
    dimension: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """A clock that starts when the message was found."""

    action: str
    name: str
    hours: int
    source: str
    when: Condition


@dataclass(frozen=True, slots=True)
class Conditional:
    """A text that applies under a condition: a step, or a channel."""

    text: str
    when: Condition


@dataclass(frozen=True, slots=True)
class ReviewRule:
    """When the model should not be trusted alone, 0–1: probabilities, known words and pairs."""

    least_confidence: Mapping[str, float]
    least_coverage: float
    least_pair_coverage: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy bundle in force; `version` is the hash of its files."""

    version: str
    name: str
    levels: Mapping[str, Level]
    intent_scores: Mapping[str, int]
    level_rules: Sequence[Rule]
    response_rules: Sequence[Rule]
    required_intents: Sequence[str]
    verification: Sequence[Condition]
    deadlines: Sequence[DeadlineRule]
    steps: Sequence[Conditional]
    channels: Sequence[Conditional]
    review: ReviewRule
    dictionary: Sequence[DictionaryEntry]
    search_terms: Sequence[str]


def parse_policy(
    table: Mapping[str, Any],
    *,
    version: str,
    dictionary: Sequence[DictionaryEntry],
    search_terms: Sequence[str],
) -> Policy:
    """A policy from the parsed `policy.toml` and the word lists beside it.

    Raises:
        PolicyError: a key is missing, unknown to the model, or of the wrong type; the detail
            names it.
    """
    top = _Table(table, "policy.toml")
    response = top.table("response")
    review = top.table("review")
    return Policy(
        version=version,
        name=top.table("meta").value("name", str),
        levels=_levels(top.table("levels")),
        intent_scores=_by_label(top.table("nature"), "intents", labels.INTENT, int),
        level_rules=_rules(top, "level_rules", LEVELS, DIMENSIONS),
        response_rules=_rules(top, "response_rules", RESPONSE_TYPES),
        required_intents=tuple(_by_label(response, "required_intents", labels.INTENT, bool)),
        verification=tuple(t.condition() for t in response.tables("verification")),
        deadlines=tuple(map(_deadline, top.tables("deadlines"))),
        steps=tuple(_conditional(t) for t in response.tables("steps")),
        channels=_channels(response),
        review=ReviewRule(
            _by_label(review, "least_confidence", labels.HEADS, float),
            review.value("least_coverage", float),
            review.value("least_pair_coverage", float),
        ),
        dictionary=tuple(dictionary),
        search_terms=tuple(search_terms),
    )


class _Table:
    """A TOML table that knows its place, so that its errors can name it."""

    def __init__(self, raw: Mapping[str, Any], place: str) -> None:
        self._raw = raw
        self.place = place

    def value(self, key: str, kind: type[T]) -> T:
        value = self._raw.get(key)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            problem = "缺少" if key not in self._raw else "类型不对的"
            raise PolicyError(f"{self.place}：{problem}键 {key}。", f"应为 {kind.__name__}。")
        return value

    def table(self, key: str) -> "_Table":
        return _Table(self.value(key, dict), f"{self.place} [{key}]")

    def tables(self, key: str) -> "list[_Table]":
        place = f"{self.place} [[{key}]]"
        rows = self.value(key, list)
        return [_Table(row, f"{place} 第 {n} 项") for n, row in enumerate(rows, 1)]

    def choice(self, key: str, choices: Sequence[str]) -> str:
        value = self.value(key, str)
        if value not in choices:
            hint = f"可用：{'、'.join(choices)}。"
            raise PolicyError(f"{self.place}：{key} = {value!r} 不可用。", hint)
        return value

    def condition(self) -> Condition:
        return parse_condition(self._raw.get("when"), f"{self.place} when")

    def keys(self) -> Sequence[str]:
        return tuple(self._raw)


def _levels(levels: _Table) -> dict[str, Level]:
    parsed = {}
    for rank, key in enumerate(LEVELS, 1):
        row = levels.table(key)
        least, most, anchor = (row.value(k, int) for k in ("least", "most", "anchor"))
        if not 0 <= least <= anchor <= most <= 100:  # noqa: PLR2004 — scores run to 100
            raise PolicyError(f"{row.place}：分值应满足 0 ≤ least ≤ anchor ≤ most ≤ 100。")
        name, colour = row.value("name", str), row.value("colour", str)
        parsed[key] = Level(key, name, rank, colour, least, most, anchor)
    return parsed


def _rules(
    top: _Table, key: str, effects: Sequence[str], dimensions: Sequence[str] = ()
) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for row in top.tables(key):
        rule = Rule(
            id=row.value("id", str),
            text=row.value("text", str),
            source=row.value("source", str),
            when=row.condition(),
            effect=row.choice("effect", effects),
            dimension=row.choice("dimension", dimensions) if dimensions else "",
        )
        if rule.id in rules:
            raise PolicyError(f"{row.place}：规则编号 {rule.id} 重复。", "每条规则用不同的 id。")
        rules[rule.id] = rule
    return tuple(rules.values())


def _by_label(table: _Table, key: str, known: Mapping[str, Any], kind: type[T]) -> dict[str, T]:
    rows = table.table(key)
    unknown = [label for label in rows.keys() if label not in known]  # noqa: SIM118 — a method
    if unknown:
        raise PolicyError(f"{rows.place}：未知的标签 {unknown}。", f"可用：{'、'.join(known)}。")
    return {label: rows.value(label, kind) for label in rows.keys()}  # noqa: SIM118


def _deadline(row: _Table) -> DeadlineRule:
    return DeadlineRule(
        action=row.value("action", str),
        name=row.value("name", str),
        hours=row.value("hours", int),
        source=row.value("source", str),
        when=row.condition(),
    )


def _channels(response: _Table) -> tuple[Conditional, ...]:
    channels = tuple(_conditional(row) for row in response.tables("channels"))
    if not channels or channels[-1].when.clauses:
        raise PolicyError(
            f"{response.place} [[channels]]：最后一项必须无条件。", "在末尾加一项 when = []。"
        )
    return channels


def _conditional(row: _Table) -> Conditional:
    return Conditional(row.value("text", str), row.condition())
