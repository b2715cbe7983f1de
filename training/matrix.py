"""Texts → one sparse matrix of feature counts, and the vocabulary that a model may keep."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import CountVectorizer

from service.core.features import BLOCKS, Document, spell_features
from service.core.normalize import Normalizer
from service.core.segment import Segmenter
from service.policy_bundle import load_policy
from training.origins import names_an_origin

# An n-gram enters a model only if this many unrelated messages hold it, so that no name, address
# or number of one person can be read out of a vocabulary.
LEAST_MESSAGES: Final = 5
_CHUNK: Final = 1_000


def read_keys(texts: Sequence[str], policy_folder: Path, jobs: int = -1) -> list[list[str]]:
    """The feature keys of each text, normalized and segmented exactly as the service does."""
    chunks = [texts[i : i + _CHUNK] for i in range(0, len(texts), _CHUNK)]
    read = Parallel(n_jobs=jobs)(delayed(_read_chunk)(chunk, policy_folder) for chunk in chunks)
    return [keys for chunk in read for keys in chunk]


def choose_vocabulary(keys: Sequence[Sequence[str]], groups: Sequence[int], most: int) -> list[str]:
    """The features that occur in five groups or more, the most frequent first within `most`.

    None names where people come from: what a message is worth must not hang on that.

    Words come before characters, each sorted, as the classifier's blocks want it.
    """
    seen: Counter[str] = Counter()
    for _, key in {(group, key) for group, row in zip(groups, keys, strict=True) for key in row}:
        seen[key] += 1
    frequent = [
        (-n, key) for key, n in seen.items() if n >= LEAST_MESSAGES and not names_an_origin(key[1:])
    ]
    kept = [key for _, key in sorted(frequent)[:most]]
    return sorted(kept, key=lambda key: (BLOCKS.index(key[0]), key))


def count_features(keys: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> csr_matrix:
    """Counts of shape (texts, features)."""
    counter = CountVectorizer(analyzer=list, vocabulary=vocabulary, dtype=np.float32)
    parts = [counter.transform(keys[i : i + _CHUNK]) for i in range(0, len(keys), _CHUNK)]
    return vstack(parts, format="csr")


_tools: dict[Path, tuple[Normalizer, Segmenter]] = {}  # one a worker process


def _read_chunk(texts: Sequence[str], policy_folder: Path) -> list[list[str]]:
    if policy_folder not in _tools:
        policy = load_policy(policy_folder)
        _tools[policy_folder] = (Normalizer(policy.search_terms), Segmenter(policy.dictionary))
    normalizer, segmenter = _tools[policy_folder]
    cleaned = [normalizer.normalize(text).text for text in texts]
    return [spell_features(Document(t, segmenter.segment(t))) for t in cleaned]
