"""Scored rows → what a report tells, in one reading and little memory."""

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from service.batch.flat import COUNTED, PREFIX
from service.batch.records import names_of, read_time
from service.core.assessment import NO_RESPONSE
from service.core.conditions import LEVELS
from service.core.drift import DriftCounter, Seen
from service.core.errors import YanpanError
from service.core.labels import CHANNELS
from service.core.privacy import mask

MOST_URGENT: Final = 30
_EXCERPT: Final = 80
_LEVELS: Final = {level: rank for rank, level in enumerate(LEVELS, 1)}
# Whatever masking leaves; a report goes from hand to hand.
_NUMBER: Final = re.compile(r"\d{5,}")
_UNKNOWN: Final = "未注明"


class ReportError(YanpanError):
    """A file that is no result of scoring."""

    code = "report_invalid"


@dataclass(frozen=True, slots=True)
class Urgent:
    """A matter that needs action; `copies` rows say the same."""

    id: str
    level: str
    level_name: str
    response: str
    deadline: str
    owner: str
    reasons: str
    excerpt: str
    copies: int

    @property
    def told(self) -> str:
        """The excerpt, and how many rows say the same where there are several."""
        return f"{self.excerpt}（{self.copies} 条相同）" if self.copies > 1 else self.excerpt


@dataclass(slots=True)
class Figures:
    """What a report tells.

    Attributes:
        total: rows.
        as_of: the latest time of receipt; a report has no other time, so that the same rows give
            the same bytes.
        counts: title → Chinese name → rows; the titles in the order of the report.
        days: day of publication → rows.
        for_review: rows that a person should look at.
        urgent: what needs action, the most urgent first.
        failures: reason → rows that could not be scored.
        versions: models and policies that judged.
        seen: what is compared with the messages that the model was trained on.
        drift: how far they are from those, where the model tells.
    """

    total: int = 0
    as_of: str = ""
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    days: Counter[str] = field(default_factory=Counter)
    for_review: int = 0
    urgent: list[Urgent] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    seen: DriftCounter = field(default_factory=DriftCounter)
    drift: Mapping[str, Any] = field(default_factory=dict)


_FLAGS: Final = "要素"
_CHANNELS: Final = "来源"


def shorten(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis where it is longer.

    >>> shorten("路灯坏了", 4), shorten("路灯坏了三天", 4)
    ('路灯坏了', '路灯坏了…')
    """
    return text if len(text) <= most else f"{text[:most]}…"


def collect(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    names: Mapping[str, str],
    failures: Iterable[Mapping[str, Any]] = (),
) -> Figures:
    """Counts everything and keeps the most urgent.

    Args:
        rows: scored rows with the flat columns of `yanpan score`.
        columns: their columns.
        names: other names of columns → ours, as for scoring.
        failures: the lines of the list of errors.

    Raises:
        ReportError: the columns are not those of a scored file.
    """
    ours = {name: f"{PREFIX}{name}" if f"{PREFIX}{name}" in columns else name for name in _NEEDED}
    if missing := [name for name in ours.values() if name not in columns]:
        raise ReportError(
            f"缺少列 {'、'.join(missing)}。", "请用 yanpan score 输出的 .csv、.xlsx 或 .parquet。"
        )
    given = {field: column for column, field in names_of(columns, names).items()}
    figures = Figures(counts={title: Counter() for title in COUNTED})
    figures.counts |= {_FLAGS: Counter(), _CHANNELS: Counter()}
    kept: list[tuple[tuple[int, int, str], int, str, Mapping[str, Any]]] = []
    held: set[str] = set()  # events among the kept; of copies one is enough
    for number, row in enumerate(rows):
        figures.total += 1
        figures.as_of = max(figures.as_of, str(row[ours["assessed_at"]]))
        for title, column in COUNTED.items():
            figures.counts[title][str(row[ours[column]])] += 1
        flags = str(row.get(ours["flags_name"]) or "")
        figures.counts[_FLAGS].update(filter(None, flags.split("、")))
        channel = str(row.get(given.get("channel", ""), "") or _UNKNOWN)
        figures.counts[_CHANNELS][CHANNELS.get(channel, channel)] += 1
        if day := str(read_time(row.get(given.get("published_at", ""), "") or ""))[:10]:
            figures.days[day] += 1
        figures.for_review += str(row[ours["needs_review"]]).lower() in ("true", "1")
        figures.versions[f"{row[ours['model_version']]} · {row[ours['policy_version']]}"] += 1
        figures.seen.add(_see(row, ours, given.get("text")))
        value, kind = row[ours["response_value"]], row[ours["response_type"]]
        if value == "required" or (kind == "escalate" and value != NO_RESPONSE):
            event = str(row.get("event_id") or row.get(given.get("text", "")) or number)
            if event in held:
                continue
            held.add(event)
            heapq.heappush(kept, (_urgency(row, ours), -number, event, row))
            if len(kept) > MOST_URGENT:
                held.remove(heapq.heappop(kept)[2])
    ordered = [row for *_, row in sorted(kept, key=lambda item: item[:2], reverse=True)]
    figures.urgent = [_urgent(row, ours, given) for row in ordered]
    figures.failures.update(str(failure["reason"]) for failure in failures)
    return figures


_CONFIDENCES: Final = {
    f"{head}_confidence": head for head in ("topic", "sentiment", "intent", "response")
}
_NEEDED: Final = (
    *COUNTED.values(),
    "topic", "sentiment", "intent", *_CONFIDENCES, "flags", "flags_name", "risk_level",
    "risk_score", "response_type", "response_value", "first_deadline",
    "owner", "reasons", "needs_review", "model_version", "policy_version", "assessed_at",
)  # fmt: skip


def _see(row: Mapping[str, Any], ours: Mapping[str, str], text: str | None) -> Seen:
    kind, value = str(row[ours["response_type"]]), str(row[ours["response_value"]])
    labels = {head: str(row[ours[head]]) for head in ("topic", "sentiment", "intent")}
    labels["response"] = NO_RESPONSE if value == NO_RESPONSE else kind
    labels["risk"] = str(_LEVELS.get(str(row[ours["risk_level"]]), ""))
    confidences = {head: float(row[ours[column]]) for column, head in _CONFIDENCES.items()}
    flags = tuple(filter(None, str(row[ours["flags"]] or "").split(",")))
    length = len(str(row[text] or "")) if text is not None else None
    return Seen(labels, confidences, flags, length, None)


def _urgency(row: Mapping[str, Any], ours: Mapping[str, str]) -> tuple[int, int, str]:
    """The graver first, then the higher score, then the earlier deadline."""
    deadline = str(row.get(ours["first_deadline"]) or "9")
    earlier = "".join(chr(0x10FFFF - ord(character)) for character in deadline)
    level = _LEVELS.get(str(row[ours["risk_level"]]), 0)
    return level, int(float(row[ours["risk_score"]])), earlier


def _urgent(row: Mapping[str, Any], ours: Mapping[str, str], given: Mapping[str, str]) -> Urgent:
    text = " ".join(str(row.get(given.get("text", ""), "") or "").split())
    return Urgent(
        id=str(row.get(given.get("id", "id"), "") or ""),
        level=str(row[ours["risk_level"]]),
        level_name=str(row[ours["risk_name"]]),
        response=str(row[ours["response_name"]]),
        deadline=str(row.get(ours["first_deadline"]) or "")[:16].replace("T", " "),
        owner=str(row.get(ours["owner"]) or ""),
        reasons=str(row.get(ours["reasons"]) or ""),
        excerpt=shorten(_NUMBER.sub("＊＊＊", mask(text)), _EXCERPT),
        copies=int(float(row.get("duplicates") or 1)),
    )
