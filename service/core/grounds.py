"""Grounds (依据): for every rule that fired, the words or the figures of the message behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from service.core.assessment import FlagReport, QuantityReport, RuleEvidence, Span
from service.core.conditions import (
    CHOSEN_FACTS,
    LEXICON,
    SHOWN_FACTS,
    Condition,
    Facts,
    choices_of,
    name_value,
)
from service.core.quantities import CURRENT
from service.core.values import value

_FLAG: Final = "flag."
_CONFIDENCE: Final = "confidence."
_QUANTITY: Final = "quantity."
_FROM_TEXT: Final = (_FLAG, _CONFIDENCE, _QUANTITY, LEXICON)
_TOGETHER: Final = {"dead_or_missing": ("deaths", "missing")}
_TEXT, _TITLE = "text", "title"


@value
class Grounds:
    """What was found in the message, in its original wording.

    Attributes:
        flags: the raised flags with their spans.
        quantities: the figures with their spans.
        words: for each word list, the spans of its words.
    """

    flags: Mapping[str, FlagReport] = field(default_factory=dict)
    quantities: Sequence[QuantityReport] = ()
    words: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def of(self, condition: Condition, facts: Facts) -> list[RuleEvidence]:
        """The evidence of every clause of a condition that holds, in its order."""
        found: dict[str, RuleEvidence] = {}
        for clause in condition.clauses:
            found[clause.fact] = self._evidence(clause.fact, facts)
        for group in condition.groups:
            for clause in group:
                if clause.fact not in found and clause.holds(facts):
                    found[clause.fact] = self._evidence(clause.fact, facts)
        return list(found.values())

    def _evidence(self, fact: str, facts: Facts) -> RuleEvidence:
        value = facts.get(fact)
        spans = self.spans(fact) if fact.startswith(_FROM_TEXT) else ()
        plain = None if spans else _PLAIN.get((fact, value))
        return plain or RuleEvidence(fact, name_value(fact, value), spans)

    def spans(self, fact: str) -> Sequence[Span]:
        """The words of the message that a fact was read from."""
        if fact.startswith((_FLAG, _CONFIDENCE)):
            report = self.flags.get(fact.partition(".")[2])
            return _flag_spans(report) if report else ()
        if fact.startswith(_QUANTITY):
            kind = fact.removeprefix(_QUANTITY)
            kinds = _TOGETHER.get(kind, (kind,))
            return [
                Span(q.where, q.start, q.end, q.text)
                for q in self.quantities
                if q.status == CURRENT and q.kind in kinds
            ]
        if fact.startswith(LEXICON):
            return self.words.get(fact.removeprefix(LEXICON), ())
        return ()


def _flag_spans(report: FlagReport) -> list[Span]:
    return [
        Span(where, span.start, span.end, span.text)
        for where, spans in ((_TEXT, report.evidence), (_TITLE, report.title_evidence))
        for span in spans
    ]


# Evidence that no words stand behind is the same for every message.
_PLAIN: Final = {
    (fact, value): RuleEvidence(fact, name_value(fact, value))
    for fact in CHOSEN_FACTS
    for value in choices_of(fact) or ()
} | {(fact, None): RuleEvidence(fact, name_value(fact, value=None)) for fact in SHOWN_FACTS}
NO_GROUNDS: Final = Grounds()
