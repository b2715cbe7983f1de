"""Texts → one sparse matrix of feature counts, and the vocabulary that a model may keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import CountVectorizer

from service.core.features import BLOCKS, Document, spell_features
from service.core.normalize import Normalizer
from service.core.reading import build_tools
from service.core.segment import Segmenter
from service.policy_bundle import load_policy
from training.origins import names_an_origin

# An n-gram enters a model only if this many unrelated messages hold it, so that no name, address
# or number of one person can be read out of a vocabulary.
LEAST_MESSAGES: Final = 5
_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """How often each feature occurs in each text.

    Attributes:
        keys: the features, one a column.
        counts: shape (texts, keys), float32.
    """

    keys: Sequence[str]
    counts: csr_matrix

    def of(self, rows: Any) -> "KeyCounts":
        """The same of some of the texts: a slice, indices or a mask."""
        return KeyCounts(self.keys, self.counts[rows])


def read_keys(texts: Sequence[str], policy_folder: Path, jobs: int = -1) -> KeyCounts:
    """The features of each text, normalized and segmented exactly as the service does."""
    chunks = [texts[i : i + _CHUNK] for i in range(0, len(texts), _CHUNK)]
    columns: dict[str, int] = {}
    parts = []
    # Counted where they are read: millions of strings would take longer on their way than to make.
    read = Parallel(n_jobs=jobs, return_as="generator")
    for part in read(delayed(_read_chunk)(chunk, policy_folder) for chunk in chunks):
        places = [columns.setdefault(key, len(columns)) for key in part.keys]
        found = part.counts
        indices = np.array(places, np.int32)[found.indices]
        parts.append((found.data, indices, found.indptr))
    whole = [csr_matrix(part, shape=(len(part[2]) - 1, len(columns))) for part in parts]
    return KeyCounts(list(columns), vstack(whole, format="csr"))


def count_keys(spelled: Sequence[Sequence[str]]) -> KeyCounts:
    """The counts of features that are spelled out, text by text."""
    counter = CountVectorizer(analyzer=list, dtype=np.float32)
    counts = counter.fit_transform(spelled)
    return KeyCounts(counter.get_feature_names_out().tolist(), counts)


def choose_vocabulary(keys: KeyCounts, groups: Sequence[int], most: int) -> list[str]:
    """The features that occur in five groups or more, the most frequent first within `most`.

    None names where people come from: what a message is worth must not hang on that.

    Words come before characters, each sorted, as the classifier's blocks want it.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    ones = np.ones(len(group_of), np.float32)
    member = csr_matrix((ones, (group_of, np.arange(len(group_of)))))
    seen = np.bincount((member @ keys.counts).indices, minlength=len(keys.keys))
    frequent = [
        (-int(seen[column]), key)
        for column in np.flatnonzero(seen >= LEAST_MESSAGES).tolist()
        if not names_an_origin((key := keys.keys[column])[1:])
    ]
    kept = [key for _, key in sorted(frequent)[:most]]
    return sorted(kept, key=lambda key: (BLOCKS.index(key[0]), key))


def count_features(keys: KeyCounts, vocabulary: Sequence[str]) -> csr_matrix:
    """Counts of shape (texts, features) of the features of a vocabulary."""
    rows = {key: row for row, key in enumerate(vocabulary)}
    row_of = np.array([rows.get(key, -1) for key in keys.keys], np.int32)
    found = keys.counts.tocoo()
    features = row_of[found.col]
    known = features >= 0
    cells = (found.data[known], (found.row[known], features[known]))
    return csr_matrix(cells, shape=(keys.counts.shape[0], len(vocabulary)))


_tools: dict[Path, tuple[Normalizer, Segmenter]] = {}  # one a worker process


def _read_chunk(texts: Sequence[str], policy_folder: Path) -> KeyCounts:
    if policy_folder not in _tools:
        policy = load_policy(policy_folder)
        _tools[policy_folder] = build_tools(policy)
    normalizer, segmenter = _tools[policy_folder]
    cleaned = [normalizer.normalize(text).text for text in texts]
    return count_keys([spell_features(Document(t, segmenter.segment(t))) for t in cleaned])
