"""Every kind of file in, every kind out, the same assessments."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import yanpan

from service.batch.tables import open_table

ROWS = [
    {"编号": "a-1", "正文": "小区停水三天了，没人管！", "来源": "12345热线", "承办": "住建局"},
    {"编号": "a-2", "正文": '他说"等着"，\n再没下文', "来源": "微博", "承办": "=HYPERLINK(1)"},
    {"编号": "a-3", "正文": "谢谢工作人员，办得很快", "来源": "茶馆", "承办": "-1"},
]
HEADER = list(ROWS[0])
AT = "2026-01-05T08:30:00+08:00"


def as_csv(path: Path, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, HEADER, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def as_jsonl(path: Path) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) for row in ROWS)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def as_gzip(path: Path) -> Path:
    plain = as_jsonl(path.with_suffix(""))
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


def as_xlsx(path: Path) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "封面"
    sheet = book.create_sheet("来信")
    sheet.append(HEADER)
    for row in ROWS:
        sheet.append(list(row.values()))
        for cell in sheet[sheet.max_row]:
            cell.data_type = "s"
    book.save(path)
    return path


def as_parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "in.csv": as_csv,
    "bom.csv": lambda path: as_csv(path, "utf-8-sig"),
    "gb18030.csv": lambda path: as_csv(path, "gb18030"),
    "semicolons.csv": lambda path: as_csv(path, delimiter=";"),
    "in.tsv": lambda path: as_csv(path, delimiter="\t"),
    "in.jsonl": as_jsonl,
    "in.jsonl.gz": as_gzip,
    "in.xlsx": as_xlsx,
    "in.parquet": as_parquet,
}


def score(source: Path, output: Path, *options: str) -> str:
    if source.suffix == ".xlsx":
        options = (*options, "--sheet", "来信")
    ended = yanpan(
        "score", "--input", str(source), "--output", str(output), "--received-at", AT, *options
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("plain")
    score(as_jsonl(folder / "in.jsonl"), folder / "out.jsonl")
    return lines(folder / "out.jsonl")


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_input_gives_the_same_assessments(
    tmp_path: Path, expected: list[dict[str, Any]], name: str
) -> None:
    source = WRITERS[name](tmp_path / name)
    told = score(source, tmp_path / "out.jsonl")
    assert ("GB18030" in told) == name.startswith("gb")
    found = lines(tmp_path / "out.jsonl")
    assert [row["input"] for row in found] == ROWS
    for row, other in zip(found, expected, strict=True):
        assert {**row, "request_id": ""} == {**other, "request_id": ""}
    assert [row["id"] for row in found] == ["a-1", "a-2", "a-3"]


def read_csv(path: Path) -> list[dict[str, Any]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # else Excel takes it for GBK
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def read_xlsx(path: Path) -> list[dict[str, Any]]:
    sheet = openpyxl.load_workbook(path)["研判结果"]
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def read_parquet(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("out.csv", read_csv),
        ("out.tsv", read_csv),
        ("out.xlsx", read_xlsx),
        ("out.parquet", read_parquet),
    ],
)
def test_every_kind_of_output_has_the_columns_of_the_input_before_ours(
    tmp_path: Path,
    expected: list[dict[str, Any]],
    name: str,
    read: Callable[[Path], list[dict[str, Any]]],
) -> None:
    source = as_csv(tmp_path / "in.csv")
    score(source, tmp_path / name)
    found = read(tmp_path / name)
    assert list(found[0])[: len(HEADER) + 2] == [*HEADER, "id", "topic"]
    for row, given, assessment in zip(found, ROWS, expected, strict=True):
        assert row["正文"] == given["正文"]
        assert row["topic"] == assessment["topic"]["label"]
        assert float(row["topic_confidence"]) == assessment["topic"]["confidence"]
        assert row["risk_level"] == assessment["risk"]["level"]
        assert row["response_type"] == assessment["response"]["type"]
    score(source, tmp_path / f"bare{Path(name).suffix}", "--only-assessment")
    assert next(iter(read(tmp_path / f"bare{Path(name).suffix}")[0])) == "id"


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv"])
def test_an_output_named_gz_is_compressed_and_always_the_same_bytes(
    tmp_path: Path, kind: str
) -> None:
    source = as_csv(tmp_path / "in.csv")
    score(source, tmp_path / f"plain.{kind}")
    packed = []
    for name in ("one", "two"):
        output = tmp_path / f"{name}.{kind}.gz"
        score(source, output)
        packed.append(output.read_bytes())
        with open_table(str(output)) as table:
            assert len(list(table)) == len(ROWS)
    assert packed[0] == packed[1]
    assert gzip.decompress(packed[0]) == (tmp_path / f"plain.{kind}").read_bytes()


def test_a_column_that_no_row_fills_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("正文,备注,\n路灯坏了一个月没人修,,\n", encoding="utf-8")
    score(source, tmp_path / "out.csv")
    assert list(read_csv(tmp_path / "out.csv")[0])[:4] == ["正文", "备注", "列3", "id"]


def test_no_cell_starts_a_formula(tmp_path: Path) -> None:
    score(as_csv(tmp_path / "in.csv"), tmp_path / "out.csv")
    for row in read_csv(tmp_path / "out.csv"):
        assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in row.values())
    score(as_csv(tmp_path / "in.csv"), tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["研判结果"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet["D3"].value == "=HYPERLINK(1)"


def test_a_workbook_is_ready_to_be_read(tmp_path: Path) -> None:
    score(as_csv(tmp_path / "in.csv"), tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    sheet = book["研判结果"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.endswith("4")
    levels = [cell for cell in sheet[1] if cell.value == "risk_level"]
    assert sheet.cell(2, levels[0].column).fill.fgColor.rgb != "00000000"
    assert [cell.value for cell in book["汇总"][1]] == ["合计", 3]


def test_a_column_is_what_the_caller_says(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("诉求内容,标题\n路灯坏了一个月没人修,路灯\n", encoding="utf-8")
    ended = yanpan("score", "--input", str(source), "--output", str(tmp_path / "out.csv"))
    assert ended.returncode == 2
    assert "没有正文列" in ended.stderr
    assert "--map" in ended.stderr
    score(source, tmp_path / "out.csv", "--map", "诉求内容=text")
    assert read_csv(tmp_path / "out.csv")[0]["诉求内容"] == "路灯坏了一个月没人修"


def test_figures_and_times_are_read_as_people_write_them(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(
        "正文,阅读量,转发量,发现时间,superior_request\n"
        '路灯坏了一个月,"1,200,000",30,2026/1/5 8:30,是\n',
        encoding="utf-8",
    )
    score(source, tmp_path / "out.jsonl")
    found = lines(tmp_path / "out.jsonl")[0]
    assert found["risk"]["dimensions"]["reach"]["basis"] != "unknown"
    assert found["response"]["deadlines"]


STORY = "昨天晚上幸福小区三号楼停水，物业说是水泵坏了，等到今天中午还是没有人来修"


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_copies_of_a_text_are_counted_and_weigh_in_its_reach(tmp_path: Path, name: str) -> None:
    source = tmp_path / "in.csv"
    copies = [f"{n},{STORY}{'！' * (n % 3)}" for n in range(600)]
    rows = ["id,正文", "a,博物馆周一开门吗", *copies[:300], "", "b,", *copies[300:]]
    source.write_text("\n".join(rows), encoding="utf-8")
    output = tmp_path / name
    ended = yanpan("score", "--input", str(source), "--output", str(output), "--group-duplicates")
    assert "读入 602 条，研判 601 条，失败 1 条" in ended.stderr
    found = lines(output) if name.endswith("jsonl") else read_csv(output)
    assert (found[0]["event_id"], int(found[0]["duplicates"])) == ("E00000001", 1)
    assert {(row["event_id"], int(row["duplicates"])) for row in found[1:]} == {("E00000002", 600)}
    if name.endswith("jsonl"):
        reach = [row["risk"]["dimensions"]["reach"] for row in found]
        assert reach[0]["basis"] == "unknown"
        assert reach[1]["score"] > 0
    else:
        alone = score_one(tmp_path)
        assert int(found[1]["risk_score"]) > int(alone["risk_score"])


def score_one(tmp_path: Path) -> dict[str, Any]:
    source = tmp_path / "one.csv"
    source.write_text(f"id,正文\n1,{STORY}\n", encoding="utf-8")
    score(source, tmp_path / "one_out.csv")
    return read_csv(tmp_path / "one_out.csv")[0]


@pytest.mark.parametrize("name", ["in.doc", "in.xlsx.gz", "out"])
def test_a_kind_that_is_not_known_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    ended = yanpan("score", "--input", str(tmp_path / name), "--output", str(tmp_path / "out.csv"))
    assert ended.returncode == 2


@pytest.mark.parametrize("name", ["in.xlsx", "in.parquet", "in.csv.gz", "in.csv"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b\0" if name.endswith("gz") else b"")
    ended = yanpan("score", "--input", str(tmp_path / name), "--output", str(tmp_path / "out.csv"))
    assert ended.returncode == 2, ended.stderr
    assert name in ended.stderr
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.jsonl.gz", "in.xlsx", "in.parquet"])
def test_how_many_rows_there_are_is_told_once_all_are_read(tmp_path: Path, name: str) -> None:
    sheet = "来信" if name.endswith(".xlsx") else None
    with open_table(str(WRITERS[name](tmp_path / name)), sheet) as table:
        assert len(list(table)) == table.expect() == 3
