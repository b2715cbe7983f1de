"""Outside corpora → samples: which file teaches which head what, in one table.

Nothing is downloaded and nothing of the texts is kept: the caller names the files, and only
weights and frequent n-grams leave.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from service.core.errors import SampleError
from training.samples import Sample


@dataclass(frozen=True, slots=True)
class Corpus:
    """How the rows of an outside corpus become samples.

    Attributes:
        column: the column that holds its label.
        head: the head that it teaches, or the flag as `flags.KEY`.
        mapping: its labels → ours; `True` and `False` for a flag. Labels left out are not used.
        weight: what one of its rows counts beside one message labelled by the codebook.
        limit: at most this many rows, the first after a seeded shuffle by the caller.
    """

    column: str
    head: str
    mapping: Mapping[str, str | bool]
    weight: float
    limit: int | None = None


# What each label means there, and why it is mapped so, is in docs/training.md.
CORPORA: Final[Mapping[str, Corpus]] = {
    "topic7": Corpus(
        column="label",
        head="topic",
        mapping={
            "城乡建设": "urban_rural",
            "环境保护": "environment",
            "交通运输": "transport",
            "教育文体": "education",
            "劳动和社会保障": "labour_welfare",
            "卫生计生": "health",
            # 商贸旅游 is left out: it holds travel, dining, prices and lifts alike.
        },
        weight=0.1,
    ),
    "smp2020": Corpus(
        column="emotion",
        head="sentiment",
        mapping={
            "angry": "negative",
            "sad": "negative",
            "fear": "negative",
            "happy": "positive",
            "neutral": "neutral",
        },
        weight=0.15,
        limit=16_000,
    ),
    "weibo21": Corpus(
        column="label", head="flags.hearsay", mapping={"fake": True, "real": False}, weight=0.1
    ),
    "mail": Corpus(
        column="label", head="flags.spam", mapping={"spam": True, "ham": False}, weight=0.1
    ),
}


def read_corpus(name: str, path: Path, shuffle: Callable[[list[Any]], None]) -> Iterator[Sample]:
    """The rows of a corpus as samples of the one head that it teaches.

    Args:
        name: a key of `CORPORA`.
        path: its Parquet file.
        shuffle: shuffles a list in place; seeded by the caller.

    Raises:
        SampleError: the corpus is unknown, or the file has not its columns.
    """
    from pyarrow import parquet  # noqa: PLC0415 — only training needs it, and it is heavy

    if name not in CORPORA:
        raise SampleError(f"未知的语料 {name!r}。", f"可用：{'、'.join(CORPORA)}。")
    corpus = CORPORA[name]
    table = parquet.read_table(path)
    if missing := {corpus.column, "text"} - set(table.column_names):
        raise SampleError(f"{path} 缺少列 {sorted(missing)}。", f"语料 {name} 需要这些列。")
    rows = [
        (text, corpus.mapping[label])
        for text, label in zip(
            table["text"].to_pylist(), table[corpus.column].to_pylist(), strict=True
        )
        if text and label in corpus.mapping
    ]
    shuffle(rows)
    for text, label in rows[: corpus.limit]:
        sample = Sample(text, source=name, weight=corpus.weight)
        if isinstance(label, bool):
            yield replace(sample, flags={corpus.head.removeprefix("flags."): label})
        else:
            yield replace(sample, labels={corpus.head: label})
