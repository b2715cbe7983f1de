"""The `yanpan` command: serve, score, train, evaluate, and look after samples and models."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from service.arguments import read_pairs
from service.core.errors import YanpanError
from service.key_commands import add_key_commands
from service.model_commands import add_model_commands
from service.policy_commands import add_policy_commands
from service.sample_commands import add_sample_commands
from service.score_commands import add_report, add_score, use_one_thread

if TYPE_CHECKING:
    from service.settings import Settings
    from training.samples import Sample, Taxonomy

_DONE: Final = 0
_SOME_FAILED: Final = 1
_BAD_USAGE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0 done, 1 rows failed, 2 bad usage, 3 refused."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except YanpanError as error:
        print(f"yanpan: {error}", file=sys.stderr)
        return _BAD_USAGE
    except OSError as error:
        print(f"yanpan: 无法读写 {error.filename or '文件'}：{_reason(error)}。", file=sys.stderr)
        return _BAD_USAGE
    return status


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "磁盘已满或超出限额，腾出空间后可用 --resume 接着做"
    return error.strerror or type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yanpan", description="研判网络政务舆情")
    parser.add_argument("--version", action="version", version=version("yanpan"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="启动 HTTP 服务"))
    add_score(commands.add_parser("score", help="研判一条或一个文件"))
    add_report(commands.add_parser("report", help="由研判结果写舆情日报"))
    _add_train(commands.add_parser("train", help="用标注样本训练模型包"))
    _add_evaluate(commands.add_parser("evaluate", help="在标注样本上评测模型"))
    add_sample_commands(commands)
    add_model_commands(commands)
    add_policy_commands(commands)
    add_key_commands(commands)
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1, help="进程数")
    parser.add_argument("--access-log", action="store_true", help="记录每次请求")
    parser.add_argument(
        "--insecure-no-keys", action="store_true", help="没有密钥也监听本机以外的地址"
    )
    parser.set_defaults(run=_serve)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--samples", nargs="+", type=Path, default=[], metavar="PATH")
    parser.add_argument("--feedback", action="store_true", help="也学已采纳的反馈")
    parser.add_argument(
        "--base", metavar="VERSION", help="由此版本更新，active 为现行版本；不用语料"
    )
    parser.add_argument(
        "--holdout",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="不可学的样本；缺省为随项目的一份",
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/training"), metavar="DIR", help="中间结果"
    )
    parser.add_argument("--corpus", nargs="+", default=[], metavar="NAME=PATH")
    parser.add_argument("--annotations", type=Path, metavar="FILE", help="对语料的自有标注")
    parser.add_argument("--heads", help="只训练这些，用逗号分隔；缺省为全部")
    parser.add_argument("--labels", type=Path, metavar="FILE.json", help="自有标签及其名称")
    parser.add_argument("--output", type=Path, default=Path("runs"), metavar="DIR")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--disputes", type=Path, metavar="FILE.jsonl", help="列出宜复查的标注")
    parser.set_defaults(run=_train, parser=parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--samples", nargs="+", type=Path, metavar="PATH")
    parser.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="同一批信息，两个版本有何不同"
    )
    parser.add_argument("--input", metavar="FILE", help="--compare 的信息")
    parser.add_argument("--model", help="模型版本或模型包目录；缺省为现行版本")
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    parser.set_defaults(run=_evaluate, parser=parser)


def _serve(options: argparse.Namespace) -> int:
    use_one_thread()
    from service.serving import serve  # noqa: PLC0415 — only this command needs it

    serve(
        options.host,
        options.port,
        workers=options.workers,
        access_log=options.access_log,
        is_open=options.insecure_no_keys,
    )
    return _DONE


def _train(options: argparse.Namespace) -> int:
    from service.settings import Settings  # noqa: PLC0415

    settings = Settings()
    corrections = _accepted_samples(settings) if options.feedback else []
    if not options.samples and not corrections:
        options.parser.error("用 --samples 或 --feedback 给出样本")
    common: dict[str, Any] = {
        "samples": options.samples,
        "corrections": corrections,
        "policy_folder": settings.policy_dir,
        "output": options.output,
        "holdout": options.holdout,
        "signing_key": settings.signing_key,
        "cache": options.cache,
        "seed": options.seed,
        "taxonomy": _taxonomy(options.labels),
    }
    print(_update(options, settings, common) if options.base else _train_anew(options, common))
    return _DONE


def _accepted_samples(settings: "Settings") -> "list[Sample]":
    from service.bootstrap import build_feedback  # noqa: PLC0415
    from service.store.feedback import ACCEPTED  # noqa: PLC0415
    from training.corrections import resolve  # noqa: PLC0415

    return resolve(build_feedback(settings).read(ACCEPTED))[0]


def _taxonomy(path: Path | None) -> "Taxonomy | None":
    from training.taxonomy import read_taxonomy  # noqa: PLC0415 — a door from service to training

    return read_taxonomy(path) if path else None


def _update(options: argparse.Namespace, settings: "Settings", common: dict[str, Any]) -> Path:
    from service.bootstrap import build_registry  # noqa: PLC0415
    from training.update import update  # noqa: PLC0415 — a door from service to training

    for option in ("corpus", "annotations", "heads", "disputes"):
        if getattr(options, option):
            options.parser.error(f"--{option} 不能与 --base 同用")
    registry = build_registry(settings)
    base = registry.active_version() if options.base == "active" else options.base
    return update(registry.folder(base), **common)


def _train_anew(options: argparse.Namespace, common: dict[str, Any]) -> Path:
    from training.train import train  # noqa: PLC0415 — a door from service to training

    corpora = read_pairs(options.corpus, "--corpus", options.parser)
    return train(
        corpora={name: Path(path) for name, path in corpora.items()},
        annotations=options.annotations,
        heads=options.heads.split(",") if options.heads else None,
        disputes=options.disputes,
        **common,
    )


def _evaluate(options: argparse.Namespace) -> int:
    if bool(options.samples) == bool(options.compare):
        options.parser.error("用 --samples 评测一个模型，或用 --compare A B 比较两个")
    if options.compare:
        return _compare(options)
    from service.artifacts import write_json  # noqa: PLC0415
    from service.bootstrap import build_registry  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415
    from training.evaluate import evaluate_bundle  # noqa: PLC0415
    from training.html_report import render_html  # noqa: PLC0415
    from training.summary import render_summary  # noqa: PLC0415

    settings = Settings()
    registry = build_registry(settings)
    model = options.model or registry.active_version()
    folder = Path(model) if os.sep in model or Path(model).is_dir() else registry.folder(model)
    report = evaluate_bundle(folder, options.samples, settings.policy_dir)
    if options.output:
        write_json(options.output, report)
        page = options.output.with_suffix(".html")
        page.write_text(render_html(report), encoding="utf-8")
    print(render_summary(report))
    return _DONE


def _compare(options: argparse.Namespace) -> int:
    from service.artifacts import write_json  # noqa: PLC0415
    from service.batch.messages import read_messages  # noqa: PLC0415
    from service.bootstrap import build_chain, with_model  # noqa: PLC0415
    from service.replay import render_replay, replay, replay_table  # noqa: PLC0415
    from service.schemas import now  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    if not options.input:
        options.parser.error("--compare 须与 --input 同用")
    settings = Settings()
    one, other = options.compare
    current = build_chain(settings.model_copy(update={"model_version": one}))
    report = replay(
        read_messages(options.input), current, with_model(current, settings, other), now()
    )
    print(render_replay(report))
    if options.output:
        write_json(options.output, replay_table(report))
    return _SOME_FAILED if report.failed else _DONE


if __name__ == "__main__":
    sys.exit(main())
