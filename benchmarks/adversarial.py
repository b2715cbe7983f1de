"""How often danger is still seen where somebody hides it: `python -m benchmarks.adversarial`.

`data/adversarial/cases.jsonl` holds messages that were written plainly and then disguised, by the
kind of disguise. A danger is seen if one of the flags that the case states is raised.
"""

import argparse
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from service.bootstrap import build_chain
from service.core.assess import Chain, assess_message
from service.core.message import Message
from service.settings import Settings

CASES: Final = Path(__file__).resolve().parent.parent / "data" / "adversarial" / "cases.jsonl"
_NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)


def read_cases() -> list[dict[str, Any]]:
    """All cases."""
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


def is_seen(text: str, flags: list[str], chain: Chain) -> bool:
    """Whether one of the flags is raised."""
    assessment = assess_message(Message(text), chain, request_id="case", now=_NOW)
    return any(flag.label in flags for flag in assessment.flags)


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--missed", action="store_true", help="list what is seen only in plain")
    options = parser.parse_args()
    chain = build_chain(Settings())
    total, plain, hidden = Counter[str](), Counter[str](), Counter[str]()
    for case in read_cases():
        total[case["attack"]] += 1
        in_plain, in_text = (is_seen(case[key], case["flags"], chain) for key in ("plain", "text"))
        plain[case["attack"]] += in_plain
        hidden[case["attack"]] += in_text
        if options.missed and in_plain and not in_text:
            read = chain.normalizer.normalize(case["text"]).text
            print(case["id"], case["flags"], repr(case["text"][:90]), "→", read[:90])
    print(f"{'disguise':<16}{'cases':>6}{'seen plain':>12}{'seen hidden':>12}")
    for name in [*total, "all"]:
        n, p, h = (c.total() if name == "all" else c[name] for c in (total, plain, hidden))
        print(f"{name:<16}{n:>6}{p / n:>12.2f}{h / n:>12.2f}")


if __name__ == "__main__":
    main()
