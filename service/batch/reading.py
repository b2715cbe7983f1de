"""Lines of a batch file → messages, or the reason why not."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError
from pydantic_core import from_json

from service.core.labels import CHANNELS
from service.core.message import Message
from service.schemas import MessageIn, describe_faults

_BOM = b"\xef\xbb\xbf"
CHINESE_FIELDS: Final[Mapping[str, str]] = {
    "内容": "text",
    "正文": "text",
    "留言详情": "text",
    "微博正文": "text",
    "标题": "title",
    "编号": "id",
    "来源": "channel",
    "发布时间": "published_at",
}
"""The Chinese names of fields that are understood without being told."""
_CHANNEL_KEYS = {name: key for key, name in CHANNELS.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the input.

    Attributes:
        line: its number, from 1.
        raw: the line as it stood, for the list of errors.
        message: the message, or `None` where `reason` says what is wrong.
    """

    line: int
    raw: str
    message: Message | None
    reason: str = ""


def open_input(name: str) -> BinaryIO:
    """The bytes of a file, or of standard input where the name is `-`."""
    return sys.stdin.buffer if name == "-" else Path(name).open("rb")


def read_jsonl(stream: BinaryIO, names: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a JSONL stream; blank lines are no rows, bad ones are rows with a reason.

    Args:
        stream: UTF-8 bytes, with or without a byte order mark.
        names: other names of fields → ours, for example `{"内容": "text"}`.
    """
    for number, line in enumerate(stream, 1):
        content = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if content:
            yield _parse(content, number, names)


def _parse(content: bytes, number: int, names: Mapping[str, str]) -> Row:
    raw = content.decode("utf-8", errors="replace")
    try:
        table = from_json(content)
    except ValueError as error:
        # Only the position is taken over: the parser's message may quote the line.
        column = str(error).rpartition("column ")[2]
        return Row(number, raw, None, f"不是有效的 JSON（第 {column} 列）。")
    if not isinstance(table, dict):
        return Row(number, raw, None, "不是 JSON 对象。")
    try:
        return Row(number, raw, MessageIn.model_validate(_rename(table, names)).to_message())
    except ValidationError as error:
        faults = describe_faults(error)
        return Row(number, raw, None, "；".join(f"{f.pointer} {f.detail}" for f in faults))


def _rename(table: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    """The row under our names; a source in Chinese becomes its channel, an unknown one `other`."""
    fields = {names.get(key, key): value for key, value in table.items()}
    source = table.get("来源")
    if isinstance(source, str) and fields.get("channel") == source:
        fields["channel"] = source if source in CHANNELS else _CHANNEL_KEYS.get(source, "other")
    return fields
