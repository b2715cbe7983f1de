"""Outside corpora → samples: which file teaches which head what, in one table.

Nothing is downloaded and nothing of the texts is kept: the caller names the files, and only
weights, frequent n-grams and our own labels leave.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from service.core.errors import SampleError
from training.annotations import Annotations, annotate
from training.samples import Sample


@dataclass(frozen=True, slots=True)
class Corpus:
    """How the rows of an outside corpus become samples.

    Attributes:
        column: the column that holds its own label; empty where that is not used.
        head: the head that its own label teaches, or the flag as `flags.KEY`.
        mapping: its labels → ours; `True` and `False` for a flag. Labels left out are not used.
        weight: what one of its rows counts beside one message labelled by the codebook.
        limit: of the rows with only their own label, at most this many after a seeded shuffle.
        text: the columns that make up the message, one below the other.
    """

    column: str = ""
    head: str = ""
    mapping: Mapping[str, str | bool] = field(default_factory=dict)
    weight: float = 0.0
    limit: int | None = None
    text: tuple[str, ...] = ("text",)


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
    # These teach only through our own annotations of some of their messages.
    "hot_letters": Corpus(text=("title", "text")),
    "letters_with_replies": Corpus(text=("title", "text")),
    "weibo_rumours": Corpus(),
    "osm2022": Corpus(),
    "hotel_reviews": Corpus(),
    "reviews_10": Corpus(),
    "cold": Corpus(),
    "news_titles_15": Corpus(),
}


def read_corpus(
    name: str,
    path: Path,
    shuffle: Callable[[list[Any]], None],
    annotations: Annotations | None = None,
) -> Iterator[Sample]:
    """The rows of a corpus as samples: fully labelled where annotated, else of its one head.

    Args:
        name: a key of `CORPORA`.
        path: its Parquet file.
        shuffle: shuffles a list in place; seeded by the caller.
        annotations: our own labels of some messages, by fingerprint.

    Raises:
        SampleError: the corpus is unknown, or the file has not its columns.
    """
    corpus = _corpus(name)
    rest = []
    for text, label in _rows(path, corpus, name):
        if annotated := annotate(text, annotations or {}):
            yield annotated
        elif label in corpus.mapping:
            rest.append((text, corpus.mapping[label]))
    shuffle(rest)
    for text, taught in rest[: corpus.limit]:
        sample = Sample(text, source=name, weight=corpus.weight)
        if isinstance(taught, bool):
            yield replace(sample, flags={corpus.head.removeprefix("flags."): taught})
        else:
            yield replace(sample, labels={corpus.head: taught})


def read_texts(name: str, path: Path) -> Iterator[str]:
    """Every text of a corpus, labelled or not; for word vectors.

    Raises:
        SampleError: as for `read_corpus`.
    """
    return (text for text, _ in _rows(path, _corpus(name), name))


def _corpus(name: str) -> Corpus:
    if name not in CORPORA:
        raise SampleError(f"未知的语料 {name!r}。", f"可用：{'、'.join(CORPORA)}。")
    return CORPORA[name]


def _rows(path: Path, corpus: Corpus, name: str) -> Iterator[tuple[str, str]]:
    """Message and label of every row that has a message."""
    from pyarrow import parquet  # noqa: PLC0415 — only training needs it, and it is heavy

    if not path.is_file():
        raise SampleError(f"找不到语料文件 {path}。", "请检查路径。")
    table = parquet.read_table(path)
    columns = [*corpus.text, *([corpus.column] if corpus.column else [])]
    if missing := set(columns) - set(table.column_names):
        raise SampleError(f"{path} 缺少列 {sorted(missing)}。", f"语料 {name} 需要这些列。")
    for row in table.select(columns).to_pylist():
        text = "\n".join(row[column] or "" for column in corpus.text).strip()
        if text:
            yield text, str(row[corpus.column]) if corpus.column else ""
