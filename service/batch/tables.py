"""Files of any kind → records, one after the other, whatever their size.

Text files are read by their bytes, a record at a time, so that a damaged record costs itself alone
and is told with the number of its line.
"""

import csv
import gzip
import io
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from pydantic_core import from_json

from service.core.errors import YanpanError

STANDARD_INPUT: Final = "-"
_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = {"csv": ",;\t", "tsv": "\t"}
# A quoted cell that goes on for so long was never closed; a message has 20,000 characters.
_MOST_LINES: Final = 500
_MOST_BYTES: Final = 200_000
_SHOWN: Final = 2_000  # characters of a raw record in the list of errors
_BATCH: Final = 1_000
# By the first word of what Python's reader says.
_CSV_FAULTS: Final = {"unexpected": "引号没有闭合。", "field": "有一格超过 131072 个字符。"}


class InputError(YanpanError):
    """A file that cannot be read as a table at all; the detail names it."""

    code = "input_invalid"


class Record(NamedTuple):
    """One row as it was read.

    Attributes:
        line: the line it begins on, or the number of its row in a sheet, from 1.
        raw: the row as it stood, shortened, for the list of errors.
        fields: column → value, or `None` where `fault` says why there are none.
        fault: what is wrong.
    """

    line: int
    raw: str
    fields: dict[str, Any] | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is being read.

    Attributes:
        kind: `jsonl`, `csv`, `tsv`, `xlsx` or `parquet`.
        columns: its header; of JSONL none is known beforehand.
        records: its rows, once.
        encoding: of text files.
        total: how many rows there are, where that is known without reading them.
    """

    kind: str
    columns: Sequence[str]
    records: Iterator[Record]
    encoding: str = ""
    total: int | None = None


def kind_of(name: str) -> str:
    """The kind of file by its name; standard input is JSONL.

    Raises:
        InputError: no kind that is known.

    >>> kind_of("来信.csv.gz"), kind_of("-")
    ('csv', 'jsonl')
    """
    if name == STANDARD_INPUT:
        return "jsonl"
    suffix = Path(name.lower().removesuffix(".gz")).suffix.removeprefix(".")
    kind = {"ndjson": "jsonl"}.get(suffix, suffix)
    if kind in ("xlsx", "parquet") and name.lower().endswith(".gz"):
        raise InputError(f"{name}：{kind} 不能再压缩为 .gz。", "请先解压。")
    if kind not in ("jsonl", "csv", "tsv", "xlsx", "parquet"):
        raise InputError(
            f"{name}：不认识的文件类型。", "可用 .jsonl .csv .tsv（及其 .gz）、.xlsx、.parquet。"
        )
    return kind


@contextmanager
def open_table(name: str, sheet: str | None = None) -> Iterator[Table]:
    """The table in a file, or on standard input where the name is `-`.

    Raises:
        InputError: the file is not of the kind that its name says, or has no such sheet.
    """
    kind = kind_of(name)
    with ExitStack() as stack:
        if kind == "xlsx":
            yield _open_xlsx(name, sheet, stack)
        elif kind == "parquet":
            yield _open_parquet(name)
        else:
            encoding = _detect_encoding(name)
            stream = stack.enter_context(_open_bytes(name))
            yield _TEXT_KINDS[kind](name, kind, stream, encoding)


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


def _open_jsonl(_name: str, kind: str, stream: BinaryIO, encoding: str) -> Table:
    return Table(kind, (), _read_jsonl(stream, encoding), encoding)


def _read_jsonl(stream: BinaryIO, encoding: str) -> Iterator[Record]:
    for number, line in enumerate(stream, 1):
        content = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if content:
            yield _parse_json(content, number, encoding)


def _parse_json(content: bytes, number: int, encoding: str) -> Record:
    raw = content.decode(encoding, errors="replace")
    shown = raw[:_SHOWN]
    try:
        fields = from_json(content if encoding == "utf-8" else raw)
    except ValueError as error:
        # Only the position is taken over: the parser's message may quote the line.
        column = str(error).rpartition("column ")[2]
        return Record(number, shown, None, f"不是有效的 JSON（第 {column} 列）。")
    if not isinstance(fields, dict):
        return Record(number, shown, None, "不是 JSON 对象。")
    return Record(number, shown, fields)


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
    columns = _distinct(cells)
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
        shown = raw.decode(encoding, errors="replace").rstrip("\r\n")[:_SHOWN]
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


def _distinct(cells: Sequence[Any]) -> list[str]:
    """Column names without spaces around them; an unnamed or repeated one gets a number."""
    columns: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = str(cell).strip() if cell is not None else ""
        name = name or f"列{place}"
        columns.append(f"{name}.{place}" if name in columns else name)
    return columns


_TEXT_KINDS: Final = {"jsonl": _open_jsonl, "csv": _open_delimited, "tsv": _open_delimited}


# --- sheets


def _open_xlsx(name: str, sheet: str | None, stack: ExitStack) -> Table:
    from openpyxl import load_workbook  # noqa: PLC0415 — slow to import, and only for sheets

    try:
        book = load_workbook(name, read_only=True, data_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged archive raises whatever it trips over
        raise InputError(
            f"{name}：不是有效的 XLSX 文件。", "请在 Excel 中另存为 .xlsx。"
        ) from error
    stack.callback(book.close)
    if sheet is not None and sheet not in book.sheetnames:
        names = "、".join(book.sheetnames)
        raise InputError(f"{name}：没有名为“{sheet}”的工作表。", f"现有：{names}。")
    page = book[sheet] if sheet is not None else book.worksheets[0]
    page.reset_dimensions()  # some programs write a wrong one, and rows would be lost
    rows = page.iter_rows(values_only=True)
    header = next(rows, None)
    if header is None:
        raise InputError(f"{name}：工作表是空的。", "第一行应为列名。")
    columns = _distinct(header)
    return Table("xlsx", columns, _read_rows(rows, columns))


def _read_rows(rows: Iterator[Sequence[Any]], columns: Sequence[str]) -> Iterator[Record]:
    for number, row in enumerate(rows, 2):
        cells = [int(v) if isinstance(v, float) and v.is_integer() else v for v in row]
        filled = [(place, cell) for place, cell in enumerate(cells) if cell not in (None, "")]
        if not filled:
            continue
        shown = "\t".join(str(cell) for _, cell in filled)[:_SHOWN]
        if filled[-1][0] >= len(columns):
            yield Record(number, shown, None, f"表头只有 {len(columns)} 列，这一行更多。")
        else:
            yield Record(number, shown, {columns[place]: cell for place, cell in filled})


# --- Parquet


def _open_parquet(name: str) -> Table:
    import pyarrow as pa  # noqa: PLC0415 — large, and only for Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(name)
    except pa.ArrowInvalid as error:
        raise InputError(f"{name}：不是有效的 Parquet 文件。", "请检查文件是否完整。") from error
    columns = file.schema_arrow.names
    return Table("parquet", columns, _read_parquet(file), total=file.metadata.num_rows)


def _read_parquet(file: Any) -> Iterator[Record]:
    number = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        for row in batch.to_pylist():
            number += 1
            fields = {column: value for column, value in row.items() if value is not None}
            yield Record(number, str(fields)[:_SHOWN], fields)


def chunks(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    """The records in lists of a size, the last one shorter."""
    while chunk := list(islice(records, size)):
        yield chunk
