"""Features as 64-bit fingerprints: all of a document at once, none of them spelled out.

The fingerprint of a string c₀c₁… is Σ cᵢ·Pⁱ⁺¹ modulo 2⁶⁴, so those of every word and every run of
characters come from a handful of operations on whole arrays. A word or a pair of words is closed
by a space, which no run of characters holds. Two strings of a message share a fingerprint by
chance about once in 10¹⁹; that no two of a vocabulary do is checked when it is built.
"""

import re
from functools import cache
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.core.features import (
    LONGEST_GRAM,
    RUN_KINDS,
    WORD,
    Document,
    fold_text,
    fold_words,
)

Numbers = NDArray[np.uint64]
Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

_BITS: Final = 64
_BASE: Final = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2⁶⁴: 2⁶⁴ / golden ratio
_SPACE: Final = " "
_BLANK: Final = ord(_SPACE)
_LAST_POINT: Final = 0x31350  # from here on, every code point is of the second kind of run


class Fingerprints(NamedTuple):
    """Fingerprints of all features of a document.

    Attributes:
        words, pairs: those of words and of neighbouring words.
        grams: those of the runs of characters that begin at each character, shape (characters,
            lengths); they mean nothing where `inside` is false.
        inside: whether the run is one, same shape.
    """

    words: Numbers
    pairs: Numbers
    grams: Numbers
    inside: Mask


def fingerprint(feature: str) -> int:
    """The fingerprint of one feature, spelled with the sign of its block.

    >>> fingerprint("ca") == 97 * 0x9E3779B97F4A7C15 % 2**64, fingerprint("wa") == fingerprint("ca")
    (True, False)
    """
    text = feature[1:] + (_SPACE if feature.startswith(WORD) else "")
    found = 0
    for character in reversed(text):
        found = (found + ord(character)) * _BASE % 2**_BITS
    return found


def take_fingerprints(document: Document) -> Fingerprints:
    """The fingerprints of every occurrence of every feature."""
    return Fingerprints(*_of_words(document), *_of_characters(document))


def _of_words(document: Document) -> tuple[Numbers, Numbers]:
    # A space before, after and between the words, and nowhere else.
    points = _code_points(f" {fold_words(document.words.texts)} " if document.words.texts else " ")
    size = len(points)
    powers, inverses = _power_tables(size.bit_length())
    blanks = (points == _BLANK).nonzero()[0]
    upto = (points * powers[:size]).cumsum().take(blanks)
    scales = inverses.take(blanks[:-1])
    return (upto[1:] - upto[:-1]) * scales, (upto[2:] - upto[:-2]) * scales[:-1]


def _of_characters(document: Document) -> tuple[Numbers, Mask]:
    # Padded, so that a run of the greatest length may begin at the last character.
    points = _code_points(fold_text(document.text) + _SPACE * (LONGEST_GRAM - 1))
    kinds = _kind_table().take(np.minimum(points, _LAST_POINT))
    powers, _ = _power_tables(LONGEST_GRAM.bit_length())
    grams = (_windows(points) * powers[1 : LONGEST_GRAM + 1]).cumsum(axis=1)
    return grams, _inside_table().take(_windows(kinds) @ _KIND_WEIGHTS, axis=0)


def _windows(numbers: NDArray[Any]) -> NDArray[Any]:
    """Each number with those after it, shape (numbers − `LONGEST_GRAM` + 1, `LONGEST_GRAM`)."""
    step = numbers.itemsize
    shape = (len(numbers) - LONGEST_GRAM + 1, LONGEST_GRAM)
    return np.ndarray(shape, numbers.dtype, numbers, 0, (step, step))


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@cache
def _kind_table() -> NDArray[np.uint8]:
    """Of which kind of run each code point is, counted from 1; 0 for those of none."""
    every: Any = np.arange(_LAST_POINT + 1, dtype=np.uint32)
    text = every.tobytes().decode("utf-32-le", "surrogatepass")
    kinds = np.zeros(len(text), np.uint8)
    for kind, pattern in enumerate(RUN_KINDS, 1):
        for run in re.finditer(f"{pattern}+", text):
            kinds[slice(*run.span())] = kind
    return kinds


_KINDS: Final = 1 + len(RUN_KINDS)
_KIND_WEIGHTS: Final = (_KINDS ** np.arange(LONGEST_GRAM)).astype(np.uint8)


@cache
def _inside_table() -> Mask:
    """For the kinds of a window, as a number in base `_KINDS`, which lengths are a run."""
    table = [
        [bool(kinds[0]) and len(set(kinds[:length])) == 1 for length in range(1, LONGEST_GRAM + 1)]
        for kinds in (reversed_[::-1] for reversed_ in product(range(_KINDS), repeat=LONGEST_GRAM))
    ]
    return np.array(table)


@cache
def _power_tables(bits: int) -> tuple[Numbers, Numbers]:
    """P⁰, P¹, … and P⁰, P⁻¹, …, 2^bits of each."""
    steps = np.full((2, 2**bits), 1, np.uint64)
    steps[:, 1:] = [[_BASE], [pow(_BASE, -1, 2**_BITS)]]
    powers, inverses = np.multiply.accumulate(steps, axis=1)
    return powers, inverses
