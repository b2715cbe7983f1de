"""Rules (规则) and the book that finds those that fire without asking every one of them."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from service.core.conditions import FIGURES, Clause, Condition, Fact, Facts, choices_of


class Conditional(Protocol):
    """Anything that applies under a condition."""

    @property
    def when(self) -> Condition:
        """The condition."""


T = TypeVar("T", bound=Conditional)
D = TypeVar("D")
K = TypeVar("K")


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


_MOST_KNOWN: Final = 4_096  # combinations remembered for a table; a flood of new ones starts anew


class _Entry(NamedTuple):
    """The bits that must all be set, the groups of which one bit each must, and the rule."""

    needed: int
    groups: tuple[int, ...]
    rule: Any


@dataclass(frozen=True, slots=True)
class _Index:
    """A table's entries, the bits that any of them asks for, and what fired for bits seen before.

    What fires depends on nothing else, and the messages of a city bring few combinations.
    """

    entries: Sequence[_Entry]
    asked: int
    known: dict[int, tuple[Any, ...]] = field(default_factory=dict)


class Standing(NamedTuple):
    """Facts as a rule book sees them: `holding` has a bit for every clause that holds."""

    facts: Facts
    holding: int


class RuleBook:
    """All tables of a policy over one set of clauses, so that hundreds of rules cost little.

    Every distinct clause is a bit. Facts become one number, once a message; a rule holds if its
    bits are set, which is one comparison of two numbers, and only for a combination not met before.
    """

    def __init__(self, tables: Sequence[RuleTable[Any]]) -> None:
        self._bits: dict[Clause, int] = {}
        self._derived: dict[tuple[RuleTable[Any], ...], tuple[int, dict[tuple[int, str], Any]]] = {}
        self._tables: Final = {table: self._index(table) for table in tables}
        by_fact: dict[str, list[Clause]] = {}
        for clause in self._bits:
            by_fact.setdefault(clause.fact, []).append(clause)
        self._by_value: Final = {
            fact: {value: self._mask(clauses, {fact: value}) for value in choices_of(fact) or ()}
            for fact, clauses in by_fact.items()
            if fact not in FIGURES
        }
        self._by_figure: Final = {
            fact: self._steps(fact, clauses) for fact, clauses in by_fact.items() if fact in FIGURES
        }
        self._masks: Final = {fact: self._any(clauses) for fact, clauses in by_fact.items()}
        self._unshown: Final = self._any([clause for clause in self._bits if clause.holds({})])

    def _index(self, table: RuleTable[Any]) -> _Index:
        conditions = [(rule, rule.when) for rule in table]
        entries = [
            _Entry(self._any(when.clauses), tuple(map(self._any, when.groups)), rule)
            for rule, when in conditions
        ]
        return _Index(
            entries, self._any([clause for _, when in conditions for clause in when.parts])
        )

    def _any(self, clauses: Sequence[Clause]) -> int:
        """The bits of these clauses, new ones where they have none yet."""
        bits = 0
        for clause in clauses:
            bits |= self._bits.setdefault(clause, 1 << len(self._bits))
        return bits

    def _mask(self, clauses: Sequence[Clause], facts: Facts) -> int:
        return self._any([clause for clause in clauses if clause.holds(facts)])

    def _steps(self, fact: str, clauses: Sequence[Clause]) -> tuple[list[float], list[int]]:
        """Thresholds in order, and the bits of a figure below the first, then from each on."""
        thresholds = sorted({float(clause.operand) for clause in clauses})
        below = [float("-inf"), *thresholds]
        return thresholds, [self._mask(clauses, {fact: value}) for value in below]

    def read(self, facts: Facts) -> Standing:
        """The facts as clauses that hold."""
        holding, masks = self._unshown, self._masks
        for fact, value in facts.items():
            if fact in masks:
                holding = holding & ~masks[fact] | self._holding(fact, value)
        return Standing(facts, holding)

    def change(self, standing: Standing, fact: str, value: Fact) -> Standing:
        """The same facts but for one; `None` makes it absent."""
        facts = {**standing.facts, fact: value}
        if value is None:
            del facts[fact]
        mask = self._masks.get(fact)
        if mask is None:
            return Standing(facts, standing.holding)
        holds = self._unshown & mask if value is None else self._holding(fact, value)
        return Standing(facts, standing.holding & ~mask | holds)

    def _holding(self, fact: str, value: Fact) -> int:
        """The bits of a fact's clauses that hold for a value."""
        if fact in self._by_value:
            return self._by_value[fact].get(value, 0)
        thresholds, steps = self._by_figure[fact]
        return steps[bisect_right(thresholds, value)]  # type: ignore[type-var]

    def asks(self, fact: str) -> bool:
        """Whether any rule asks about a fact."""
        return fact in self._masks

    def fired(self, table: RuleTable[T], standing: Standing) -> Sequence[T]:
        """The rules of a table that hold, in their order."""
        index = self._tables[table]
        asked = standing.holding & index.asked
        found = index.known.get(asked)
        if found is None:
            fired = tuple(
                rule
                for needed, groups, rule in index.entries
                if asked & needed == needed and all(asked & group for group in groups)
            )
            found = _remember(index.known, asked, fired)
        return found

    def derive(
        self,
        tables: tuple[RuleTable[Any], ...],
        standing: Standing,
        choice: str,
        make: Callable[[], D],
    ) -> D:
        """What `make` gives, made once for each combination of clauses that the tables ask for.

        Args:
            tables: the tables on whose rules `make` depends.
            standing: the facts.
            choice: the one other thing that `make` depends on.
            make: makes it.
        """
        if tables not in self._derived:
            asked = 0
            for table in tables:
                asked |= self._tables[table].asked
            self._derived[tables] = (asked, {})
        asked, known = self._derived[tables]
        key = (standing.holding & asked, choice)
        found: D | None = known.get(key)
        return _remember(known, key, make()) if found is None else found


def _remember(known: dict[K, D], key: K, found: D) -> D:
    """Keeps what was found, and starts anew rather than grow without bound."""
    if len(known) == _MOST_KNOWN:
        known.clear()
    known[key] = found
    return found
