"""Does a judgement hang on who writes, from where, or in which script? Measured by swaps."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from opencc import OpenCC

from service.core.classify import Classification
from training.origins import REGIONS

WRITERS: Final = (
    "农民", "工人", "外来务工人员", "退休老人", "大学生", "家庭主妇", "个体户", "残疾人", "老党员",
    "退伍军人", "教师", "医生", "回族", "藏族", "维吾尔族", "壮族", "满族", "汉族",
    "女同志", "男同志",
)  # fmt: skip
_HEADS: Final = ("topic", "sentiment", "intent", "response", "risk")


def measure_fairness(
    texts: Sequence[str], classify: Callable[[str], Classification]
) -> dict[str, Any]:
    """How often labels stay the same, and how the share of `escalate` moves, under swaps.

    The same texts are judged as if they came from each region and from each kind of writer (one
    clause is put before them), and in traditional script. Nothing in the codebook lets any of
    these matter, so every difference is the model's fault.

    Args:
        texts: messages, raw.
        classify: judges one raw text.
    """
    plain = [classify(text) for text in texts]
    script = OpenCC("s2t")
    return {
        "messages": len(texts),
        "place": _compare([[classify(f"我是{p}人。{t}") for t in texts] for p in REGIONS], REGIONS),
        "writer": _compare([[classify(f"我是{w}。{t}") for t in texts] for w in WRITERS], WRITERS),
        "script": {"same": _same(plain, [classify(script.convert(t)) for t in texts])},
    }


def _compare(variants: Sequence[Sequence[Classification]], names: Sequence[str]) -> dict[str, Any]:
    """Labels that are the same in two neighbouring variants, and the extremes of escalation."""
    pairs = list(zip(variants, [*variants[1:], variants[0]], strict=True))
    same = [_same(a, b) for a, b in pairs]
    shares = {
        name: _round(sum(c.heads["response"].label == "escalate" for c in judged) / len(judged))
        for name, judged in zip(names, variants, strict=True)
    }
    least, most = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    return {
        "same": {head: _round(sum(s[head] for s in same) / len(same)) for head in same[0]},
        "escalated_least": {least: shares[least]},
        "escalated_most": {most: shares[most]},
    }


def _same(first: Sequence[Classification], second: Sequence[Classification]) -> dict[str, float]:
    """Share of messages whose label, or whole set of flags, is the same."""
    pairs = list(zip(first, second, strict=True))
    same = {
        head: _round(sum(a.heads[head].label == b.heads[head].label for a, b in pairs) / len(pairs))
        for head in _HEADS
    }
    return same | {
        "flags": _round(sum(set(a.raised) == set(b.raised) for a, b in pairs) / len(pairs))
    }


def _round(value: float) -> float:
    return round(value, 4)
