"""A file of messages in, a file of assessments out, and nothing lost in between."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from service.assessment_schema import assessment_json
from service.batch.reading import Row, read_jsonl
from service.core.assess import Chain, assess_message
from service.core.errors import YanpanError
from service.schemas import now


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows there were; `read` = `scored` + `failed`."""

    read: int
    scored: int
    failed: int


def score_file(
    source: BinaryIO,
    output: Path,
    chain: Chain,
    *,
    names: Mapping[str, str],
    explain: bool,
    progress: Callable[[], object],
) -> Tally:
    """Scores JSONL into JSONL, one assessment a row in the order of the input.

    Rows that cannot be scored go to `OUTPUT.errors.jsonl` with line number and reason. Both files
    appear under their names only when they are whole.

    Args:
        source: the input's bytes.
        output: the file to write.
        chain: the model and the policy of the whole run.
        names: other names of fields → ours.
        explain: whether to add the evidence of every label.
        progress: called after every row.
    """
    errors = output.with_name(f"{output.name}.errors.jsonl")
    drafts = [path.with_name(f"{path.name}.partial") for path in (output, errors)]
    request_id = uuid.uuid4().hex
    scored = failed = 0
    with (
        drafts[0].open("wb") as good,
        drafts[1].open("w", encoding="utf-8") as bad,
    ):
        for row in read_jsonl(source, names):
            reason = _score_row(row, chain, request_id, good, explain=explain)
            if reason:
                _write(bad, {"line": row.line, "reason": reason, "row": row.raw})
                failed += 1
            else:
                scored += 1
            progress()
    drafts[0].replace(output)
    if failed:
        drafts[1].replace(errors)
    else:
        drafts[1].unlink()
        errors.unlink(missing_ok=True)  # an earlier run's errors are not this one's
    return Tally(scored + failed, scored, failed)


def _score_row(row: Row, chain: Chain, request_id: str, good: BinaryIO, *, explain: bool) -> str:
    """Writes the row's assessment, or returns why it has none."""
    if row.message is None:
        return row.reason
    try:
        assessment = assess_message(
            row.message, chain, request_id=request_id, now=now(), explain=explain
        )
    except YanpanError as error:
        return f"{error.detail}{error.hint}"
    good.write(assessment_json(assessment) + b"\n")
    return ""


def _write(file: TextIO, table: Mapping[str, object]) -> None:
    file.write(f"{json.dumps(table, ensure_ascii=False)}\n")
