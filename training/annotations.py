"""Our own labels for messages of outside corpora, kept by fingerprint and without the text."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.samples import Sample, parse_sample, read_rows

Annotations = Mapping[str, Mapping[str, Any]]


def fingerprint(text: str) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a trimmed message.

    >>> fingerprint(" 路灯坏了 ") == fingerprint("路灯坏了")
    True
    """
    return hashlib.sha256(text.strip().encode(errors="replace")).hexdigest()[:12]


def read_annotations(path: Path) -> Annotations:
    """Labels by fingerprint, from JSONL rows of `fingerprint`, `source` and all labels.

    Raises:
        SampleError: a row has no fingerprint, or a label is unknown; the detail names the line.
    """
    annotations: dict[str, Mapping[str, Any]] = {}
    for number, row in read_rows(path):
        parse_sample({**row, "text": row.get("fingerprint")}, f"{path} 第 {number} 行")
        annotations[str(row["fingerprint"])] = row
    return annotations


def annotate(text: str, annotations: Annotations) -> Sample | None:
    """The message as a fully labelled sample, where it was annotated."""
    key = fingerprint(text)
    if key not in annotations:
        return None
    return parse_sample({**annotations[key], "text": text, "id": key}, key)
