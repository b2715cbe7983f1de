"""The same scoring on a Dask cluster: a file of the input is a task, with a part of the output.

Input and output are folders that caller and workers all see: of a shared file system, or of an
object store that fsspec knows (`s3://`, `hdfs://`, `ftp://` …). What a task needs is sent as paths;
the model is loaded once a worker and mapped. A task that is run again, because its worker died,
gives the same bytes, so every row is in the output exactly once; on a shared file system it goes on
where it was.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import orjson

from service.batch.plan import ResumeError, Tally, errors_of, record_of
from service.batch.run import chain_of_process, score_file
from service.batch.table import InputError
from service.batch.tables import kind_of
from service.settings import Settings

_ABOUT: Final = "_run"  # with its underscore, readers of the dataset pass it by
_COUNTED: Final = ("risk_level", "response_type", "topic")

Counts = dict[str, Counter[str]]


class _Work(NamedTuple):
    """What every task needs; settings as plain values, versions as the caller found them.

    Stores travel as what they were made with, and connect anew where they arrive.
    """

    reader: Any
    writer: Any
    folder: str
    names: Mapping[str, str]
    received_at: datetime
    settings: Mapping[str, Any]
    policy_version: str
    keeps_input: bool


def score_on_cluster(
    address: str,
    source: str,
    output: str,
    *,
    names: Mapping[str, str],
    received_at: datetime,
    settings: Settings,
    keeps_input: bool = True,
    progress: Callable[[int, int | None], object] = lambda _done, _total: None,
) -> Tally:
    """Scores the files of a folder into a folder of Parquet files, one for each.

    `OUTPUT/_run/summary.json` tells the counts, once all is there; the errors of each part and what
    its run was lie beside it.

    Args:
        address: of the scheduler, as `tcp://host:8786`.
        source: a folder, or a pattern of file names; a path or an URL that fsspec knows.
        output: a folder that has no results yet, likewise.
        names: other names of columns → ours.
        received_at: the time of receipt for rows that do not say when they were found.
        settings: the model and the policy, at paths that every worker can read.
        keeps_input: whether to keep the columns of the input before ours.
        progress: called with the files done, and all files.

    Raises:
        InputError: there is no file to read, or the output has results.
        ResumeError: a worker has another policy.
        OSError: the scheduler cannot be reached.
    """
    import distributed  # noqa: PLC0415 — only clusters need it
    from fsspec.core import url_to_fs  # noqa: PLC0415

    reader, path = url_to_fs(source)
    files = _list_files(reader, path)
    store, folder = url_to_fs(output)
    if store.exists(f"{folder}/{_ABOUT}/summary.json"):
        raise InputError(f"{output} 已有结果。", "请换一个输出文件夹。")
    store.makedirs(f"{folder}/{_ABOUT}", exist_ok=True)
    chain = chain_of_process(settings)
    pinned = settings.model_copy(update={"model_version": chain.model_version})
    work = _Work(
        reader=reader,
        writer=store,
        folder=folder,
        names=dict(names),
        received_at=received_at,
        settings=pinned.model_dump(),
        policy_version=chain.policy.version,
        keeps_input=keeps_input,
    )
    tallies: list[Tally] = []
    counts: Counts = {column: Counter() for column in _COUNTED}
    tools: Any = distributed  # it has types, but not for what is called
    with tools.Client(address) as client:
        futures = client.map(_score_one, files, range(len(files)), work=work, pure=False)
        for _, (tally, counted) in tools.as_completed(futures, with_results=True):
            tallies.append(Tally(*tally))
            for column, counter in counts.items():
                counter.update(counted[column])
            progress(len(tallies), len(files))
    read, scored, failed = (sum(column) for column in zip(*(t[:3] for t in tallies), strict=True))
    written = _count_rows(store, [f"{folder}/{_part(number)}" for number in range(len(files))])
    if written != scored:
        raise RuntimeError(f"{scored} rows were scored, the output has {written}")
    summary = {
        "files": [file.rpartition("/")[2] for file in files],
        "rows": {"read": read, "scored": scored, "failed": failed},
        "counts": {column: dict(sorted(counted.items())) for column, counted in counts.items()},
        "model_version": chain.model_version,
        "policy_version": chain.policy.version,
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    store.pipe_file(f"{folder}/{_ABOUT}/summary.json", orjson.dumps(summary, option=options))
    return Tally(read, scored, failed, "")


def _list_files(store: Any, path: str) -> list[str]:
    """The files of a folder or a pattern, in the order of their names."""
    found = store.find(path, maxdepth=1) if store.isdir(path) else store.glob(path)
    files = sorted(one for one in found if one.rpartition("/")[2][0] not in "._")
    files = [one for one in files if store.isfile(one)]
    if not files:
        raise InputError(f"{path}：没有文件。", "请给出文件夹，或如 'in/*.parquet' 的文件名模式。")
    for file in files:
        kind_of(file)
    return files


def _part(number: int) -> str:
    return f"part-{number:05}.parquet"


def _score_one(source: str, number: int, *, work: _Work) -> tuple[Tally, dict[str, dict[str, int]]]:
    """One file on a worker: its tally, and its rows by the columns that are counted.

    Files of a store are copied to the worker's disk and the part back, so that a part appears under
    its name only when it is whole.
    """
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415 — see above

    settings = Settings(**work.settings)
    if chain_of_process(settings).policy.version != work.policy_version:
        raise ResumeError("工作进程的规则与发起者的不同。", "请让所有机器使用同一规则目录。")
    with TemporaryDirectory() as name:
        scratch = Path(name)
        given = Path(source)
        if not isinstance(work.reader, LocalFileSystem):
            given = scratch / given.name
            work.reader.get_file(source, str(given))
        is_local = isinstance(work.writer, LocalFileSystem)
        output = (Path(work.folder) if is_local else scratch) / _part(number)
        tally = score_file(
            str(given),
            output,
            names=work.names,
            received_at=work.received_at,
            settings=settings,
            keeps_input=work.keeps_input,
            resume=True,
        )
        counts = _count_values(output)
        for told in (record_of(output), errors_of(output)):
            if told.exists():
                work.writer.put_file(str(told), f"{work.folder}/{_ABOUT}/{told.name}")
                told.unlink()
        if not is_local:
            work.writer.put_file(str(output), f"{work.folder}/{output.name}")
    return tally, counts


def _count_values(part: Path) -> dict[str, dict[str, int]]:
    import pyarrow.dataset as ds  # noqa: PLC0415 — large, and only for Parquet

    counts: Counts = {column: Counter() for column in _COUNTED}
    for batch in ds.dataset(part).to_batches(columns=list(_COUNTED)):
        for column, counted in counts.items():
            counted.update(batch.column(column).to_pylist())
    return {column: dict(counted) for column, counted in counts.items()}


def _count_rows(store: Any, parts: Sequence[str]) -> int:
    import pyarrow.parquet as pq  # noqa: PLC0415 — large, and only for Parquet

    rows = 0
    for part in parts:
        with store.open(part, "rb") as file:
            rows += pq.read_metadata(file).num_rows
    return rows
