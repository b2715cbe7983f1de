"""Typed conditions of policy rules: data that is checked when it is read and never executed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from service.core import labels
from service.core.errors import PolicyError
from service.core.message import MEDIA_TIERS

LEVELS: Final = ("low", "medium", "high", "critical")

Fact = str | int | bool | None
Facts = Mapping[str, Fact]

_CHOICES: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "topic": tuple(labels.TOPIC),
        "sentiment": tuple(labels.SENTIMENT),
        "intent": tuple(labels.INTENT),
        "response": tuple(labels.RESPONSE),
        "channel": tuple(labels.CHANNELS),
    }
)
_SCALES: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {"text_level": LEVELS, "level": LEVELS, "media.tier": MEDIA_TIERS}
)
FIGURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "spread.views": "阅读量",
        "spread.reposts": "转发量",
        "spread.comments": "评论量",
        "spread.likes": "点赞量",
        "spread.engagement": "转评赞",
        "spread.regions": "涉及地区",
        "spread.duplicates": "相同内容",
        "media.reports": "媒体报道",
        "involved_departments": "涉及部门",
    }
)
_TRUTHS: Final = (
    "media.hot_search",
    "superior_request",
    *(f"flag.{flag}" for flag in labels.FLAGS),
)
_OPERATORS: Final = ("is", "in", "at_least", "below")


@dataclass(frozen=True, slots=True)
class Clause:
    """One test of one fact; a fact that is unknown passes no test."""

    fact: str
    operator: str
    operand: Any

    def holds(self, facts: Facts) -> bool:
        """Whether the fact is known and passes the test."""
        value = facts.get(self.fact)
        if value is None:
            return False
        if self.operator == "is":
            return bool(value == self.operand)
        if self.operator == "in":
            return value in self.operand
        rank = _rank(self.fact, value)
        least = _rank(self.fact, self.operand)
        return rank >= least if self.operator == "at_least" else rank < least


@dataclass(frozen=True, slots=True)
class Condition:
    """Clauses that must all hold; with no clause it always holds."""

    clauses: tuple[Clause, ...] = ()

    def holds(self, facts: Facts) -> bool:
        """Whether every clause holds.

        >>> Condition((Clause("spread.views", "at_least", 5000),)).holds({"spread.views": None})
        False
        """
        return all(clause.holds(facts) for clause in self.clauses)

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that it looks at."""
        return tuple(clause.fact for clause in self.clauses)


def parse_condition(raw: Any, where: str) -> Condition:
    """Reads a list such as `[{fact = "flag.threat"}, {fact = "spread.views", at_least = 5000}]`.

    Raises:
        PolicyError: an unknown fact, operator or label, or an operand of the wrong type; `where`
            names the place.
    """
    if not isinstance(raw, list):
        raise PolicyError(f"{where}：条件应为列表。", '写成 [{ fact = "…", is = "…" }]。')
    return Condition(tuple(_parse_clause(c, f"{where}[{i}]") for i, c in enumerate(raw)))


def _parse_clause(raw: Any, where: str) -> Clause:
    if not isinstance(raw, dict) or not isinstance(raw.get("fact"), str):
        raise PolicyError(f"{where}：条件缺少 fact。", '写成 { fact = "…", is = "…" }。')
    operators = [key for key in raw if key != "fact"]
    if len(operators) > 1 or any(key not in _OPERATORS for key in operators):
        raise PolicyError(f"{where}：运算 {operators} 不可用。", f"只能用其中一个：{_OPERATORS}。")
    operator = operators[0] if operators else "is"
    operand = raw.get(operator, True)
    _check_operand(raw["fact"], operator, operand, where)
    return Clause(raw["fact"], operator, tuple(operand) if operator == "in" else operand)


def _check_operand(fact: str, operator: str, operand: Any, where: str) -> None:
    if fact in _TRUTHS:
        fits = operator == "is" and isinstance(operand, bool)
        wanted = "is = true 或 is = false"
    elif fact in FIGURES:
        fits = operator in ("at_least", "below") and type(operand) is int
        wanted = "at_least 或 below 加整数"
    elif fact in _SCALES or fact in _CHOICES:
        choices = _SCALES.get(fact) or _CHOICES[fact]
        operands = operand if operator == "in" and isinstance(operand, list) else [operand]
        fits = all(o in choices for o in operands) and (operator in ("is", "in") or fact in _SCALES)
        wanted = f"取值 {'、'.join(choices)}"
    else:
        known = (*_CHOICES, *_SCALES, *FIGURES, *_TRUTHS)
        raise PolicyError(f"{where}：未知的事实 {fact!r}。", f"可用：{'、'.join(known)}。")
    if not fits:
        raise PolicyError(f"{where}：{fact} 不能用 {operator} = {operand!r}。", f"应为{wanted}。")


def _rank(fact: str, value: Any) -> int:
    return _SCALES[fact].index(value) if fact in _SCALES else int(value)
