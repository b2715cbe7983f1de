"""Lines of JSON and cells parted by commas or tabs → records.

Text files are read by their bytes, a record at a time, so that a damaged record costs itself alone
and is told with the number of its line.
"""

import csv
import gzip
import io
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from pydantic_core import from_json

from service.batch.table import (
    STANDARD_INPUT,
    InputError,
    Record,
    Table,
    distinct_columns,
)

_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = {"csv": ",;\t", "tsv": "\t"}
# A quoted cell that goes on for so long was never closed; a message has 20,000 characters.
_MOST_LINES: Final = 500
_MOST_BYTES: Final = 200_000
# By the first word of what Python's reader says.
_CSV_FAULTS: Final = {"unexpected": "引号没有闭合。", "field": "有一格超过 131072 个字符。"}


@contextmanager
def open_text(name: str, kind: str) -> Iterator[Table]:
    """The table in a file of lines, or on standard input.

    Raises:
        InputError: it has no header, or its compression is damaged.
    """
    encoding = _detect_encoding(name)
    with _open_bytes(name) as stream:
        if kind == "jsonl":
            table = Table(kind, (), _read_jsonl(stream, encoding), encoding)
        else:
            table = _open_delimited(name, kind, stream, encoding)
        yield table if name == STANDARD_INPUT else replace(table, share=_share(name, stream))


def _share(name: str, stream: BinaryIO) -> Callable[[], float]:
    """Tells how much of a file has been read; of a compressed one, of its compressed bytes."""
    size = Path(name).stat().st_size
    raw = getattr(getattr(stream, "raw", None), "fileobj", stream)
    return lambda: raw.tell() / size if size else 0.0


def _open_bytes(name: str) -> BinaryIO:
    if name == STANDARD_INPUT:
        return sys.stdin.buffer
    if name.lower().endswith(".gz"):
        return io.BufferedReader(gzip.open(name))
    return Path(name).open("rb")


def _detect_encoding(name: str) -> str:
    """UTF-8, or GB18030 where more lines are that; one whole reading, because one line can tell."""
    if name == STANDARD_INPUT:
        return "utf-8"
    of_utf_8 = others = 0
    with _open_bytes(name) as stream:
        try:
            for line in stream:
                if line.isascii():
                    continue
                try:
                    line.decode("utf-8")
                    of_utf_8 += 1
                except UnicodeDecodeError:
                    others += 1
        except (OSError, EOFError) as error:
            raise InputError(f"{name}：压缩数据有误或不完整。", "请重新传送或解压。") from error
    return "gb18030" if others > of_utf_8 else "utf-8"


# --- lines of JSON


def _read_jsonl(stream: BinaryIO, encoding: str) -> Iterator[Record]:
    for number, line in enumerate(stream, 1):
        content = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if content:
            yield _parse_json(content, number, encoding)


def _parse_json(content: bytes, number: int, encoding: str) -> Record:
    raw = content.decode(encoding, errors="replace")
    try:
        fields = from_json(content if encoding == "utf-8" else raw)
    except ValueError as error:
        # Only the position is taken over: the parser's message may quote the line.
        column = str(error).rpartition("column ")[2]
        return Record(number, raw, None, f"不是有效的 JSON（第 {column} 列）。")
    if not isinstance(fields, dict):
        return Record(number, raw, None, "不是 JSON 对象。")
    return Record(number, raw, fields)


# --- cells parted by commas or tabs


def _open_delimited(name: str, kind: str, stream: BinaryIO, encoding: str) -> Table:
    lines = _Lines(stream)
    first = lines.take()
    header = first.removeprefix(_BOM).decode(encoding, errors="replace")
    delimiter = max(_DELIMITERS[kind], key=header.count)
    lines.put_back([header.encode(encoding, errors="replace")])
    cells, fault = _take_cells(lines, encoding, delimiter)[2:] if first else ([], "empty")
    if fault or not cells:
        raise InputError(f"{name}：第一行不是表头。", "请在第一行写列名，其中一列为 text 或正文。")
    columns = distinct_columns(cells)
    return Table(kind, columns, _read_cells(lines, columns, encoding, delimiter), encoding)


class _Lines:
    """The lines of a stream, which may be put back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: deque[bytes] = deque()
        self.number = 0  # of the line that was taken last

    def take(self) -> bytes:
        """The next line with its end, or nothing at the end of the stream."""
        line = self._waiting.popleft() if self._waiting else self._stream.readline()
        self.number += bool(line)
        return line

    def put_back(self, lines: Sequence[bytes]) -> None:
        """The last lines taken will be taken again."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)


def _read_cells(
    lines: _Lines, columns: Sequence[str], encoding: str, delimiter: str
) -> Iterator[Record]:
    while True:
        number, raw, cells, fault = _take_cells(lines, encoding, delimiter)
        if not raw:
            return
        if not fault and len(cells) > len(columns):
            fault = f"有 {len(cells)} 格，表头只有 {len(columns)} 列。"
        shown = raw.decode(encoding, errors="replace").rstrip("\r\n")
        if fault:
            yield Record(number, shown, None, fault)
        elif any(cells):
            # A short row lacks its last cells; an empty cell is an unknown value.
            yield Record(number, shown, {c: v for c, v in zip(columns, cells) if v})  # noqa: B905


def _take_cells(lines: _Lines, encoding: str, delimiter: str) -> tuple[int, bytes, list[str], str]:
    """The next record: its line, bytes, cells and fault; no bytes at the end.

    A record may span lines. Where its quotes do not close within reason, or it is damaged, its
    first line alone is given up, and reading goes on with the next.
    """
    held = [lines.take()]
    number, size, quotes = lines.number, len(held[0]), held[0].count(b'"')
    while quotes % 2 and len(held) < _MOST_LINES and size < _MOST_BYTES and (one := lines.take()):
        held.append(one)
        size += len(one)
        quotes += one.count(b'"')
    used, cells, fault = 1, list[str](), ""
    texts = list(_decoded(held, encoding))
    if not texts:
        fault = f"编码与全文（{encoding}）不一致。"
    try:
        reader = csv.reader(texts, delimiter=delimiter, strict=True)
        cells = next(reader, [])
        used = max(reader.line_num, 1)
    except csv.Error as error:
        fault = _CSV_FAULTS.get(str(error).split()[0], "引号或分隔符有误。")
    lines.put_back(held[used:])
    raw = b"".join(held[:used])
    if b"\0" in raw:
        fault = "含有空字符（NUL）。"
    return number, raw, cells, fault


def _decoded(lines: Sequence[bytes], encoding: str) -> Iterator[str]:
    """The lines as text, up to the first that is not of the encoding."""
    for line in lines:
        try:
            yield line.decode(encoding)
        except UnicodeDecodeError:
            return
