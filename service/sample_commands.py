"""`yanpan samples` and `yanpan feedback`: look after labels, from a correction to a sample."""

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from service.arguments import current_user, read_pairs

if TYPE_CHECKING:
    from service.store.feedback import FeedbackStore

_DONE: Final = 0
_SOME_FAILED: Final = 1
_BAD_USAGE: Final = 2
_EXCERPT: Final = 30


def add_sample_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`yanpan samples …` and `yanpan feedback …`."""
    samples = commands.add_parser("samples", help="标注样本").add_subparsers(required=True)
    _add_check(samples.add_parser("check", help="检查标注样本"))
    _add_agreement(samples.add_parser("agreement", help="两次标注的一致程度"))
    _add_import(samples.add_parser("import", help="导入填好的标注表"))
    _add_suggest(samples.add_parser("suggest", help="挑选最值得标注的信息"))
    _add_export(samples.add_parser("export", help="把已采纳的反馈导出为样本"))
    feedback = commands.add_parser("feedback", help="反馈").add_subparsers(required=True)
    _add_list(feedback.add_parser("list", help="列出反馈"))
    _add_purge(feedback.add_parser("purge", help="删除过了保留期的反馈"))
    _add_decide(feedback.add_parser("accept", help="采纳"), is_accepted=True)
    _add_decide(feedback.add_parser("reject", help="不采纳"), is_accepted=False)


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--quick", action="store_true", help="不做交叉验证，不列存疑的标签")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="另写 JSON 和同名的 .html")
    parser.set_defaults(run=_check)


def _add_agreement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--second", type=Path, required=True, metavar="PATH")
    parser.set_defaults(run=_show_agreement)


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=".xlsx .csv .jsonl …")
    parser.add_argument("--annotator", default=current_user(), help="表中没有标注人列时的标注人")
    parser.add_argument("--map", action="append", default=[], metavar="A=B", help="把列 A 当作 B")
    parser.add_argument("--sheet", help="XLSX 的工作表；缺省为第一个")
    parser.add_argument("--accept", action="store_true", help="导入并采纳")
    parser.add_argument("--by", default=current_user(), help="采纳人")
    parser.set_defaults(run=_import, parser=parser)


def _add_suggest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", required=True, metavar="FILE", help="待挑选的信息")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.xlsx")
    parser.add_argument("--n", type=int, default=200, help="挑选条数")
    parser.add_argument("--map", action="append", default=[], metavar="A=B", help="把列 A 当作 B")
    parser.add_argument("--sheet", help="XLSX 的工作表；缺省为第一个")
    parser.set_defaults(run=_suggest, parser=parser)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.jsonl")
    parser.set_defaults(run=_export)


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--status", choices=("proposed", "accepted", "rejected"))
    parser.set_defaults(run=_list)


def _add_purge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, help="早于几天前；缺省为 YANPAN_KEEP_DAYS")
    parser.add_argument("--by", default=current_user(), help="决定人")
    parser.set_defaults(run=_purge, parser=parser)


def _add_decide(parser: argparse.ArgumentParser, *, is_accepted: bool) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--all", action="store_true", help="全部待定的")
    parser.add_argument("--by", default=current_user(), help="决定人")
    parser.set_defaults(run=_decide, parser=parser, is_accepted=is_accepted)


def _check(options: argparse.Namespace) -> int:
    from service.artifacts import write_json  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415
    from training.check import check_page, check_samples, check_table, render_check  # noqa: PLC0415

    report = check_samples(options.paths, None if options.quick else Settings().policy_dir)
    if options.output:
        write_json(options.output, check_table(report))
        options.output.with_suffix(".html").write_text(check_page(report), encoding="utf-8")
    print(render_check(report))
    return _BAD_USAGE if report.errors else _DONE


def _show_agreement(options: argparse.Namespace) -> int:
    from training.agreement import measure_agreement, render_agreement  # noqa: PLC0415

    print(render_agreement(*measure_agreement(options.first, options.second)))
    return _DONE


def _store() -> "FeedbackStore":
    from service.bootstrap import build_feedback  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    return build_feedback(Settings())


def _import(options: argparse.Namespace) -> int:
    from service.bootstrap import build_taxonomy  # noqa: PLC0415
    from service.label_sheet import read_sheet  # noqa: PLC0415
    from service.schemas import now  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    names = read_pairs(options.map, "--map", options.parser)
    rows = list(
        read_sheet(
            options.file,
            annotator=options.annotator,
            names=names,
            sheet=options.sheet,
            taxonomy=build_taxonomy(Settings()),
        )
    )
    store = _store()
    ids, replayed = [], 0
    for row in rows:
        if row.fault:
            print(f"{options.file} 第 {row.line} 行：{row.fault}", file=sys.stderr)
        if row.correction:
            key = f"import-{row.correction.digest()}"  # the same row again is the same correction
            stored = store.add(row.correction, key=key, at=now())
            ids.append(stored.feedback["id"])
            replayed += stored.is_replayed
    if options.accept and ids:
        store.decide(ids, is_accepted=True, by=options.by, at=now())
    failed = sum(bool(row.fault) for row in rows)
    empty = len(rows) - len(ids) - failed
    print(
        f"导入 {len(ids)} 条（其中 {replayed} 条早已导入），未填 {empty} 条，失败 {failed} 条",
        file=sys.stderr,
    )
    return _SOME_FAILED if failed else _DONE


def _suggest(options: argparse.Namespace) -> int:
    from service.batch.tables import open_table  # noqa: PLC0415
    from service.bootstrap import build_chain  # noqa: PLC0415
    from service.core.labels import reported_names  # noqa: PLC0415
    from service.label_sheet import write_sheet  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415
    from training.suggest import suggest  # noqa: PLC0415

    names = read_pairs(options.map, "--map", options.parser)
    with open_table(options.input, options.sheet) as table:
        chain = build_chain(Settings())
        rows = suggest(table, names, chain, options.n)
    write_sheet(options.output, rows, reported_names(chain.classifier.names))
    print(f"挑选 {len(rows)} 条，填好后用 yanpan samples import 导入", file=sys.stderr)
    return _DONE


def _export(options: argparse.Namespace) -> int:
    from service.store.feedback import ACCEPTED  # noqa: PLC0415
    from training.corrections import resolve, sample_row  # noqa: PLC0415

    samples, disagreements = resolve(_store().read(ACCEPTED))
    lines = [json.dumps(sample_row(sample), ensure_ascii=False) for sample in samples]
    options.output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for one in disagreements:
        told = "；".join(f"{'、'.join(who)} 认为 {answer}" for answer, who in one.answers.items())
        print(f"{one.text[:_EXCERPT]}… {one.head}：{told}，未取。", file=sys.stderr)
    summary = f"导出 {len(samples)} 条，标注人有分歧的标签 {len(disagreements)} 个"
    print(summary, file=sys.stderr)
    return _DONE


def _list(options: argparse.Namespace) -> int:
    for row in _store().read(options.status):
        print(json.dumps(row, ensure_ascii=False))
    return _DONE


def _purge(options: argparse.Namespace) -> int:
    from service.bootstrap import build_audit  # noqa: PLC0415
    from service.schemas import now  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    settings = Settings()
    days = settings.keep_days if options.days is None else options.days
    if days <= 0:
        options.parser.error("请用 --days 或 YANPAN_KEEP_DAYS 给出保留天数")
    at = now()
    count = _store().purge(at - timedelta(days=days))
    build_audit(settings).write("feedback_purged", by=options.by, at=at, days=days, count=count)
    print(f"删除 {count} 条早于 {days} 天的反馈", file=sys.stderr)
    return _DONE


def _decide(options: argparse.Namespace) -> int:
    from service.schemas import now  # noqa: PLC0415

    if bool(options.ids) == options.all:
        options.parser.error("给出编号，或用 --all")
    ids = None if options.all else options.ids
    store = _store()
    count = store.decide(ids, is_accepted=options.is_accepted, by=options.by, at=now())
    print(f"{'采纳' if options.is_accepted else '不采纳'} {count} 条", file=sys.stderr)
    return _DONE
