"""Behavioural cases in the manner of CheckList (Ribeiro et al. 2020), by capability.

Each line of the JSONL files beside this one is a case, told apart by its keys: minimum
functionality (`expect`), invariance (`variant` and `same`) and direction (`variant` and
`never_lower`). A case passes only if all that it states holds. The cases are hard on purpose and
the shipped model is far from passing them all; the rates below are what it must not fall under, to
be raised with every better model. `pytest -s tests/behaviour` prints the rates and what fails.
"""

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.labels import FLAGS, HEADS
from service.core.message import Message

FOLDER = Path(__file__).parent
CASES: list[dict[str, Any]] = [
    json.loads(line)
    for path in sorted(FOLDER.glob("*.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
]
NOW = datetime(2026, 1, 5, tzinfo=UTC)
LEAST_MINIMUM = 0.49
LEAST_INVARIANT = 0.79


def read(chain: Chain, text: str) -> dict[str, Any]:
    """What a case may speak of, under the names it uses."""
    assessment: Assessment = assess_message(Message(text), chain, request_id="case", now=NOW)
    response = assessment.response
    return {
        "topic": assessment.topic.label,
        "sentiment": assessment.sentiment.label,
        "intent": assessment.intent.label,
        "response": response.type if response.value != "none" else "none",
        "risk": assessment.risk.rank,
        "flags": {flag.label for flag in assessment.flags},
    }


def failures(case: dict[str, Any], chain: Chain) -> list[str]:
    found = read(chain, case["text"])
    if "expect" in case:
        return [f"{k} {found}" for k, v in case["expect"].items() if not meets(found, k, v)]
    other = read(chain, case["variant"])
    changed = [
        f"{k}: {found[k]} → {other[k]}" for k in case.get("same", ()) if found[k] != other[k]
    ]
    lower = [
        f"{k}: {found[k]} → {other[k]}" for k in case.get("never_lower", ()) if other[k] < found[k]
    ]
    return changed + lower


def meets(found: dict[str, Any], key: str, wanted: Any) -> bool:
    match key:
        case "flags":
            return bool(set(wanted) <= found["flags"])
        case "not_flags":
            return not set(wanted) & found["flags"]
        case "risk_at_least":
            return bool(found["risk"] >= wanted)
        case "risk_at_most":
            return bool(found["risk"] <= wanted)
        case _:
            return bool(found[key] in wanted)


@pytest.fixture(scope="module")
def outcome(chain: Chain) -> dict[str, list[str]]:
    """For each case what failed, printed by capability."""
    failed = {case["id"]: failures(case, chain) for case in CASES}
    by_capability: defaultdict[str, list[str]] = defaultdict(list)
    for case in CASES:
        by_capability[case["capability"]].append(case["id"])
    print()
    for capability, ids in sorted(by_capability.items()):
        passed = [i for i in ids if not failed[i]]
        print(f"{capability:<24}{len(passed):>4} of {len(ids):<4}{len(passed) / len(ids):.2f}")
        for i in ids:
            for failure in failed[i]:
                print(f"    {i}: {failure}")
    return failed


def rate(outcome: dict[str, list[str]], cases: list[dict[str, Any]]) -> float:
    passed = sum(not outcome[case["id"]] for case in cases) / len(cases)
    print(f"pass rate {passed:.3f} of {len(cases)}")
    return passed


def test_minimum_functionality(outcome: dict[str, list[str]]) -> None:
    assert rate(outcome, [case for case in CASES if "expect" in case]) >= LEAST_MINIMUM


def test_invariances_and_directions(outcome: dict[str, list[str]]) -> None:
    assert rate(outcome, [case for case in CASES if "variant" in case]) >= LEAST_INVARIANT


def test_there_are_enough_well_formed_cases() -> None:
    assert len(CASES) >= 250
    assert len({case["id"] for case in CASES}) == len(CASES)
    heads = set(HEADS)
    for case in CASES:
        assert case.keys() <= {
            "id",
            "capability",
            "text",
            "variant",
            "expect",
            "same",
            "never_lower",
        }
        assert ("expect" in case) != ("variant" in case), case["id"]
        assert set(case.get("same", ())) | set(case.get("never_lower", ())) <= heads
        for key, wanted in case.get("expect", {}).items():
            if key in ("flags", "not_flags"):
                assert set(wanted) <= FLAGS.keys()
            elif key in heads:
                assert set(wanted) <= HEADS[key].keys()
            else:
                assert key in ("risk_at_least", "risk_at_most")
