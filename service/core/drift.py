"""Have the messages changed (数据漂移)? What is judged now against what the model was trained on.

Population stability index: the sum over bins of (now − then) · ln(now / then). Below 0.1 nothing
has changed, from 0.25 on much has; the bounds are those of credit scoring, where the index is from
(Siddiqi, Credit Risk Scorecards, 2006).
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from service.core.assessment import Assessment
from service.core.labels import FLAGS

FEWEST: Final = 500  # messages, below which an index is mostly chance
_SOME: Final = 0.1
_MUCH: Final = 0.25
_LEAST_SHARE: Final = 1e-4  # of an empty bin, whose logarithm would have no end
_LENGTHS: Final = (20, 50, 100, 200, 400, 800, 1_600)  # characters
_TENTHS: Final = tuple(tenth / 10 for tenth in range(1, 10))

Profile = Mapping[str, Mapping[str, float]]  # what is counted → bin → share


class Seen(NamedTuple):
    """What of a message is counted; never the message.

    Attributes:
        labels: of each exclusive head.
        confidences: of those that tell one.
        flags: those that were raised.
        characters: its length, if it is known.
        unknown_words: the share of its words that the model does not know, likewise.
    """

    labels: Mapping[str, str]
    confidences: Mapping[str, float]
    flags: tuple[str, ...]
    characters: int | None
    unknown_words: float | None


def see(assessment: Assessment) -> Seen:
    """What of an assessment is counted."""
    reports = {
        "topic": assessment.topic,
        "sentiment": assessment.sentiment,
        "intent": assessment.intent,
    }
    labels = {head: report.label for head, report in reports.items()}
    confidences = {head: report.confidence for head, report in reports.items()}
    return Seen(
        {**labels, "response": assessment.response.conclusion, "risk": str(assessment.risk.rank)},
        {**confidences, "response": assessment.response.confidence},
        tuple(flag.label for flag in assessment.flags),
        assessment.text.characters,
        assessment.text.unknown_words,
    )


class DriftCounter:
    """Counts what is seen, bin by bin.

    Attributes:
        messages: how many were seen.
        counts: what is counted → bin → messages.
    """

    def __init__(self) -> None:
        self.messages = 0
        self.counts: dict[str, Counter[str]] = {}

    @classmethod
    def of(cls, messages: int, counts: Mapping[str, Mapping[str, int]]) -> "DriftCounter":
        """What another process has counted."""
        counter = cls()
        counter.messages = messages
        counter.counts = {what: Counter(bins) for what, bins in counts.items()}
        return counter

    def add(self, seen: Seen) -> None:
        """Counts one message."""
        self.messages += 1
        for head, label in seen.labels.items():
            self._count(head, label)
        for head, confidence in seen.confidences.items():
            self._count(f"{head}_confidence", _bin(confidence, _TENTHS))
        for flag in FLAGS:
            self._count(f"flag_{flag}", "yes" if flag in seen.flags else "no")
        if seen.characters is not None:
            self._count("characters", _bin(seen.characters, _LENGTHS))
        if seen.unknown_words is not None:
            self._count("unknown_words", _bin(seen.unknown_words, _TENTHS))

    def _count(self, what: str, where: str) -> None:
        counter = self.counts.get(what)
        if counter is None:
            counter = self.counts[what] = Counter()
        counter[where] += 1

    def include(self, other: "DriftCounter") -> None:
        """Adds what another has counted."""
        self.messages += other.messages
        for what, counts in other.counts.items():
            self.counts.setdefault(what, Counter()).update(counts)

    def profile(self) -> dict[str, dict[str, float]]:
        """The shares of all bins."""
        return {
            what: {
                where: round(count / counts.total(), 5) for where, count in sorted(counts.items())
            }
            for what, counts in self.counts.items()
        }

    def compare(self, then: Profile) -> dict[str, Any]:
        """The index of everything that is counted, and what it means in words.

        Args:
            then: the profile of the training messages; empty if the model brings none.
        """
        now = self.profile()
        indices = {what: stability_index(then[what], now[what]) for what in then if what in now}
        return {"messages": self.messages, **judge(self.messages, indices)}


def stability_index(then: Mapping[str, float], now: Mapping[str, float]) -> float:
    """The population stability index of two distributions over the same bins.

    >>> stability_index({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5})
    0.0
    >>> round(stability_index({"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.1}), 3)
    0.879
    """
    index = 0.0
    for where in then.keys() | now.keys():
        before, after = (max(shares.get(where, 0.0), _LEAST_SHARE) for shares in (then, now))
        index += (after - before) * math.log(after / before)
    return index


def judge(messages: int, indices: Mapping[str, float]) -> dict[str, Any]:
    """The indices with a verdict and a sentence for the officer."""
    if messages < FEWEST or not indices:
        few = f"已研判 {messages} 条，满 {FEWEST} 条后才能比较。"
        text = few if indices or not messages else "模型没有训练时的概况，不能比较。"
        return {"verdict": "unknown", "text": text, "indices": dict(indices)}
    moved = sorted((what for what in indices if indices[what] >= _SOME), key=lambda w: -indices[w])
    worst = max(indices.values())
    verdict = "stable" if worst < _SOME else "shifted" if worst < _MUCH else "drifted"
    text = {
        "stable": "与训练时的信息相近。",
        "shifted": "与训练时的信息有些不同，请留意：",
        "drifted": "与训练时的信息明显不同，研判可能变差，请抽样标注后更新模型：",
    }[verdict]
    named = "、".join(f"{name_of_count(what)}（{indices[what]:.2f}）" for what in moved[:5])
    return {
        "verdict": verdict,
        "text": f"{text}{named}",
        "indices": {what: round(index, 4) for what, index in indices.items()},
    }


_NAMES: Final = {
    "topic": "话题", "sentiment": "情感", "intent": "诉求类型", "response": "回应", "risk": "风险",
    "characters": "字数", "unknown_words": "生词",
}  # fmt: skip


def name_of_count(what: str) -> str:
    """The Chinese name of something that is counted.

    >>> name_of_count("topic_confidence"), name_of_count("flag_minor")
    ('话题的把握', '要素：未成年人')
    """
    if what.startswith("flag_"):
        return f"要素：{FLAGS[what.removeprefix('flag_')]}"
    if what.endswith("_confidence"):
        return f"{_NAMES[what.removesuffix('_confidence')]}的把握"
    return _NAMES[what]


def _bin(value: float, edges: tuple[float, ...]) -> str:
    place = bisect_right(edges, value)
    return f"≥{edges[place - 1]:g}" if place else f"<{edges[0]:g}"
