"""The same scoring on a Dask cluster: a file of the input is a task, with a part of the output.

Workers and caller see the same folders (a shared file system). What a task needs is sent as paths;
the model is loaded once a worker and mapped. A task that is run again, because its worker died,
goes on where it was and gives the same bytes, so every row is in the output exactly once.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from service.batch.plan import Tally, errors_of, record_of, write_whole
from service.batch.run import score_file
from service.batch.table import InputError
from service.batch.tables import kind_of
from service.settings import Settings

_ABOUT: Final = "_run"  # with its underscore, readers of the dataset pass it by
_COUNTED: Final = ("risk_level", "response_type", "topic")


def score_on_cluster(
    address: str,
    source: str,
    output: Path,
    *,
    names: Mapping[str, str],
    received_at: datetime,
    settings: Settings,
    keeps_input: bool = True,
    progress: Callable[[int, int | None], object] = lambda _done, _total: None,
) -> Tally:
    """Scores the files of a folder into a folder of Parquet files, one for each.

    `OUTPUT/_run/summary.json` tells the counts, and the errors of each part lie beside it.

    Args:
        address: of the scheduler, as `tcp://host:8786`.
        source: a folder, or a pattern of file names.
        output: a folder that does not exist.
        names: other names of columns → ours.
        received_at: the time of receipt for rows that do not say when they were found.
        settings: the model and the policy, at paths that every worker can read.
        keeps_input: whether to keep the columns of the input before ours.
        progress: called with the files done, and all files.

    Raises:
        InputError: there is no file to read, or the output exists.
        OSError: the scheduler cannot be reached.
    """
    import distributed  # noqa: PLC0415 — only clusters need it

    files = _list_files(source)
    if (output / _ABOUT).exists():
        raise InputError(f"{output} 已有结果。", "请换一个输出文件夹。")
    output.mkdir(parents=True, exist_ok=True)
    tasks = [(str(path), str(_part(output, number))) for number, path in enumerate(files)]
    tallies = []
    tools: Any = distributed  # it has types, but not for what is called
    with tools.Client(address) as client:
        futures = client.map(
            _score_one,
            tasks,
            names=dict(names),
            received_at=received_at,
            settings=settings.model_dump(),
            keeps_input=keeps_input,
            pure=False,
        )
        for future in tools.as_completed(futures):
            tallies.append(Tally(*future.result()))
            progress(len(tallies), len(files))
    return _finish(output, files, tallies)


def _list_files(source: str) -> list[Path]:
    path = Path(source).absolute()
    found = path.iterdir() if path.is_dir() else path.parent.glob(path.name)
    files = sorted(file for file in found if file.is_file() and file.name[0] not in "._")
    if not files:
        raise InputError(
            f"{source}：没有文件。", "请给出文件夹，或如 'in/*.parquet' 的文件名模式。"
        )
    for file in files:
        kind_of(file.name)
    return files


def _part(output: Path, number: int) -> Path:
    return output.absolute() / f"part-{number:05}.parquet"


def _score_one(
    task: tuple[str, str],
    *,
    names: Mapping[str, str],
    received_at: datetime,
    settings: Mapping[str, Any],
    keeps_input: bool,
) -> tuple[Any, ...]:
    """One file on a worker."""
    source, output = task
    return score_file(
        source,
        Path(output),
        names=names,
        received_at=received_at,
        settings=Settings(**settings),
        keeps_input=keeps_input,
        resume=True,
    )


def _finish(output: Path, files: Sequence[Path], tallies: Sequence[Tally]) -> Tally:
    """Puts what was told of the parts aside, and the summary beside it."""
    import pyarrow.dataset as ds  # noqa: PLC0415 — large, and only for Parquet

    read = sum(tally.read for tally in tallies)
    scored = sum(tally.scored for tally in tallies)
    failed = sum(tally.failed for tally in tallies)
    draft = output / f"{_ABOUT}.partial"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    counts: dict[str, Counter[str]] = {column: Counter() for column in _COUNTED}
    parts = [_part(output, number) for number in range(len(files))]
    for batch in ds.dataset(parts).to_batches(columns=list(_COUNTED)):
        for column, counted in counts.items():
            counted.update(batch.column(column).to_pylist())
    if counts[_COUNTED[0]].total() != scored:
        raise RuntimeError(f"{scored} rows were scored, the output has others")
    for part in parts:
        for told in (record_of(part), errors_of(part)):
            if told.exists():
                told.replace(draft / told.name)
    summary = {
        "files": [file.name for file in files],
        "rows": {"read": read, "scored": scored, "failed": failed},
        "counts": {column: dict(sorted(counted.items())) for column, counted in counts.items()},
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    write_whole(draft / "summary.json", orjson.dumps(summary, option=options))
    draft.replace(output / _ABOUT)
    return Tally(read, scored, failed, "")
