"""Accepted corrections → labelled samples; where annotators disagree, nothing is taken over."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from service.core.labels import FLAGS, HEAD_NAMES
from training.samples import EXCLUSIVE_HEADS, Sample

FEEDBACK: Final = "feedback"  # source and collection of what was corrected


class Disagreement(NamedTuple):
    """What annotators of one message do not agree on: the answers, and who gave each."""

    text: str
    head: str
    answers: Mapping[str, Sequence[str]]


def resolve(
    corrections: Iterable[Mapping[str, Any]],
) -> tuple[list[Sample], list[Disagreement]]:
    """One sample for each text; of an annotator's own corrections the last one counts.

    A label needs more annotators than any other answer has; without that the head, or the flag, is
    left out and reported.

    Args:
        corrections: as the store tells them, the oldest first.
    """
    by_text: defaultdict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in corrections:
        if row["text"]:
            before = by_text[row["text"]].get(row["annotator"])
            labels = {**(before["labels"] if before else {}), **row["labels"]}
            by_text[row["text"]][row["annotator"]] = {**row, "labels": labels}
    samples, disagreements = [], []
    for text, rows in by_text.items():
        sample, contested = _resolve_one(text, rows)
        samples.append(sample)
        disagreements += contested
    return samples, disagreements


def _resolve_one(
    text: str, rows: Mapping[str, Mapping[str, Any]]
) -> tuple[Sample, list[Disagreement]]:
    labels, flags, contested = {}, {}, []
    for head in EXCLUSIVE_HEADS:
        answers = {who: str(r["labels"][head]) for who, r in rows.items() if head in r["labels"]}
        if label := _majority(answers):
            labels[head] = label
        elif answers:
            contested.append(Disagreement(text, HEAD_NAMES[head], _by_answer(answers)))
    judged = {who: set(r["labels"]["flags"]) for who, r in rows.items() if "flags" in r["labels"]}
    for flag, name in FLAGS.items():
        answers = {who: "是" if flag in held else "否" for who, held in judged.items()}
        if answer := _majority(answers):
            flags[flag] = answer == "是"
        elif answers:
            contested.append(Disagreement(text, name, _by_answer(answers)))
    first = next(iter(rows.values()))
    sample = Sample(
        text=text,
        labels=labels,
        flags=flags,
        id=first["id"],
        source=FEEDBACK,
        collection=FEEDBACK,
        channel=first["channel"] or "",
    )
    return sample, contested


def _majority(answers: Mapping[str, str]) -> str:
    """The answer that more gave than any other; empty if there is none."""
    ranked = Counter(answers.values()).most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return ""
    return ranked[0][0]


def _by_answer(answers: Mapping[str, str]) -> dict[str, list[str]]:
    by_answer: defaultdict[str, list[str]] = defaultdict(list)
    for who, answer in answers.items():
        by_answer[answer].append(who)
    return dict(by_answer)


def sample_row(sample: Sample) -> dict[str, Any]:
    """A sample as a line of a file of samples; flags only where all were agreed on."""
    row: dict[str, Any] = {"id": sample.id, "text": sample.text, **sample.labels}
    if len(sample.flags) == len(FLAGS):
        row["flags"] = [flag for flag, is_raised in sample.flags.items() if is_raised]
    if sample.channel:
        row["channel"] = sample.channel
    return {**row, "source": sample.source}
