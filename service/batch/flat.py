"""A whole assessment → one row of flat columns, for spreadsheets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from service.core.assessment import Assessment, Deadline

INPUT: Final = "input"  # where a line of JSONL keeps the columns of its row
EVENTS: Final = ("event_id", "duplicates")  # of rows whose copies were counted
COUNTED: Final = {  # title → column of what a summary or a report counts
    "风险等级": "risk_name",
    "处置建议": "response_name",
    "话题": "topic_name",
    "情感": "sentiment_name",
    "诉求类型": "intent_name",
}
PREFIX: Final = "yanpan_"  # before a column of ours whose name the input has taken


def _label(head: str, part: str) -> Callable[[Assessment], Any]:
    return lambda a: getattr(getattr(a, head), part)


def _next_deadline(assessment: Assessment) -> Deadline | None:
    return next((due for due in assessment.response.deadlines if due.is_next), None)


def _first_deadline(assessment: Assessment) -> str | None:
    due = _next_deadline(assessment)
    return due.due_at.isoformat() if due else None


def _first_deadline_name(assessment: Assessment) -> str | None:
    due = _next_deadline(assessment)
    return due.name if due else None


def _reasons(assessment: Assessment) -> str:
    """The sentences of the rules that had a say, each once."""
    rules = [*assessment.risk.rules, *assessment.response.rules]
    return "；".join(dict.fromkeys(rule.text for rule in rules))


_COLUMNS: Final[Mapping[str, Callable[[Assessment], Any]]] = {
    "id": lambda a: a.id,
    **{
        name if part == "label" else f"{name}_{part}": _label(name, part)
        for name in ("topic", "sentiment", "intent")
        for part in ("label", "name", "confidence")
    },
    "flags": lambda a: ",".join(flag.label for flag in a.flags),
    "flags_name": lambda a: "、".join(flag.name for flag in a.flags),
    "risk_level": lambda a: a.risk.level,
    "risk_name": lambda a: a.risk.name,
    "risk_score": lambda a: a.risk.score,
    "response_type": lambda a: a.response.type,
    "response_name": lambda a: a.response.name,
    "response_value": lambda a: a.response.value,
    "response_confidence": lambda a: a.response.confidence,
    "first_deadline": _first_deadline,
    "first_deadline_name": _first_deadline_name,
    "owner": lambda a: a.response.owner.lead,
    "needs_verification": lambda a: a.response.needs_verification,
    "needs_review": lambda a: a.needs_review,
    "review_reasons": lambda a: ",".join(a.review_reasons),
    "reasons": _reasons,
    "model_version": lambda a: a.model_version,
    "policy_version": lambda a: a.policy_version,
    "assessed_at": lambda a: a.assessed_at.isoformat(),
}


def flatten(assessment: Assessment) -> dict[str, Any]:
    """Our columns of one row."""
    return {name: read(assessment) for name, read in _COLUMNS.items()}


def column_names(columns: Sequence[str], *, has_events: bool) -> dict[str, str]:
    """Our columns → their names beside those of the input; the id is not told twice."""
    ours = [*_COLUMNS, *EVENTS] if has_events else list(_COLUMNS)
    names = {name: f"{PREFIX}{name}" if name in columns else name for name in ours}
    if "id" in columns:
        del names["id"]
    return names


def row_of(line: Mapping[str, Any], columns: Sequence[str], names: Mapping[str, str]) -> list[Any]:
    """The values of a flat row: the input's columns, then ours."""
    given = line.get(INPUT, {})
    return [*(given.get(column) for column in columns), *(line[ours] for ours in names)]
