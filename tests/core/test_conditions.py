import pytest

from service.core.conditions import Condition, parse_condition
from service.core.errors import PolicyError


@pytest.mark.parametrize(
    ("raw", "facts", "holds"),
    [
        ([], {}, True),
        ([{"fact": "flag.threat"}], {"flag.threat": True}, True),
        ([{"fact": "flag.threat", "is": False}], {"flag.threat": True}, False),
        ([{"fact": "topic", "in": ["health", "other"]}], {"topic": "other"}, True),
        ([{"fact": "spread.views", "at_least": 10}], {"spread.views": 10}, True),
        ([{"fact": "spread.views", "at_least": 10}], {"spread.views": 9}, False),
        ([{"fact": "spread.views", "at_least": 0}], {"spread.views": None}, False),
        ([{"fact": "spread.views", "below": 10}], {"spread.views": None}, False),
        ([{"fact": "media.hot_search", "is": False}], {"media.hot_search": None}, False),
        ([{"fact": "media.tier", "at_least": "provincial"}], {"media.tier": "central"}, True),
        ([{"fact": "media.tier", "at_least": "provincial"}], {"media.tier": "local"}, False),
        ([{"fact": "level", "below": "high"}], {"level": "medium"}, True),
        ([{"fact": "flag.threat"}, {"fact": "flag.minor"}], {"flag.threat": True}, False),
    ],
)
def test_it_holds_only_when_every_clause_does_and_the_fact_is_known(
    raw: list[object], facts: dict[str, str | int | bool | None], *, holds: bool
) -> None:
    assert parse_condition(raw, "here").holds(facts) is holds


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ("flag.threat", "列表"),
        (["flag.threat"], "fact"),
        ([{"fact": "flag.thread"}], "flag.thread"),
        ([{"fact": "spread.views", "at_least": "many"}], "spread.views"),
        ([{"fact": "spread.views", "at_least": True}], "spread.views"),
        ([{"fact": "spread.views", "is": 3}], "spread.views"),
        ([{"fact": "topic", "is": "parks"}], "topic"),
        ([{"fact": "topic", "at_least": "other"}], "topic"),
        ([{"fact": "level", "at_least": "huge"}], "level"),
        ([{"fact": "topic", "is": "other", "in": ["other"]}], "运算"),
        ([{"fact": "topic", "like": "other"}], "运算"),
    ],
)
def test_a_wrong_condition_is_refused_and_its_place_named(raw: object, named: str) -> None:
    with pytest.raises(PolicyError, match=r"policy\.toml \[\[x\]\]") as caught:
        parse_condition(raw, "policy.toml [[x]]")
    assert named in str(caught.value)


def test_a_condition_tells_what_it_looks_at() -> None:
    condition = parse_condition([{"fact": "flag.minor"}, {"fact": "level", "is": "high"}], "here")
    assert condition.facts == ("flag.minor", "level")
    assert Condition().facts == ()
