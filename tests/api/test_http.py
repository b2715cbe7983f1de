"""The contract of docs/api.md against the real service."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.assessment_schema import AssessmentOut
from service.core.labels import HEADS

GOLDEN = sorted((Path(__file__).parents[2] / "data" / "golden").glob("*.json"))
TEXT = "景区缆车半空停了四十分钟，十几个人吊在上面，工作人员电话打不通！"
PROBLEM = "application/problem+json"
PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


def post(
    server: httpx.Client, body: Any, path: str = "/v1/score", **options: Any
) -> httpx.Response:
    content = json.dumps(body)  # ASCII, so that half a character can be sent too
    headers = {"Content-Type": "application/json", **options.pop("headers", {})}
    return server.post(path, content=content, headers=headers, **options)


def test_a_message_gets_a_complete_assessment(server: httpx.Client) -> None:
    answer = post(server, {"text": TEXT, "id": "a-1", "channel": "weibo"})
    assert answer.status_code == 200
    assessment = answer.json()
    AssessmentOut.model_validate(assessment)
    assert assessment["id"] == "a-1"
    assert assessment["request_id"] == answer.headers["x-request-id"]
    assert "explanation" not in assessment
    for head in ("topic", "sentiment", "intent"):
        assert sum(assessment[head]["scores"].values()) == pytest.approx(1, abs=0.01)
        assert assessment[head]["scores"].keys() == HEADS[head].keys()
    assert assessment["risk"]["dimensions"]["reach"] == {
        "name": "影响范围", "score": None, "basis": "unknown", "evidence": [],
    }  # fmt: skip


def test_an_explanation_comes_on_request(server: httpx.Client) -> None:
    assessment = post(server, {"text": TEXT}, params={"explain": "true"}).json()
    for head in ("topic", "sentiment", "intent", "risk", "response"):
        for span in assessment["explanation"][head]:
            assert TEXT[span["start"] : span["end"]] == span["text"]


def test_evidence_points_into_the_damaged_original(server: httpx.Client) -> None:
    text = "<p>大巴&nbsp;側(cè)翻,,三 人 死 亡，五人受傷，救護車還沒到</p>"
    flags = post(server, {"text": text}).json()["flags"]
    assert {flag["label"] for flag in flags} & {"casualty", "accident"}
    for flag in flags:
        for span in flag["evidence"]:
            assert text[span["start"] : span["end"]] == span["text"]


def test_a_title_is_read_with_the_text_and_quoted_apart(server: httpx.Client) -> None:
    body = {"title": "大巴翻车，四人当场死亡，多人受伤", "text": "现场图片见链接。"}
    alone = post(server, {"text": body["text"]}).json()
    both = post(server, body).json()
    assert alone["flags"] == []
    casualty = next(flag for flag in both["flags"] if flag["label"] == "casualty")
    for span in casualty["title_evidence"]:
        assert body["title"][span["start"] : span["end"]] == span["text"]
    for span in casualty["evidence"]:
        assert body["text"][span["start"] : span["end"]] == span["text"]
    assert casualty["title_evidence"]


def test_deadlines_count_from_found_at_and_default_to_shanghai(server: httpx.Client) -> None:
    body = {"text": "请问图书馆周一开门吗？", "found_at": "2026-01-05T08:00:00"}
    deadlines = post(server, body).json()["response"]["deadlines"]
    assert [d["due_at"] for d in deadlines] == ["2026-01-07T08:00:00+08:00"]


def test_a_request_id_is_kept_and_an_unusable_one_replaced(server: httpx.Client) -> None:
    kept = post(server, {"text": TEXT}, headers={"X-Request-ID": "desk-7"})
    assert kept.headers["x-request-id"] == kept.json()["request_id"] == "desk-7"
    replaced = post(server, {"text": TEXT}, headers={"X-Request-ID": "x" * 200})
    assert replaced.headers["x-request-id"] != "x" * 200


def check_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == PROBLEM_KEYS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"text": ""}, "text_empty", "/text"),
        ({"text": " \n\u3000\u200b "}, "text_empty", "/text"),
        ({"text": "长" * 20_001}, "text_too_long", "/text"),
        ({}, "message_invalid", "/text"),
        ({"text": 5}, "message_invalid", "/text"),
        ({"text": None}, "message_invalid", "/text"),
        ({"text": "好", "channel": "telegraph"}, "message_invalid", "/channel"),
        ({"text": "好", "id": "x" * 129}, "message_invalid", "/id"),
        ({"text": "好", "title": "x" * 501}, "message_invalid", "/title"),
        ({"text": "好", "found_at": "昨天"}, "message_invalid", "/found_at"),
        ({"text": "好", "spread": {"views": -1}}, "message_invalid", "/spread/views"),
        ({"text": "好", "spread": {"views": "3"}}, "message_invalid", "/spread/views"),
        ({"text": "好", "spread": {"regions": 0}}, "message_invalid", "/spread/regions"),
        ({"text": "好", "spread": [1]}, "message_invalid", "/spread"),
        ({"text": "好", "media": {"tier": "galactic"}}, "message_invalid", "/media/tier"),
        ({"text": "好", "media": {"hot_search": 1}}, "message_invalid", "/media/hot_search"),
        ({"text": "好", "involved_departments": 0}, "message_invalid", "/involved_departments"),
        ({"text": "好", "superior_request": "yes"}, "message_invalid", "/superior_request"),
        ({"text": "好", "id": "\ud800"}, "message_invalid", "/id"),
        ([], "message_invalid", ""),
        ("好", "message_invalid", ""),
    ],
)
def test_what_is_wrong_with_a_message_is_named(
    server: httpx.Client, body: Any, code: str, pointer: str
) -> None:
    problem = check_problem(post(server, body), 422, code)
    assert pointer in [fault["pointer"] for fault in problem["errors"]]


@pytest.mark.parametrize(
    "content", [b'{"text": "\xff\xfe"}', b'{"text": ', b"text=1", b"{'text': 1}"]
)
def test_wrong_json_is_named(server: httpx.Client, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    check_problem(server.post("/v1/score", content=content, headers=headers), 400, "json_invalid")


def test_a_missing_body_is_named(server: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    check_problem(server.post("/v1/score", headers=headers), 400, "body_missing")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/html"])
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_another_media_type_is_refused(server: httpx.Client, kind: str, path: str) -> None:
    answer = server.post(path, content=b'{"text": "1"}', headers={"Content-Type": kind})
    check_problem(answer, 415, "media_type_unsupported")


def test_a_wrong_query_parameter_is_named(server: httpx.Client) -> None:
    problem = check_problem(
        post(server, {"text": TEXT}, params={"explain": "perhaps"}), 422, "message_invalid"
    )
    assert problem["errors"][0]["pointer"] == "/query/explain"


def test_unknown_addresses_and_methods_are_problems_too(server: httpx.Client) -> None:
    check_problem(server.get("/v2/score"), 404, "not_found")
    check_problem(server.get("/v1/score"), 405, "method_not_allowed")


def test_no_fault_ever_echoes_what_was_submitted(server: httpx.Client) -> None:
    secret = "张三丰13900001111"  # noqa: S105 — a person's secret, not the program's
    bodies: list[Any] = [
        {"text": secret, "channel": secret},
        {"text": secret, "found_at": secret},
        {"text": secret, "spread": {"views": secret}},
        {"text": secret * 2_000},
        secret,
    ]
    for body in bodies:
        assert secret not in post(server, body).text
        assert secret not in post(server, {"messages": [body]}, "/v1/score/batch").text
    broken = server.post(
        "/v1/score",
        content=f'{{"text": "{secret}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert secret not in broken.text


def test_a_bad_message_in_a_batch_gets_its_own_error_and_the_rest_are_scored(
    server: httpx.Client,
) -> None:
    messages: list[Any] = [
        {"id": "1", "text": TEXT},
        {"id": "2", "text": ""},
        {"id": "3", "text": "请问博物馆周一开门吗？"},
        {"id": "4", "text": "好", "channel": "telegraph"},
        17,
        {"id": "6", "text": "谢谢你们，路灯修好了！"},
    ]
    answer = post(server, {"messages": messages}, "/v1/score/batch").json()
    assert answer["summary"] == {"total": 6, "succeeded": 3, "failed": 3}
    assert [r["index"] for r in answer["results"]] == list(range(6))
    assert [r["status"] for r in answer["results"]] == ["ok", "error", "ok", "error", "error", "ok"]
    assert [r["id"] for r in answer["results"]] == ["1", "2", "3", "4", None, "6"]
    for result in answer["results"]:
        if result["status"] == "error":
            assert result["error"].keys() == PROBLEM_KEYS
        else:
            assert result["assessment"]["model_version"] == answer["model_version"]
            assert result["assessment"]["policy_version"] == answer["policy_version"]


@pytest.mark.parametrize("wrong", ["\ud800", "x" * 129, 7])
def test_an_unusable_id_in_a_batch_is_not_echoed_and_its_neighbour_is_served(
    server: httpx.Client, wrong: Any
) -> None:
    messages = [{"id": wrong, "text": TEXT}, {"id": "2", "text": TEXT}]
    answer = post(server, {"messages": messages}, "/v1/score/batch")
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert (first["status"], first["id"]) == ("error", None)
    assert first["error"]["errors"][0]["pointer"] == "/id"
    assert (second["status"], second["id"]) == ("ok", "2")


@pytest.mark.parametrize("size", [0, 1_001])
def test_a_batch_has_one_to_a_thousand_messages(server: httpx.Client, size: int) -> None:
    answer = post(server, {"messages": [{"text": "好"}] * size}, "/v1/score/batch")
    problem = check_problem(answer, 422, "message_invalid")
    assert problem["errors"][0]["pointer"] == "/messages"


def test_a_thousand_messages_are_scored_alike_alone_and_together(server: httpx.Client) -> None:
    messages = [
        {"text": f"{TEXT}（第{n}条）", "found_at": "2026-01-05T08:00:00Z"} for n in range(1_000)
    ]
    answer = post(server, {"messages": messages}, "/v1/score/batch").json()
    assert answer["summary"] == {"total": 1_000, "succeeded": 1_000, "failed": 0}
    for n in (0, 7, 999):
        alone = post(server, messages[n]).json()
        together = answer["results"][n]["assessment"]
        for key in ("topic", "sentiment", "intent", "flags", "risk", "response", "needs_review"):
            assert alone[key] == together[key]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_golden_messages_are_answered_over_http_as_by_the_core(
    server: httpx.Client, path: Path
) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    answer = post(server, case["message"]).json()
    for key in ("text", "topic", "sentiment", "intent", "flags", "risk", "needs_review"):
        assert answer[key] == case["assessment"][key]


def test_health_tells_life_and_readiness(server: httpx.Client) -> None:
    assert server.get("/health/live").json() == {"status": "live"}
    assert server.get("/health/ready").json()["status"] == "ready"


def test_labels_carry_their_names(server: httpx.Client) -> None:
    labels = server.get("/v1/labels").json()
    assert {head: len(labels[head]) for head in HEADS} == {
        "topic": 16, "sentiment": 3, "intent": 8, "response": 4, "risk": 4, "flags": 14,
    }  # fmt: skip
    assert {"label": "escalate", "name": "上报处置"} in labels["response"]


def test_the_policy_in_force_can_be_read(server: httpx.Client) -> None:
    policy = server.get("/v1/policy").json()
    rule = next(r for r in policy["level_rules"] if r["id"] == "R-VIEWS-2")
    assert rule["when"] == [{"fact": "spread.views", "at_least": 5000}]
    assert policy["version"] == post(server, {"text": TEXT}).json()["policy_version"]


def test_models_can_be_listed_and_read(server: httpx.Client) -> None:
    models = server.get("/v1/models").json()
    assert models["segmenter"].startswith(("rjieba ", "jieba "))
    model = server.get(f"/v1/models/{models['active']}").json()
    assert model["active"]
    assert model["manifest"]["version"] == models["active"]
    assert model["metrics"]["heads"]["topic"]["macro_f1"] > 0


@pytest.mark.parametrize("version", ["nothing", "..", "%2e%2e%2fservice", "20261123-46080\u00e9"])
def test_an_unknown_model_is_a_problem(server: httpx.Client, version: str) -> None:
    answer = server.get(f"/v1/models/{version}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == PROBLEM


def test_metrics_count_what_was_answered(server: httpx.Client) -> None:
    def total() -> float:
        lines = server.get("/metrics").text.splitlines()
        return sum(float(x.split()[-1]) for x in lines if x.startswith("yanpan_assessments_total"))

    before = total()
    post(server, {"text": TEXT})
    post(server, {"messages": [{"text": TEXT}, {"text": ""}]}, "/v1/score/batch")
    assert total() == before + 2


def test_the_openapi_speaks_both_languages_and_has_a_real_example(server: httpx.Client) -> None:
    document = server.get("/openapi.json").json()
    score = document["paths"]["/v1/score"]["post"]
    example = score["responses"]["200"]["content"]["application/json"]["example"]
    AssessmentOut.model_validate(example)
    message = document["components"]["schemas"]["MessageIn"]["properties"]
    for field in message.values():
        assert "/" in field["description"]
    assert score["responses"]["422"]["content"].keys() == {PROBLEM}
    assert server.get("/docs").status_code == 200


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+08:00"])
def test_a_time_from_which_nothing_can_be_reckoned_is_told(server: httpx.Client, time: str) -> None:
    wrong = {"text": "三人死亡", "found_at": time}
    answer = server.post("/v1/score", json=wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/found_at"
    order = {"found_at": time, "level": "high", "response": "escalate"}
    assert server.post("/v1/deadlines", json=order).status_code == 422
    batch = server.post("/v1/score/batch", json={"messages": [wrong, {"text": "路灯坏了"}]})
    assert [row["status"] for row in batch.json()["results"]] == ["error", "ok"]


def test_half_a_character_costs_neither_the_message_nor_its_neighbours(
    server: httpx.Client,
) -> None:
    for body in (
        rb'{"text":"\u8def\u706f\u574f\u4e86","url":"\ud800"}',
        rb'{"text":"\u6b7b\u4ea13\ud800\u4eba\uff0c3\ud800\u4eba\u6b7b\u4ea1"}',
    ):
        headers = {"Content-Type": "application/json"}
        for path, sent in (
            ("/v1/score?explain=true", body),
            ("/v1/score/batch", b'{"messages":[' + body + b"]}"),
        ):
            answer = server.post(path, content=sent, headers=headers)
            assert answer.status_code == 200
        given = b'{"message":' + body + b',"annotator":"a","labels":{"risk":2}}'
        assert server.post("/v1/feedback", content=given, headers=headers).status_code == 201


def test_a_draft_and_a_history_without_words_are_answered(server: httpx.Client) -> None:
    given = {"draft": "的" * 60, "history": [{"text": "的"}]}
    assert server.post("/v1/policy-risk", json=given).status_code == 200
