"""Files of any kind → records, one after the other, whatever their size."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, TypeVar

from service.batch.table import STANDARD_INPUT, InputError, Record, Table, distinct_columns
from service.batch.text_tables import open_text

_Row = TypeVar("_Row")
_BATCH: Final = 1_000  # rows of a Parquet file held at once


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
            yield stack.enter_context(open_text(name, kind))


# --- sheets


def _open_xlsx(name: str, sheet: str | None, stack: ExitStack) -> Table:
    from openpyxl import load_workbook  # noqa: PLC0415 — slow to import, and only for sheets

    # The stack closes it; of a damaged one the reader would not.
    file = stack.enter_context(Path(name).open("rb"))  # noqa: SIM115
    with _told_as_damage(f"{name}：不是有效的 XLSX 文件。", "请在 Excel 中另存为 .xlsx。"):
        book = load_workbook(file, read_only=True, data_only=True)
    stack.callback(book.close)
    if sheet is not None and sheet not in book.sheetnames:
        names = "、".join(book.sheetnames)
        raise InputError(f"{name}：没有名为“{sheet}”的工作表。", f"现有：{names}。")
    page = book[sheet] if sheet is not None else book.worksheets[0]
    told = page.max_row
    page.reset_dimensions()  # some programs write a wrong one, and rows would be lost
    rows = _guard(page.iter_rows(values_only=True), name)
    header = next(rows, None)
    if header is None:
        raise InputError(f"{name}：工作表是空的。", "第一行应为列名。")
    columns = distinct_columns(header)
    return Table("xlsx", columns, _read_rows(rows, columns), total=told and told - 1)


def _read_rows(rows: Iterator[Sequence[Any]], columns: Sequence[str]) -> Iterator[Record]:
    for number, row in enumerate(rows, 2):
        cells = [int(v) if isinstance(v, float) and v.is_integer() else v for v in row]
        filled = [(place, cell) for place, cell in enumerate(cells) if cell not in (None, "")]
        if not filled:
            continue
        shown = "\t".join(str(cell) for _, cell in filled)
        if filled[-1][0] >= len(columns):
            yield Record(number, shown, None, f"表头只有 {len(columns)} 列，这一行更多。")
        else:
            yield Record(number, shown, {columns[place]: cell for place, cell in filled})


# --- Parquet


def _open_parquet(name: str) -> Table:
    import pyarrow.parquet as pq  # noqa: PLC0415 — large, and only for Parquet

    with _told_as_damage(f"{name}：不是有效的 Parquet 文件。", "请检查文件是否完整。"):
        file = pq.ParquetFile(name)
        columns = file.schema_arrow.names
    rows = _guard(_read_parquet(file), name)
    return Table("parquet", columns, _records_of(rows), total=file.metadata.num_rows)


def _read_parquet(file: Any) -> Iterator[dict[str, Any]]:
    # Group by group: a reader of all groups at once keeps what it has read until its end.
    for group in range(file.num_row_groups):
        for batch in file.iter_batches(batch_size=_BATCH, row_groups=[group]):
            yield from batch.to_pylist()


def _records_of(rows: Iterator[dict[str, Any]]) -> Iterator[Record]:
    for number, row in enumerate(rows, 1):
        fields = {column: value for column, value in row.items() if value is not None}
        yield Record(number, str(fields), fields)


# --- damage


@contextmanager
def _told_as_damage(detail: str, hint: str) -> Iterator[None]:
    """What a reader trips over in a damaged file, of any kind, as an error that names the file."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the system's, which tells of the file itself; EINVAL is of a place it has not
        raise InputError(detail, hint) from error


def _guard(rows: Iterator[_Row], name: str) -> Iterator[_Row]:
    """The same rows, until the file is found to be damaged."""
    for number in count(1):
        with _told_as_damage(f"{name}：读到第 {number} 行时发现文件已损坏。", "请换一份完好的。"):
            row = next(rows, None)
        if row is None:
            return
        yield row


def chunks(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    """The records in lists of a size, the last one shorter."""
    while chunk := list(islice(records, size)):
        yield chunk
