"""The calls around the policy, on the real service."""

import json
from pathlib import Path

import httpx
import pytest
from builders import POLICY
from commands import yanpan

DRAFT = "关于调整城区道路停车收费标准的通知：停车泊位白天每小时四元，首十五分钟免费。"
LETTERS = [
    {"id": "a", "text": "停车十四分钟收我十块，不是说好首十五分钟免费吗，停车收费标准在哪里？"},
    {"id": "b", "text": "博物馆周一开门吗？"},
]


def test_the_policy_in_force_is_shown_whole(server: httpx.Client) -> None:
    shown = server.get("/v1/policy").json()
    assert shown["version"] == POLICY.version
    rules = {rule["id"]: rule for rule in shown["level_rules"]}
    assert rules.keys() == {rule.id for rule in POLICY.level_rules}
    assert rules["R-VIEWS-2"]["when"] == [{"fact": "spread.views", "at_least": 5000}]
    assert any("any" in clause for clause in rules["R-DEATHS-4"]["when"])
    for table in ("response_rules", "values", "dispositions", "deadlines", "steps", "channels"):
        assert all(rule["id"] and rule["text"] and rule["source"] for rule in shown[table])
    assert shown["owners"]["offices"]["health"] == "卫生健康委员会"


def test_a_reclassified_message_gets_its_clocks_anew(server: httpx.Client) -> None:
    body = {"found_at": "2026-02-12T16:00:00+08:00", "level": "high", "response": "escalate"}
    grave = server.post("/v1/deadlines", json=body).json()
    assert [d["due_at"] for d in grave["deadlines"]] == [
        "2026-02-12T21:00:00+08:00",
        "2026-02-13T16:00:00+08:00",
    ]
    body |= {"level": "low", "response": "answer", "topic": "scenic_area", "intent": "complaint"}
    plain = server.post("/v1/deadlines", json=body).json()["deadlines"]
    assert [(d["action"], d["clock"]) for d in plain] == [
        ("response", "hours"),
        ("acceptance", "working_days"),
    ]
    assert plain[1]["due_at"] == "2026-02-26T23:59:59+08:00"
    assert server.post("/v1/deadlines", json=body | {"response": "none"}).json()["deadlines"] == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"level": "huge"}, "/level"), ({"found_at": "soon"}, "/found_at"), ({"flags": 3}, "/flags")],
)
def test_a_bad_reclassification_says_what_to_mend(
    server: httpx.Client, change: dict[str, object], pointer: str
) -> None:
    body = {"found_at": "2026-02-12T16:00:00+08:00", "level": "high", "response": "escalate"}
    answer = server.post("/v1/deadlines", json=body | change)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_a_draft_is_judged_by_past_messages(server: httpx.Client) -> None:
    answer = server.post("/v1/policy-risk", json={"draft": DRAFT, "history": LETTERS})
    assert answer.status_code == 200, answer.text
    assessment = answer.json()
    assert [n["id"] for n in assessment["neighbours"]] == ["a"]
    assert assessment["level"] == "low"
    assert len(assessment["outline"]) == len(POLICY.draft.outline)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"draft": "通知", "history": []}, "text_empty"),
        ({"draft": DRAFT}, "message_invalid"),
        ({"draft": DRAFT, "history": [{"id": "x"}]}, "message_invalid"),
    ],
)
def test_a_bad_draft_says_what_to_mend(
    server: httpx.Client, body: dict[str, object], code: str
) -> None:
    answer = server.post("/v1/policy-risk", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_the_command_gives_the_same_as_the_call(server: httpx.Client, tmp_path: Path) -> None:
    draft, letters = tmp_path / "draft.txt", tmp_path / "letters.jsonl"
    draft.write_text(DRAFT, encoding="utf-8-sig")
    lines = [json.dumps(letter, ensure_ascii=False) for letter in LETTERS]
    letters.write_text("\n".join([*lines, "{broken"]), encoding="utf-8")
    ended = yanpan("policy-risk", "--draft", str(draft), "--history", str(letters))
    assert ended.returncode == 1  # one line was no letter
    assert "1 行" in ended.stderr
    by_command = json.loads(ended.stdout)
    by_http = server.post("/v1/policy-risk", json={"draft": DRAFT, "history": LETTERS}).json()
    for key in by_http.keys() - {"assessed_at"}:
        assert by_command[key] == by_http[key]
