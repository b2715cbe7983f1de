"""A file of messages in, a file of assessments out, and nothing lost in between.

A run keeps its state in a folder beside the output, `OUTPUT.partial`: what it was started with, and
a part for every thousand rows, each put under its name only when it is whole. So a run that was
killed can go on, and gives the same bytes as one that was not.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain as chain_of
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from service.assessment_schema import assessment_json
from service.batch.flat import INPUT
from service.batch.records import names_of, read_message
from service.batch.tables import (
    STANDARD_INPUT,
    InputError,
    Record,
    Table,
    chunks,
    kind_of,
    open_table,
)
from service.batch.writing import write_output
from service.bootstrap import build_chain
from service.core.assess import Chain, assess_message
from service.core.errors import YanpanError
from service.settings import Settings

_CHUNK: Final = 1_000  # rows of a part
_PLAN: Final = "plan.json"
_NAMES: Final = {
    "model_version": "模型",
    "policy_version": "规则",
    "input": "输入文件",
    "names": "列名对照",
    "sheet": "工作表",
    "explain": "是否给出依据",
    "keeps_input": "是否保留原列",
    "chunk": "分段大小",
}


class ResumeError(YanpanError):
    """An unfinished run that cannot go on as asked; the detail says what differs."""

    code = "resume_refused"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is: the same plan gives the same bytes.

    Attributes:
        input: name, size and SHA-256 of the input; empty for standard input.
        model_version, policy_version: of every row.
        names: names of columns → ours, as the caller chose them.
        sheet: the worksheet, where one was named.
        explain: whether the evidence of every label is added.
        keeps_input: whether the columns of the input are kept.
        received_at: the time of receipt, RFC 3339; deadlines count from it.
        request_id: of every assessment.
        chunk: rows of a part.
    """

    input: Mapping[str, Any]
    model_version: str
    policy_version: str
    names: Mapping[str, str]
    sheet: str | None
    explain: bool
    keeps_input: bool
    received_at: str
    request_id: str = ""
    chunk: int = _CHUNK


class Tally(NamedTuple):
    """How many rows there were; `read` = `scored` + `failed`."""

    read: int
    scored: int
    failed: int


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
        workers: how many processes score.
        resume: whether to go on with an unfinished run of the same plan.
        progress: called with the rows done, and all rows where they are known.

    Raises:
        InputError: the input cannot be read as a table, or has no column of texts.
        ResumeError: there is an unfinished run and `resume` is not set, or its plan differs.
    """
    kind_of(str(output))
    folder = output.with_name(f"{output.name}.partial")
    chain = _chain(settings)
    plan = Plan(
        input=_describe_input(source),
        model_version=chain.model_version,
        policy_version=chain.policy.version,
        names=dict(names),
        sheet=sheet,
        explain=explain,
        keeps_input=keeps_input,
        received_at=received_at.isoformat(),
    )
    if resume and (tally := _finished(folder, output, plan)):
        return tally
    with open_table(source, sheet) as table:
        _require_texts(table, source, names)
        plan = _prepare(folder, plan, resume=resume)
        pinned = settings.model_copy(update={"model_version": chain.model_version})
        read = 0
        for size in _score_parts(table, folder, plan, pinned, workers):
            read += size
            progress(read, table.total)
    return _assemble(folder, output, plan, read)


def _describe_input(source: str) -> dict[str, Any]:
    if source == STANDARD_INPUT:
        return {}
    path = Path(source)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}


def _prepare(folder: Path, plan: Plan, *, resume: bool) -> Plan:
    """The plan that is carried out: a new one, or that of the run that goes on."""
    path = folder / _PLAN
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)  # killed before it had a plan
        folder.mkdir(parents=True)
        basis = json.dumps(asdict(plan), sort_keys=True)
        plan = replace(plan, request_id=uuid.uuid5(uuid.NAMESPACE_OID, basis).hex)
        _write_whole(path, orjson.dumps(asdict(plan), option=orjson.OPT_INDENT_2))
        return plan
    if not resume:
        raise ResumeError(
            f"{folder} 是一次未完成的运行。", "加 --resume 继续，或删除该文件夹后重来。"
        )
    if not plan.input:
        raise ResumeError("标准输入不能继续。", f"请删除 {folder} 后重来。")
    begun = Plan(**orjson.loads(path.read_bytes()))
    now, then = asdict(plan), asdict(begun)
    if changed := [text for key, text in _NAMES.items() if now[key] != then[key]]:
        raise ResumeError(
            f"与未完成的运行不同：{'、'.join(changed)}。", f"请恢复原样，或删除 {folder} 后重来。"
        )
    return begun


def _finished(folder: Path, output: Path, plan: Plan) -> Tally | None:
    """What the run came to, if it was killed when nothing but its folder was left to remove."""
    path = _record_of(output)
    if (folder / _PLAN).exists() or not (path.exists() and output.exists()):
        return None
    record = orjson.loads(path.read_bytes())
    if any(record.get(key) != asdict(plan)[key] for key in _NAMES):
        return None
    shutil.rmtree(folder, ignore_errors=True)
    return Tally(**record["rows"])


def _require_texts(table: Table, source: str, names: Mapping[str, str]) -> None:
    """A table without a column of texts is refused at once, not row by row."""
    if table.kind != "jsonl" and "text" not in names_of(table.columns, names).values():
        found = "、".join(table.columns[:20])
        raise InputError(f"{source}：没有正文列；现有列：{found}。", "请用 --map 列名=text 指定。")


def _score_parts(
    table: Table, folder: Path, plan: Plan, settings: Settings, workers: int
) -> Iterator[int]:
    """Scores every part in order and gives its number of rows."""
    score = partial(_score_part, plan=plan, settings=settings, is_typed=table.kind == "jsonl")
    jobs = (
        (_part(folder, number), chunk)
        for number, chunk in enumerate(chunks(table.records, plan.chunk))
    )
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
    part: _Part, chunk: Sequence[Record], plan: Plan, settings: Settings, *, is_typed: bool
) -> int:
    """Scores the rows of a part unless it stands; how many there are."""
    if part.good.exists():
        return len(chunk)
    chain = _chain(settings)
    if chain.policy.version != plan.policy_version:
        raise ResumeError("规则在运行中改动了。", "请恢复原样，加 --resume 继续。")
    good, bad = [], []
    for record in chunk:
        content, reason = _score_row(record, chain, plan, is_typed=is_typed)
        if content:
            good.append(content)
        else:
            bad.append(_json({"line": record.line, "reason": reason, "row": record.raw}))
    _write_whole(part.bad, b"".join(bad))
    _write_whole(part.good, b"".join(good))  # the last of the two: it says that both are whole
    return len(chunk)


def _score_row(record: Record, chain: Chain, plan: Plan, *, is_typed: bool) -> tuple[bytes, str]:
    """The row's line of the output, or why it has none."""
    message, reason = read_message(record, plan.names, is_typed=is_typed)
    if message is None:
        return b"", reason
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
    content = assessment_json(assessment)
    if plan.keeps_input:
        content = _json({INPUT: record.fields})[:-2] + b"," + content[1:]
    return content + b"\n", ""


def _json(table: Mapping[str, Any]) -> bytes:
    """A line; what JSON has no word for becomes text."""
    return orjson.dumps(table, default=str, option=orjson.OPT_APPEND_NEWLINE)


@lru_cache(maxsize=1)
def _chain(settings: Settings) -> Chain:
    """The chain of this process, loaded once; its arrays are mapped, so processes share them."""
    return build_chain(settings)


def _assemble(folder: Path, output: Path, plan: Plan, read: int) -> Tally:
    """Puts the parts together and the files under their names; the folder goes last.

    Raises:
        RuntimeError: rows were lost, which is a fault of ours.
    """
    goods = sorted(folder.glob("*.jsonl"))
    bads = sorted(folder.glob("*.errors"))
    draft, errors_draft = folder / f"output{output.suffix}", folder / "errors"
    write_output(draft, kind_of(str(output)), lambda: _lines(goods))
    scored = sum(1 for _ in _lines(goods))
    with errors_draft.open("wb") as file:
        file.writelines(_lines(bads))
    failed = sum(1 for _ in _lines(bads))
    if scored + failed != read:
        raise RuntimeError(f"{read} rows were read, {scored} scored and {failed} failed")
    tally = Tally(read, scored, failed)
    errors = output.with_name(f"{output.name}.errors.jsonl")
    if failed:
        errors_draft.replace(errors)
    else:
        errors.unlink(missing_ok=True)  # an earlier run's errors are not this one's
    record = {**asdict(plan), "rows": tally._asdict()}
    _write_whole(
        _record_of(output),
        orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
    )
    draft.replace(output)
    (folder / _PLAN).unlink()  # from here on there is nothing to go on with
    shutil.rmtree(folder)
    return tally


def _record_of(output: Path) -> Path:
    return output.with_name(f"{output.name}.run.json")


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            yield from file


def _write_whole(path: Path, content: bytes) -> None:
    """Under its name only when all of it is written."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)
