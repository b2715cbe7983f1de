"""What a run is, kept beside its output so that it can go on after a kill."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from service.batch.table import STANDARD_INPUT
from service.core.errors import YanpanError

_CHUNK: Final = 1_000  # rows of a part
PLAN: Final = "plan.json"
_NAMES: Final = {
    "model_version": "模型",
    "policy_version": "规则",
    "input": "输入文件",
    "names": "列名对照",
    "kind": "输出类型",
    "sheet": "工作表",
    "explain": "是否给出依据",
    "keeps_input": "是否保留原列",
    "groups_copies": "是否归并重复信息",
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
        kind: of the output; all but JSONL get flat rows.
        model_version, policy_version: of every row.
        names: names of columns → ours, as the caller chose them.
        sheet: the worksheet, where one was named.
        explain: whether the evidence of every label is added.
        keeps_input: whether the columns of the input are kept.
        groups_copies: whether rows that are copies of each other are counted.
        received_at: the time of receipt, RFC 3339; deadlines count from it.
        request_id: of every assessment.
        chunk: rows of a part.
    """

    input: Mapping[str, Any]
    kind: str
    model_version: str
    policy_version: str
    names: Mapping[str, str]
    sheet: str | None
    explain: bool
    keeps_input: bool
    groups_copies: bool
    received_at: str
    request_id: str = ""
    chunk: int = _CHUNK


class Tally(NamedTuple):
    """How many rows there were; `read` = `scored` + `failed`; and the encoding of a text file."""

    read: int
    scored: int
    failed: int
    encoding: str


def describe_input(source: str) -> dict[str, Any]:
    """Name, size and SHA-256 of a file; nothing of standard input."""
    if source == STANDARD_INPUT:
        return {}
    path = Path(source)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}


def prepare(folder: Path, plan: Plan, *, resume: bool) -> Plan:
    """The plan that is carried out: a new one, or that of the run that goes on."""
    path = folder / PLAN
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)  # killed before it had a plan
        folder.mkdir(parents=True)
        basis = json.dumps(asdict(plan), sort_keys=True)
        if not plan.input:
            basis = uuid.uuid4().hex  # nothing tells one standard input from another
        plan = replace(plan, request_id=uuid.uuid5(uuid.NAMESPACE_OID, basis).hex)
        write_whole(path, orjson.dumps(asdict(plan), option=orjson.OPT_INDENT_2))
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


def finished(folder: Path, output: Path, plan: Plan) -> Tally | None:
    """What the run came to, if it was killed when nothing but its folder was left to remove."""
    path = record_of(output)
    if (folder / PLAN).exists() or not (path.exists() and output.exists()):
        return None
    record = orjson.loads(path.read_bytes())
    if any(record.get(key) != asdict(plan)[key] for key in _NAMES):
        return None
    shutil.rmtree(folder, ignore_errors=True)
    return Tally(**record["rows"])


def record_of(output: Path) -> Path:
    """Where it is told what the run was that wrote an output."""
    return output.with_name(f"{output.name}.run.json")


def errors_of(output: Path) -> Path:
    """Where the rows are listed that could not be scored."""
    return output.with_name(f"{output.name}.errors.jsonl")


def write_whole(path: Path, content: bytes) -> None:
    """Under its name only when all of it is written."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)
