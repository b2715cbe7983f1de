"""The commands around policies: `yanpan policy check`, `policy replay` and `policy-risk`."""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

_DONE: Final = 0
_SOME_FAILED: Final = 1
_REFUSED: Final = 3


def add_policy_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Adds the commands to the parser of `yanpan`."""
    policy = commands.add_parser("policy", help="研判规则").add_subparsers(required=True)
    check = policy.add_parser("check", help="检查规则包")
    check.add_argument("path", type=Path, metavar="PATH")
    check.set_defaults(run=_check)
    replay = policy.add_parser("replay", help="用历史数据比较现行规则包与候选规则包")
    replay.add_argument("--input", required=True, help="JSONL 文件，- 表示标准输入")
    replay.add_argument("--candidate", type=Path, required=True, metavar="PATH")
    replay.add_argument("--output", type=Path, metavar="FILE.json")
    replay.add_argument("--accept-downgrades", action="store_true", help="失去上报也接受")
    replay.set_defaults(run=_replay)
    risk = commands.add_parser("policy-risk", help="政策出台前的舆情风险评估")
    risk.add_argument("--draft", type=Path, required=True, metavar="FILE", help="草案，UTF-8 文本")
    risk.add_argument("--history", required=True, metavar="FILE", help="往来信件，JSONL")
    risk.set_defaults(run=_assess_draft)


def _check(options: argparse.Namespace) -> int:
    from service.policy_bundle import describe_policy, load_policy  # noqa: PLC0415

    table = describe_policy(load_policy(options.path))
    rules = [rule for rows in table.values() if isinstance(rows, list) for rule in rows]
    rules = [rule for rule in (*rules, *table["owners"]["additions"]) if "source" in rule]
    own = sum("系统默认" in rule["source"] for rule in rules)
    print(f"{table['name']}，版本 {table['version']}：规则 {len(rules)} 条，")
    print(f"其中 {own} 条的依据含“系统默认”，请按本地预案核定。没有发现问题。")
    return _DONE


def _replay(options: argparse.Namespace) -> int:
    from service.artifacts import write_json  # noqa: PLC0415
    from service.batch.messages import read_messages  # noqa: PLC0415
    from service.bootstrap import build_chain, with_policy  # noqa: PLC0415
    from service.policy_bundle import load_policy  # noqa: PLC0415
    from service.replay import render_replay, replay, replay_table  # noqa: PLC0415
    from service.schemas import now  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    candidate = load_policy(options.candidate)
    current = build_chain(Settings())
    report = replay(read_messages(options.input), current, with_policy(current, candidate), now())
    print(render_replay(report))
    if options.output:
        write_json(options.output, replay_table(report))
    if report.lost_escalates and not options.accept_downgrades:
        print(
            f"yanpan: 候选规则包会失去 {report.lost_escalates} 条上报，未予通过。"
            "确认无误的，加 --accept-downgrades。",
            file=sys.stderr,
        )
        return _REFUSED
    return _SOME_FAILED if report.failed else _DONE


def _assess_draft(options: argparse.Namespace) -> int:
    from service.batch.messages import read_messages  # noqa: PLC0415
    from service.bootstrap import build_chain  # noqa: PLC0415
    from service.draft_risk import assess_draft  # noqa: PLC0415
    from service.schemas import now  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    draft = options.draft.read_bytes().decode("utf-8-sig", errors="replace")
    history = list(read_messages(options.history))
    known = [replace(m, id=m.id or f"第{line}行") for line, m in history if m is not None]
    assessment = assess_draft(draft, known, build_chain(Settings()), now())
    print(json.dumps(asdict(assessment), ensure_ascii=False, indent=2, default=str))
    if len(known) < len(history):
        print(f"yanpan: 有 {len(history) - len(known)} 行不是有效的来信，已略过。", file=sys.stderr)
        return _SOME_FAILED
    return _DONE
