"""The walk-through of docs/policy.md, done as it is written."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from builders import NOW, POLICY, case, classification

from service.core.assess import decide
from service.core.conditions import FIGURES
from service.core.message import Message, Spread
from service.core.policy import Policy
from service.policy_bundle import load_policy
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The bundle of a city after the edits of the guide."""
    folder = Path(shutil.copytree(Settings().policy_dir, tmp_path_factory.mktemp("x") / "city"))
    rules = folder / "policy.toml"
    text = rules.read_text(encoding="utf-8")
    for rule, old, new in re.findall(r"`([RT]-[A-Z0-9-]+)`，把 `([^`]+)` 改为 `([^`]+)`", GUIDE):
        start = text.index(f'id = "{rule}"')
        assert old in text[start : start + 400]
        text = text[:start] + text[start:].replace(old, new, 1)
    added = "\n".join(line.strip() for line in GUIDE.splitlines() if line.startswith("       "))
    assert added.startswith("[[level_rules]]")
    rules.write_text(f"{text}\n{added}\n", encoding="utf-8")
    (folder / "lexicons" / "places.txt").write_text("人民广场\n", encoding="utf-8")
    with (folder / "dictionary.txt").open("a", encoding="utf-8") as dictionary:
        dictionary.write("拦道\n")
    return load_policy(folder)


def test_the_threshold_is_the_citys(city: Policy) -> None:
    read = Message("文", spread=Spread(views=6_000))
    assert decide(case(message=read), POLICY)[0].level == "medium"
    assert decide(case(message=read, policy=city), city)[0].level == "low"


def test_the_word_is_the_citys(city: Policy) -> None:
    assert "拦道" in [entry.term for entry in city.dictionary]
    gathered = case(
        classification(flags=("collective",)), Message("我们在人民广场等答复"), policy=city
    )
    (rule,) = [rule for rule in decide(gathered, city)[0].rules if rule.id == "R-PLACES"]
    assert rule.source.startswith("某市")


def test_the_deadline_is_the_citys(city: Policy) -> None:
    answered = case(classification(response="answer", intent="help"), policy=city)
    (deadline,) = decide(answered, city)[1].deadlines
    assert (deadline.due_at - NOW).total_seconds() == 24 * 3600


def test_the_version_is_another(city: Policy) -> None:
    assert city.version != POLICY.version
    assert replace(city).book is not city.book  # a changed bundle indexes its own rules


def test_the_guide_names_every_kind_of_fact() -> None:
    for fact in FIGURES:
        kind, _, name = fact.partition(".")
        assert f"`{kind}" in GUIDE
        if kind in ("quantity", "spread", "speed", "draft"):
            assert f"`{name}`" in GUIDE, fact
