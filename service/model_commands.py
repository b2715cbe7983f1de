"""`yanpan models`: which versions there are, which one serves, and the way back."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from service.arguments import current_user

if TYPE_CHECKING:
    from service.registry import Registry

_DONE: Final = 0
_REFUSED: Final = 3


def add_model_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`yanpan models …`."""
    models = commands.add_parser("models", help="模型版本").add_subparsers(required=True)
    models.add_parser("list", help="列出版本").set_defaults(run=_list)
    show = models.add_parser("show", help="清单与指标")
    show.add_argument("version")
    show.set_defaults(run=_show)
    gate = models.add_parser("gate", help="与现行模型比较，是否可以启用")
    gate.add_argument("version")
    _add_holdout(gate)
    gate.set_defaults(run=_gate)
    activate = models.add_parser("activate", help="启用；先过闸")
    activate.add_argument("version")
    _add_holdout(activate)
    _add_decision(activate)
    activate.add_argument("--force", action="store_true", help="不过闸也启用，须写明 --reason")
    activate.set_defaults(run=_activate, parser=activate)
    rollback = models.add_parser("rollback", help="退回上一个版本")
    _add_decision(rollback)
    rollback.set_defaults(run=_rollback)
    shadow = models.add_parser("shadow", help="让候选在旁研判而不作答")
    shadow.add_argument("version", nargs="?", default="")
    shadow.add_argument("--off", action="store_true", help="停止")
    shadow.set_defaults(run=_shadow, parser=shadow)
    prune = models.add_parser("prune", help="删除旧版本")
    prune.add_argument("--keep", type=int, default=5, help="保留最新的几个；现行和上一个总是保留")
    prune.set_defaults(run=_prune)


def _add_holdout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--holdout",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="用来比较的样本，两个模型都没学过；缺省为随项目的一份",
    )


def _add_decision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", default=current_user(), help="决定人")
    parser.add_argument("--reason", default="", help="理由")


def _registry() -> "Registry":
    from service.bootstrap import build_registry  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    return build_registry(Settings())


def _list(_options: argparse.Namespace) -> int:
    registry = _registry()
    active = registry.active_version()
    for name in registry.versions():
        print(f"{name}\t{'active' if name == active else ''}".rstrip())
    return _DONE


def _show(options: argparse.Namespace) -> int:
    description = _registry().describe(options.version)
    print(json.dumps(description, ensure_ascii=False, indent=2))
    return _DONE


def _gate(options: argparse.Namespace) -> int:
    from service.settings import Settings  # noqa: PLC0415
    from training.gate import judge, render_verdict  # noqa: PLC0415

    verdict = judge(Settings(), options.version, options.holdout or [])
    _registry().write_gate(options.version, verdict)
    print(render_verdict(verdict))
    return _DONE if verdict["passed"] else _REFUSED


def _activate(options: argparse.Namespace) -> int:
    from service.schemas import now  # noqa: PLC0415

    registry = _registry()
    reason = options.reason
    if options.force:
        if not reason:
            options.parser.error("--force 须与 --reason 同用")
        reason = f"未过闸，强制启用：{reason}"
    elif registry.has_active() and _gate(options) == _REFUSED:
        return _REFUSED
    before = registry.activate(
        options.version, by=options.by, at=now(), reason=reason, is_forced=options.force
    )
    print(f"已启用 {options.version}，此前为 {before or '无'}", file=sys.stderr)
    return _DONE


def _rollback(options: argparse.Namespace) -> int:
    from service.schemas import now  # noqa: PLC0415

    registry = _registry()
    version = registry.rollback(by=options.by, at=now(), reason=options.reason)
    print(f"已退回 {version}", file=sys.stderr)
    return _DONE


def _shadow(options: argparse.Namespace) -> int:
    if bool(options.version) == options.off:
        options.parser.error("给出版本，或用 --off")
    _registry().set_shadow(options.version)
    print(f"影子：{options.version or '无'}", file=sys.stderr)
    return _DONE


def _prune(options: argparse.Namespace) -> int:
    removed = _registry().prune(options.keep)
    print(f"删除 {len(removed)} 个：{'、'.join(removed) or '无'}", file=sys.stderr)
    return _DONE
