"""Four dimensions → level (风险研判): the higher of what the text and the figures say."""

from collections.abc import Mapping, Sequence
from typing import Final

from service.core.assessment import Dimension, FlagReport, LevelRuleReport, RiskAssessment
from service.core.classify import Classification
from service.core.conditions import FIGURES, LEVELS, Facts
from service.core.policy import Level, Policy, Rule

NAMES: Final[Mapping[str, str]] = {
    "nature": "性质",
    "reach": "影响范围",
    "media": "媒体介入程度",
    "consequence": "可能产生的后果",
}
_UNITS: Final[Mapping[str, str]] = {"spread.regions": "个地区", "media.reports": "篇报道"}
_TIER_NAMES: Final[Mapping[str, str]] = {
    "none": "无媒体报道",
    "local": "市级及以下媒体",
    "provincial": "省级媒体",
    "central": "中央媒体",
    "overseas": "境外媒体",
}


def assess_risk(
    classification: Classification, flags: Sequence[FlagReport], facts: Facts, policy: Policy
) -> RiskAssessment:
    """The level, its score and the four dimensions with their grounds.

    The text's level is that of the trained risk head; rules may raise it and never lower it.
    A dimension that nothing is known of has score `None` and basis `unknown`. The score is the
    highest of the dimensions' scores, held inside the band of the level.
    """
    fired = [rule for rule in policy.level_rules if rule.when.holds(facts)]
    text_level = policy.levels[str(facts["text_level"])]
    level = max([text_level, *(policy.levels[r.effect] for r in fired)], key=lambda lv: lv.rank)
    dimensions = {
        "nature": _nature(classification, flags, fired, policy),
        "reach": _figures("reach", fired, facts, policy),
        "media": _figures("media", fired, facts, policy),
        "consequence": _consequence(classification, flags, fired, policy),
    }
    highest = max((d.score for d in dimensions.values() if d.score is not None), default=0)
    return RiskAssessment(
        level=level.key,
        name=level.name,
        rank=level.rank,
        colour=level.colour,
        score=min(max(highest, level.least), level.most),
        dimensions=dimensions,
        rules=[_model_report(classification, text_level), *map(_report, fired)],
    )


def _nature(
    classification: Classification,
    flags: Sequence[FlagReport],
    fired: Sequence[Rule],
    policy: Policy,
) -> Dimension:
    """What kind of message it is: the intent's score, raised by the rules about its nature."""
    mine = [rule for rule in fired if rule.dimension == "nature"]
    base = policy.intent_scores.get(classification.heads["intent"].label, 0)
    score = max([base, *_anchors(mine, policy)])
    return Dimension(NAMES["nature"], score, "rule" if mine else "text", _quotes(mine, flags))


def _consequence(
    classification: Classification,
    flags: Sequence[FlagReport],
    fired: Sequence[Rule],
    policy: Policy,
) -> Dimension:
    """How bad it may become: the expected score of the risk head, raised by the rules."""
    mine = [rule for rule in fired if rule.dimension == "consequence"]
    probabilities = classification.heads["risk"].scores
    levels = list(policy.levels.values())
    expected = sum(p * levels[int(rank) - 1].anchor for rank, p in probabilities.items())
    score = max([round(expected), *_anchors(mine, policy)])
    return Dimension(NAMES["consequence"], score, "rule" if mine else "text", _quotes(mine, flags))


def _figures(dimension: str, fired: Sequence[Rule], facts: Facts, policy: Policy) -> Dimension:
    """A dimension read from metadata alone; unknown while none of its figures is given."""
    prefix = {"reach": "spread.", "media": "media."}[dimension]
    known = [fact for fact in facts if fact.startswith(prefix) and facts[fact] is not None]
    if not known:
        return Dimension(NAMES[dimension], None, "unknown")
    mine = [rule for rule in fired if rule.dimension == dimension]
    decisive = {fact for rule in mine for fact in rule.when.facts} or set(known)
    shown = [_describe(fact, facts) for fact in known if fact in decisive]
    score = max([policy.levels["low"].anchor, *_anchors(mine, policy)])
    return Dimension(NAMES[dimension], score, "metadata", shown)


def _anchors(rules: Sequence[Rule], policy: Policy) -> list[int]:
    return [policy.levels[rule.effect].anchor for rule in rules]


def _quotes(rules: Sequence[Rule], flags: Sequence[FlagReport]) -> list[str]:
    """The words of the message that stand behind the rules' flags."""
    wanted = {fact.removeprefix("flag.") for rule in rules for fact in rule.when.facts}
    spans = [
        span
        for flag in flags
        if flag.label in wanted
        for span in (*flag.evidence, *flag.title_evidence)
    ]
    return list(dict.fromkeys(span.text for span in spans))


def _describe(fact: str, facts: Facts) -> str:
    value = facts[fact]
    if fact == "media.tier":
        return _TIER_NAMES[str(value)]
    if fact == "media.hot_search":
        return "已上热搜" if value else "未上热搜"
    return f"{FIGURES[fact]} {value}{_UNITS.get(fact, '次')}"


def _model_report(classification: Classification, level: Level) -> LevelRuleReport:
    confidence = classification.heads["risk"].confidence
    text = f"文本风险模型判断为{level.name}（置信度 {confidence:.2f}）"
    return LevelRuleReport("MODEL-RISK", text, "训练模型", f"level >= {level.key}")


def _report(rule: Rule) -> LevelRuleReport:
    return LevelRuleReport(rule.id, rule.text, rule.source, f"level >= {rule.effect}")


def text_level(classification: Classification) -> str:
    """The level key of what the risk head says of the text alone."""
    return LEVELS[int(classification.heads["risk"].label) - 1]
