"""Labelled samples (标注样本): read them, validate them, report on them."""

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from service.core.errors import SampleError
from service.core.labels import FLAGS, HEADS, OWN, keys_of

OWN_SOURCE: Final = "yanpan"  # of the messages in data/samples
ANNOTATIONS: Final = "annotations"  # the collection of outside messages that we labelled
_OWN_WEIGHT: Final = 0.6  # in training; measured in docs/training.md
Taxonomy = Mapping[str, Mapping[str, str]]  # head → the deployment's own labels and their names
EXCLUSIVE_HEADS: Final = tuple(head for head in HEADS if head != "flags")


@dataclass(frozen=True, slots=True)
class Sample:
    """A message with what is known of its labels.

    Attributes:
        text: the raw message.
        labels: for each exclusive head that was judged, the label.
        flags: for each flag that was judged, whether it is raised; a flag that nobody looked at
            is absent.
        source: where it comes from, for slices and weights.
        collection: the path it was read from, as the caller named it.
        channel, traits: as in data/samples/README.md.
        weight: how much it counts in training.
    """

    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)
    id: str = ""
    source: str = ""
    collection: str = ""
    channel: str = ""
    traits: tuple[str, ...] = ()
    weight: float = 1.0

    @property
    def is_written(self) -> bool:
        """Whether it was written for this project rather than found."""
        return self.source == OWN_SOURCE

    @property
    def is_natural(self) -> bool:
        """Whether it was found, and not picked because a model was unsure of it."""
        return not self.is_written and self.collection != ANNOTATIONS

    @property
    def is_complete(self) -> bool:
        """Whether every head and every flag was judged."""
        return self.labels.keys() >= set(EXCLUSIVE_HEADS) and len(self.flags) == len(FLAGS)


def read_samples(paths: Iterable[Path], taxonomy: Taxonomy | None = None) -> list[Sample]:
    """The samples of all files; a folder stands for its own .jsonl and .csv files.

    A head none of whose labels in a file is in the codebook follows another taxonomy there, and
    its labels are taken as they stand; a head with some of each has typing errors.

    Args:
        paths: files and folders.
        taxonomy: the deployment's own labels; a file that holds one of them which is not the
            codebook's follows it for that head, by key or by name, and bears `own.HEAD`.

    Raises:
        SampleError: a file is missing or a row is wrong; the detail names file, line and value.
    """
    return [
        replace(sample, collection=path.name, weight=_OWN_WEIGHT if sample.is_written else 1.0)
        for path in paths
        for file in list_files(path)
        for sample in _read_file(file, taxonomy or {})
    ]


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a JSONL or CSV file with their line numbers.

    Raises:
        SampleError: the file is not UTF-8, or a line is not a JSON object.
    """
    try:
        if path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                for row in reader:
                    yield reader.line_num, {k: v for k, v in row.items() if k and v}
            return
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _parse_line(line, path, number)
    except UnicodeDecodeError as error:
        raise SampleError(f"{path} 不是 UTF-8 编码。", "请另存为 UTF-8。") from error


def ordered_labels(head: str, present: Collection[str]) -> tuple[str, ...]:
    """The present labels of a head, in the codebook's order; those of another taxonomy sorted.

    >>> ordered_labels("sentiment", {"positive", "negative"}), ordered_labels("topic", {"乙", "甲"})
    (('negative', 'positive'), ('乙', '甲'))
    """
    known = tuple(label for label in HEADS.get(head, ()) if label in present)
    return known + tuple(sorted(set(present) - set(known)))


def parse_sample(
    row: Mapping[str, Any], place: str, source: str = "", foreign: Collection[str] = ()
) -> Sample:
    """A sample from a row.

    Args:
        row: its fields.
        place: file and line, for errors.
        source: its source if the row names none.
        foreign: heads whose labels follow another taxonomy than the codebook.

    Raises:
        SampleError: no text, or a label that is not in the codebook; `place` names the row.
    """
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise SampleError(f"{place}：text 为空或不是字符串。", "每行须有非空的 text。")
    labels = {}
    for head in EXCLUSIVE_HEADS:
        if row.get(head) is not None:
            label = str(row[head])
            if label not in HEADS[head] and head not in foreign:
                choices = "、".join(HEADS[head])
                raise SampleError(f"{place}：{head} 的标签 {label!r} 未知。", f"可用：{choices}。")
            labels[head] = label
    return Sample(
        text=text,
        labels=labels,
        flags=_parse_flags(row.get("flags"), place) if "flags" in row else {},
        id=str(row.get("id", "")),
        source=str(row.get("source", source)),
        channel=str(row.get("channel", "")),
        traits=tuple(row.get("traits", ())),
    )


def list_files(path: Path) -> list[Path]:
    """The file itself, or a folder's own .jsonl and .csv files.

    Raises:
        SampleError: nothing is there.
    """
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix in (".jsonl", ".csv"))
        if not found:
            raise SampleError(f"{path} 中没有 .jsonl 或 .csv 文件。", "请检查路径。")
        return found
    if not path.is_file():
        raise SampleError(f"找不到样本文件 {path}。", "请检查路径。")
    return [path]


def _read_file(path: Path, taxonomy: Taxonomy) -> list[Sample]:
    rows = list(read_rows(path))
    foreign = _foreign_heads([row for _, row in rows])
    own = _own_heads([row for _, row in rows], taxonomy)
    samples = []
    for number, row in rows:
        place = f"{path} 第 {number} 行"
        sample = parse_sample(row, place, path.stem, foreign | own.keys())
        samples.append(_as_own(sample, place, own) if own else sample)
    return samples


def _own_heads(rows: Sequence[Mapping[str, Any]], taxonomy: Taxonomy) -> dict[str, dict[str, str]]:
    """The heads that follow the deployment's own taxonomy here: its keys and names → its keys."""
    own = {head: keys_of(names) for head, names in taxonomy.items()}
    used = {head: {str(row[head]) for row in rows if row.get(head) is not None} for head in own}
    return {head: own[head] for head in own if (used[head] & own[head].keys()) - set(HEADS[head])}


def _as_own(sample: Sample, place: str, own: Mapping[str, Mapping[str, str]]) -> Sample:
    labels = dict(sample.labels)
    for head in own.keys() & labels.keys():
        given = labels.pop(head)
        if given not in own[head]:
            choices = "、".join(own[head])
            told = f"{place}：{head} 的标签 {given!r} 不在标签文件中。"
            raise SampleError(told, f"可用：{choices}。")
        labels[f"{OWN}{head}"] = own[head][given]
    return replace(sample, labels=labels)


def _foreign_heads(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The heads none of whose labels is in the codebook."""
    used = {
        head: {str(row[head]) for row in rows if row.get(head) is not None}
        for head in EXCLUSIVE_HEADS
    }
    return {head for head, labels in used.items() if labels and not labels & HEADS[head].keys()}


def _parse_line(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        place = f"{path} 第 {number} 行第 {error.colno} 列"
        raise SampleError(f"{place}：不是有效的 JSON。", "每行一个 JSON 对象。") from error
    if not isinstance(row, dict):
        raise SampleError(f"{path} 第 {number} 行：不是 JSON 对象。", "每行一个 JSON 对象。")
    return row


def _parse_flags(raw: Any, place: str) -> dict[str, bool]:
    if isinstance(raw, str):
        raw = [flag.strip() for flag in raw.split(",") if flag.strip()]
    unknown = [flag for flag in raw or () if flag not in FLAGS]
    if unknown:
        choices = "、".join(FLAGS)
        raise SampleError(f"{place}：flags 中的 {unknown} 未知。", f"可用：{choices}。")
    return {flag: flag in (raw or ()) for flag in FLAGS}
