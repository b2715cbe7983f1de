"""Copies of the same text (重复信息) among many, by what share of their character runs is alike.

MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
chapter 3), of each hash the lowest byte (b-bit minwise hashing, Li and König 2010): a text is 64
smallest hashes of its runs of five letters; texts that agree in all four hashes of any of 16 bands
are compared, and are copies if seven tenths of all hashes agree. Cost and memory are linear in the
number of texts, but for one sort a band: 64 bytes a text, and as many again while they are grouped.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

Signatures = NDArray[np.uint8]
Groups = NDArray[np.int32]

HASHES: Final = 64
_BANDS: Final = 16  # of 4 hashes: pairs alike by 0.7 meet with a chance of 0.99, by 0.3 of 0.12
_LEAST_ALIKE: Final = 0.7
_RUN: Final = 5  # letters; shorter ones are shared by texts of one matter
# What forwarding and layout change: marks, spaces, emoji.
_NOT_LETTERS: Final = re.compile(r"[\W_]+")
# Odd multipliers: a product's upper half is a hash that orders runs anew for each.
_MULTIPLIERS: Final = np.random.default_rng(20160810).integers(
    2**64, size=HASHES, dtype=np.uint64
) | np.uint64(1)
_BASE: Final = np.uint64(0x9E3779B97F4A7C15)
_HALF: Final = np.uint64(32)
_CHUNK: Final = 2_048  # runs hashed at once, so that a long text takes no more memory
_PAIRS: Final = 65_536  # texts compared at once, likewise


def sign(text: str) -> Signatures:
    """The smallest hashes of a text's runs of letters, shape (64,).

    A text without letters is signed as it stands.
    """
    letters = _NOT_LETTERS.sub("", text).lower() or text
    points = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), np.uint32)
    if not len(points):
        return np.zeros(HASHES, np.uint8)
    runs = points[: max(len(points) - _RUN + 1, 1)].astype(np.uint64)
    for place in range(1, min(_RUN, len(points))):
        runs = (runs * _BASE) ^ points[place : place + len(runs)]
    runs ^= runs >> _HALF  # a product's lower half does not feel the upper
    smallest = np.full(HASHES, 2**32 - 1, np.uint64)
    for first in range(0, len(runs), _CHUNK):
        hashes = (runs[first : first + _CHUNK, None] * _MULTIPLIERS) >> _HALF
        np.minimum(smallest, hashes.min(axis=0), out=smallest)
    return smallest.astype(np.uint8)


def group(signatures: Signatures) -> Groups:
    """For each text the first text that it is, through others or itself, a copy of.

    Args:
        signatures: of all texts, fewer than 2³¹, shape (texts, 64); may be mapped from a file.

    >>> texts = ("小区停水三天了没有人来管", "转：小区停水三天了，没有人来管！", "博物馆周一开门吗")
    >>> group(np.stack([sign(text) for text in texts])).tolist()
    [0, 0, 2]
    """
    groups = np.arange(len(signatures), dtype=np.int32)
    for band in np.split(np.arange(HASHES), _BANDS):
        leaders = _find_leaders(signatures[:, band[0] : band[-1] + 1])
        texts = np.flatnonzero(groups != groups[leaders])
        for first in range(0, len(texts), _PAIRS):
            some = texts[first : first + _PAIRS]
            alike = np.mean(signatures[some] == signatures[leaders[some]], axis=1)
            copies = some[alike >= _LEAST_ALIKE]
            _join(groups, copies, leaders[copies])
    return groups


def _find_leaders(hashes: Signatures) -> Groups:
    """For each text the first that has the same four hashes."""
    # Hashes and place in one number: sorting those is faster, and takes less memory, than argsort.
    keys = np.ascontiguousarray(hashes).view(np.uint32).ravel().astype(np.uint64)
    keys <<= _HALF
    keys |= np.arange(len(keys), dtype=np.uint32)
    keys.sort()
    order = keys.astype(np.uint32).view(np.int32)
    keys >>= _HALF
    places = np.arange(len(keys), dtype=np.int32)
    places[1:][keys[1:] == keys[:-1]] = 0
    leaders = np.empty_like(order)
    leaders[order] = order[np.maximum.accumulate(places)]
    return leaders


def _join(groups: Groups, ones: NDArray[np.intp], others: Groups) -> None:
    """Makes one group of each pair's two, named by the lower of their names."""
    while (differ := groups[ones] != groups[others]).any():
        ones, others = ones[differ], others[differ]
        one, other = groups[ones], groups[others]
        np.minimum.at(groups, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(nearer := groups[groups], groups):
            groups[:] = nearer
