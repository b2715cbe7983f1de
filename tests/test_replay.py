"""Replay: what a candidate policy would change, downgrades first, escalations never lost unseen."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from builders import NOW, POLICY
from commands import yanpan
from registries import add_version, make_registry, shipped_version

from service.bootstrap import with_policy
from service.core.assess import Chain
from service.core.message import MediaAttention, Message, Spread
from service.core.rules import RuleTable
from service.policy_bundle import load_policy
from service.replay import Replay, render_replay, replay, replay_table
from service.settings import Settings

MESSAGES = [
    Message("请问图书馆几点关门？", id="ask"),
    Message("请问图书馆几点关门？", id="hot", media=MediaAttention(hot_search=True)),
    Message("请问图书馆几点关门？", id="read", spread=Spread(views=6_000)),
    Message("路灯坏了三天没人修，麻烦派人看看", id="lamp", spread=Spread(views=3_000)),
]


def run(chain: Chain, candidate: Chain) -> Replay:
    lines: list[tuple[int, Message | None]] = list(enumerate(MESSAGES, 1))
    return replay([*lines, (5, None), (6, Message("   "))], chain, candidate, NOW)


def without(chain: Chain, *ids: str) -> Chain:
    """The chain under a policy that lacks some rules."""
    level_rules, response_rules = (
        RuleTable([rule for rule in rules if rule.id not in ids])
        for rules in (POLICY.level_rules, POLICY.response_rules)
    )
    candidate = replace(
        POLICY, version="candidate", level_rules=level_rules, response_rules=response_rules
    )
    return with_policy(chain, candidate)


def test_the_same_policy_changes_nothing(chain: Chain) -> None:
    report = run(chain, chain)
    assert (report.messages, report.failed, report.changes) == (6, 2, [])


def test_a_lost_escalation_comes_first_and_is_counted(chain: Chain) -> None:
    report = run(chain, without(chain, "E7-HOT", "R-VIEWS-2"))
    assert [change.id for change in report.changes] == ["hot", "read"]
    assert report.lost_escalates == 1
    hot = report.changes[0]
    assert hot.loses_escalate
    assert (hot.before["response"], hot.after["response"]) == ("escalate", "answer")
    assert "E7-HOT" in hot.rules_lost
    assert report.changes[1].direction == "down"


def test_a_stricter_candidate_only_raises(chain: Chain) -> None:
    report = replay(list(enumerate(MESSAGES, 1)), without(chain, "R-VIEWS-2"), chain, NOW)
    assert [(c.id, c.direction) for c in report.changes] == [("read", "up")]
    assert "R-VIEWS-2" in report.changes[0].rules_gained


def test_the_table_and_the_json_tell_the_same(chain: Chain) -> None:
    report = run(chain, without(chain, "E7-HOT", "R-VIEWS-2"))
    table = replay_table(report)
    assert table["by_direction"] == {"down": 2, "up": 0, "other": 0}
    assert [change["id"] for change in table["changes"]] == ["hot", "read"]
    lines = render_replay(report).splitlines()
    assert len(lines) == 2 + len(report.changes)
    assert "失去上报 1 条" in lines[0]
    assert "建议 上报处置→答复" in lines[2]


def test_another_dictionary_is_loaded_and_the_same_one_is_kept(chain: Chain) -> None:
    assert with_policy(chain, POLICY).segmenter is chain.segmenter
    longer = replace(POLICY, dictionary=(*POLICY.dictionary, POLICY.dictionary[0]))
    assert with_policy(chain, longer).segmenter is not chain.segmenter


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings().policy_dir, tmp_path / "candidate"))


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "policy.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_command_refuses_a_candidate_that_loses_an_escalation(
    candidate: Path, tmp_path: Path
) -> None:
    edit(
        candidate,
        '{ fact = "spread.duplicates", at_least = 2000 }',
        '{ fact = "spread.duplicates", at_least = 9000 }',
    )
    source, output = tmp_path / "in.jsonl", tmp_path / "replay.json"
    row = {"正文": "请问图书馆几点关门？", "spread": {"duplicates": 3000}}
    source.write_text(f"{json.dumps(row, ensure_ascii=False)}\n", encoding="utf-8")
    arguments = ["policy", "replay", "--input", str(source), "--candidate", str(candidate)]
    refused = yanpan(*arguments, "--output", str(output))
    assert refused.returncode == 3, refused.stderr
    assert "--accept-downgrades" in refused.stderr
    assert json.loads(output.read_text(encoding="utf-8"))["lost_escalates"] == 1
    assert load_policy(candidate).version in refused.stdout
    assert yanpan(*arguments, "--accept-downgrades").returncode == 0


def test_the_check_names_the_file_the_line_and_what_to_mend(candidate: Path) -> None:
    good = yanpan("policy", "check", str(candidate))
    assert good.returncode == 0, good.stderr
    assert load_policy(candidate).version in good.stdout
    edit(candidate, 'fact = "flag.threat"', 'fact = "flag.threats"')
    edit(candidate, "amount = 48", "amount = -1")
    bad = yanpan("policy", "check", str(candidate))
    assert bad.returncode == 2
    assert "policy.toml 第 " in bad.stderr
    assert "flag.threats" in bad.stderr
    assert "deadlines[2].amount" in bad.stderr  # every fault, not the first alone


def test_a_bad_bundle_stops_the_start(candidate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(candidate, 'effect = "escalate"', 'effect = "delete"')
    monkeypatch.setenv("YANPAN_POLICY_DIR", str(candidate))
    ended = yanpan("serve", "--port", "1")
    assert ended.returncode == 2
    assert "delete" in ended.stderr


def test_two_models_are_compared_message_by_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_registry(tmp_path / "models")
    add_version(root, "b")
    monkeypatch.setenv("YANPAN_MODELS_DIR", str(root))
    history = tmp_path / "history.jsonl"
    rows = [{"id": str(n), "text": text} for n, text in enumerate(["小区停水三天", "路灯坏了"])]
    history.write_text("\n".join(json.dumps(row) for row in rows) + "\n{", encoding="utf-8")
    output = tmp_path / "out.json"
    options = ["--compare", shipped_version(), "b", "--input", str(history)]
    ended = yanpan("evaluate", *options, "--output", str(output))
    assert ended.returncode == 1  # a row is broken
    assert f"现行 {shipped_version()} → 候选 b：3 条" in ended.stdout
    assert "话题 2 条" in ended.stdout
    table = json.loads(output.read_text(encoding="utf-8"))
    assert (table["messages"], table["failed"], table["by_head"]["topic"]) == (3, 1, 2)
