"""Golden assessments: what the shipped model and policy say of messages a reviewer can read.

Each file of data/golden/ holds a message, what any model must say of it (`expect`), and the whole
assessment of the shipped one. `make golden` writes that anew; read the difference before you commit
it.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from service.assessment_schema import AssessmentOut, assessment_table
from service.bootstrap import build_chain
from service.core.assess import Chain, assess_message
from service.schemas import MessageIn
from service.settings import Settings
from training.behaviour import find_unmet

FOLDER = Path(__file__).parent.parent / "data" / "golden"
EXAMPLE = Path(__file__).parent.parent / "service" / "api" / "example_assessment.json"
CASES = sorted(FOLDER.glob("*.json"))
RECEIVED = datetime.fromisoformat("2026-01-05T08:30:00+08:00")


def assess(message: dict[str, Any], chain: Chain) -> dict[str, Any]:
    parsed = MessageIn.model_validate(message).to_message()
    assessment = assess_message(parsed, chain, request_id="golden", now=RECEIVED, explain=True)
    return assessment_table(assessment)


def differences(found: Any, wanted: Any, place: str = "") -> list[str]:
    """Where two JSON values differ; numbers may differ in the third digit between machines."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = found.keys() | wanted.keys()
        return [
            d
            for k in sorted(keys)
            for d in differences(found.get(k), wanted.get(k), f"{place}/{k}")
        ]
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = enumerate(zip(found, wanted, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{place}/{i}")]
    if isinstance(found, float) and isinstance(wanted, float):
        return [] if found == pytest.approx(wanted, abs=2e-3) else [f"{place}: {found} ≠ {wanted}"]
    return [] if found == wanted else [f"{place}: {found!r} ≠ {wanted!r}"]


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_the_assessment_is_the_golden_one(path: Path, chain: Chain) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert differences(assess(case["message"], chain), case["assessment"]) == []


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_the_assessment_is_what_a_reviewer_asks_for(path: Path, chain: Chain) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    message = MessageIn.model_validate(case["message"]).to_message()
    found = assess_message(message, chain, request_id="golden", now=RECEIVED).labels()
    assert find_unmet(case["expect"], found) == []


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_the_documented_shape_is_the_shape_given(path: Path) -> None:
    assessment = json.loads(path.read_text(encoding="utf-8"))["assessment"]
    parsed = AssessmentOut.model_validate(assessment)
    assert parsed.model_dump(exclude_unset=True).keys() == assessment.keys()


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_every_span_quotes_the_original(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    text, title = case["message"]["text"], case["message"].get("title", "")
    assessment = case["assessment"]
    spans = [(text, span) for flag in assessment["flags"] for span in flag["evidence"]]
    spans += [(title, span) for flag in assessment["flags"] for span in flag["title_evidence"]]
    for head, found in assessment["explanation"].items():
        spans += [(title if head.startswith("title:") else text, span) for span in found]
    assert spans
    for source, span in spans:
        assert source[span["start"] : span["end"]] == span["text"] != ""


def test_there_are_golden_cases_for_every_type_value_and_level() -> None:
    assessments = [json.loads(p.read_text(encoding="utf-8"))["assessment"] for p in CASES]
    values = {(a["response"]["type"], a["response"]["value"] != "none") for a in assessments}
    assert values >= {("escalate", True), ("clarify", True), ("answer", True)}
    assert {a["response"]["value"] for a in assessments} >= {"required", "none"}
    assert {a["risk"]["level"] for a in assessments} == {"low", "medium", "high", "critical"}


def test_the_example_in_the_openapi_is_a_real_answer() -> None:
    example = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    first = json.loads(CASES[0].read_text(encoding="utf-8"))
    assert example == first["assessment"]


def write_golden() -> None:
    """Writes every assessment anew, and the example of the OpenAPI from the first of them."""
    chain = build_chain(Settings())
    for path in CASES:
        case = json.loads(path.read_text(encoding="utf-8"))
        case["assessment"] = assess(case["message"], chain)
        path.write_text(f"{json.dumps(case, ensure_ascii=False, indent=1)}\n", encoding="utf-8")
    first = json.loads(CASES[0].read_text(encoding="utf-8"))["assessment"]
    EXAMPLE.write_text(f"{json.dumps(first, ensure_ascii=False, indent=1)}\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
