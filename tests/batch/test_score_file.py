"""Files in, files out, by the command itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "data" / "golden").glob("*.json"))
VOLATILE = {"request_id", "assessed_at", "input"}


def yanpan(*arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def steady(assessment: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in assessment.items() if key not in VOLATILE}


def test_one_text_gives_one_assessment_on_standard_output() -> None:
    ended = yanpan("score", "请问博物馆周一开门吗？", "--explain")
    assert ended.returncode == 0, ended.stderr.decode()
    assessment = json.loads(ended.stdout)
    assert assessment["topic"]["label"] == "heritage"
    assert assessment["explanation"]["topic"]


def test_http_and_command_line_give_the_same_assessment(
    server: httpx.Client, tmp_path: Path
) -> None:
    messages = [json.loads(p.read_text(encoding="utf-8"))["message"] for p in GOLDEN]
    messages = [{"found_at": "2026-01-05T08:00:00+08:00", **message} for message in messages]
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = [json.dumps(message, ensure_ascii=False) for message in messages]
    source.write_text("\n".join(lines), encoding="utf-8")
    ended = yanpan("score", "--input", str(source), "--output", str(output))
    assert ended.returncode == 0, ended.stderr.decode()
    by_http = [server.post("/v1/score", json=message).json() for message in messages]
    assert [steady(a) for a in read(output)] == [steady(a) for a in by_http]
    single = yanpan("score", messages[0]["text"])
    plain = server.post("/v1/score", json={"text": messages[0]["text"]}).json()
    for key in ("text", "topic", "sentiment", "intent", "flags", "risk", "review_reasons"):
        assert json.loads(single.stdout)[key] == plain[key]


BAD_ROWS = [
    ('{"text": "好"', "JSON"),
    ('{"id": "9"}', "/text"),
    ('{"text": ""}', "正文为空"),
    ('{"text": "好", "channel": "telegraph"}', "/channel"),
    ("[1, 2]", "JSON 对象"),
]


def test_bad_rows_are_kept_with_line_and_reason_and_the_others_scored(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    good = '{"id": "%d", "text": "路灯坏了三个月没人修"}'
    lines = [good % 0]
    for number, (row, _) in enumerate(BAD_ROWS, 1):
        lines += [row, "", good % number]
    stdin = "\n".join(lines).encode()
    ended = yanpan("score", "--input", "-", "--output", str(output), stdin=stdin)
    assert ended.returncode == 1
    assert ended.stdout == b""
    assert [a["id"] for a in read(output)] == [str(n) for n in range(len(BAD_ROWS) + 1)]
    errors = read(tmp_path / "out.jsonl.errors.jsonl")
    assert [e["line"] for e in errors] == [2, 5, 8, 11, 14]
    for error, (row, reason) in zip(errors, BAD_ROWS, strict=True):
        assert error["row"] == row
        assert reason in error["reason"]
    total = len(BAD_ROWS) * 2 + 1
    assert f"读入 {total} 条，研判 {total - len(BAD_ROWS)} 条，失败 {len(BAD_ROWS)} 条" in (
        ended.stderr.decode()
    )


def test_chinese_and_mapped_fields_are_understood(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    rows = [
        {
            "编号": "A1",
            "留言详情": "请问博物馆周一开门吗？",
            "来源": "微博",
            "发布时间": "2026-01-05",
        },
        {"编号": "A2", "诉求": "路灯坏了三个月没人修", "来源": "某某论坛"},
    ]
    stdin = b"\xef\xbb\xbf" + "\n".join(json.dumps(r, ensure_ascii=False) for r in rows).encode()
    ended = yanpan(
        "score", "--input", "-", "--output", str(output), "--map", "诉求=text", stdin=stdin
    )
    assert ended.returncode == 0, ended.stderr.decode()
    assert [a["id"] for a in read(output)] == ["A1", "A2"]


def test_a_clean_run_leaves_no_error_file_of_an_earlier_one(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert yanpan("score", "--input", "-", "--output", str(output), stdin=b"{}").returncode == 1
    stdin = '{"text": "路灯坏了"}'.encode()
    assert yanpan("score", "--input", "-", "--output", str(output), stdin=stdin).returncode == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "out.jsonl.run.json"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["score"],
        ["score", "好", "--input", "x.jsonl"],
        ["score", "--input", "x.jsonl"],
        ["score", "--input", "no-such-file.jsonl", "--output", "y.jsonl"],
        ["score", "--input", "-", "--output", "y.jsonl", "--map", "正文"],
        ["score", " \u3000 "],
        ["models", "show", "none-such"],
        ["train", "--samples", "data/samples", "--corpus", "topic7"],
        ["train", "--samples", "data/samples", "--corpus", "topic7=none.parquet"],
        ["train", "--samples", "none.jsonl"],
        ["evaluate", "--samples", "none.jsonl"],
        ["samples", "check", "no-such-folder"],
        ["fly"],
        [],
    ],
)
def test_bad_usage_ends_with_two_and_a_reason(arguments: list[str]) -> None:
    ended = yanpan(*arguments)
    assert ended.returncode == 2
    assert ended.stderr
    assert b"Traceback" not in ended.stderr


def test_models_are_listed_and_shown() -> None:
    listed = yanpan("models", "list").stdout.decode().splitlines()
    active = next(line.split("\t")[0] for line in listed if line.endswith("active"))
    shown = json.loads(yanpan("models", "show", active).stdout)
    assert shown["manifest"]["version"] == active
