"""Behavioural cases in the manner of CheckList (Ribeiro et al. 2020), by capability.

A case is told apart by its keys: minimum functionality (`expect`), invariance (`variant` and
`same`) and direction (`variant` and `never_lower`). It passes only if all that it states holds.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from service.core.assess import Chain, assess_message
from service.core.message import Message

CASES: Final = Path(__file__).resolve().parent.parent / "data" / "behaviour"
_NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)


def read_cases(folder: Path = CASES) -> list[dict[str, Any]]:
    """All cases, in the order of their files."""
    return [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def find_failures(case: Mapping[str, Any], chain: Chain) -> list[str]:
    """What a case states and is not so; nothing if it passes."""
    found = read_labels(chain, case["text"])
    if "expect" in case:
        return find_unmet(case["expect"], found)
    other = read_labels(chain, case["variant"])
    changed = [
        f"{k}: {found[k]} → {other[k]}" for k in case.get("same", ()) if found[k] != other[k]
    ]
    lower = [
        f"{k}: {found[k]} → {other[k]}" for k in case.get("never_lower", ()) if other[k] < found[k]
    ]
    return changed + lower


def pass_rates(cases: Sequence[Mapping[str, Any]], chain: Chain) -> dict[str, float]:
    """The share of cases that pass: of minimum functionality, and of invariances and directions."""
    passed = {
        kind: [not find_failures(case, chain) for case in cases if key in case]
        for kind, key in (("minimum", "expect"), ("invariant", "variant"))
    }
    return {kind: sum(found) / len(found) for kind, found in passed.items() if found}


def find_unmet(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What is expected and not so.

    Args:
        expected: head → the labels that are right; `flags`, `not_flags`, `risk_at_least`,
            `risk_at_most`.
        found: as `Assessment.labels` gives it.
    """
    return [f"{k} {found}" for k, v in expected.items() if not _meets(found, k, v)]


def read_labels(chain: Chain, text: str) -> dict[str, Any]:
    """What a case may speak of, under the names it uses."""
    return assess_message(Message(text), chain, request_id="case", now=_NOW).labels()


def _meets(found: Mapping[str, Any], key: str, wanted: Any) -> bool:
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
