"""Word vectors from unlabelled messages: words by the company they keep.

Positive pointwise mutual information of neighbouring words, reduced by a truncated singular value
decomposition (Levy, Goldberg and Dagan 2015). They teach the models that a word which no labelled
message holds often is like one that many hold. They never leave training: a model's weights for
them are folded into its weights for words; see `training.estimator.TermWeights`.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.utils.extmath import randomized_svd

from service.core.features import fold_words
from service.core.segment import Segmenter
from service.policy_bundle import load_policy

DIMENSIONS: Final = 256
_WINDOW: Final = 5  # neighbours on each side; one at distance d counts 1/d
_SMOOTHING: Final = 0.75  # of the neighbours' frequencies, against a bias to rare ones (ibid.)
_MOST_WORDS: Final = 40_000
_LEAST_OCCURRENCES: Final = 8
_READ: Final = 500  # characters of a text; more of a few long ones would drown the many short
_CHUNK: Final = 1_000
_BATCH: Final = 20_000  # texts counted at a time, which bounds the memory


def learn_vectors(
    texts: Sequence[str], vocabulary: Sequence[str], policy_folder: Path, seed: int
) -> NDArray[np.float32]:
    """A vector of unit length for every single word of the vocabulary that the texts hold.

    Args:
        texts: unlabelled messages; repeated ones are read once.
        vocabulary: feature keys as in `training.matrix`.
        policy_folder: the policy bundle whose dictionary segments the texts.
        seed: of the decomposition.

    Returns:
        Shape (features, 256); rows of features without a vector are zero.
    """
    distinct = sorted({text[:_READ] for text in texts})
    chunks = [distinct[i : i + _CHUNK] for i in range(0, len(distinct), _CHUNK)]
    read = Parallel(n_jobs=-1)(delayed(_read_words)(chunk, policy_folder) for chunk in chunks)
    messages = [words for chunk in read for words in chunk]
    counts = Counter(word for words in messages for word in words)
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_WORDS]
    index = {word: i for i, (word, n) in enumerate(frequent) if n >= _LEAST_OCCURRENCES}
    batches = [messages[i : i + _BATCH] for i in range(0, len(messages), _BATCH)]
    count = Parallel(n_jobs=-1, return_as="generator")
    near = csr_matrix((len(index), len(index)), dtype=np.float32)
    for part in count(delayed(_count_neighbours)(batch, index) for batch in batches):
        near += part
    found = _decompose(_weigh(near), seed)
    vectors = np.zeros((len(vocabulary), DIMENSIONS), dtype=np.float32)
    for row, key in enumerate(vocabulary):
        if key[0] == "w" and key[1:] in index:
            vectors[row, : found.shape[1]] = found[index[key[1:]]]
    return vectors


@cache  # one a worker process
def _segmenter(policy_folder: Path) -> Segmenter:
    return Segmenter(load_policy(policy_folder).dictionary)


def _read_words(texts: Sequence[str], policy_folder: Path) -> list[list[str]]:
    segmenter = _segmenter(policy_folder)
    return [fold_words(segmenter.segment(text).texts).split() for text in texts]


def _count_neighbours(messages: Sequence[Sequence[str]], index: dict[str, int]) -> csr_matrix:
    """How often each word (row) stands near each other (column), the near ones counted more."""
    rows, columns, values = [], [], []
    for words in messages:
        known = np.array([index[word] for word in words if word in index], dtype=np.int32)
        for distance in range(1, min(_WINDOW, len(known) - 1) + 1):
            rows += [known[:-distance], known[distance:]]
            columns += [known[distance:], known[:-distance]]
            values += [np.full(len(known) - distance, 1 / distance, np.float32)] * 2
    size = len(index)
    if not rows:
        return csr_matrix((size, size), dtype=np.float32)
    near = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return coo_matrix(near, shape=(size, size)).tocsr()


def _weigh(counts: csr_matrix) -> csr_matrix:
    """Positive pointwise mutual information of each pair."""
    near = counts.tocoo()
    words = np.asarray(counts.sum(axis=1)).ravel()
    neighbours = words**_SMOOTHING / (words**_SMOOTHING).sum()
    information = np.log(near.data / (words[near.row] * neighbours[near.col]))
    kept = information > 0
    pairs = (information[kept].astype(np.float32), (near.row[kept], near.col[kept]))
    return csr_matrix(pairs, shape=counts.shape)


def _decompose(information: csr_matrix, seed: int) -> NDArray[np.float32]:
    """Left singular vectors times the roots of the singular values, each row of unit length."""
    dimensions = min(DIMENSIONS, information.shape[0] - 1)
    left, values, _ = randomized_svd(information, dimensions, n_iter=3, random_state=seed)
    rows = left * np.sqrt(values)
    unit: NDArray[np.float32] = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)
    return unit
