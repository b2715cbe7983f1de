"""Assessed rows → a file of any kind; the same rows give the same bytes."""

import csv
import gzip
import json
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from service.batch.flat import COUNTED, INPUT, column_names, row_of
from service.batch.table import InputError

_BATCH: Final = 10_000
_MOST_SHEET_ROWS: Final = 1_048_575  # of a worksheet, below the header
_MOST_CELL: Final = 32_767  # characters, the limit of the format
# What makes a spreadsheet take a cell for a formula, in both widths.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_COLOURS: Final = {"low": "DDEBF7", "medium": "FFF2CC", "high": "FCE4D6", "critical": "F8CBAD"}
_WIDE: Final = 60
_NARROW: Final = 14
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can hold
_MODIFIED: Final = re.compile(rb"(<dcterms:(?:modified|created)[^>]*>)[^<]*")

Names = Mapping[str, str]  # of our columns in the file
Rows = Iterable[Mapping[str, Any]]


def write_output(
    path: Path, kind: str, lines: Iterable[bytes], columns: Sequence[str], *, has_events: bool
) -> int:
    """Writes all rows; how many there were.

    Args:
        path: the file to write.
        kind: `jsonl`, `csv`, `tsv`, `xlsx` or `parquet`.
        lines: the rows, each a line of JSON: a whole assessment for JSONL, else a flat row.
        columns: those of the input that are kept, for all kinds but JSONL.
        has_events: whether the rows have an event and a number of copies.
    """
    written = 0

    def counted() -> Iterator[bytes]:
        nonlocal written
        for line in lines:
            written += 1
            yield line

    if kind == "jsonl":
        with path.open("wb") as file:
            file.writelines(counted())
    else:
        names = column_names(columns, has_events=has_events)
        _WRITERS[kind](path, columns, names, map(orjson.loads, counted()))
    return written


def compress(path: Path) -> None:
    """The same file as gzip, without name and time, so that the same rows give the same bytes."""
    draft = path.with_name(f"{path.name}.draft")
    with (
        path.open("rb") as plain,
        draft.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed)
    draft.replace(path)


def check_rows(kind: str, rows: int) -> None:
    """Refuses more rows than a worksheet can hold, as soon as there are.

    Raises:
        InputError: there are.
    """
    if kind == "xlsx" and rows > _MOST_SHEET_ROWS:
        raise InputError(
            f"超过一个工作表的 {_MOST_SHEET_ROWS} 行。",
            "请删除未完成的运行，输出为 .csv 或 .parquet。",
        )


def collect_columns(lines: Iterable[bytes]) -> list[str]:
    """All columns of the input that rows hold, in the order in which they first occur."""
    columns: dict[str, None] = {}
    for line in lines:
        columns.update(dict.fromkeys(orjson.loads(line).get(INPUT, ())))
    return list(columns)


def _plain(value: Any) -> Any:
    """A value as a cell: lists and tables become JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _write_csv(path: Path, columns: Sequence[str], names: Names, rows: Rows) -> None:
    _write_delimited(path, columns, names, rows, ",")


def _write_tsv(path: Path, columns: Sequence[str], names: Names, rows: Rows) -> None:
    _write_delimited(path, columns, names, rows, "\t")


def _write_delimited(
    path: Path, columns: Sequence[str], names: Names, rows: Rows, delimiter: str
) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark is for Excel
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(map(_harmless, [*columns, *names.values()]))
        for row in rows:
            writer.writerow([_harmless(_plain(v)) for v in row_of(row, columns, names)])


def _harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula.

    >>> _harmless("=1+1"), _harmless("正常"), _harmless(-5)
    ("'=1+1", '正常', "'-5")
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else value


def _write_parquet(path: Path, columns: Sequence[str], names: Names, rows: Rows) -> None:
    import pyarrow as pa  # noqa: PLC0415 — large, and only for Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415

    # The input's columns as text, because a later row may hold what no earlier one did.
    types = {**dict.fromkeys(columns, pa.string()), **dict.fromkeys(names.values(), pa.string())}
    for ours, kind in _TYPES.items():
        if ours in names:
            types[names[ours]] = getattr(pa, kind)()
    schema = pa.schema(types)
    rows = iter(rows)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := [row_of(row, columns, names) for row in islice(rows, _BATCH)]:
            cells = [
                _as_texts(values) if schema.field(n).type == pa.string() else values
                for n, values in enumerate(zip(*batch, strict=True))
            ]
            writer.write_table(pa.table(cells, schema=schema))


_TYPES: Final = {
    **dict.fromkeys(
        ("topic_confidence", "sentiment_confidence", "intent_confidence", "response_confidence"),
        "float64",
    ),
    "risk_score": "int64",
    "duplicates": "int64",
    "needs_verification": "bool_",
    "needs_review": "bool_",
}


def _as_texts(values: Sequence[Any]) -> Sequence[str | None]:
    if set(map(type, values)) <= {str, type(None)}:  # as nearly all are
        return values
    return [None if value is None else str(_plain(value)) for value in values]


def _write_xlsx(path: Path, columns: Sequence[str], names: Names, rows: Rows) -> None:
    from openpyxl import Workbook  # noqa: PLC0415 — slow to import, and only for sheets
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    header = [*columns, *names.values()]
    book = Workbook(write_only=True)
    sheet = book.create_sheet("研判结果")
    sheet.freeze_panes = "A2"
    for place, name in enumerate(header, 1):
        is_wide = names["reasons"] == name or place <= len(columns)
        sheet.column_dimensions[get_column_letter(place)].width = _WIDE if is_wide else _NARROW
    sheet.append([_cell(sheet, name, is_bold=True) for name in header])
    coloured = [header.index(names[one]) for one in ("risk_level", "risk_name")]
    counts: dict[str, Counter[str]] = {title: Counter() for title in COUNTED}
    for row in rows:
        values = row_of(row, columns, names)
        colour = _COLOURS[row["risk_level"]]
        sheet.append(
            [
                _cell(sheet, value, colour=colour if place in coloured else "")
                for place, value in enumerate(values)
            ]
        )
        for title, ours in COUNTED.items():
            counts[title][values[header.index(names[ours])]] += 1
    written = next(iter(counts.values())).total()
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{written + 1}"
    _write_summary(book.create_sheet("汇总"), written, counts)
    draft = path.with_name(f"{path.name}.draft")
    book.save(draft)
    make_timeless(draft, path)
    draft.unlink()


def _write_summary(sheet: Any, rows: int, counts: Mapping[str, Counter[str]]) -> None:
    sheet.append([_cell(sheet, "合计", is_bold=True), _cell(sheet, rows)])
    for title, counted in counts.items():
        sheet.append([])
        sheet.append([_cell(sheet, title, is_bold=True), _cell(sheet, "条数", is_bold=True)])
        for name, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
            sheet.append([_cell(sheet, name), _cell(sheet, count)])


def _cell(sheet: Any, value: Any, *, is_bold: bool = False, colour: str = "") -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 — see above
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    made = WriteOnlyCell(sheet, "")
    plain = _plain(value)
    if isinstance(plain, str):
        made.value = ILLEGAL_CHARACTERS_RE.sub("", plain)[:_MOST_CELL]
        made.data_type = "s"  # never a formula, whatever it begins with
    else:
        made.value = plain
    if is_bold:
        made.font = _bold()
    if colour:
        made.fill = _fill(colour)
    return made


@cache
def _bold() -> Any:
    from openpyxl.styles import Font  # noqa: PLC0415

    return Font(bold=True)


@cache
def _fill(colour: str) -> Any:
    from openpyxl.styles import PatternFill  # noqa: PLC0415

    return PatternFill("solid", fgColor=colour)


def make_timeless(draft: Path | BinaryIO, path: Path) -> None:
    """The same office document without the times of its making."""
    made = datetime(*_EPOCH[:3]).isoformat()  # noqa: DTZ001 — a constant, not a time of anything
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with old.open(name) as source, new.open(entry, "w", force_zip64=True) as target:
                if name == "docProps/core.xml":
                    target.write(_MODIFIED.sub(rb"\g<1>" + made.encode() + b"Z", source.read()))
                else:
                    while block := source.read(1 << 20):
                        target.write(block)


_WRITERS: Final = {
    "csv": _write_csv,
    "tsv": _write_tsv,
    "parquet": _write_parquet,
    "xlsx": _write_xlsx,
}
