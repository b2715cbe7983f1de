"""A record of a file → a message, by the names of its columns."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from pydantic import ValidationError

from service.batch.table import Record
from service.core.labels import CHANNELS
from service.core.message import Message
from service.schemas import MediaIn, MessageIn, SpreadIn, describe_faults

CHINESE_FIELDS: Final[Mapping[str, str]] = {
    "内容": "text",
    "正文": "text",
    "留言详情": "text",
    "微博正文": "text",
    "标题": "title",
    "编号": "id",
    "来源": "channel",
    "链接": "url",
    "发布时间": "published_at",
    "发现时间": "found_at",
    "阅读量": "views",
    "转发量": "reposts",
    "评论量": "comments",
    "点赞量": "likes",
}
"""The Chinese names of fields that are understood without being told."""

_CHANNEL_KEYS: Final = {name: key for key, name in CHANNELS.items()}
_SPREAD: Final = tuple(SpreadIn.model_fields)
_MEDIA: Final = tuple(MediaIn.model_fields)
_NUMBERS: Final = {*_SPREAD, "reports", "involved_departments"}
_TRUTHS: Final = {"hot_search", "superior_request"}
_TIMES: Final = {"published_at", "found_at"}
_TRUTH_OF: Final = {
    word: truth
    for words, truth in (("true 是 1 yes y 有", True), ("false 否 0 no n 无", False))
    for word in words.split()
}
_WHOLE: Final = re.compile(r"\s*(\d{1,15})(?:\.0+)?\s*")
# As spreadsheets and forms write a time: 2026/1/5 8:30, 2026年1月5日
_TIME: Final = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[ T]+(\d{1,2})[:：](\d{1,2})(?:[:：](\d{1,2}))?)?"
)


def names_of(columns: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Which column is which of our fields: as chosen, else by its own name or a Chinese one."""
    named = {**CHINESE_FIELDS, **chosen}
    return {column: named.get(column, column) for column in columns}


def read_message(
    record: Record, chosen: Mapping[str, str], *, is_typed: bool
) -> tuple[Message | None, str]:
    """The message, or why there is none.

    Args:
        record: a row of a file.
        chosen: other names of columns → ours, before the Chinese ones.
        is_typed: whether values have the types of JSON; else cells are read as people write them.
    """
    if record.fields is None:
        return None, record.fault
    fields = _rename(record.fields, chosen)
    if not is_typed:
        fields = _typed(fields)
    fields.pop("store", None)  # of a request; a column of that name is a file's own affair
    try:
        return MessageIn.model_validate(fields).to_message(), ""
    except ValidationError as error:
        faults = describe_faults(error)
        return None, "；".join(f"{fault.pointer} {fault.detail}" for fault in faults)


def _rename(table: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    """The row under our names; a source in Chinese becomes its channel, an unknown one `other`."""
    names = names_of(list(table), chosen)
    fields: dict[str, Any] = {}
    for column, value in table.items():
        if names[column] == column or names[column] not in table:
            fields.setdefault(names[column], value)
    source = table.get("来源")
    if isinstance(source, str) and fields.get("channel") == source:
        fields["channel"] = source if source in CHANNELS else _CHANNEL_KEYS.get(source, "other")
    return fields


def _typed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Cells as the contract's values; figures of spread and media gathered into their objects."""
    typed: dict[str, Any] = {}
    for column, value in fields.items():
        name = column.removeprefix("spread.").removeprefix("media.")
        if name in _SPREAD:
            typed.setdefault("spread", {})[name] = _number(value)
        elif name in _MEDIA:
            of_media = _number(value) if name in _NUMBERS else _truth(value)
            typed.setdefault("media", {})[name] = value if name == "tier" else of_media
        elif name in _NUMBERS:
            typed[name] = _number(value)
        elif name in _TRUTHS:
            typed[name] = _truth(value)
        elif name in _TIMES:
            typed[name] = read_time(value)
        elif name in MessageIn.model_fields:
            typed[name] = value if isinstance(value, dict) else str(value)
    return typed


def _number(value: Any) -> Any:
    """A count as tables hold it: with commas between thousands, or as a fraction of nothing."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value
    whole = _WHOLE.fullmatch(value.replace(",", "").replace("，", ""))
    return int(whole[1]) if whole else value


def _truth(value: Any) -> Any:
    return _TRUTH_OF.get(str(value).strip().lower(), value)


def read_time(value: Any) -> Any:
    """A time as the contract writes it; what is none is left as it is.

    >>> read_time("2026/1/5 8:30")
    '2026-01-05T08:30:00'
    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return value
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
