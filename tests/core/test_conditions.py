import pytest
from pydantic import ValidationError

from service.core.conditions import Condition
from service.rule_schema import RuleIn


def parse(raw: object) -> Condition:
    rule = {"id": "R", "text": "规则", "when": raw}
    return RuleIn.model_validate(rule, context={"lexicons": {"places": ("广场",)}}).when


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
        ([{"fact": "confidence.threat", "at_least": 0.4}], {"confidence.threat": 0.4}, True),
        ([{"any": [{"fact": "flag.minor"}, {"fact": "flag.threat"}]}], {"flag.threat": True}, True),
        ([{"any": [{"fact": "flag.minor"}, {"fact": "flag.threat"}]}], {"flag.minor": None}, False),
    ],
)
def test_it_holds_only_when_every_clause_does_and_the_fact_is_known(
    raw: list[object], facts: dict[str, str | int | bool | None], *, holds: bool
) -> None:
    assert parse(raw).holds(facts) is holds


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
        ([{"fact": "topic", "in": []}], "topic"),
        ([{"fact": "lexicon.places"}, {"fact": "lexicon.streets"}], "streets.txt"),
        ([{"any": []}], "any"),
        ([{"any": [{"fact": "flag.minor", "below": 3}]}], "[0].any[0]"),
        ([{"fact": "quantity.deaths", "at_least": float("inf")}], "quantity.deaths"),
        ([{"fact": "flag.minor"}, {"fact": "flag.minor", "is": False}], "矛盾"),
        ([{"fact": "topic", "in": ["other"]}, {"fact": "topic", "is": "health"}], "矛盾"),
        ([{"fact": "level", "at_least": "high"}, {"fact": "level", "below": "high"}], "矛盾"),
        ([{"fact": "spread.views", "at_least": 9}, {"fact": "spread.views", "below": 9}], "矛盾"),
        (
            [{"fact": "topic", "is": "other"}, {"any": [{"fact": "topic", "is": "health"}]}],
            "矛盾",
        ),
    ],
)
def test_a_wrong_condition_is_refused_and_its_place_named(raw: object, named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(raw)
    assert named in caught.value.errors()[0]["msg"]
    assert caught.value.errors()[0]["loc"] == ("when",)


def test_a_condition_tells_what_it_looks_at() -> None:
    condition = parse([{"fact": "flag.minor"}, {"any": [{"fact": "level", "is": "high"}]}])
    assert condition.facts == ("flag.minor", "level")
    assert Condition().facts == ()
