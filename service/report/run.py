"""A scored file → a report file."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from service.batch.plan import errors_of
from service.batch.tables import kind_of, open_table
from service.bootstrap import build_registry
from service.report.figures import Figures, ReportError, collect
from service.report.letter import write_letter
from service.report.page import render_page
from service.settings import Settings


def write_report(
    source: Path, output: Path, *, names: Mapping[str, str], sheet: str | None = None
) -> Figures:
    """Reads a scored file, and the list of errors beside it, and writes HTML or DOCX.

    Raises:
        ReportError: the file is no result of scoring, or the report is of no known kind.
    """
    check_report_names(source, output)
    with open_table(str(source), sheet) as table:
        fields = (record.fields for record in table if record.fields is not None)
        rows = ({column: row.get(column) for column in table.columns} for row in fields)
        figures = collect(rows, table.columns, names, _failures(source))
    figures.drift = _compare_with_training(figures)
    if output.suffix == ".docx":
        write_letter(figures, output)
    else:
        output.write_text(render_page(figures), encoding="utf-8", newline="\n")
    return figures


def _compare_with_training(figures: Figures) -> dict[str, Any]:
    """Drift, where one model judged all and is still there; nothing else."""
    versions = {told.split(" · ")[0] for told in figures.versions}
    registry = build_registry(Settings())
    if len(versions) != 1 or not versions <= set(registry.versions()):
        return {}
    profile = registry.profile(versions.pop())
    return figures.seen.compare(profile) if profile else {}


def check_report_names(source: Path, output: Path) -> None:
    """Refuses what cannot be read or written as a report, before any work is done.

    Raises:
        ReportError: JSONL as the scored file, or another ending than .html or .docx.
    """
    if kind_of(str(source)) == "jsonl":
        raise ReportError(
            f"{source}：报告须由表格生成。", "请把研判结果输出为 .csv、.xlsx 或 .parquet。"
        )
    if output.suffix not in (".html", ".docx"):
        raise ReportError(f"{output}：不认识的报告类型。", "可用 .html 或 .docx。")


def _failures(source: Path) -> Iterator[Mapping[str, Any]]:
    path = errors_of(source)
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)
