"""The shipped policy bundle, and what happens to a bad one."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from service.core.errors import PolicyError
from service.core.labels import FLAGS, INTENT
from service.policy_bundle import load_policy
from service.settings import Settings

SHIPPED = Settings().policy_dir
POLICY = load_policy(SHIPPED)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "policy"))


def edit(bundle: Path, old: str, new: str, name: str = "policy.toml") -> None:
    path = bundle / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_bands_of_the_levels_cover_0_to_100_without_a_gap() -> None:
    levels = list(POLICY.levels.values())
    assert (levels[0].least, levels[-1].most) == (0, 100)
    assert all(a.most + 1 == b.least for a, b in pairwise(levels))


def test_every_intent_has_a_base_score() -> None:
    assert set(POLICY.intent_scores) == set(INTENT)


def test_every_rule_says_in_chinese_why_and_on_what_ground() -> None:
    for rule in (*POLICY.level_rules, *POLICY.response_rules):
        assert any("\u4e00" <= c <= "\u9fff" for c in rule.text), rule.id
        assert rule.source, rule.id


def test_no_step_ever_advises_deletion_or_action_against_a_writer() -> None:
    for step in (*POLICY.steps, *POLICY.response_rules, *POLICY.calls, *POLICY.values):
        for word in ("删帖", "删除", "封号", "禁言", "屏蔽", "约谈发帖", "处罚发帖", "追究"):
            assert word not in step.text


def test_where_misconduct_is_reported_the_writer_is_kept_confidential() -> None:
    steps = [s.text for s in POLICY.steps if s.when.holds({"flag.misconduct": True})]
    assert any("保密" in step for step in steps)


def test_the_version_follows_every_file(bundle: Path) -> None:
    assert load_policy(bundle).version == POLICY.version
    edit(bundle, "# 政务热线与办理", "# 政务热线和办理", "dictionary.txt")
    assert load_policy(bundle).version != POLICY.version


@pytest.mark.parametrize(
    ("name", "line"),
    [("disguises", "自杀 zi"), ("disguises", "自杀 = 4"), ("lookalikes", "死 四")],
)
def test_a_bad_line_of_disguises_is_told_when_the_bundle_is_read(
    bundle: Path, name: str, line: str
) -> None:
    with (bundle / "lexicons" / f"{name}.txt").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(PolicyError, match=f"{name}.*{line}"):
        load_policy(bundle)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('id = "R-CASUALTY"', 'id = "R-ACCIDENT"', "R-ACCIDENT 重复"),
        ("at_least = 5000 }", 'at_least = "五千" }', "五千"),
        ('effect = "high"', 'effect = "huge"', "huge"),
        ('dimension = "consequence"', 'dimension = "weather"', "weather"),
        ("amount = 5", 'amount = "五"', "deadlines[0].amount"),
        ("amount = 5", "amount = 0", "不小于 1"),
        ('clock = "hours"', 'clock = "moons"', "moons"),
        ('id = "S-CALL"', 'ident = "S-CALL"', "steps[0].ident：未知的键"),
        ('id = "S-CALL"', 'ident = "S-CALL"', "steps[0].id：缺少这个键"),
        ("依法妥善处置", "依法要求平台删除", "不得含有"),
        ('spread.views", at_least', 'spread.views", below', "at_least"),
        ('[{ fact = "flag.threat" },', '[{ fact = "level", at_least = "high" },', "text_level"),
        ('topics = ["health"]', "topics = []", "health"),
        ('topics = ["health"]', 'topics = ["health", "education"]', "education"),
        ("flag.threat", 'draft.similar", at_least = 3, fact2 = "x', "运算"),
        ('effect = "same_site"', 'effect = "smoke_signals"', "smoke_signals"),
        ("weight = 0.5", "weight = 1.5", "不大于 1"),
        (
            'when = [{ fact = "flag.minor" }]',
            'when = [{ fact = "draft.groups", at_least = 1 }]',
            "steps",
        ),
        ("[thresholds]", "[thresholds.flags]\nthreats = 0.3", "threats"),
        ('fact = "flag.casualty"', 'fact = "flag.casualties"', "flag.casualties"),
        ("least = 60", "least = 75", "least"),
        ("praise = 0", "prays = 0", "prays"),
        ("[meta]", "[meta", "TOML"),
        ("least_coverage = 0.45", "", "least_coverage"),
        ("least_pair_coverage = 0.25", "", "least_pair_coverage"),
        ('when = []\neffect = "same_site"', 'when = [{ fact = "has_url" }]', "channels"),
        ('when = []\neffect = "optional"', 'when = [{ fact = "has_url" }]', "values"),
        (
            'when = [{ fact = "superior_request" }]\neffect = "required"',
            'when = []\neffect = "required"',
            "V-SUPERIOR",
        ),
    ],
)
def test_a_bad_key_is_named(bundle: Path, old: str, new: str, named: str) -> None:
    edit(bundle, old, new)
    with pytest.raises(PolicyError) as caught:
        load_policy(bundle)
    assert "policy.toml" in str(caught.value)
    assert named in str(caught.value)


def test_a_bad_dictionary_line_is_named(bundle: Path) -> None:
    edit(bundle, "# 政务热线与办理", "词语 12 n 多余", "dictionary.txt")
    with pytest.raises(PolicyError, match="第 4 行"):
        load_policy(bundle)


@pytest.mark.parametrize(
    "name", ["policy.toml", "dictionary.txt", "lexicons/past.txt", "holidays.toml"]
)
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(PolicyError, match=Path(name).name):
        load_policy(bundle)


def test_a_file_in_another_encoding_is_named(bundle: Path) -> None:
    (bundle / "dictionary.txt").write_bytes("退款".encode("gb18030"))
    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy(bundle)


def test_rules_speak_of_known_flags_only() -> None:
    for rule in (*POLICY.level_rules, *POLICY.response_rules):
        for fact in rule.when.facts:
            assert not fact.startswith("flag.") or fact.removeprefix("flag.") in FLAGS
