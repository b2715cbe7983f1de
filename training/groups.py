"""Near-duplicates in one group, so that no split separates a message from its copy."""

import re
from collections.abc import Sequence
from typing import Final

_SHARED_RUN: Final = 20  # characters; longer than any common phrase, shorter than a quoted sentence
_SKIPPED: Final = re.compile(r"[\W\d_]+")


def group_duplicates(texts: Sequence[str]) -> list[int]:
    """A group number for each text; texts that share a run of 20 letters are in one group.

    Punctuation, digits and spaces do not count; grouping is transitive.

    >>> sentence = "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸"
    >>> group_duplicates([sentence, "另一条", f"转：{sentence}!"])
    [0, 1, 0]
    """
    parents = list(range(len(texts)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    first_with: dict[str, int] = {}
    for i, text in enumerate(texts):
        letters = _SKIPPED.sub("", text)
        for start in range(max(1, len(letters) - _SHARED_RUN + 1)):
            other = first_with.setdefault(letters[start : start + _SHARED_RUN], i)
            if (a := root(i)) != (b := root(other)):
                parents[max(a, b)] = min(a, b)
    return [root(i) for i in range(len(texts))]
