"""Four dimensions → level (风险研判): the higher of what the text and the figures say."""

from collections.abc import Sequence
from typing import Final

from service.core.assessment import Counterfactual, Dimension, RiskAssessment, RuleReport
from service.core.case import Case
from service.core.classify import Classification
from service.core.conditions import FIGURES, Facts, is_graded, is_truth, name_value
from service.core.grounds import Grounds
from service.core.policy import DIMENSIONS, Level, Policy
from service.core.rules import Rule, Standing

_SPREAD: Final = tuple(fact for fact in FIGURES if fact.startswith("spread."))
_SPEED: Final = tuple(fact for fact in FIGURES if fact.startswith("speed."))
_MEDIA: Final = ("media.tier", "media.reports", "media.hot_search")
_METADATA: Final = {"reach": (*_SPREAD, *_SPEED), "media": _MEDIA}
_OWN_FIGURES: Final = {"reach": _SPREAD, "media": _MEDIA}
_UNKNOWN: Final = {key: Dimension(DIMENSIONS[key], None, "unknown") for key in _METADATA}
_CONCLUSIONS: Final = ("text_level", "level", "confidence.")  # of the model, not facts of the case


def assess_risk(case: Case, policy: Policy) -> RiskAssessment:
    """The level, its score and the four dimensions with their grounds.

    The text's level is that of the trained risk head; rules may raise it and never lower it. A
    dimension that nothing is known of has score `None` and basis `unknown`. The level gives the
    band of the score; the dimensions, by their weights, the place within the band.
    """
    standing, facts = case.standing, case.standing.facts
    fired = policy.book.fired(policy.level_rules, standing)
    text_level = policy.levels[str(facts["text_level"])]
    level = _highest(text_level, fired, policy)
    dimensions = {
        "nature": _nature(case, fired, policy),
        "reach": _from_metadata("reach", fired, facts, policy),
        "media": _from_metadata("media", fired, facts, policy),
        "consequence": _consequence(case, fired, policy),
    }
    reports = [
        report_rule(rule, f"level >= {rule.effect}", standing, case.grounds) for rule in fired
    ]
    return RiskAssessment(
        level=level.key,
        name=level.name,
        rank=level.rank,
        colour=level.colour,
        score=_score(level, dimensions, policy),
        dimensions=dimensions,
        rules=[_model_report(case.classification, text_level), *reports],
        counterfactuals=_without_each(fired, standing, level, policy)
        if level != text_level
        else (),
    )


def report_rule(rule: Rule, effect: str, standing: Standing, grounds: Grounds) -> RuleReport:
    """A rule that fired, with the words and figures that made it fire."""
    evidence = grounds.of(rule.when, standing.facts)
    return RuleReport(rule.id, rule.text, rule.source, effect, evidence)


def level_without(fact: str, standing: Standing, policy: Policy) -> Level:
    """The level if a flag were not raised, or a figure not known."""
    changed = policy.book.change(standing, fact, None)
    text_level = policy.levels[str(standing.facts["text_level"])]
    return _highest(text_level, policy.book.fired(policy.level_rules, changed), policy)


def pivots(rules: Sequence[Rule]) -> list[str]:
    """The facts of these rules that one can imagine away: flags, words and figures."""
    facts = dict.fromkeys(fact for rule in rules for fact in rule.when.facts)
    return [
        fact
        for fact in facts
        if (is_truth(fact) or is_graded(fact)) and not fact.startswith(_CONCLUSIONS)
    ]


def _highest(text_level: Level, fired: Sequence[Rule], policy: Policy) -> Level:
    level = text_level
    for rule in fired:
        said = policy.levels[rule.effect]
        if said.rank > level.rank:
            level = said
    return level


def _without_each(
    fired: Sequence[Rule], standing: Standing, level: Level, policy: Policy
) -> list[Counterfactual]:
    """The facts that alone made the level what it is, each with the level there would be."""
    facts = standing.facts
    decisive = [rule for rule in fired if rule.effect == level.key]
    found = []
    for fact in pivots(decisive):
        if not facts.get(fact):
            continue
        without = level_without(fact, standing, policy)
        if without.rank < level.rank:
            text = f"没有“{name_value(fact, facts[fact])}”，等级为{without.name}"
            found.append(Counterfactual(fact, without.key, text))
    return found


def _score(level: Level, dimensions: dict[str, Dimension], policy: Policy) -> int:
    """The band's foot, and as much of the band as the dimensions together fill.

    Together they fill 1 − ∏(1 − weight · score / 100): each adds to what the others leave, so a
    higher figure never lowers it, and one that is unknown adds nothing.
    """
    left = 1.0
    for key, dimension in dimensions.items():
        if dimension.score is not None:
            left *= 1 - policy.weights[key] * dimension.score / 100
    return level.least + round((level.most - level.least) * (1 - left))


def _nature(case: Case, fired: Sequence[Rule], policy: Policy) -> Dimension:
    """What kind of message it is: the intent's score, raised by the rules about its nature."""
    mine = [rule for rule in fired if rule.dimension == "nature"]
    base = policy.intent_scores.get(case.classification.heads["intent"].label, 0)
    return _from_text("nature", base, mine, policy, case.grounds)


def _consequence(case: Case, fired: Sequence[Rule], policy: Policy) -> Dimension:
    """How bad it may become: the expected score of the risk head, raised by the rules."""
    mine = [rule for rule in fired if rule.dimension == "consequence"]
    anchors, expected = policy.anchors, 0.0
    for rank, probability in case.classification.heads["risk"].scores.items():
        expected += probability * anchors[rank]
    return _from_text("consequence", round(expected), mine, policy, case.grounds)


def _from_text(
    dimension: str, base: int, mine: Sequence[Rule], policy: Policy, grounds: Grounds
) -> Dimension:
    """A dimension read from the text, with the words behind its rules."""
    if not mine:
        return Dimension(DIMENSIONS[dimension], base, "text")
    score = max([base, *_anchors(mine, policy)])
    facts = dict.fromkeys(fact for rule in mine for fact in rule.when.facts)
    quotes = dict.fromkeys(span.text for fact in facts for span in grounds.spans(fact))
    return Dimension(DIMENSIONS[dimension], score, "rule", list(quotes))


def _from_metadata(
    dimension: str, fired: Sequence[Rule], facts: Facts, policy: Policy
) -> Dimension:
    """A dimension read from metadata alone; unknown while none of its figures is given."""
    known = [fact for fact in _METADATA[dimension] if fact in facts]
    if not known:
        return _UNKNOWN[dimension]
    mine = [rule for rule in fired if rule.dimension == dimension]
    decisive = {fact for rule in mine for fact in rule.when.facts}
    shown = [fact for fact in known if fact in decisive] or [
        fact for fact in known if fact in _OWN_FIGURES[dimension]
    ]
    score = max([policy.levels["low"].anchor, *_anchors(mine, policy)])
    evidence = [name_value(fact, facts[fact]) for fact in shown]
    return Dimension(DIMENSIONS[dimension], score, "metadata", evidence)


def _anchors(rules: Sequence[Rule], policy: Policy) -> list[int]:
    return [policy.levels[rule.effect].anchor for rule in rules]


def _model_report(classification: Classification, level: Level) -> RuleReport:
    confidence = classification.heads["risk"].confidence
    text = f"文本风险模型判断为{level.name}（置信度 {confidence:.2f}）"
    return RuleReport("MODEL-RISK", text, "训练模型", f"level >= {level.key}")
