"""`yanpan score` and `yanpan report`: a text, a file, a folder on a cluster; what was scored."""

import argparse
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from service.arguments import read_pairs

if TYPE_CHECKING:
    from service.batch.plan import Tally

_DONE: Final = 0
_SOME_FAILED: Final = 1
_NOT_ON_CLUSTERS: Final = ("sheet", "explain", "group_duplicates", "resume", "report")


def add_score(parser: argparse.ArgumentParser) -> None:
    """The arguments of `yanpan score`."""
    parser.add_argument("text", nargs="?", help="一条正文")
    parser.add_argument(
        "--input", metavar="FILE", help=".jsonl .csv .tsv（可加 .gz）.xlsx .parquet，- 为标准输入"
    )
    parser.add_argument("--output", metavar="FILE", help="写入的文件，类型由文件名定")
    parser.add_argument(
        "--map", action="append", default=[], metavar="A=B", help="把列 A 当作 B，如 诉求内容=text"
    )
    parser.add_argument("--sheet", help="XLSX 的工作表；缺省为第一个")
    parser.add_argument("--explain", action="store_true", help="给出每个判断的依据")
    parser.add_argument("--only-assessment", action="store_true", help="不保留输入的列")
    parser.add_argument(
        "--group-duplicates", action="store_true", help="归并重复信息，计入影响范围"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="进程数")
    parser.add_argument("--resume", action="store_true", help="继续未完成的运行")
    parser.add_argument(
        "--received-at", type=_time, metavar="TIME", help="收到的时间，时限由此起算；缺省为现在"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="另写报告，.html 或 .docx")
    parser.add_argument("--cluster", metavar="ADDRESS", help="在 Dask 集群上研判一个文件夹")
    parser.add_argument("--quiet", action="store_true", help="不报进度")
    parser.set_defaults(run=_score, parser=parser)


def add_report(parser: argparse.ArgumentParser) -> None:
    """The arguments of `yanpan report`."""
    parser.add_argument("--input", type=Path, required=True, metavar="FILE", help="研判结果")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help=".html .docx")
    parser.add_argument("--map", action="append", default=[], metavar="A=B", help="同 score")
    parser.add_argument("--sheet", help="XLSX 的工作表；缺省为第一个")
    parser.set_defaults(run=_report, parser=parser)


def use_one_thread() -> None:
    """One message's products are too small to share among threads; must precede numpy's import."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _score(options: argparse.Namespace) -> int:
    use_one_thread()
    if (options.text is None) == (options.input is None):
        options.parser.error("给出一条正文，或用 --input 指定文件")
    if options.text is not None:
        return _score_text(options.text, explain=options.explain)
    if options.output is None:
        options.parser.error("--input 须与 --output 同用")
    if options.cluster is None:
        return _score_file(options)
    for option in _NOT_ON_CLUSTERS:
        if getattr(options, option):
            options.parser.error(f"--{option.replace('_', '-')} 不能与 --cluster 同用")
    return _score_on_cluster(options)


def _score_text(text: str, *, explain: bool) -> int:
    import uuid  # noqa: PLC0415

    from service.assessment_schema import assessment_table  # noqa: PLC0415
    from service.bootstrap import build_chain  # noqa: PLC0415
    from service.core.assess import assess_message  # noqa: PLC0415
    from service.core.message import Message  # noqa: PLC0415
    from service.schemas import now  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    # A terminal in another encoding leaves half characters behind, which no output can carry.
    message = Message(text.encode(errors="replace").decode())
    assessment = assess_message(
        message, build_chain(Settings()), request_id=uuid.uuid4().hex, now=now(), explain=explain
    )
    print(json.dumps(assessment_table(assessment), ensure_ascii=False, indent=2))
    return _DONE


def _score_file(options: argparse.Namespace) -> int:
    from service.batch.plan import errors_of  # noqa: PLC0415
    from service.batch.progress import Progress  # noqa: PLC0415
    from service.batch.run import score_file  # noqa: PLC0415
    from service.report.run import check_report_names, write_report  # noqa: PLC0415

    output = Path(options.output)
    if options.report:
        check_report_names(output, options.report)
    common = _common(options)
    with Progress(quiet=options.quiet) as progress:
        tally = score_file(
            options.input,
            output,
            sheet=options.sheet,
            explain=options.explain,
            groups_copies=options.group_duplicates,
            workers=options.workers,
            resume=options.resume,
            progress=progress,
            **common,
        )
    if options.report:
        write_report(output, options.report, names=common["names"])
    return _report_tally(tally, errors_of(output))


def _score_on_cluster(options: argparse.Namespace) -> int:
    from service.batch.cluster import score_on_cluster  # noqa: PLC0415
    from service.batch.progress import Progress  # noqa: PLC0415

    with Progress(quiet=options.quiet, unit="个文件") as progress:
        tally = score_on_cluster(
            options.cluster, options.input, options.output, progress=progress, **_common(options)
        )
    return _report_tally(tally, f"{options.output}/_run")


def _common(options: argparse.Namespace) -> dict[str, Any]:
    """What a file and a folder of files have in common."""
    from service.schemas import now  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    return {
        "names": read_pairs(options.map, "--map", options.parser),
        "received_at": options.received_at or now(),
        "settings": Settings(),
        "keeps_input": not options.only_assessment,
    }


def _report_tally(tally: "Tally", errors: object) -> int:
    summary = f"读入 {tally.read} 条，研判 {tally.scored} 条，失败 {tally.failed} 条"
    if tally.encoding == "gb18030":
        summary += "（输入为 GB18030 编码）"
    print(summary, file=sys.stderr)
    if tally.failed:
        print(f"失败的行见 {errors}", file=sys.stderr)
    return _SOME_FAILED if tally.failed else _DONE


def _report(options: argparse.Namespace) -> int:
    from service.report.run import write_report  # noqa: PLC0415

    names = read_pairs(options.map, "--map", options.parser)
    write_report(options.input, options.output, names=names, sheet=options.sheet)
    return _DONE


def _time(text: str) -> datetime:
    from service.schemas import with_offset  # noqa: PLC0415

    return with_offset(datetime.fromisoformat(text))
