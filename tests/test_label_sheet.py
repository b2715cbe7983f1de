"""Spreadsheets of labels: filled in by people, brought into the store, and out again as samples."""

import json
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from commands import yanpan

from service.batch.table import InputError
from service.core.labels import FLAGS, TOPIC
from service.label_sheet import LabelRow, read_sheet, write_sheet


def sheet(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def read(path: Path) -> list[LabelRow]:
    return list(read_sheet(path, annotator="默认", names={}))


def test_chinese_names_and_keys_are_both_labels(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["编号", "正文", "话题", "情感", "风险等级", "要素", "标注人", "理由"],
        ["1", "路灯坏了", "交通出行", "negative", 2, "未成年人、传闻", "甲", "误判"],
        ["2", "停水了", "urban_rural", None, "较大", "无", None, None],
        ["3", "没填的", None, None, None, None, "甲", None],
    ]
    first, second, third = read(sheet(tmp_path / "in.xlsx", rows))
    assert first.correction is not None
    assert second.correction is not None
    assert first.correction.labels == {
        "topic": "transport",
        "sentiment": "negative",
        "risk": "2",
        "flags": ["minor", "hearsay"],
    }
    assert (first.correction.annotator, second.correction.annotator) == ("甲", "默认")
    assert second.correction.labels == {"topic": "urban_rural", "risk": "2", "flags": []}
    assert (third.correction, third.fault) == (None, "")


def test_a_label_that_is_none_is_told_with_the_nearest(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["正文", "话题", "伤亡"],
        ["路灯坏了", "交通出行行", None],
        ["停水了", None, "也许"],
    ]
    first, second = read(sheet(tmp_path / "in.xlsx", rows))
    assert "是否想写 交通出行" in first.fault
    assert "伤亡应填 是 或 否" in second.fault


@pytest.mark.parametrize("header", [["内容x", "话题"], ["正文", "话题x"]])
def test_a_sheet_without_texts_or_labels_is_refused(tmp_path: Path, header: list[str]) -> None:
    with pytest.raises(InputError, match="没有"):
        read(sheet(tmp_path / "in.xlsx", [header, ["路灯坏了", "交通出行"]]))


def test_a_sheet_to_fill_in_offers_the_labels_and_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_sheet(path, [{"编号": "1", "正文": "=路灯坏了"}, {"编号": "2", "正文": "停水了"}])
    book = openpyxl.load_workbook(path)
    page = book["标注"]
    header = [cell.value for cell in page[1]]
    assert header[:3] == ["编号", "正文", "话题"]
    choices = {str(rule.sqref): rule.formula1 for rule in page.data_validations.dataValidation}
    assert choices["C2:C3"] == f"标签!$A$2:$A${len(TOPIC) + 1}"
    assert len(choices) == 5 + len(FLAGS)
    offered = [cell.value for cell in book["标签"]["A"]]
    assert offered == ["话题", *TOPIC.values()]
    assert page["B2"].data_type == "s"  # no formula
    page["C2"] = "交通出行"
    page.cell(2, header.index("伤亡") + 1, "是")
    book.save(path)
    first, second = read(path)
    assert first.correction is not None
    assert first.correction.labels == {"topic": "transport", "flags": ["casualty"]}
    assert second == LabelRow(3, None)


def test_from_a_sheet_to_samples_and_where_annotators_disagree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YANPAN_DATABASE_URL", f"sqlite:///{tmp_path / 'yanpan.db'}")
    rows: list[list[object]] = [
        ["正文", "话题", "情感", "标注人"],
        ["路灯坏了，电话13800138000", "交通出行", "负面", "甲"],
        ["路灯坏了，电话13800138000", "交通出行", "中性", "乙"],
        ["停水了", "不知道", None, "甲"],
    ]
    path = sheet(tmp_path / "in.xlsx", rows)
    ended = yanpan("samples", "import", str(path))
    assert ended.returncode == 1
    assert "第 4 行" in ended.stderr
    assert "导入 2 条（其中 0 条早已导入），未填 0 条，失败 1 条" in ended.stderr
    output = tmp_path / "out.jsonl"
    assert "导出 0 条" in yanpan("samples", "export", "--output", str(output)).stderr
    again = yanpan("samples", "import", str(path), "--accept", "--by", "审")
    assert "其中 2 条早已导入" in again.stderr
    listed = [json.loads(line) for line in yanpan("feedback", "list").stdout.splitlines()]
    assert [(row["status"], row["decided_by"]) for row in listed] == [("accepted", "审")] * 2
    told = yanpan("samples", "export", "--output", str(output)).stderr
    assert "情感：甲 认为 negative；乙 认为 neutral，未取" in told
    (sample,) = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert sample["text"] == "路灯坏了，电话[手机号]"
    assert sample["topic"] == "transport"
    assert "sentiment" not in sample
    assert yanpan("samples", "check", "--quick", str(output)).returncode == 0
    yanpan("feedback", "reject", listed[1]["id"])
    yanpan("samples", "export", "--output", str(output))
    assert json.loads(output.read_text(encoding="utf-8"))["sentiment"] == "negative"
