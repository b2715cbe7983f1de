"""Real letters as an office exports them: XLSX with Chinese headers, GB18030, Parquet."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import yanpan

from training.corpora import read_texts

AT = "2026-01-05T08:30:00+08:00"
COLUMNS = ("编号", "留言详情", "来源")
Letters = Sequence[dict[str, str]]


@pytest.fixture(scope="module")
def letters(data: Path) -> Letters:
    texts = list(read_texts("letters_with_replies", data / "letters/letters_with_replies.parquet"))
    kept = [text for text in texts if text.encode("gb18030", "ignore").decode("gb18030") == text]
    return [
        dict(zip(COLUMNS, (f"信{n}", text, "网站信箱"), strict=True))
        for n, text in enumerate(kept[:400])
    ]


def as_xlsx(path: Path, letters: Letters) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(COLUMNS)
    for letter in letters:
        sheet.append(list(letter.values()))
    book.save(path)


def as_csv(path: Path, letters: Letters) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(letters)


def as_parquet(path: Path, letters: Letters) -> None:
    pq.write_table(pa.Table.from_pylist(list(letters)), path)


def test_letters_are_judged_alike_in_every_kind_of_file(letters: Letters, tmp_path: Path) -> None:
    writers: dict[str, Callable[[Path, Letters], None]] = {
        "in.xlsx": as_xlsx,
        "in.csv": as_csv,
        "in.parquet": as_parquet,
    }
    found = []
    for name, write in writers.items():
        write(tmp_path / name, letters)
        output = tmp_path / f"{name}.out.parquet"
        options = ["--received-at", AT, "--group-duplicates", "--report", f"{output}.html"]
        ended = yanpan("score", "--input", str(tmp_path / name), "--output", str(output), *options)
        assert ended.returncode == 0, ended.stderr
        assert f"读入 {len(letters)} 条，研判 {len(letters)} 条，失败 0 条" in ended.stderr
        found.append(pq.read_table(output).to_pylist())
        assert "先办事项" in Path(f"{output}.html").read_text(encoding="utf-8")
    assert found[0] == found[1] == found[2]
    assert [row["编号"] for row in found[0]] == [letter["编号"] for letter in letters]
