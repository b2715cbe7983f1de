"""What the policy engine costs a message, with the shipped rules and with 500.

    python -m benchmarks.policy_engine

The engine is everything after the classifier: figures in the text, facts, rules with their
evidence and counterfactuals, dimensions, level, response, clocks. Each round times all variants in
turn; the table gives medians of the rounds, and the ratio within one run.
"""

import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from service.bootstrap import build_chain
from service.core.assess import Chain, decide
from service.core.case import Case
from service.core.classify import Classification
from service.core.conditions import Clause, Condition
from service.core.facts import gather_facts
from service.core.labels import FLAGS, TOPIC
from service.core.message import Message, Spread
from service.core.policy import Policy
from service.core.quantities import find_quantities
from service.core.reading import read_message
from service.core.rules import Rule, RuleTable
from service.settings import Settings

_ROUNDS: Final = 9
_MESSAGES: Final = 400
_RULES: Final = 500
_SAMPLES: Final = Path(__file__).resolve().parents[1] / "data" / "samples"
_NOW: Final = datetime.fromisoformat("2026-01-05T08:30:00+08:00")

Prepared = tuple[Message, str, Classification]


def main() -> None:
    """Prints the table."""
    chain = build_chain(Settings())
    prepared = _prepare(chain)
    shipped = chain.policy
    larger = with_more_rules(shipped, _RULES)
    variants: dict[str, Callable[[], object]] = {
        "figures in the text": lambda: _each(_quantities, prepared, shipped),
        f"engine, {_count(shipped)} rules": lambda: _each(_decide, prepared, shipped),
        f"engine, {_count(larger)} rules": lambda: _each(_decide, prepared, larger),
    }
    gc.collect()
    gc.freeze()  # as the service does: dictionaries that never change are not to be searched
    rounds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(_ROUNDS):
        for name, run in variants.items():
            start = time.perf_counter()
            run()
            rounds[name].append((time.perf_counter() - start) / len(prepared) * 1e6)
    base = statistics.median(rounds[f"engine, {_count(shipped)} rules"])
    print(f"{len(prepared)} of our own messages, medians of {_ROUNDS} rounds")
    for name, times in rounds.items():
        median = statistics.median(times)
        print(f"{name:<24}{median:>8.1f} µs a message{median / base:>8.2f}×")


def with_more_rules(policy: Policy, size: int) -> Policy:
    """The policy with made-up rules of the shapes that offices write, `size` in all."""
    draw = random.Random(7)  # noqa: S311 — only to vary the rules
    level_rules, response_rules = list(policy.level_rules), list(policy.response_rules)
    for number in range(size - _count(policy)):
        flag = Clause(f"flag.{draw.choice(list(FLAGS))}", "is", True)  # noqa: FBT003 — an operand
        topic = Clause("topic", "is", draw.choice(list(TOPIC)))
        views = Clause("spread.views", "at_least", draw.randrange(10**6))
        deaths = Clause("quantity.deaths", "at_least", draw.randrange(2, 50))
        when = Condition(
            draw.choice([(flag, topic), (topic, views), (flag, deaths), (flag, views)])
        )
        rule = Rule(f"X{number}", "本地规则", "本地预案", when, "medium", "nature")
        if number % 2:
            level_rules.append(rule)
        else:
            response_rules.append(replace(rule, effect="answer", dimension=""))
    return replace(
        policy, level_rules=RuleTable(level_rules), response_rules=RuleTable(response_rules)
    )


def _count(policy: Policy) -> int:
    tables = [getattr(policy, name) for name in policy.__dataclass_fields__]
    return sum(len(table) for table in tables if isinstance(table, RuleTable))


def _prepare(chain: Chain) -> Sequence[Prepared]:
    """Messages with their classification; every fourth with figures of its spread."""
    rows: list[Mapping[str, str]] = [
        json.loads(line)
        for path in sorted(_SAMPLES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    prepared = []
    for number, row in enumerate(rows[:: len(rows) // _MESSAGES]):
        spread = Spread(views=20_000, reposts=700) if number % 4 == 0 else Spread()
        message = Message(row["text"], spread=spread)
        document = read_message(
            message, chain.normalizer, chain.segmenter, chain.classifier.log_likelihood
        ).document
        prepared.append((message, document.text, chain.classifier.classify(document)))
    return prepared


def _each(
    step: Callable[[Prepared, Policy], object], prepared: Sequence[Prepared], policy: Policy
) -> None:
    for one in prepared:
        step(one, policy)


def _quantities(prepared: Prepared, policy: Policy) -> object:
    return find_quantities(prepared[1], _NOW.date(), policy.circumstances)


def _decide(prepared: Prepared, policy: Policy) -> object:
    message, text, said = prepared
    found = find_quantities(text, _NOW.date(), policy.circumstances)
    facts = gather_facts(message, said, policy, text=text, quantities=found, now=_NOW)
    return decide(Case(message, said, policy.book.read(facts), _NOW), policy)


if __name__ == "__main__":
    main()
