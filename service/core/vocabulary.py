"""The features a model knows, as arrays: fingerprint → row, in one look and without private copies.

A perfect hash table with a second level (Fredman, Komlós and Szemerédi 1984; "hash, displace and
compress"): a fingerprint's bucket tells the multiplier that sends it to a slot of its own.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.core.features import LONGEST_GRAM, WORD
from service.core.fingerprints import Numbers, Places, fingerprint

_BITS: Final = 64
_FIRST: Final = 0x9FB21C651E98DF25  # of the multipliers tried, all odd; half of its bits are set
_STEP: Final = 0xD6E8FEB86659FD92
KINDS: Final = 2 + LONGEST_GRAM  # words, pairs of words, runs of characters by length
WORDS: Final = 0
PAIRS: Final = 1

Rows = NDArray[np.int32]


class Vocabulary:
    """Known fingerprints and their rows.

    Args:
        multipliers: one for each bucket, shape (a power of two,), uint64.
        known: the fingerprint in each slot or 0, shape (a power of two,), uint64.
        rows: the row of each slot or −1, same shape, int32.
        kinds: of each row, `WORDS`, `PAIRS` or one more than the length of a run of characters,
            shape (features,), uint8.
    """

    def __init__(
        self, multipliers: Numbers, known: Numbers, rows: Rows, kinds: NDArray[np.uint8]
    ) -> None:
        self._multipliers = multipliers.view(np.ndarray)  # mapped all the same, without ceremony
        self._known = known.view(np.ndarray)
        self._rows = rows.view(np.ndarray)
        self.kinds: Final = kinds.view(np.ndarray)
        self._bucket = np.uint64(len(multipliers) - 1)
        self._shift = np.uint64(_BITS - (len(known) - 1).bit_length())

    def find(self, fingerprints: Numbers) -> tuple[Places, Rows]:
        """Which of the fingerprints are known, as places in the array, and their rows."""
        buckets = (fingerprints & self._bucket).view(np.intp)  # numpy looks up by these at once
        slots = (fingerprints * self._multipliers.take(buckets) >> self._shift).view(np.intp)
        places = (self._known.take(slots) == fingerprints).nonzero()[0]
        return places, self._rows.take(slots.take(places))


def build_vocabulary(features: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    """The arrays of a `Vocabulary` that gives each feature its place in the sequence.

    Raises:
        ValueError: a feature is there twice, or two share a fingerprint (change the base of the
            fingerprints and `SCHEMA` then).
    """
    fingerprints = [fingerprint(feature) for feature in features]
    if len({0, *fingerprints}) <= len(fingerprints):
        raise ValueError("two features have the same fingerprint")
    bits = max(len(features) - 1, 1).bit_length() + 1  # at most half of the slots are taken
    buckets: list[list[int]] = [[] for _ in range(2 ** max(bits - 3, 1))]
    for row, number in enumerate(fingerprints):
        buckets[number % len(buckets)].append(row)
    multipliers = np.ones(len(buckets), np.uint64)
    known = np.zeros(2**bits, np.uint64)
    rows = np.full(2**bits, -1, np.int32)
    for bucket in sorted(range(len(buckets)), key=lambda one: -len(buckets[one])):
        members = buckets[bucket]
        for multiplier in count(_FIRST, _STEP):
            slots = [fingerprints[row] * multiplier % 2**_BITS >> _BITS - bits for row in members]
            if len(set(slots)) == len(slots) and (rows[slots] < 0).all():
                break
        multipliers[bucket] = multiplier % 2**_BITS
        for slot, row in zip(slots, members, strict=True):
            known[slot], rows[slot] = fingerprints[row], row
    kinds = np.array([_kind(feature) for feature in features], np.uint8)
    return {"multipliers": multipliers, "known": known, "rows": rows, "kinds": kinds}


def _kind(feature: str) -> int:
    if feature.startswith(WORD):
        return PAIRS if " " in feature else WORDS
    return len(feature)  # less the sign of its block, and one more than `PAIRS`
