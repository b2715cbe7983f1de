"""Which messages are most worth labelling (主动学习): those from which a model would learn most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from service.batch.records import read_message
from service.batch.table import Table
from service.core.assess import Chain
from service.core.classify import Classification
from service.core.duplicates import group, sign
from service.core.features import Document
from service.core.labels import name_of
from service.core.message import Message
from service.core.privacy import mask

Floats = NDArray[np.float64]

_HEADS: Final = ("response", "risk", "topic", "intent", "sentiment")
_WEIGHTS: Final = {"把握小": 1.0, "与所学的不像": 1.0, "少见的要素": 0.9}
_FAR: Final = 0.5  # distance beyond which two messages are as different as they need to be
_POOL: Final = 20  # candidates for each message that is asked for, among which variety is sought
_LIKELY: Final = 0.3  # probability from which a flag counts as predicted
# Flags with few examples in the training data of every model so far.
_RARE: Final = ("casualty", "accident", "mobilise", "threat", "misread", "petition", "abuse")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A message that might be labelled, and what the model says of it."""

    message: Message
    said: Classification


def suggest(
    table: Table, names: Mapping[str, str], chain: Chain, count: int
) -> list[dict[str, str]]:
    """The rows of a sheet to fill in: unsure, unlike the training data, rare flags, and diverse.

    A message is unsure by how close the two likeliest labels of each head are; unlike by the share
    of its words and pairs of characters that the model does not know; rare by the likeliest of the
    flags that few samples hold. Each counts by its rank among all messages. Of near-duplicates one
    is taken. Variety: one after the other, the message whose worth times its distance in what the
    model says from all that were taken is greatest.

    Args:
        table: the file to choose from.
        names: other names of its columns → ours.
        chain: the model.
        count: how many to choose.
    """
    found = list(_candidates(table, names, chain))
    if not found:
        return []
    firsts = group(np.stack([sign(one.message.text) for one in found]))
    distinct = [one for place, one in enumerate(found) if firsts[place] == place]
    worth = _weigh(distinct)
    best = worth.max(axis=1)  # one good reason is enough
    pool = np.argsort(-best, kind="stable")[: count * _POOL]
    chosen = pool[_choose([distinct[place] for place in pool], best[pool], count)]
    return [_row(distinct[place], worth[place]) for place in chosen]


def _candidates(table: Table, names: Mapping[str, str], chain: Chain) -> Iterator[_Candidate]:
    for record in table:
        message, _ = read_message(record, names, is_typed=table.is_typed)
        if message is None or not message.text.strip():
            continue
        text = chain.normalizer.normalize(message.text).text
        said = chain.classifier.classify(Document(text, chain.segmenter.segment(text)))
        yield _Candidate(message, said)


def _weigh(candidates: Sequence[_Candidate]) -> Floats:
    """How much speaks for each candidate, by reason, shape (candidates, 3)."""
    raw = np.array([_raw_worth(one.said) for one in candidates])
    ranks = rankdata(raw, axis=0) / len(candidates)
    return np.where(raw > 0, ranks, 0) * list(_WEIGHTS.values())


def _raw_worth(said: Classification) -> tuple[float, float, float]:
    margins = []
    for head in _HEADS:
        scores = sorted(said.heads[head].scores.values())
        margins.append(scores[-1] - scores[-2])
    rare = max(said.flags.get(flag, 0.0) for flag in _RARE)
    unlike = 1 - min(said.coverage)
    return 1 - float(np.mean(margins)), unlike, rare if rare >= _LIKELY else 0.0


def _choose(pool: Sequence[_Candidate], worth: Floats, count: int) -> list[int]:
    """The places chosen, the first by worth alone."""
    said = np.array(
        [
            [p for head in _HEADS for p in one.said.heads[head].scores.values()]
            + list(one.said.flags.values())
            for one in pool
        ]
    )
    distance = np.ones(len(pool))
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        gain = worth * distance
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        apart = np.linalg.norm(said - said[chosen[-1]], axis=1)
        distance = np.minimum(distance, apart / _FAR)
    return chosen


def _row(one: _Candidate, worth: Floats) -> dict[str, str]:
    labels = [name_of(head, one.said.heads[head].label) for head in _HEADS]
    flags = [name_of("flags", flag) for flag, p in one.said.flags.items() if p >= _LIKELY]
    return {
        "编号": one.message.id or "",
        "正文": mask(one.message.text),
        "现判": "、".join([*labels, *flags]),
        "挑选理由": list(_WEIGHTS)[int(worth.argmax())],
    }
