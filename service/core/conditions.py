"""Typed conditions of policy rules: data that is checked when it is read and never executed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from service.core import labels
from service.core.errors import PolicyError
from service.core.message import MEDIA_TIERS
from service.core.quantities import KINDS, UNITS

LEVELS: Final = ("low", "medium", "high", "critical")
OPERATORS: Final = ("is", "in", "at_least", "below")

Fact = str | int | float | bool | None
Facts = Mapping[str, Fact]

_SPREAD: Final = {
    "views": "阅读量",
    "reposts": "转发量",
    "comments": "评论量",
    "likes": "点赞量",
    "engagement": "转评赞",
}
_CHOICES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "topic": labels.TOPIC,
        "sentiment": labels.SENTIMENT,
        "intent": labels.INTENT,
        "response": labels.RESPONSE,
        "channel": labels.CHANNELS,
    }
)
LEVEL_NAMES: Final = dict(zip(LEVELS, labels.RISK.values(), strict=True))
_TIER_NAMES: Final = dict(
    zip(
        MEDIA_TIERS,
        ("无媒体报道", "市级及以下媒体", "省级媒体", "中央媒体", "境外媒体"),
        strict=True,
    )
)
_SCALES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"text_level": LEVEL_NAMES, "level": LEVEL_NAMES, "media.tier": _TIER_NAMES}
)
FIGURES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {f"spread.{key}": (name, "次") for key, name in _SPREAD.items()}
    | {
        "spread.regions": ("涉及地区", "个"),
        "spread.duplicates": ("相同内容", "条"),
        "media.reports": ("媒体报道", "篇"),
        "involved_departments": ("涉及部门", "个"),
    }
    | {f"speed.{key}": (f"每小时{name}", "次") for key, name in _SPREAD.items()}
    | {f"quantity.{kind}": (name, UNITS[kind]) for kind, name in KINDS.items()}
    | {f"confidence.{head}": (f"{name}置信度", "") for head, name in labels.HEAD_NAMES.items()}
    | {f"confidence.{flag}": (f"“{name}”置信度", "") for flag, name in labels.FLAGS.items()}
    | {f"confidence.{kind}": (f"“{name}”置信度", "") for kind, name in labels.RESPONSE.items()}
    | {
        "draft.similar": ("相似来信", "条"),
        "draft.negative_share": ("负面占比", ""),
        "draft.escalate_share": ("上报占比", ""),
        "draft.collective": ("群体诉求来信", "条"),
        "draft.groups": ("涉及群体", "类"),
    }
)
"""Every figure that a rule may ask about, with its Chinese name and unit."""

_TRUTHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "media.hot_search": "已上热搜",
        "superior_request": "上级要求回应",
        "has_url": "有原文链接",
        **{f"flag.{flag}": name for flag, name in labels.FLAGS.items()},
    }
)
CHOSEN_FACTS: Final = (*_CHOICES, *_SCALES, *_TRUTHS)
"""The facts that have few values."""
SHOWN_FACTS: Final = tuple(f"flag.{flag}" for flag in labels.FLAGS)
"""The facts that are false where the message does not show them."""
_NAMES: Final[Mapping[str, str]] = {
    **_TRUTHS,
    "media.tier": "媒体层级",
    "channel": "来源渠道",
    **labels.HEAD_NAMES,
}
_ROUND: Final = 100  # from here on, a figure is shown without a fraction
_PROBABILITIES: Final = ("confidence.", "draft.negative", "draft.escalate")
LEXICON: Final = "lexicon."  # + the name of a word list: whether the text holds one of its words


@dataclass(frozen=True, slots=True)
class Clause:
    """One test of one fact.

    A flag or a word that the text does not show is false though the facts leave it out; any other
    fact that is absent is unknown and passes no test.
    """

    fact: str
    operator: str
    operand: Any

    def holds(self, facts: Facts) -> bool:
        """Whether the fact is known and passes the test."""
        value = facts.get(self.fact)
        if value is None:
            return self.operand is False and is_shown_or_not(self.fact)
        if self.operator == "is":
            return bool(value == self.operand)
        if self.operator == "in":
            return value in self.operand
        rank = _rank(self.fact, value)
        least = _rank(self.fact, self.operand)
        return rank >= least if self.operator == "at_least" else rank < least

    @property
    def grows(self) -> bool:
        """Whether a higher figure or grade can never make it fail."""
        return self.operator == "at_least" or not is_graded(self.fact)


@dataclass(frozen=True, slots=True)
class Condition:
    """Clauses that must all hold, and groups of which one clause each must; else always true.

    `parts` are all clauses, those of the groups too.
    """

    clauses: tuple[Clause, ...] = ()
    groups: tuple[tuple[Clause, ...], ...] = ()
    parts: tuple[Clause, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        grouped = (clause for group in self.groups for clause in group)
        object.__setattr__(self, "parts", (*self.clauses, *grouped))

    def holds(self, facts: Facts) -> bool:
        """Whether every clause, and one of each group, holds.

        >>> Condition((Clause("spread.views", "at_least", 5000),)).holds({"spread.views": None})
        False
        """
        for clause in self.clauses:
            if not clause.holds(facts):
                return False
        return all(any(clause.holds(facts) for clause in group) for group in self.groups)

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that it looks at."""
        return tuple(dict.fromkeys(clause.fact for clause in self.parts))


def make_clause(fact: str, operator: str, operand: Any, lexicons: Iterable[str] = ()) -> Clause:
    """A clause whose fact, operator and operand fit each other.

    Raises:
        PolicyError: an unknown fact, operator or label, or an operand of the wrong type.
    """
    if is_truth(fact):
        _check_lexicon(fact, lexicons)
        fits, wanted = operator == "is" and isinstance(operand, bool), "is = true 或 is = false"
    elif fact in FIGURES:
        is_number = type(operand) in (int, float) and math.isfinite(operand)
        fits, wanted = operator in ("at_least", "below") and is_number, "at_least 或 below 加数"
    elif fact in _SCALES or fact in _CHOICES:
        choices = _SCALES.get(fact) or _CHOICES[fact]
        is_list = operator == "in" and isinstance(operand, list | tuple) and bool(operand)
        operands = operand if is_list else [operand]
        allowed = ("is", *(["at_least", "below"] if fact in _SCALES else []))
        fits = (is_list or operator in allowed) and all(o in choices for o in operands)
        wanted = f"取值 {'、'.join(choices)}"
    else:
        known = (*_CHOICES, *_SCALES, *FIGURES, *_TRUTHS, *(f"{LEXICON}{n}" for n in lexicons))
        raise PolicyError(f"未知的事实 {fact!r}。", f"可用：{'、'.join(known)}。")
    if not fits:
        raise PolicyError(f"{fact} 不能用 {operator} = {operand!r}。", f"应为{wanted}。")
    return Clause(fact, operator, tuple(operand) if operator == "in" else operand)


def _check_lexicon(fact: str, lexicons: Iterable[str]) -> None:
    if fact.startswith(LEXICON) and (name := fact.removeprefix(LEXICON)) not in lexicons:
        raise PolicyError(f"没有词表 {name!r}。", f"请在 lexicons/ 中增加 {name}.txt。")


def is_truth(fact: str) -> bool:
    """Whether the fact is true or false (or unknown)."""
    return fact in _TRUTHS or fact.startswith(LEXICON)


def is_shown_or_not(fact: str) -> bool:
    """Whether the message itself tells if the fact is so: what it does not show is false."""
    return fact.startswith(("flag.", LEXICON)) or fact == "has_url"


def is_graded(fact: str) -> bool:
    """Whether the fact is a figure or a grade, so that it can be higher or lower."""
    return fact in FIGURES or fact in _SCALES


def choices_of(fact: str) -> Sequence[Fact] | None:
    """All values of a fact that has few, in order where it is a grade; else `None`."""
    if is_truth(fact):
        return (False, True)
    choices = _SCALES.get(fact) or _CHOICES.get(fact)
    return tuple(choices) if choices else None


def name_fact(fact: str) -> str:
    """The Chinese name of a fact, for reasons that an officer reads.

    >>> name_fact("flag.mobilise"), name_fact("spread.views"), name_fact("lexicon.places")
    ('号召聚集', '阅读量', '词表 places')
    """
    if fact in FIGURES:
        return FIGURES[fact][0]
    if fact.startswith(LEXICON):
        return f"词表 {fact.removeprefix(LEXICON)}"
    return _NAMES.get(fact, "等级")


def name_value(fact: str, value: Fact) -> str:
    """A fact with its value in words.

    >>> name_value("spread.views", 9), name_value("topic", "health")
    ('阅读量 9次', '话题为医疗卫生')
    """
    if fact in FIGURES:
        name, unit = FIGURES[fact]
        if fact.startswith(_PROBABILITIES):
            return f"{name} {value:.2f}"
        shown = f"{value:.0f}" if isinstance(value, float) and value >= _ROUND else value
        return f"{name} {shown:g}{unit}" if isinstance(shown, float) else f"{name} {shown}{unit}"
    if fact == "media.tier":
        return _TIER_NAMES[str(value)]
    if is_truth(fact):
        return name_fact(fact) if value else f"非“{name_fact(fact)}”"
    choices = _SCALES.get(fact) or _CHOICES[fact]
    return f"{name_fact(fact)}为{choices[str(value)]}"


def _rank(fact: str, value: Any) -> float:
    return list(_SCALES[fact]).index(value) if fact in _SCALES else float(value)
