"""How well two readers of the same messages agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.metrics import cohen_kappa_score, f1_score

from service.core.errors import SampleError
from service.core.labels import FLAGS
from training.samples import EXCLUSIVE_HEADS, Sample, parse_sample, read_rows, read_samples


@dataclass(frozen=True, slots=True)
class Agreement:
    """One head: share of equal labels and Cohen's kappa; of flags, the F1 of the second reading."""

    head: str
    share: float
    kappa: float | None


def measure_agreement(first: Sequence[Path], second: Path) -> tuple[int, list[Agreement]]:
    """Compares a second reading with the first, message by message.

    Args:
        first: the labelled samples.
        second: JSONL rows with the `id` of a sample and the second reader's labels.

    Returns:
        How many messages were read twice, and the agreement of each head and of the flags.

    Raises:
        SampleError: a row of the second reading names no sample of the first.
    """
    by_id = {sample.id: sample for sample in read_samples(first)}
    pairs: list[tuple[Sample, Sample]] = []
    for number, row in read_rows(second):
        place = f"{second} 第 {number} 行"
        if row.get("id") not in by_id:
            raise SampleError(f"{place}：没有编号为 {row.get('id')!r} 的样本。", "请检查 id。")
        sample = by_id[str(row["id"])]
        pairs.append((sample, parse_sample({**row, "text": sample.text}, place)))
    return len(pairs), [*(_head(head, pairs) for head in EXCLUSIVE_HEADS), _flags(pairs)]


def render_agreement(messages: int, agreements: Sequence[Agreement]) -> str:
    """The agreement as the Markdown table that stands in the samples' README."""
    lines = [
        f"{messages} messages read twice.",
        "",
        "| head | agreement | kappa |",
        "|---|---|---|",
    ]
    for a in agreements:
        kappa = f"{a.kappa:.2f}" if a.kappa is not None else "–"
        lines.append(f"| {a.head} | {a.share:.3f} | {kappa} |")
    return "\n".join(lines)


def _head(head: str, pairs: Sequence[tuple[Sample, Sample]]) -> Agreement:
    first = [a.labels[head] for a, _ in pairs]
    second = [b.labels[head] for _, b in pairs]
    equal = sum(a == b for a, b in zip(first, second, strict=True))
    return Agreement(head, equal / len(pairs), float(cohen_kappa_score(first, second)))


def _flags(pairs: Sequence[tuple[Sample, Sample]]) -> Agreement:
    first = [[a.flags[flag] for flag in FLAGS] for a, _ in pairs]
    second = [[b.flags[flag] for flag in FLAGS] for _, b in pairs]
    return Agreement("flags (F1)", float(f1_score(first, second, average="micro")), None)
