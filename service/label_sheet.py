"""A spreadsheet of labels ↔ corrections: filled in by annotators, in Chinese or by keys."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

from service.batch.records import names_of
from service.batch.table import InputError, Record
from service.batch.tables import open_table
from service.core.labels import CHANNELS, FLAGS, HEAD_NAMES, HEADS, Names, keys_of
from service.core.message import MAX_CHARACTERS
from service.store.feedback import Correction

_FLAGS_COLUMN: Final = "要素"
_YES: Final = "是"
_NO: Final = "否"
_NONE: Final = "无"
_COLUMNS: Final[Mapping[str, str]] = {
    **{name: head for head, name in HEAD_NAMES.items()},
    "诉求": "intent",
    "处置建议": "response",
    "风险等级": "risk",
    _FLAGS_COLUMN: "flags",
    "标注人": "annotator",
    "理由": "reason",
    **{name: f"flag:{flag}" for flag, name in FLAGS.items()},
}
_CHANNEL_KEYS: Final = keys_of(CHANNELS)
_Keys = Mapping[str, Mapping[str, str]]  # head → key or name of a label → its key
_TRUTHS: Final = {_YES: True, "1": True, "true": True, "y": True, "√": True} | dict.fromkeys(
    (_NO, "0", "false", "n", "×"), False
)


class LabelRow(NamedTuple):
    """A row of a sheet.

    Attributes:
        line: its number.
        correction: what it says, or `None` where nothing was filled in or it is faulty.
        fault: what is to be mended.
    """

    line: int
    correction: Correction | None
    fault: str = ""


def read_sheet(
    path: Path,
    *,
    annotator: str,
    names: Mapping[str, str],
    sheet: str | None = None,
    taxonomy: Mapping[str, Names] = HEADS,
) -> Iterator[LabelRow]:
    """The rows of a spreadsheet with labels, in any kind of file that `yanpan score` reads.

    Args:
        path: the file.
        annotator: who filled it in, where a row does not say so.
        names: other names of columns → ours.
        sheet: the worksheet; the first if `None`.
        taxonomy: the labels of every head, as the model that serves has them.

    Raises:
        InputError: the file cannot be read, or has no column of texts or none of labels.
    """
    keys = {head: keys_of(labels) for head, labels in taxonomy.items()}
    with open_table(str(path), sheet) as table:
        ours = names_of(table.columns, {**_COLUMNS, **names})
        if table.kind != "jsonl":
            _require_columns(path, set(ours.values()))
        for record in table:
            yield _read_row(record, ours, {**_COLUMNS, **names}, annotator, keys)


def _require_columns(path: Path, found: set[str]) -> None:
    if "text" not in found:
        raise InputError(f"{path}：没有正文列。", "请用 --map 列名=text 指定。")
    if not found & {*HEADS, *(f"flag:{flag}" for flag in FLAGS)}:
        titles = "、".join([*HEAD_NAMES.values(), _FLAGS_COLUMN])
        raise InputError(f"{path}：没有标签列。", f"可用：{titles}。")


def _read_row(
    record: Record,
    ours: Mapping[str, str],
    chosen: Mapping[str, str],
    annotator: str,
    keys: _Keys,
) -> LabelRow:
    if record.fields is None:
        return LabelRow(record.line, None, record.fault)
    named = ours or names_of(list(record.fields), chosen)
    cells = {named.get(column, column): value for column, value in record.fields.items()}
    text = str(cells.get("text") or "").strip()
    try:
        labels = _read_labels(cells, keys)
    except ValueError as error:
        return LabelRow(record.line, None, str(error))
    if not labels:
        return LabelRow(record.line, None)
    if not text or len(text) > MAX_CHARACTERS:
        return LabelRow(record.line, None, f"正文应为 1–{MAX_CHARACTERS} 个字符。")
    correction = Correction(
        labels=labels,
        annotator=str(cells.get("annotator") or annotator),
        text=text,
        title=_text(cells.get("title")),
        message_id=_text(cells.get("id")),
        channel=_CHANNEL_KEYS.get(str(cells.get("channel") or "")),
        reason=_text(cells.get("reason")),
    )
    return LabelRow(record.line, correction)


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _read_labels(cells: Mapping[str, Any], keys: _Keys) -> dict[str, Any]:
    """The labels of a row.

    Raises:
        ValueError: a cell holds no label; it says which would be near.
    """
    labels: dict[str, Any] = {
        head: _read_label(head, str(cells[head]).strip(), keys[head])
        for head in HEAD_NAMES
        if cells.get(head) not in (None, "")
    }
    marked = {
        flag: _read_truth(FLAGS[flag], str(cells[f"flag:{flag}"]).strip().lower())
        for flag in FLAGS
        if cells.get(f"flag:{flag}") not in (None, "")
    }
    told = cells.get("flags")
    if told not in (None, "", []):
        parts = told if isinstance(told, list) else str(told).replace("、", ",").split(",")
        found = [part.strip() for part in map(str, parts) if part.strip() not in ("", _NONE)]
        marked |= dict.fromkeys((_read_label("flags", part, keys["flags"]) for part in found), True)
        labels["flags"] = []
    if marked:
        labels["flags"] = [flag for flag in FLAGS if marked.get(flag)]
    return labels


def _read_label(head: str, given: str, known: Mapping[str, str]) -> str:
    given = given.removesuffix(".0") if head == "risk" else given
    if given in known:
        return known[given]
    near = get_close_matches(given, known, n=1)
    hint = f"，是否想写 {near[0]}" if near else ""
    raise ValueError(f"{HEAD_NAMES.get(head, _FLAGS_COLUMN)}的标签 {given[:20]!r} 未知{hint}。")


def _read_truth(name: str, given: str) -> bool:
    if given not in _TRUTHS:
        raise ValueError(f"{name}应填 {_YES} 或 {_NO}。")
    return _TRUTHS[given]


def write_sheet(
    path: Path,
    rows: Iterable[Mapping[str, Any]],
    taxonomy: Mapping[str, Names] = HEADS,
) -> None:
    """A spreadsheet to be filled in, with lists of the labels to choose from.

    Args:
        path: the .xlsx to write.
        rows: `编号`, `正文` and what else is to be shown, the same for all.
        taxonomy: the labels of every head, as the model that serves has them.
    """
    from openpyxl import Workbook  # noqa: PLC0415 — slow to import, and only for sheets
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415

    shown = list(rows)
    heads = [(HEAD_NAMES[head], list(taxonomy[head].values())) for head in HEAD_NAMES]
    choices = [*heads, *((name, [_YES, _NO]) for name in FLAGS.values())]
    columns = [
        *(shown[0] if shown else ("编号", "正文")),
        *(t for t, _ in choices),
        "标注人",
        "理由",
    ]
    book = Workbook()
    page = book.worksheets[0]
    page.title = "标注"
    lists = book.create_sheet("标签")
    page.append(columns)
    page.freeze_panes = "A2"
    for row in shown:
        page.append(list(row.values()))
        for cell in page[page.max_row]:
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    for place, (title, labels) in enumerate(choices, 1):
        for line, label in enumerate([title, *labels], 1):
            lists.cell(line, place, label)
        letter, source = get_column_letter(columns.index(title) + 1), get_column_letter(place)
        formula = f"标签!${source}$2:${source}${len(labels) + 1}"
        choice = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=True)
        choice.error = "请从列表中选择。"
        page.add_data_validation(choice)
        choice.add(f"{letter}2:{letter}{len(shown) + 1}")
    for place, title in enumerate(columns, 1):
        column = page.column_dimensions[get_column_letter(place)]
        column.width = 80 if title == "正文" else 14
        page.cell(1, place).font = Font(bold=True)
    for (cell,) in page.iter_rows(
        2, min_col=columns.index("正文") + 1, max_col=columns.index("正文") + 1
    ):
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    book.save(path)
