import json
from pathlib import Path

import pytest

from service.core.errors import SampleError
from service.settings import Settings
from training.check import check_page, check_samples, check_table, render_check
from training.holdout import SAMPLES
from training.samples import read_samples

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


def test_personal_data_left_in_is_told_by_its_kind_alone(tmp_path: Path) -> None:
    _, warnings = check(tmp_path, '{"text": "路灯坏了，找13800138000"}')
    assert "第 1 行：含有手机号" in warnings[0]
    assert "13800138000" not in warnings[0]


def test_a_near_duplicate_in_another_file_is_a_leak(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"text": "{TEXT}"}}', encoding="utf-8")
    report = check_samples([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert any("跨文件" in warning for warning in report.warnings)


def test_labels_that_the_other_samples_speak_against_are_listed_with_words(tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    rows = [
        {"id": sample.id, "text": sample.text, "sentiment": sample.labels["sentiment"]}
        for sample in read_samples([SAMPLES])[::4]
        if sample.labels["sentiment"] != "neutral"
    ]
    wrong = rows[::40]
    for row in wrong:
        row["sentiment"] = "negative" if row["sentiment"] == "positive" else "positive"
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    report = check_samples([path], Settings().policy_dir)
    found = {suspect["id"] for suspect in report.suspects}
    hits = found & {row["id"] for row in wrong}
    assert len(hits) >= len(wrong) / 2  # far more than by chance
    assert len(found) < len(rows) / 4
    first = report.suspects[0]
    assert first["spans"]
    assert f"{path} 第" in first["place"]
    assert json.loads(json.dumps(check_table(report)))["messages"] == len(rows)
    assert "<mark>" in check_page(report)
