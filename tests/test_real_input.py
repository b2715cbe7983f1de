"""The service on real input: the seed page, and letters, where they lie beside the checkout."""

from pathlib import Path

import httpx
import pytest

from service.assessment_schema import AssessmentOut
from service.core.labels import TOPIC


def test_the_seed_page_is_judged_as_one_message(seed: Path, server: httpx.Client) -> None:
    page = next(seed.glob("000_*.txt")).read_text(encoding="utf-8")
    answer = server.post("/v1/score", params={"explain": "true"}, json={"text": page})
    assessment = AssessmentOut.model_validate(answer.json())
    assert {"search_spam_removed", "pinyin_removed", "traditional_to_simplified"} <= set(
        assessment.text.repairs
    )
    # A plan of an office is no message; governance and health stand close for it.
    likeliest = sorted(assessment.topic.scores, key=assessment.topic.scores.__getitem__)[-2:]
    assert "governance" in likeliest
    assert assessment.sentiment.label == "neutral"
    assert assessment.response.value != "required"  # a plan asks nobody for anything
    assert assessment.risk.rank <= 2
    assert assessment.explanation
    for spans in assessment.explanation.values():
        for span in spans:
            assert page[span.start : span.end] == span.text


def test_ten_real_letters_get_complete_answers(data: Path, server: httpx.Client) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(data / "letters" / "hot_letters.parquet").slice(0, 10)
    messages = [
        {"id": row["id"], "title": row["title"], "text": row["text"], "channel": "mailbox"}
        for row in table.to_pylist()
    ]
    results = server.post("/v1/score/batch", json={"messages": messages}).json()["results"]
    assert [result["status"] for result in results] == ["ok"] * 10
    for result in results:
        assessment = AssessmentOut.model_validate(result["assessment"])
        assert assessment.topic.label in TOPIC
        assert assessment.response.rules
        assert assessment.risk.rules
        if assessment.response.value != "none":
            assert assessment.response.deadlines
            assert assessment.response.steps
