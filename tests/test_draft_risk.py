"""The risk of a draft policy from past messages: every figure traceable to its messages."""

import json
from collections import Counter
from pathlib import Path

import pytest
from builders import NOW, POLICY

from service.core.assess import Chain
from service.core.errors import EmptyTextError
from service.core.message import Message
from service.draft_risk import DraftAssessment, assess_draft

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
DRAFT = """\
关于调整城区道路停车收费管理的通知（征求意见稿）
一、城区主次干道停车泊位实行分时段计费，白天每小时四元，夜间每次五元，首十五分钟免费。
二、医院、学校周边泊位限时两小时，接送学生的车辆在上下学时段可免费停放三十分钟。
三、残疾人专用车辆免收停车费；老旧小区周边泊位对本小区业主实行夜间包月优惠。
四、网约车、出租车应在指定泊位上下客，禁止占道揽客。
"""


def history(*topics: str) -> list[Message]:
    rows = [
        json.loads(line)
        for topic in topics
        for line in (SAMPLES / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return [Message(row["text"], id=row["id"]) for row in rows]


@pytest.fixture(scope="module")
def assessment(chain: Chain) -> DraftAssessment:
    return assess_draft(DRAFT, history("transport", "heritage"), chain, NOW)


def test_it_finds_the_messages_about_the_same_matter(assessment: DraftAssessment) -> None:
    assert len(assessment.neighbours) >= 5
    assert Counter(n.topic for n in assessment.neighbours).most_common(1)[0][0] == "transport"
    assert all(n.similarity >= POLICY.draft.least_similarity for n in assessment.neighbours)
    for neighbour in assessment.neighbours:
        assert len(neighbour.shared_words) >= 2
        assert all(w in assessment.passages[neighbour.passage] for w in neighbour.shared_words)


def test_it_names_the_groups_that_the_draft_names(assessment: DraftAssessment) -> None:
    groups = {group.name: group for group in assessment.groups}
    assert {"车主和司机", "残疾人", "学生和家长", "业主和购房人", "患者"} <= groups.keys()
    assert "老年人" not in groups
    for group in groups.values():
        for place in group.passages:
            assert any(word in assessment.passages[place] for word in group.words)


def test_every_figure_is_traceable_to_its_messages(assessment: DraftAssessment) -> None:
    known = {n.id: n for n in assessment.neighbours}
    figures = {figure.fact: figure for figure in assessment.figures}
    assert set(figures["draft.similar"].ids) == known.keys()
    assert figures["draft.similar"].value == len(known)
    negative = figures["draft.negative_share"]
    assert negative.value == pytest.approx(len(negative.ids) / len(known), abs=1e-3)
    assert all(known[i].sentiment == "negative" for i in negative.ids)
    assert sum(concern.messages for concern in assessment.concerns) == len(known)
    for concern in assessment.concerns:
        assert concern.messages == len(concern.ids) == sum(concern.sentiments.values())
        assert all(known[i].topic == concern.topic for i in concern.ids)


def test_the_level_follows_the_rules_that_fired(assessment: DraftAssessment) -> None:
    facts = {figure.fact: figure.value for figure in assessment.figures}
    fired = [rule.id for rule in POLICY.draft.rules if rule.when.holds(facts)]
    assert [reason.id for reason in assessment.reasons] == fired != []
    assert assessment.level == "medium"


def test_the_outline_is_to_be_filled_in(assessment: DraftAssessment) -> None:
    assert [item.heading for item in assessment.outline] == list(POLICY.draft.outline)
    filled = [item for item in assessment.outline if item.known]
    assert len(filled) == 1
    assert any("残疾人" in line for line in filled[0].known)


def test_without_like_messages_the_level_is_low_and_says_so(chain: Chain) -> None:
    assessment = assess_draft(
        "关于规范档案整理归档工作的若干规定。", history("heritage"), chain, NOW
    )
    assert assessment.level == "low"
    assert assess_draft(DRAFT, [], chain, NOW).neighbours == []


def test_a_message_that_cannot_be_judged_is_named(chain: Chain) -> None:
    long = Message("停车泊位收费，夜间停车每小时四元。" * 2_000, id="too-long")
    assert assess_draft(DRAFT, [long], chain, NOW).unread == ["too-long"]


def test_a_draft_without_substance_is_refused(chain: Chain) -> None:
    with pytest.raises(EmptyTextError):
        assess_draft("通知\n\n", history("heritage"), chain, NOW)


@pytest.mark.parametrize(
    ("facts", "rule", "fires"),
    [
        ({"draft.similar": 10}, "DR-SIMILAR-2", True),
        ({"draft.similar": 9}, "DR-SIMILAR-2", False),
        ({"draft.similar": 5, "draft.negative_share": 0.5}, "DR-NEGATIVE-2", True),
        ({"draft.similar": 4, "draft.negative_share": 0.5}, "DR-NEGATIVE-2", False),
        ({"draft.collective": 3}, "DR-COLLECTIVE-2", True),
        ({"draft.collective": 2}, "DR-COLLECTIVE-2", False),
        ({"draft.groups": 5}, "DR-GROUPS-2", True),
        ({"draft.groups": 4}, "DR-GROUPS-2", False),
        ({"draft.similar": 5, "draft.escalate_share": 0.2}, "DR-ESCALATE-3", True),
        ({"draft.similar": 5, "draft.escalate_share": 0.19}, "DR-ESCALATE-3", False),
        ({"draft.collective": 10}, "DR-COLLECTIVE-3", True),
        ({"draft.collective": 9}, "DR-COLLECTIVE-3", False),
        ({"draft.collective": 30, "draft.escalate_share": 0.2}, "DR-COLLECTIVE-4", True),
        ({"draft.collective": 30, "draft.escalate_share": 0.1}, "DR-COLLECTIVE-4", False),
    ],
)
def test_each_rule_about_drafts_fires_and_not_on_a_near_miss(
    facts: dict[str, float], rule: str, *, fires: bool
) -> None:
    assert (rule in [r.id for r in POLICY.draft.rules.fired(facts)]) is fires


def test_every_rule_about_drafts_is_tested() -> None:
    (mark,) = test_each_rule_about_drafts_fires_and_not_on_a_near_miss.pytestmark  # type: ignore[attr-defined]
    assert {case[1] for case in mark.args[1]} == {rule.id for rule in POLICY.draft.rules}
