"""`yanpan keys` and `yanpan audit`: who may call the service, and what was done to it."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Final

from service.access import SCOPES, told
from service.arguments import current_user

if TYPE_CHECKING:
    from service.access import KeyRing
    from service.audit import AuditLog

_DONE: Final = 0
_REFUSED: Final = 3


def add_key_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`yanpan keys …` and `yanpan audit …`."""
    keys = commands.add_parser("keys", help="访问密钥").add_subparsers(required=True)
    add = keys.add_parser("add", help="新建；密钥只显示这一次")
    add.add_argument("name", help="给谁用")
    add.add_argument("--scope", action="append", required=True, choices=SCOPES, help="可多次给出")
    add.add_argument("--rate", type=float, help="每秒请求数；0 为不限，缺省随 YANPAN_RATE_LIMIT")
    add.add_argument("--by", default=current_user(), help="由谁新建")
    add.set_defaults(run=_add)
    keys.add_parser("list", help="列出，不含密钥本身").set_defaults(run=_list)
    revoke = keys.add_parser("revoke", help="吊销；运行中的服务立即生效")
    revoke.add_argument("id")
    revoke.add_argument("--by", default=current_user(), help="由谁吊销")
    revoke.set_defaults(run=_revoke)
    audit = commands.add_parser("audit", help="审计日志").add_subparsers(required=True)
    audit.add_parser("list", help="列出").set_defaults(run=_show)
    verify = audit.add_parser("verify", help="是否被改动过")
    verify.add_argument("--expect", metavar="DIGEST", help="当时记下的摘要，须仍在其中")
    verify.set_defaults(run=_verify)


def _ring() -> "KeyRing":
    from service.access import KeyRing  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    return KeyRing(Settings().keys_file)


def _audit() -> "AuditLog":
    from service.bootstrap import build_audit  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    return build_audit(Settings())


def _add(options: argparse.Namespace) -> int:
    from service.schemas import now  # noqa: PLC0415

    ring, at = _ring(), now()
    key, token = ring.add(options.name, options.scope, by=options.by, at=at, rate=options.rate)
    try:
        _audit().write("key_added", by=options.by, at=at, **told(key))
    except Exception:
        ring.revoke(key.id, at=at)  # a key that nobody will know of is none
        raise
    print(token)
    print(f"编号 {key.id}；密钥不再显示，请妥善保存", file=sys.stderr)
    return _DONE


def _list(_options: argparse.Namespace) -> int:
    for key in _ring().all():
        print(json.dumps(told(key), ensure_ascii=False))
    return _DONE


def _revoke(options: argparse.Namespace) -> int:
    from service.schemas import now  # noqa: PLC0415

    at = now()
    key = _ring().revoke(options.id, at=at)  # first: what is to end may not wait for a log
    _audit().write("key_revoked", by=options.by, at=at, id=key.id, name=key.name)
    print(f"已吊销 {key.id}（{key.name}）", file=sys.stderr)
    return _DONE


def _show(_options: argparse.Namespace) -> int:
    for line in _audit().read():
        print(json.dumps(line, ensure_ascii=False))
    return _DONE


def _verify(options: argparse.Namespace) -> int:
    from service.audit import TamperedError  # noqa: PLC0415

    try:
        digests = [line["digest"] for line in _audit().read()]
    except TamperedError as error:
        print(error, file=sys.stderr)
        return _REFUSED
    if options.expect and options.expect not in digests:
        print(f"其中没有 {options.expect}：末尾被截去，或整个换过", file=sys.stderr)
        return _REFUSED
    print(f"{len(digests)} 条，前后相符；末条摘要 {digests[-1] if digests else '无'}")
    return _DONE
