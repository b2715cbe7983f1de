"""Replay (回放): past messages under a policy or a model and under another; what changes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.conditions import LEVEL_NAMES, LEVELS
from service.core.errors import YanpanError
from service.core.labels import HEAD_NAMES, RESPONSE
from service.core.message import Message

_ORDER: Final = ("none", "answer", "clarify", "escalate")
_DIRECTIONS: Final[Mapping[str, str]] = {"down": "降低", "up": "提高", "other": "其他"}


@dataclass(frozen=True, slots=True)
class Change:
    """One message that the candidate judges otherwise.

    Attributes:
        line: its line in the input, from 1.
        id: the caller's id.
        direction: `down` if the level or the response becomes weaker, `up` if stronger (and none
            weaker), else `other`.
        loses_escalate: whether an escalation is lost.
        before, after: what differs: level, response, value, first deadline.
        rules_lost, rules_gained: ids of rules that fire under one policy alone.
    """

    line: int
    id: str | None
    direction: str
    loses_escalate: bool
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]
    rules_lost: tuple[str, ...]
    rules_gained: tuple[str, ...]


@dataclass(slots=True)
class Replay:
    """What a candidate, policy or model, would change; downgrades first.

    Attributes:
        current, candidate: versions of what is compared.
        messages, failed: all, and those that could not be judged.
        changes: of level, response and what hangs on them.
        by_head: how many messages get another label of a head, or other flags.
    """

    current: str
    candidate: str
    messages: int = 0
    failed: int = 0
    changes: list[Change] = field(default_factory=list)
    by_head: Counter[str] = field(default_factory=Counter)

    @property
    def lost_escalates(self) -> int:
        """How many escalations the candidate would lose."""
        return sum(change.loses_escalate for change in self.changes)


def replay(
    messages: Iterable[tuple[int, Message | None]], current: Chain, candidate: Chain, now: datetime
) -> Replay:
    """Judges every message twice.

    Args:
        messages: line numbers with messages, `None` for a line that holds none.
        current: the model and the policy in force.
        candidate: the same with another policy, or with another model.
        now: the time both judge at.
    """
    names = (current.policy.version, candidate.policy.version)
    if current.model_version != candidate.model_version:
        names = (current.model_version, candidate.model_version)
    report = Replay(*names)
    for line, message in messages:
        report.messages += 1
        if message is None:
            report.failed += 1
            continue
        try:
            before, after = (
                assess_message(message, chain, request_id="replay", now=now)
                for chain in (current, candidate)
            )
        except YanpanError:
            report.failed += 1
            continue
        report.by_head.update(differing_heads(before, after))
        if (change := compare(line, before, after)) is not None:
            report.changes.append(change)
    gravity = {"down": 0, "other": 1, "up": 2}
    report.changes.sort(key=lambda c: (not c.loses_escalate, gravity[c.direction], c.line))
    return report


def compare(line: int, before: Assessment, after: Assessment) -> Change | None:
    """What differs between two assessments of one message, or `None`."""
    one, other = _summary(before), _summary(after)
    if one == other:
        return None
    steps = [
        LEVELS.index(after.risk.level) - LEVELS.index(before.risk.level),
        _ORDER.index(after.response.conclusion) - _ORDER.index(before.response.conclusion),
    ]
    direction = "down" if min(steps) < 0 else "up" if max(steps) > 0 else "other"
    rules = [_rules(assessment) for assessment in (before, after)]
    differing = [key for key in one if one[key] != other[key]]
    return Change(
        line=line,
        id=before.id,
        direction=direction,
        loses_escalate=before.response.conclusion == "escalate" != after.response.conclusion,
        before={key: one[key] for key in differing},
        after={key: other[key] for key in differing},
        rules_lost=tuple(rule for rule in rules[0] if rule not in rules[1]),
        rules_gained=tuple(rule for rule in rules[1] if rule not in rules[0]),
    )


def differing_heads(before: Assessment, after: Assessment) -> list[str]:
    """The heads that two assessments of one message answer otherwise."""
    one, other = before.labels(), after.labels()
    return [head for head in one if one[head] != other[head]]


def _summary(assessment: Assessment) -> dict[str, str | None]:
    deadlines = assessment.response.deadlines
    return {
        "level": assessment.risk.level,
        "response": assessment.response.conclusion,
        "value": assessment.response.value,
        "first_deadline": deadlines[0].due_at.isoformat() if deadlines else None,
        "owner": assessment.response.owner.lead,
    }


def _rules(assessment: Assessment) -> list[str]:
    return [rule.id for rule in (*assessment.risk.rules, *assessment.response.rules)]


def replay_table(report: Replay) -> dict[str, Any]:
    """A replay as JSON-ready values."""
    return {
        "current": report.current,
        "candidate": report.candidate,
        "messages": report.messages,
        "failed": report.failed,
        "changed": len(report.changes),
        "by_head": dict(report.by_head),
        "lost_escalates": report.lost_escalates,
        "by_direction": {
            direction: sum(c.direction == direction for c in report.changes)
            for direction in _DIRECTIONS
        },
        "changes": [asdict(change) for change in report.changes],
    }


def render_replay(report: Replay) -> str:
    """A replay as lines of a table for a terminal, parted by tabs."""
    head = (
        f"现行 {report.current} → 候选 {report.candidate}：{report.messages} 条，"
        f"变化 {len(report.changes)} 条，失去上报 {report.lost_escalates} 条，"
        f"未能研判 {report.failed} 条"
    )
    if report.by_head:
        names = {**HEAD_NAMES, "flags": "要素"}
        changed = [f"{names[key]} {count} 条" for key, count in report.by_head.most_common()]
        head += f"；改变的判断：{'、'.join(changed)}"
    rows = [
        "\t".join(
            (
                str(change.line),
                change.id or "-",
                "失去上报" if change.loses_escalate else _DIRECTIONS[change.direction],
                "；".join(_describe(k, change.before[k], change.after[k]) for k in change.before),
                "、".join(f"−{rule}" for rule in change.rules_lost)
                + "、".join(f"+{rule}" for rule in change.rules_gained),
            )
        )
        for change in report.changes
    ]
    return "\n".join([head, "行\t编号\t方向\t变化\t规则", *rows] if rows else [head])


def _describe(key: str, before: str | None, after: str | None) -> str:
    names = {"level": "等级", "response": "建议", "value": "回应价值", "owner": "承办"}
    words = {**RESPONSE, **LEVEL_NAMES, "required": "必须", "optional": "酌定"}
    name = names.get(key, "首个时限")
    return (
        f"{name} {words.get(before or '', before or '无')}→{words.get(after or '', after or '无')}"
    )
