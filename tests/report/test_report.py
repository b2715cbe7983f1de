"""A scored file becomes a report, as a page and as a document."""

import csv
import re
from pathlib import Path

import docx
import pytest
from commands import yanpan

AT = "2026-01-10T08:00:00+08:00"
STORY = "拖欠我们三个月工资，老板电话13912345678打不通，今天上午一百多名工友堵在项目部门口"
ROWS = [
    ("a-1", "请问博物馆周一开门吗？", "微博", "2026/1/8 9:00"),
    ("a-2", "<script>alert(1)</script>路灯坏了一个月没人修", "12345热线", "2026/1/9 9:00"),
    ("a-3", STORY, "抖音", "2026/1/9 10:00"),
    ("a-4", f"转：{STORY}！", "微博", "2026/1/9 11:00"),
    ("a-5", "", "微博", "2026/1/9 11:00"),
]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    source, output = folder / "in.csv", folder / "out.xlsx"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("编号", "内容", "来源", "发布时间"), *ROWS])
    options = ["--received-at", AT, "--group-duplicates", "--report", str(folder / "day.html")]
    ended = yanpan("score", "--input", str(source), "--output", str(output), *options)
    assert ended.returncode == 1, ended.stderr
    return output


def report(scored: Path, output: Path) -> None:
    ended = yanpan("report", "--input", str(scored), "--output", str(output))
    assert ended.returncode == 0, ended.stderr


def test_the_page_tells_totals_and_what_to_do_first(scored: Path, tmp_path: Path) -> None:
    report(scored, tmp_path / "day.html")
    page = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert page == scored.with_name("day.html").read_text(encoding="utf-8")
    assert "截至 2026-01-10 08:00" in page
    assert "<div>研判<b>4</b></div>" in page
    assert "<div>未能研判<b>1</b></div>" in page
    first = page.index("先办事项")
    assert page.index("拖欠我们三个月工资", first) < page.index("话题", first)
    assert page.count("拖欠我们三个月工资") == 1  # copies are one matter
    assert "（2 条相同）" in page
    for name in ("抖音", "12345热线", "2026-01-09"):
        assert name in page


def test_the_page_needs_no_network_and_runs_nothing_of_a_message(
    scored: Path, tmp_path: Path
) -> None:
    report(scored, tmp_path / "day.html")
    page = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=|url\(|https?://", page)


def test_no_telephone_number_is_handed_on(scored: Path, tmp_path: Path) -> None:
    report(scored, tmp_path / "day.html")
    assert "13912345678" not in (tmp_path / "day.html").read_text(encoding="utf-8")


def test_the_document_has_the_parts_of_a_daily_report(scored: Path, tmp_path: Path) -> None:
    report(scored, tmp_path / "day.docx")
    document = docx.Document(str(tmp_path / "day.docx"))
    headings = [p.text for p in document.paragraphs if p.style and p.style.name == "Heading 1"]
    assert [h.partition("、")[2] for h in headings] == [
        "概况", "来源分布", "重点舆情", "建议", "待办",
    ]  # fmt: skip
    told = "\n".join(p.text for p in document.paragraphs)
    assert "共研判 4 条" in told
    assert "未能研判 1 条" in told


@pytest.mark.parametrize("name", ["day.html", "day.docx"])
def test_the_same_rows_give_the_same_bytes(scored: Path, tmp_path: Path, name: str) -> None:
    report(scored, tmp_path / name)
    before = (tmp_path / name).read_bytes()
    report(scored, tmp_path / name)
    assert (tmp_path / name).read_bytes() == before


def test_what_is_no_scored_file_or_no_report_is_refused(scored: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("正文\n路灯坏了\n", encoding="utf-8")
    for source, output in (
        (plain, tmp_path / "day.html"),
        (scored, tmp_path / "day.pdf"),
        (tmp_path / "rows.jsonl", tmp_path / "day.html"),
    ):
        ended = yanpan("report", "--input", str(source), "--output", str(output))
        assert ended.returncode == 2, ended.stderr
        assert not output.exists()
