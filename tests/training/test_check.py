from pathlib import Path

import pytest

from service.core.errors import SampleError
from training.check import check_samples, render_check

LABELS = '"topic": "heritage", "sentiment": "neutral", "intent": "consult"'
TEXT = "请问博物馆周一开门吗，带身份证可以直接进去，还是一定要在网上先预约好时间才行呢"


def check(tmp_path: Path, *lines: str) -> tuple[list[str], list[str]]:
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    report = check_samples([path])
    assert render_check(report).splitlines()[-1].startswith(f"{report.messages} 条")
    return report.errors, report.warnings


def test_an_unknown_label_is_named_with_line_and_the_nearest_known_one(tmp_path: Path) -> None:
    errors, _ = check(tmp_path, f'{{"text": "{TEXT}", "topic": "heritge"}}')
    assert "第 1 行" in errors[0]
    assert "heritge" in errors[0]
    assert "是否想写 heritage？" in errors[0]


def test_an_unknown_flag_is_named(tmp_path: Path) -> None:
    errors, _ = check(tmp_path, f'{{"text": "{TEXT}", "flags": ["casualties"]}}')
    assert "是否想写 casualty？" in errors[0]


@pytest.mark.parametrize("line", ["{", "[]", '{"topic": "heritage"}', '{"text": " "}'])
def test_an_unusable_line_is_named(tmp_path: Path, line: str) -> None:
    errors, _ = check(tmp_path, f'{{"text": "{TEXT}", {LABELS}}}', line)
    assert "第 2 行" in errors[0]


def test_equal_texts_with_conflicting_labels_are_an_error(tmp_path: Path) -> None:
    errors, _ = check(
        tmp_path,
        f'{{"text": "{TEXT}", "sentiment": "neutral"}}',
        f'{{"text": "{TEXT}", "sentiment": "negative"}}',
    )
    assert "标签不同：sentiment" in errors[0]


def test_near_duplicates_are_a_warning(tmp_path: Path) -> None:
    errors, warnings = check(
        tmp_path,
        f'{{"text": "{TEXT}", "sentiment": "neutral"}}',
        f'{{"text": "转：{TEXT}！", "sentiment": "neutral"}}',
    )
    assert errors == []
    assert "相近" in warnings[0]


def test_a_repeated_id_is_an_error(tmp_path: Path) -> None:
    errors, _ = check(tmp_path, '{"id": "1", "text": "一"}', '{"id": "1", "text": "二"}')
    assert "编号 1" in errors[0]


def test_a_csv_is_read_with_flags_parted_by_commas(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        'text,risk,flags\n"翻车了，伤三人",3,"casualty,accident"\n', encoding="utf-8-sig"
    )
    report = check_samples([path])
    assert report.errors == []
    assert report.counts["flags"] == {"casualty": 1, "accident": 1}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="none"):
        check_samples([tmp_path / "none.jsonl"])
