"""Rules (规则) and the table that finds those that fire without asking every one of them."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from service.core.conditions import FIGURES, Clause, Condition, Fact, Facts, choices_of, is_truth


class Conditional(Protocol):
    """Anything that applies under a condition."""

    @property
    def when(self) -> Condition:
        """The condition."""


T = TypeVar("T", bound=Conditional)


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule: when it holds, it speaks for its `effect` (a level, a response type, …).

    `dimension` is the factor that a level rule belongs to; other rules have none.
    """

    id: str
    text: str
    source: str
    when: Condition
    effect: str
    dimension: str = ""


class RuleTable(Generic[T]):
    """Rules in their order, indexed by one clause of each, so that hundreds cost little.

    A rule is looked at only when its most telling clause may hold: a figure that reaches its
    threshold, a flag that is raised, a label that is given.
    """

    def __init__(self, rules: Sequence[T]) -> None:
        self.rules: Final = tuple(rules)
        self._always: list[int] = []
        self._by_value: dict[str, dict[Fact, list[int]]] = {}
        figures: dict[str, list[tuple[float, int]]] = {}
        for number, rule in enumerate(self.rules):
            guards = _guards(rule.when)
            if not guards:
                self._always.append(number)
            for clause in guards:
                if clause.fact in FIGURES:
                    least = clause.operand if clause.operator == "at_least" else float("-inf")
                    figures.setdefault(clause.fact, []).append((least, number))
                else:
                    self._add_values(clause, number)
        self._by_figure: Final = {
            fact: ([least for least, _ in sorted(steps)], [number for _, number in sorted(steps)])
            for fact, steps in figures.items()
        }

    def _add_values(self, clause: Clause, number: int) -> None:
        values = choices_of(clause.fact) or ()
        mine = self._by_value.setdefault(clause.fact, {})
        for value in values:
            if clause.holds({clause.fact: value}):
                mine.setdefault(value, []).append(number)

    def fired(self, facts: Facts) -> list[T]:
        """The rules that hold, in their order."""
        return list(self._fired(facts))

    def first(self, facts: Facts) -> T | None:
        """The first rule that holds."""
        return next(self._fired(facts), None)

    def __iter__(self) -> Iterator[T]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def _fired(self, facts: Facts) -> Iterator[T]:
        numbers = list(self._always)
        for fact, values in self._by_value.items():
            if candidates := values.get(facts.get(fact)):
                numbers += candidates
        for fact, (thresholds, rules) in self._by_figure.items():
            value = facts.get(fact)
            if value is not None:
                numbers += rules[: bisect_right(thresholds, float(value))]
        for number in sorted(set(numbers)):
            rule = self.rules[number]
            if rule.when.holds(facts):
                yield rule


def _guards(condition: Condition) -> tuple[Clause, ...]:
    """Clauses of which one must hold for the condition to hold: as telling as can be."""
    if condition.clauses:
        return (min(condition.clauses, key=_commonness),)
    return min(condition.groups, key=len, default=())


def _commonness(clause: Clause) -> int:
    """How often a clause holds, roughly: figures are mostly unknown, flags mostly not raised."""
    if clause.fact in FIGURES and clause.operator == "at_least":
        return 2 if clause.fact.startswith("confidence.") else 0
    if is_truth(clause.fact) and clause.operand is True:
        return 1
    return 3 if clause.operator in ("is", "in", "at_least") else 4
