"""Our own labels for outside messages: kept without the text, joined by fingerprint."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from service.core.errors import SampleError
from service.core.labels import FLAGS, HEADS
from training.annotations import annotate, fingerprint, read_annotations
from training.corpora import read_corpus

SHIPPED = Path(__file__).resolve().parents[2] / "training" / "annotations.jsonl"
LABELS = {
    "topic": "transport", "sentiment": "negative", "intent": "help", "response": "answer",
    "risk": 1, "flags": ["hardship"],
}  # fmt: skip


def write(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_an_annotated_row_of_a_corpus_becomes_a_complete_sample(tmp_path: Path) -> None:
    table = pa.table({"title": ["路", "水"], "text": ["坑太多", "停了三天"]})
    parquet.write_table(table, tmp_path / "letters.parquet")
    key = fingerprint("路\n坑太多")
    path = write(tmp_path / "a.jsonl", {"fingerprint": key, "source": "gov_letter", **LABELS})
    samples = list(
        read_corpus("hot_letters", tmp_path / "letters.parquet", list.sort, read_annotations(path))
    )
    assert [s.text for s in samples] == ["路\n坑太多"]
    assert samples[0].is_complete
    assert samples[0].flags["hardship"]
    assert samples[0].weight == 1


def test_a_text_that_nobody_annotated_stays_unknown() -> None:
    assert annotate("别的", {}) is None


def test_an_unknown_label_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"fingerprint": "x", **LABELS, "topic": "roads"})
    with pytest.raises(SampleError, match="第 1 行"):
        read_annotations(path)


def test_the_shipped_annotations_hold_labels_and_no_text() -> None:
    annotations = read_annotations(SHIPPED)
    assert len(annotations) > 1_000
    for key, row in annotations.items():
        assert row.keys() == {"fingerprint", "source"} | HEADS.keys()
        assert len(key) == 12
        assert set(row["flags"]) <= FLAGS.keys()
