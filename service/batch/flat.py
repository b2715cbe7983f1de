"""A whole assessment → one row of flat columns, for spreadsheets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

INPUT: Final = "input"  # where a line of JSONL keeps the columns of its row
_PREFIX: Final = "yanpan_"  # before a column of ours whose name the input has taken

Row = Mapping[str, Any]


def _label(head: str, part: str) -> Callable[[Row], Any]:
    return lambda row: row[head][part]


def _next_deadline(row: Row, part: str) -> Any:
    due = [deadline for deadline in row["response"]["deadlines"] if deadline["is_next"]]
    return due[0][part] if due else None


def _reasons(row: Row) -> str:
    """The sentences of the rules that had a say, each once."""
    rules = [*row["risk"]["rules"], *row["response"]["rules"]]
    return "；".join(dict.fromkeys(rule["text"] for rule in rules))


_COLUMNS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "id": lambda row: row["id"],
    **{
        name if part == "label" else f"{name}_{part}": _label(name, part)
        for name in ("topic", "sentiment", "intent")
        for part in ("label", "name", "confidence")
    },
    "flags": lambda row: ",".join(flag["label"] for flag in row["flags"]),
    "flags_name": lambda row: "、".join(flag["name"] for flag in row["flags"]),
    "risk_level": lambda row: row["risk"]["level"],
    "risk_name": lambda row: row["risk"]["name"],
    "risk_score": lambda row: row["risk"]["score"],
    "response_type": lambda row: row["response"]["type"],
    "response_name": lambda row: row["response"]["name"],
    "response_value": lambda row: row["response"]["value"],
    "response_confidence": lambda row: row["response"]["confidence"],
    "first_deadline": lambda row: _next_deadline(row, "due_at"),
    "first_deadline_name": lambda row: _next_deadline(row, "name"),
    "owner": lambda row: row["response"]["owner"]["lead"],
    "needs_verification": lambda row: row["response"]["needs_verification"],
    "needs_review": lambda row: row["needs_review"],
    "review_reasons": lambda row: ",".join(row["review_reasons"]),
    "reasons": _reasons,
    "model_version": lambda row: row["model_version"],
    "policy_version": lambda row: row["policy_version"],
    "assessed_at": lambda row: row["assessed_at"],
}


def column_names(columns: Sequence[str]) -> dict[str, str]:
    """Our columns → their names beside those of the input; the id is not told twice."""
    names = {ours: f"{_PREFIX}{ours}" if ours in columns else ours for ours in _COLUMNS}
    if "id" in columns:
        del names["id"]
    return names


def flatten(row: Row, columns: Sequence[str], names: Mapping[str, str]) -> list[Any]:
    """The values of a line of JSONL: the input's columns, then ours."""
    given = row.get(INPUT, {})
    return [*(given.get(column) for column in columns), *(_COLUMNS[ours](row) for ours in names)]
