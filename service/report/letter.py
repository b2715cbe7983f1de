"""A report as a document for a word processor: 概况、来源分布、重点舆情、建议、待办."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from service.batch.writing import make_timeless
from service.report.figures import Figures, Urgent, shorten

_MOST: Final = 12
_TO_DO: Final = 10
_TITLE: Final = 30  # characters that tell a matter from the others
_LONG_AGO: Final = datetime(1980, 1, 1, tzinfo=UTC)


def write_letter(figures: Figures, path: Path) -> None:
    """Writes the document; the same figures give the same bytes."""
    from docx import Document  # noqa: PLC0415 — slow to import, and only for documents

    document = Document()
    document.core_properties.created = document.core_properties.modified = _LONG_AGO
    document.core_properties.author = document.core_properties.comments = ""
    document.add_heading("舆情日报", 0)
    as_of = figures.as_of[:16].replace("T", " ")
    document.add_paragraph(f"截至 {as_of}。研判结果是建议，由人决定。")
    document.add_heading("一、概况", 1)
    document.add_paragraph(_overview(figures))
    if figures.drift:
        document.add_paragraph(f"与训练时的信息相比：{figures.drift['text']}")
    for title in ("风险等级", "话题", "诉求类型"):
        _add_counts(document, title, figures)
    document.add_heading("二、来源分布", 1)
    _add_counts(document, "来源", figures)
    document.add_heading("三、重点舆情", 1)
    _add_matters(document, figures.urgent[:_MOST])
    document.add_heading("四、建议", 1)
    for line in _advice(figures):
        document.add_paragraph(line, style="List Bullet")
    document.add_heading("五、待办", 1)
    for one in figures.urgent[:_TO_DO]:
        due = f"{one.deadline} 前" if one.deadline else "尽快"
        told = f"{one.id} {shorten(one.excerpt, _TITLE)}"
        document.add_paragraph(f"{due}：{one.response}，{one.owner}，{told}", style="List Number")
    if not figures.urgent:
        document.add_paragraph("没有须先办的事项。")
    made = BytesIO()
    document.save(made)
    made.seek(0)
    make_timeless(made, path)


def _overview(figures: Figures) -> str:
    levels, responses = figures.counts["风险等级"], figures.counts["处置建议"]
    failed = figures.failures.total()
    return (
        f"共研判 {figures.total} 条，其中{_told(levels.most_common())}；"
        f"建议{_told(responses.most_common())}；请人复核 {figures.for_review} 条；"
        f"未能研判 {failed} 条。"
    )


def _told(counted: Iterable[tuple[str, int]]) -> str:
    return "、".join(f"{name} {count} 条" for name, count in counted) or "无"


def _advice(figures: Figures) -> list[str]:
    """What the figures themselves call for; a person decides."""
    responses = figures.counts["处置建议"]
    lines = [
        f"{name} {count} 条，请按所列时限办理。" for name, count in responses.most_common() if count
    ]
    if figures.for_review:
        lines.append(f"{figures.for_review} 条把握不足或须核实，请先由人复核。")
    if figures.failures:
        lines.append("未能研判的行须补正后重新提交。")
    return lines


def _add_counts(document: Any, title: str, figures: Figures) -> None:
    counted = figures.counts.get(title)
    if not counted:
        return
    _add_table(document, (title, "条数"), [(n, str(c)) for n, c in counted.most_common(_MOST)])


def _add_matters(document: Any, urgent: Sequence[Urgent]) -> None:
    rows = [
        (
            one.level_name,
            one.response,
            one.deadline,
            one.owner,
            f"{one.told}\n{one.reasons}",
        )
        for one in urgent
    ]
    _add_table(document, ("等级", "建议", "时限", "承办", "内容和理由"), rows)


def _add_table(document: Any, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = document.add_table(rows=1, cols=len(heads), style="Table Grid")
    for cell, head in zip(table.rows[0].cells, heads, strict=True):
        cell.text = head
    for row in rows:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = _printable(value)


def _printable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c == "\n")
