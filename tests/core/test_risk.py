"""Levels and dimensions: tables for the rules, and monotony over the whole space of figures."""

from dataclasses import replace

import pytest
from builders import POLICY, case, classification
from hypothesis import given
from hypothesis import strategies as st

from service.core.assess import decide
from service.core.assessment import Recommendation, RiskAssessment
from service.core.case import Case
from service.core.classify import Classification
from service.core.conditions import FIGURES, Facts
from service.core.labels import FLAGS
from service.core.message import MEDIA_TIERS, MediaAttention, Message, Spread
from service.core.risk import assess_risk


def assess(message: Message, judged: Classification) -> RiskAssessment:
    return assess_risk(case(judged, message), POLICY)


@pytest.mark.parametrize(
    ("judged", "level", "rule"),
    [
        (classification(), "low", None),
        (classification(risk="2"), "medium", None),
        (classification(risk="4", response="escalate"), "critical", None),
        (classification(flags=("casualty",), response="escalate"), "high", "R-CASUALTY"),
        (classification(flags=("casualty",), response="none"), "low", None),
        (classification(flags=("accident",), response="escalate"), "medium", "R-ACCIDENT"),
        (classification(flags=("threat",)), "high", "R-THREAT"),
        (classification(flags=("mobilise",), response="escalate"), "high", "R-MOBILISE"),
        (classification(flags=("petition",)), "medium", "R-PETITION"),
        (classification(flags=("minor",), response="answer"), "medium", "R-MINOR"),
        (classification(flags=("minor",), response="none"), "low", None),
        (classification(flags=("hardship",)), "medium", "R-HARDSHIP"),
        (classification(flags=("misconduct",), response="answer"), "medium", "R-MISCONDUCT"),
        (classification(flags=("media",), response="answer"), "medium", "R-MEDIA-TEXT"),
        (classification(flags=("abuse",)), "low", None),
        (classification(risk="3", flags=("hardship",)), "high", "R-HARDSHIP"),
    ],
)
def test_the_text_sets_a_level_and_rules_raise_it(
    judged: Classification, level: str, rule: str | None
) -> None:
    risk = assess(Message("文"), judged)
    assert risk.level == level
    assert rule is None or rule in [r.id for r in risk.rules]


@pytest.mark.parametrize(
    ("spread", "media", "level"),
    [
        (Spread(views=4_999), MediaAttention(), "low"),
        (Spread(views=5_000), MediaAttention(), "medium"),
        (Spread(views=500_000), MediaAttention(), "high"),
        (Spread(reposts=499), MediaAttention(), "low"),
        (Spread(reposts=500), MediaAttention(), "medium"),
        (Spread(comments=600, likes=400), MediaAttention(), "medium"),
        (Spread(reposts=9_999), MediaAttention(), "medium"),
        (Spread(likes=10_000), MediaAttention(), "high"),
        (Spread(likes=50_000), MediaAttention(), "critical"),
        (Spread(regions=2), MediaAttention(), "low"),
        (Spread(regions=3), MediaAttention(), "medium"),
        (Spread(duplicates=499), MediaAttention(), "low"),
        (Spread(duplicates=500), MediaAttention(), "medium"),
        (Spread(duplicates=2_000), MediaAttention(), "high"),
        (Spread(duplicates=10_000), MediaAttention(), "critical"),
        (Spread(), MediaAttention(tier="none"), "low"),
        (Spread(), MediaAttention(tier="local"), "medium"),
        (Spread(), MediaAttention(tier="provincial"), "high"),
        (Spread(), MediaAttention(tier="central"), "critical"),
        (Spread(), MediaAttention(tier="overseas"), "critical"),
        (Spread(), MediaAttention(reports=2), "low"),
        (Spread(), MediaAttention(reports=3), "medium"),
        (Spread(), MediaAttention(hot_search=True), "high"),
        (Spread(), MediaAttention(hot_search=False), "low"),
    ],
)
def test_each_threshold_and_its_near_miss(
    spread: Spread, media: MediaAttention, level: str
) -> None:
    assert assess(Message("文", spread=spread, media=media), classification()).level == level


def test_absent_figures_are_unknown_and_never_low() -> None:
    dimensions = assess(Message("文"), classification()).dimensions
    for name in ("reach", "media"):
        assert dimensions[name].score is None
        assert dimensions[name].basis == "unknown"


def test_a_known_zero_is_low_and_not_unknown() -> None:
    reach = assess(Message("文", spread=Spread(views=0)), classification()).dimensions["reach"]
    assert (reach.score, reach.basis) == (15, "metadata")
    assert reach.evidence == ["阅读量 0次"]


def test_the_figures_that_decided_are_the_evidence() -> None:
    message = Message("文", spread=Spread(views=9, reposts=800))
    reach = assess(message, classification()).dimensions["reach"]
    assert reach.evidence == ["转发量 800次"]


figure = st.none() | st.integers(0, 200_000)
spreads = st.builds(
    Spread,
    views=st.none() | st.integers(0, 2_000_000),
    reposts=figure,
    comments=figure,
    likes=figure,
    regions=st.none() | st.integers(1, 40),
    duplicates=figure,
)
attention = st.builds(
    MediaAttention,
    tier=st.none() | st.sampled_from(MEDIA_TIERS),
    reports=figure,
    hot_search=st.none() | st.booleans(),
)
judgements = st.builds(
    classification,
    intent=st.sampled_from(["complaint", "other", "claim"]),
    response=st.sampled_from(["escalate", "clarify", "answer", "none"]),
    risk=st.sampled_from("1234"),
    flags=st.lists(st.sampled_from(list(FLAGS)), unique=True).map(tuple),
)


COUNTED = ["deaths", "missing", "seriously_injured", "injured", "poisoned", "trapped", "stranded"]
COUNTED += ["gathered", "households", "loss", "dead_or_missing", "people", "money"]
SPEEDS = ["views", "reposts", "comments", "likes", "engagement"]
told_figures = st.fixed_dictionaries(
    {},
    optional={f"quantity.{kind}": st.integers(1, 10**9) for kind in COUNTED}
    | {f"speed.{name}": st.integers(0, 10**6) for name in SPEEDS},
)


def make_case(
    judged: Classification, spread: Spread, media: MediaAttention, told: dict[str, int]
) -> Case:
    known = case(judged, Message("文", spread=spread, media=media))
    return with_facts(known, {**known.facts, **told})


def with_facts(known: Case, facts: Facts) -> Case:
    return replace(known, standing=POLICY.book.read(facts))


known_cases = st.builds(make_case, judgements, spreads, attention, told_figures)


@given(known_cases, st.integers(0, 10**9), st.data())
def test_no_figure_that_grows_or_becomes_known_lowers_a_level_or_a_score_or_a_response(
    before: Case, more: int, data: st.DataObject
) -> None:
    fact = data.draw(st.sampled_from(sorted(FIGURES)))
    grown = {**before.facts, fact: float(before.facts.get(fact) or 0) + more}
    (risk, response), (higher, stronger) = (
        decide(one, POLICY) for one in (before, with_facts(before, grown))
    )
    assert (higher.rank, higher.score) >= (risk.rank, risk.score)
    assert WEAKEST_FIRST.index(said(stronger)) >= WEAKEST_FIRST.index(said(response))


WEAKEST_FIRST = ["none", "answer", "clarify", "escalate"]


def said(response: Recommendation) -> str:
    return response.type if response.value != "none" else "none"


@given(judgements, spreads, attention, st.integers(0, 500_000))
def test_more_spread_never_lowers_a_level_or_a_score(
    judged: Classification, spread: Spread, media: MediaAttention, more: int
) -> None:
    before = assess(Message("文", spread=spread, media=media), judged)
    for name in ("views", "reposts", "comments", "likes", "regions", "duplicates"):
        grown = replace(spread, **{name: (getattr(spread, name) or 1) + more})
        after = assess(Message("文", spread=grown, media=media), judged)
        assert (after.rank, after.score) >= (before.rank, before.score)


def without(known: Case, gone: str) -> Case:
    return with_facts(known, {fact: value for fact, value in known.facts.items() if fact != gone})


@given(known_cases)
def test_every_counterfactual_is_true(known: Case) -> None:
    risk, response = decide(known, POLICY)
    for one in risk.counterfactuals:
        changed = without(known, one.without)
        assert assess_risk(changed, POLICY).level == one.result != risk.level
    for one in response.counterfactuals:
        changed = without(known, one.without)
        assert said(decide(changed, POLICY)[1]) == one.result != response.type


def test_the_counterfactual_that_matters_is_told() -> None:
    risk = assess(Message("文"), classification(flags=("mobilise",), response="escalate", risk="2"))
    assert [(c.without, c.text) for c in risk.counterfactuals] == [
        ("flag.mobilise", "没有“号召聚集”，等级为较大")
    ]


def test_a_level_that_the_model_gave_alone_has_no_counterfactual() -> None:
    judged = classification(flags=("mobilise",), response="escalate", risk="3")
    assert assess(Message("文"), judged).counterfactuals == ()


def test_two_reasons_that_each_suffice_have_no_counterfactual() -> None:
    judged = classification(flags=("mobilise", "casualty"), response="escalate", risk="2")
    assert list(assess(Message("文"), judged).counterfactuals) == []


def test_a_rule_shows_the_figure_that_made_it_fire() -> None:
    risk = assess(Message("文", spread=Spread(reposts=800)), classification())
    (rule,) = [rule for rule in risk.rules if rule.id == "R-REPOSTS-2"]
    assert [(e.fact, e.text) for e in rule.evidence] == [("spread.reposts", "转发量 800次")]


def test_the_weights_of_the_bundle_move_the_score_within_the_band() -> None:
    judged = classification(intent="tipoff")
    lighter = replace(POLICY, weights={**POLICY.weights, "nature": 0.0})
    assert assess_risk(case(judged), lighter).score < assess_risk(case(judged), POLICY).score


@given(judgements, spreads, attention)
def test_figures_never_lower_what_the_text_says(
    judged: Classification, spread: Spread, media: MediaAttention
) -> None:
    alone = assess(Message("文"), judged)
    known = assess(Message("文", spread=spread, media=media), judged)
    assert known.rank >= alone.rank >= int(judged.heads["risk"].label)


@given(judgements, spreads, attention)
def test_the_score_lies_in_the_band_of_its_level(
    judged: Classification, spread: Spread, media: MediaAttention
) -> None:
    risk = assess(Message("文", spread=spread, media=media), judged)
    level = POLICY.levels[risk.level]
    assert level.least <= risk.score <= level.most


@given(judgements, spreads, attention)
def test_the_response_is_never_weaker_than_the_models(
    judged: Classification, spread: Spread, media: MediaAttention
) -> None:
    _, response = decide(case(judged, Message("文", spread=spread, media=media)), POLICY)
    prediction = judged.heads["response"]
    order = ["escalate", "clarify", "answer", "none"]
    said = response.type if response.value != "none" else "none"
    assert order.index(said) <= order.index(prediction.label)
    assert response.type in order[:3]
