"""Copies of the same text (重复信息) among many, by what share of their character runs is alike.

MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
chapter 3): a text is 64 smallest hashes of its runs of five letters; texts that agree in all four
hashes of any of 16 bands are compared, and are copies if seven tenths of all hashes agree. Cost
and memory are linear in the number of texts, but for one sort a band.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

Signatures = NDArray[np.uint32]
Groups = NDArray[np.int64]

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


def sign(text: str) -> Signatures:
    """The smallest hashes of a text's runs of letters, shape (64,).

    A text without letters is signed as it stands.
    """
    letters = _NOT_LETTERS.sub("", text).lower() or text
    points = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), np.uint32)
    if not len(points):
        return np.zeros(HASHES, np.uint32)
    runs = points[: max(len(points) - _RUN + 1, 1)].astype(np.uint64)
    for place in range(1, min(_RUN, len(points))):
        runs = (runs * _BASE) ^ points[place : place + len(runs)]
    runs ^= runs >> _HALF  # a product's lower half does not feel the upper
    smallest = np.full(HASHES, 2**32 - 1, np.uint64)
    for first in range(0, len(runs), _CHUNK):
        hashes = (runs[first : first + _CHUNK, None] * _MULTIPLIERS) >> _HALF
        np.minimum(smallest, hashes.min(axis=0), out=smallest)
    return smallest.astype(np.uint32)


def group(signatures: Signatures) -> Groups:
    """For each text the first text that it is, through others or itself, a copy of.

    Args:
        signatures: of all texts, shape (texts, 64).

    >>> texts = ("小区停水三天了没有人来管", "转：小区停水三天了，没有人来管！", "博物馆周一开门吗")
    >>> group(np.stack([sign(text) for text in texts])).tolist()
    [0, 0, 2]
    """
    _, firsts, members = np.unique(_keys(signatures), return_index=True, return_inverse=True)
    kept = np.sort(firsts)  # one of each signature, in the order of the texts
    groups = _group_distinct(signatures[kept])
    place = np.searchsorted(kept, firsts)[members]
    return kept[groups[place]].astype(np.int64)


def _group_distinct(signatures: Signatures) -> Groups:
    parents = np.arange(len(signatures))
    rows = HASHES // _BANDS
    for band in range(_BANDS):
        keys = _keys(signatures[:, band * rows : (band + 1) * rows])
        _, firsts, members = np.unique(keys, return_index=True, return_inverse=True)
        leaders = firsts[members]
        pairs = np.flatnonzero(leaders != np.arange(len(leaders)))
        for text, leader in zip(pairs.tolist(), leaders[pairs].tolist(), strict=True):
            _join(parents, signatures, text, leader)
    return np.array([_root(parents, text) for text in range(len(parents))], np.int64)


def _keys(signatures: Signatures) -> NDArray[np.uint64]:
    """A number for each row, the same for the same row alone but by chance once in 10¹⁹."""
    keys = np.zeros(len(signatures), np.uint64)
    for column in signatures.T:
        keys = (keys ^ column) * _BASE
        keys ^= keys >> _HALF
    return keys


def _join(parents: NDArray[np.intp], signatures: Signatures, text: int, leader: int) -> None:
    one, other = _root(parents, text), _root(parents, leader)
    if one != other and np.mean(signatures[text] == signatures[leader]) >= _LEAST_ALIKE:
        parents[max(one, other)] = min(one, other)


def _root(parents: NDArray[np.intp], text: int) -> int:
    while parents[text] != text:
        parents[text] = parents[parents[text]]
        text = int(parents[text])
    return text
