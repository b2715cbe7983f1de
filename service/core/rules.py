"""Rules (规则) and the book that finds those that fire without asking every one of them."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

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


@dataclass(frozen=True, slots=True, eq=False)
class RuleTable(Generic[T]):
    """Rules of one kind in their order."""

    rules: Sequence[T]

    def fired(self, facts: Facts) -> list[T]:
        """The rules that hold, found by asking each; `RuleBook` finds the same faster."""
        return [rule for rule in self.rules if rule.when.holds(facts)]

    def __iter__(self) -> Iterator[T]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)


_ALWAYS: Final = ""  # what a rule without any clause waits for


class _Entry(NamedTuple):
    """A rule with the bits that must all be set, and the groups of which one bit each must."""

    position: int
    needed: int
    groups: tuple[int, ...]
    rule: Any


class Standing(NamedTuple):
    """Facts as a rule book sees them: a bit for every clause that holds.

    `active` are the facts that are neither unknown nor false.
    """

    facts: Facts
    holding: int
    active: tuple[str, ...]


class RuleBook:
    """All tables of a policy over one set of clauses, so that hundreds of rules cost little.

    Every distinct clause is a bit. Facts become one number, once a message, and a rule holds if
    its bits are set. A rule is looked at only if the fact of its most telling clause is active: a
    figure that is known, a flag that is raised, a label that is given.
    """

    def __init__(self, tables: Sequence[RuleTable[Any]]) -> None:
        self._bits: dict[Clause, int] = {}
        self._tables: Final = {table: self._index(table) for table in tables}
        self._by_value: dict[str, dict[Fact, int]] = {}
        self._by_figure: dict[str, tuple[list[float], list[int]]] = {}
        by_fact: dict[str, list[Clause]] = {}
        for clause in self._bits:
            by_fact.setdefault(clause.fact, []).append(clause)
        for fact, clauses in by_fact.items():
            if fact in FIGURES:
                self._by_figure[fact] = self._steps(fact, clauses)
            else:
                self._by_value[fact] = {
                    value: self._mask(clauses, {fact: value}) for value in choices_of(fact) or ()
                }
        self._masks: Final = {
            fact: sum(self._bits[clause] for clause in clauses) for fact, clauses in by_fact.items()
        }
        unshown = [clause for clause in self._bits if clause.holds({})]
        self._unshown: Final = sum(self._bits[clause] for clause in unshown)
        self._asked_unshown: Final = tuple({clause.fact for clause in unshown})

    def _index(self, table: RuleTable[Any]) -> dict[str, list[_Entry]]:
        """The rules by the fact of which they ask first; those that ask nothing under `_ALWAYS`."""
        indexed: dict[str, list[_Entry]] = {}
        for position, rule in enumerate(table):
            condition: Condition = rule.when
            needed = 0
            for clause in condition.clauses:
                needed |= self._bit(clause)
            groups = tuple(
                sum({self._bit(clause) for clause in group}) for group in condition.groups
            )
            entry = _Entry(position, needed, groups, rule)
            for fact in _guards(condition):
                indexed.setdefault(fact, []).append(entry)
        return indexed

    def _bit(self, clause: Clause) -> int:
        return self._bits.setdefault(clause, 1 << len(self._bits))

    def _mask(self, clauses: Sequence[Clause], facts: Facts) -> int:
        return sum(self._bits[clause] for clause in clauses if clause.holds(facts))

    def _steps(self, fact: str, clauses: Sequence[Clause]) -> tuple[list[float], list[int]]:
        """Thresholds in order, and the bits of a figure below the first, then from each on."""
        thresholds = sorted({float(clause.operand) for clause in clauses})
        below = [float("-inf"), *thresholds]
        return thresholds, [self._mask(clauses, {fact: value}) for value in below]

    def read(self, facts: Facts) -> Standing:
        """The facts as clauses that hold."""
        holding, active = self._unshown, [_ALWAYS, *self._asked_unshown]
        for fact, value in facts.items():
            if (mask := self._masks.get(fact)) is not None:
                holding = holding & ~mask | self._holding(fact, value)
                active.append(fact)
        return Standing(facts, holding, tuple(active))

    def change(self, standing: Standing, fact: str, value: Fact) -> Standing:
        """The same facts but for one; `None` makes it absent."""
        facts = {**standing.facts, fact: value}
        if value is None:
            del facts[fact]
        mask = self._masks.get(fact)
        if mask is None:
            return Standing(facts, standing.holding, standing.active)
        holding = standing.holding & ~mask
        holding |= self._unshown & mask if value is None else self._holding(fact, value)
        active = standing.active if fact in standing.active else (*standing.active, fact)
        return Standing(facts, holding, active)

    def _holding(self, fact: str, value: Fact) -> int:
        """The bits of a fact's clauses that hold for a value."""
        by_value = self._by_value.get(fact)
        if by_value is not None:
            return by_value.get(value, 0)
        thresholds, steps = self._by_figure[fact]
        return steps[bisect_right(thresholds, float(value or 0))]

    def fired(self, table: RuleTable[T], standing: Standing) -> list[T]:
        """The rules of a table that hold, in their order."""
        indexed, holding = self._tables[table], standing.holding
        found = [
            entry
            for fact in standing.active
            if fact in indexed
            for entry in indexed[fact]
            if holding & entry.needed == entry.needed
            and (not entry.groups or all(holding & group for group in entry.groups))
        ]
        if len(found) > 1:
            ordered = {entry.position: entry.rule for entry in found}  # one for each of its guards
            return [ordered[position] for position in sorted(ordered)]
        return [entry.rule for entry in found]


def _guards(condition: Condition) -> set[str]:
    """Facts of which one must be active for the condition to hold: as telling as can be."""
    if condition.clauses:
        return {min(condition.clauses, key=_commonness).fact}
    if condition.groups:
        return {clause.fact for clause in min(condition.groups, key=len)}
    return {_ALWAYS}


def _commonness(clause: Clause) -> int:
    """How often a fact is active, roughly: figures are mostly unknown, flags mostly not raised."""
    if clause.fact in FIGURES:
        return 3 if clause.fact.startswith("confidence.") else 0
    return 1 if is_truth(clause.fact) and clause.operand is True else 2
