"""Damaged files: nothing is lost, and a good row beside a bad one is still read."""

import contextlib
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import yanpan
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from service.batch.table import InputError, Record
from service.batch.tables import open_table

GOOD = "id-{},路灯坏了三个月没人修"
# Lines without their ends: any bytes, and what breaks readers of cells.
HOSTILE = st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")) | (
    st.text('",a路;=\t\0', max_size=12).map(str.encode)
)


def read(content: bytes, name: str = "in.csv") -> list[Record]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with open_table(str(path)) as table:
            return list(table)


@settings(deadline=None)
@given(st.lists(HOSTILE, max_size=8))
def test_no_line_of_cells_is_lost_whatever_stands_beside_it(hostile: list[bytes]) -> None:
    lines = [b"id,text"]
    for number, line in enumerate(hostile):
        lines += [line, GOOD.format(number).encode()]
    records = read(b"\n".join(lines))
    shown = "\n".join(record.raw for record in records)
    for number in range(len(hostile)):
        assert GOOD.format(number) in shown
    numbers = [record.line for record in records]
    assert numbers == sorted(set(numbers))
    assert all(record.fault or record.fields for record in records)


@settings(deadline=None)
@given(st.lists(HOSTILE.filter(lambda b: b'"' not in b), max_size=8))
def test_without_quotes_every_good_row_is_read_as_itself(hostile: list[bytes]) -> None:
    lines = [b"id,text"]
    for number, line in enumerate(hostile):
        lines += [line, GOOD.format(number).encode()]
    records = read(b"\n".join(lines))
    texts = {r.fields.get("id"): r.fields.get("text") for r in records if r.fields}
    for number in range(len(hostile)):
        assert texts[f"id-{number}"] == "路灯坏了三个月没人修"


@settings(deadline=None)
@given(st.lists(HOSTILE, max_size=8))
def test_every_line_of_json_that_is_not_blank_is_a_record(hostile: list[bytes]) -> None:
    good = json.dumps({"text": "路灯坏了"}).encode()
    lines = [line for bad in hostile for line in (bad, good)]
    records = read(b"\n".join(lines), "in.jsonl")
    assert len(records) == sum(bool(line.strip()) for line in lines) - (
        bool(lines) and lines[0].strip() == b"\xef\xbb\xbf"
    )
    assert sum(record.fields == {"text": "路灯坏了"} for record in records) >= len(hostile)


CELLS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.text("路灯坏了=<&;_x000D_\n", max_size=9)
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, max_size=4), max_size=6))
def test_every_row_of_a_sheet_that_holds_anything_is_a_record(rows: list[list[Any]]) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["编号", "正文", "备注"])
    for row in rows:
        for place, value in enumerate(row, 1):
            cell = sheet.cell(sheet.max_row + (place == 1), place, value)
            cell.data_type = "s" if isinstance(value, str) else cell.data_type
    content = io.BytesIO()
    book.save(content)
    records = read(content.getvalue(), "in.xlsx")
    filled = [row for row in rows if any(cell not in (None, "") for cell in row)]
    assert len(records) == len(filled)
    for record, row in zip(records, filled, strict=True):
        assert bool(record.fault) == (len(row) == 4 and row[3] not in (None, ""))


def sheet_of(rows: int) -> bytes:
    book = Workbook()
    for number in range(rows):
        book.worksheets[0].append([f"编号{number}", "正文"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def parquet_of(rows: int) -> bytes:
    content = io.BytesIO()
    table = pa.table({"text": [f"路灯坏了{n}" for n in range(rows)]})
    pq.write_table(table, content, row_group_size=100)
    return content.getvalue()


DAMAGED = {"in.xlsx": sheet_of(400), "in.parquet": parquet_of(400)}


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(DAMAGED)), st.data())
def test_a_damaged_file_is_refused_or_read_but_never_trips(name: str, data: st.DataObject) -> None:
    whole = DAMAGED[name]
    places = st.integers(0, len(whole) - 1)
    content = bytearray(whole)
    for place in data.draw(st.lists(places, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.just(len(whole)) | places)]
    with contextlib.suppress(InputError):
        assert len(read(bytes(content), name)) <= 400


def test_a_quote_that_is_never_closed_costs_its_own_line() -> None:
    content = '编号,正文\n1,"没有闭合\n2,路灯坏了\n3,停水了\n'
    bad, *good = read(content.encode())
    assert (bad.line, bad.fault) == (2, "引号没有闭合。")
    assert [record.fields for record in good] == [
        {"编号": "2", "正文": "路灯坏了"},
        {"编号": "3", "正文": "停水了"},
    ]


def test_a_quote_inside_a_cell_is_a_character() -> None:
    records = read('编号,正文\n1,5" 的管子坏了\n2,停水了\n'.encode())
    assert [record.fields for record in records] == [
        {"编号": "1", "正文": '5" 的管子坏了'},
        {"编号": "2", "正文": "停水了"},
    ]


def test_a_row_in_another_encoding_is_told() -> None:
    content = "编号,正文\n1,路灯坏了\n".encode() + "2,停水了\n".encode("gb18030")
    good, bad = read(content)
    assert good.fields == {"编号": "1", "正文": "路灯坏了"}
    assert "编码" in bad.fault


def test_cells_of_the_same_or_no_name_keep_apart() -> None:
    (record,) = read("正文,备注,备注,\n甲,乙,丙,丁\n".encode())
    assert record.fields == {"正文": "甲", "备注": "乙", "备注.3": "丙", "列4": "丁"}


@pytest.mark.parametrize("content", [b"", b"\n", b'"never closed'])
def test_a_file_without_a_header_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        read(content)


def test_bad_rows_of_every_sort_are_listed_and_counted(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    rows = [
        "id,text,转发量",
        "1,路灯坏了三个月没人修,3",
        "2,,",
        f"3,{'长' * 20_001},",
        "4,路灯坏了,很多",
        "5,路灯\0坏了,",
        "6,路灯坏了,1,2",
        '7,"没有闭合,1',
        "8,路灯还是坏的,",
    ]
    content = "\n".join(rows).encode() + b"\n9," + "停水了\n".encode("gb18030")
    source.write_bytes(content)
    output = tmp_path / "out.csv"
    ended = yanpan("score", "--input", str(source), "--output", str(output))
    assert ended.returncode == 1
    assert "读入 9 条，研判 2 条，失败 7 条" in ended.stderr
    errors = output.with_name("out.csv.errors.jsonl").read_text(encoding="utf-8").splitlines()
    listed = [json.loads(row) for row in errors]
    reasons = {row["line"]: row["reason"] for row in listed}
    assert listed[1]["row"] == rows[3]  # whole, however long
    assert sorted(reasons) == [3, 4, 5, 6, 7, 8, 10]
    for line, word in {
        3: "text",
        4: "20000",
        5: "整数",
        6: "空字符",
        7: "格",
        8: "引号",
        10: "编码",
    }.items():
        assert word in reasons[line], reasons[line]


def test_a_workbook_whose_directory_lies_beyond_its_end_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "in.xlsx"
    book = Workbook()
    book.worksheets[0].append(["text"])
    book.worksheets[0].append(["路灯坏了"])
    book.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + b"\x01" + whole[-3:])
    ended = yanpan("score", "--input", str(path), "--output", str(tmp_path / "out.csv"))
    assert ended.returncode == 2
    assert "不是有效的 XLSX" in ended.stderr
