"""A file of messages in, a file of assessments out, and nothing lost in between.

A run keeps its state in a folder beside the output, `OUTPUT.partial`: what it was started with, and
a part for every thousand rows, each put under its name only when it is whole. So a run that was
killed can go on, and gives the same bytes as one that was not.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain as chain_of
from itertools import islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from service.assessment_schema import assessment_json
from service.batch.events import Event, count_copies, find_events, name_events
from service.batch.flat import INPUT, flatten
from service.batch.plan import (
    PLAN,
    Plan,
    ResumeError,
    Tally,
    describe_input,
    errors_of,
    finished,
    prepare,
    record_of,
    write_whole,
)
from service.batch.records import names_of, read_message
from service.batch.table import STANDARD_INPUT, InputError, Record, Table
from service.batch.tables import chunks, kind_of, open_table
from service.batch.writing import check_rows, collect_columns, compress, write_output
from service.bootstrap import build_chain
from service.core.assess import Chain, assess_message
from service.core.errors import YanpanError
from service.settings import Settings


class _Part(NamedTuple):
    """Where a part of the run stands: its assessments and its errors."""

    good: Path
    bad: Path


def score_file(
    source: str,
    output: Path,
    *,
    names: Mapping[str, str],
    received_at: datetime,
    settings: Settings,
    sheet: str | None = None,
    explain: bool = False,
    keeps_input: bool = True,
    groups_copies: bool = False,
    workers: int = 1,
    resume: bool = False,
    progress: Callable[[int, int | None], object] = lambda _done, _total: None,
) -> Tally:
    """Scores every row of a file with one model and one policy.

    Rows that cannot be scored go to `OUTPUT.errors.jsonl` with line number, reason and the row as
    it stood. `OUTPUT.run.json` tells what the run was. All three appear only when they are whole.

    Args:
        source: the input, or `-` for JSONL on standard input.
        output: the file to write; its name tells the kind.
        names: other names of columns → ours.
        received_at: the time of receipt for rows that do not say when they were found.
        settings: the model and the policy.
        sheet: the worksheet to read; the first if `None`.
        explain: whether to add the evidence of every label.
        keeps_input: whether to keep the columns of the input before ours.
        groups_copies: whether to count the copies of each text first, as a figure of its reach.
        workers: how many processes score.
        resume: whether to go on with an unfinished run of the same plan.
        progress: called with the rows done, and how many there are as far as that can be told.

    Raises:
        InputError: the input cannot be read as a table, or has no column of texts.
        ResumeError: there is an unfinished run and `resume` is not set, or its plan differs.
    """
    kind = kind_of(str(output))
    folder = output.with_name(f"{output.name}.partial")
    chain = chain_of_process(settings)
    plan = Plan(
        input=describe_input(source),
        kind=kind,
        model_version=chain.model_version,
        policy_version=chain.policy.version,
        names=dict(names),
        sheet=sheet,
        explain=explain,
        keeps_input=keeps_input,
        groups_copies=groups_copies,
        received_at=received_at.isoformat(),
    )
    if resume and (tally := finished(folder, output, plan)):
        return tally
    if groups_copies and source == STANDARD_INPUT:
        raise InputError("标准输入只能读一遍，不能归并重复信息。", "请先存为文件。")
    with open_table(source, sheet) as table:
        _require_texts(table, source, names)
        plan = prepare(folder, plan, resume=resume)
        pinned = settings.model_copy(update={"model_version": chain.model_version})
        read = 0
        events = _events(source, folder, plan) if groups_copies else None
        for size in _score_parts(table, folder, plan, pinned, workers, events=events):
            read += size
            progress(read, table.expect())
            check_rows(kind, read)
    return _assemble(folder, output, plan, read, table)


def _events(source: str, folder: Path, plan: Plan) -> Iterator[list[Event]]:
    """The events of the rows of each part."""
    with open_table(source, plan.sheet) as table:
        groups = find_events(table, folder, plan.names)
    sizes = count_copies(groups)
    for first in range(0, len(groups), plan.chunk):
        last = first + plan.chunk
        yield name_events(groups[first:last], sizes[first:last])


def _require_texts(table: Table, source: str, names: Mapping[str, str]) -> None:
    """A table without a column of texts is refused at once, not row by row."""
    if table.kind != "jsonl" and "text" not in names_of(table.columns, names).values():
        found = "、".join(table.columns[:20])
        raise InputError(f"{source}：没有正文列；现有列：{found}。", "请用 --map 列名=text 指定。")


def _score_parts(
    table: Table,
    folder: Path,
    plan: Plan,
    settings: Settings,
    workers: int,
    *,
    events: Iterable[Sequence[Event]] | None,
) -> Iterator[int]:
    """Scores every part in order and gives its number of rows."""
    score = partial(_score_part, plan=plan, settings=settings, is_typed=table.is_typed)
    rows = chunks(iter(table), plan.chunk)
    both = zip(rows, events, strict=True) if events else ((chunk, ()) for chunk in rows)
    jobs = ((_part(folder, number), *one) for number, one in enumerate(both))
    first = list(islice(jobs, 2))
    if workers <= 1 or len(first) < 2:  # noqa: PLR2004 — one part is not worth a second process
        yield from (score(*job) for job in chain_of(first, jobs))
        return
    from joblib import Parallel, delayed  # noqa: PLC0415 — only where there are workers

    parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch=2 * workers)
    yield from parallel(delayed(score)(*job) for job in chain_of(first, jobs))


def _part(folder: Path, number: int) -> _Part:
    return _Part(folder / f"{number:08}.jsonl", folder / f"{number:08}.errors")


def _score_part(
    part: _Part,
    chunk: Sequence[Record],
    events: Sequence[Event],
    plan: Plan,
    settings: Settings,
    *,
    is_typed: bool,
) -> int:
    """Scores the rows of a part unless it stands; how many there are."""
    if part.good.exists():
        return len(chunk)
    chain = chain_of_process(settings)
    if chain.policy.version != plan.policy_version:
        raise ResumeError("规则在运行中改动了。", "请恢复原样，加 --resume 继续。")
    good, bad = [], []
    for record, event in zip(chunk, events or repeat(None), strict=bool(events)):
        content, reason = _score_row(record, event, chain, plan, is_typed=is_typed)
        if content:
            good.append(content)
        else:
            bad.append(_json({"line": record.line, "reason": reason, "row": record.raw}))
    write_whole(part.bad, b"".join(bad))
    write_whole(part.good, b"".join(good))  # the last of the two: it says that both are whole
    return len(chunk)


def _score_row(
    record: Record, event: Event | None, chain: Chain, plan: Plan, *, is_typed: bool
) -> tuple[bytes, str]:
    """The row's line of the output, or why it has none."""
    message, reason = read_message(record, plan.names, is_typed=is_typed)
    if message is None:
        return b"", reason
    added: dict[str, Any] = {INPUT: record.fields} if plan.keeps_input else {}
    if event is not None:
        added |= {"event_id": event.id, "duplicates": event.size}
        if event.size > 1:
            most = max(event.size, message.spread.duplicates or 0)
            message = replace(message, spread=replace(message.spread, duplicates=most))
    try:
        assessment = assess_message(
            message,
            chain,
            request_id=plan.request_id,
            now=datetime.fromisoformat(plan.received_at),
            explain=plan.explain,
        )
    except YanpanError as error:
        return b"", f"{error.detail}{error.hint}"
    whole = plan.kind == "jsonl"
    content = assessment_json(assessment) if whole else orjson.dumps(flatten(assessment))
    if added:
        content = _json(added)[:-2] + b"," + content[1:]
    return content + b"\n", ""


def _json(table: Mapping[str, Any]) -> bytes:
    """A line; what JSON has no word for becomes text."""
    return orjson.dumps(table, default=str, option=orjson.OPT_APPEND_NEWLINE)


@lru_cache(maxsize=1)
def chain_of_process(settings: Settings) -> Chain:
    """The chain of this process, loaded once; its arrays are mapped, so processes share them."""
    return build_chain(settings)


def _assemble(folder: Path, output: Path, plan: Plan, read: int, table: Table) -> Tally:
    """Puts the parts together and the files under their names; the folder goes last.

    Raises:
        RuntimeError: rows were lost, which is a fault of ours.
    """
    goods = sorted(folder.glob("[0-9]*.jsonl"))
    bads = sorted(folder.glob("[0-9]*.errors"))
    draft, errors_draft = folder / f"output{output.suffix}", folder / "errors"
    columns: Sequence[str] = ()
    if plan.keeps_input and plan.kind != "jsonl":
        columns = table.columns if table.kind != "jsonl" else collect_columns(_lines(goods))
    scored = write_output(draft, plan.kind, _lines(goods), columns, has_events=plan.groups_copies)
    if output.suffix.lower() == ".gz":
        compress(draft)
    failed = write_output(errors_draft, "jsonl", _lines(bads), (), has_events=False)
    if scored + failed != read:
        raise RuntimeError(f"{read} rows were read, {scored} scored and {failed} failed")
    tally = Tally(read, scored, failed, table.encoding)
    errors = errors_of(output)
    if failed:
        errors_draft.replace(errors)
    else:
        errors.unlink(missing_ok=True)  # an earlier run's errors are not this one's
    record = {**asdict(plan), "rows": tally._asdict()}
    write_whole(
        record_of(output),
        orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
    )
    draft.replace(output)
    (folder / PLAN).unlink()  # from here on there is nothing to go on with
    shutil.rmtree(folder)
    return tally


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            yield from file
