"""Samples and corpora → a measured model bundle: one command, seeded and repeatable."""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from itertools import compress
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np

from service.artifacts import StackedModel, file_digest, save_bundle, write_json
from service.core.classify import Classification, Head, Refinement, volume
from service.core.errors import SampleError
from service.core.features import WORD, Document
from service.core.policy import Policy
from service.core.reading import build_tools
from service.core.working_days import SHANGHAI
from service.policy_bundle import load_policy
from training.annotations import read_annotations
from training.corpora import read_corpus, read_texts
from training.crossval import FOLDS, PARTS, calibrated_heads, classify_held, cross_validate
from training.disputes import find_disputes
from training.estimator import HeadModel, TermWeights
from training.evaluate import measure
from training.fairness import measure_fairness
from training.holdout import group_without, read_holdout
from training.matrix import KeyCounts, choose_vocabulary, count_features, read_keys
from training.model_card import render_card
from training.profile import make_profile
from training.progress import Progress, say
from training.provenance import describe_code
from training.samples import ANNOTATIONS, Sample, Taxonomy, read_samples
from training.second_stage import refine
from training.summary import render_summary, summarize
from training.tasks import Task, grouped, make_tasks
from training.word_vectors import learn_vectors

_MOST_FEATURES: Final = 60_000  # 60,000 × 49 float32 weights are 11.8 MB


def train(
    *,
    samples: Sequence[Path],
    corpora: Mapping[str, Path],
    annotations: Path | None = None,
    heads: Sequence[str] | None,
    policy_folder: Path,
    output: Path,
    seed: int,
    disputes: Path | None = None,
    corrections: Sequence[Sample] = (),
    holdout: Sequence[Path] = (),
    signing_key: str | None = None,
    cache: Path | None = None,
    taxonomy: Taxonomy | None = None,
) -> Path:
    """Trains a bundle into a new folder under `output` and returns that folder.

    Every figure in its `metrics.json` comes from grouped cross-validation over `samples` and
    annotated messages: a message is judged by models that saw neither it nor its near-duplicates,
    with calibration and thresholds fitted without its fold. The rest of the corpora only ever
    trains. The shipped weights are then fitted on everything.

    Args:
        samples: files or folders of messages labelled by the codebook.
        corpora: outside corpora by their names in `training.corpora`.
        annotations: our own labels of some of their messages; those count as judged.
        heads: the heads to train; all if `None`.
        policy_folder: the policy bundle whose dictionary segments the texts.
        output: where run folders go.
        seed: for folds, shuffles and solvers.
        corrections: accepted feedback; it counts as judged.
        holdout: samples that nothing is learned from, nor from near-duplicates of them; those of
            `training.holdout` if there are none.
        signing_key: signs the manifest.
        cache: where what takes long is kept, so that a training that was cut off goes on from it.
        taxonomy: Chinese names of the labels of heads that follow another taxonomy.
        disputes: where to list the labels that the held-out models dispute, one JSON object a line.

    Raises:
        SampleError: samples or corpora cannot be read, or hold too little to train on.
    """
    known = read_annotations(annotations) if annotations else {}
    outside = [
        sample
        for name, path in corpora.items()
        for sample in read_corpus(
            name,
            path,
            random.Random(seed).shuffle,  # noqa: S311
            known,
        )
    ]
    annotated = {  # by fingerprint, for corpora overlap
        sample.id: replace(sample, collection=ANNOTATIONS)
        for sample in outside
        if sample.is_complete
    }
    judged = [*read_samples(samples), *corrections, *annotated.values()]
    everything = judged + [sample for sample in outside if not sample.is_complete]
    is_free, groups = group_without(everything, read_holdout(holdout))
    size = int(is_free[: len(judged)].sum())
    everything, groups = list(compress(everything, is_free)), groups[is_free]
    judged = everything[:size]
    say(f"样本 {size} 条，语料 {len(everything) - size} 条；另有 {(~is_free).sum()} 条留作比较")
    texts = [sample.text for sample in everything]
    memory = joblib.Memory(cache, verbose=0)
    progress = Progress(PARTS + 3)
    keys = memory.cache(read_keys, ignore=["jobs"])(texts, policy_folder)
    judged_keys = keys.of(slice(size))
    vocabulary = choose_vocabulary(judged_keys, groups[:size].tolist(), _MOST_FEATURES)
    counts = count_features(keys, vocabulary)
    progress.step("读成特征")
    tasks = make_tasks(everything, heads)
    _check_names(tasks, taxonomy or {})
    unlabelled = [text for name, path in corpora.items() for text in read_texts(name, path)]
    learn = memory.cache(learn_vectors)
    vectors = learn(unlabelled, vocabulary, policy_folder, seed) if unlabelled else None
    progress.step("词向量")
    held, fitted = cross_validate(
        tasks,
        counts,
        vocabulary,
        everything,
        groups,
        size=size,
        seed=seed,
        vectors=vectors,
        progress=progress.step,
    )
    volumes = np.array([volume(int(n)) for n in judged_keys.counts.sum(axis=1).flat])
    held, refinements = refine(tasks, held, volumes, judged, seed)
    policy = load_policy(policy_folder)
    classified = classify_held(tasks, held, size)
    metrics = measure(judged, classified, policy)
    say(render_summary(metrics))
    if disputes:
        lines = (json.dumps(row, ensure_ascii=False) for row in find_disputes(judged, classified))
        disputes.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    calibrated = [
        replace(head, names=dict((taxonomy or {}).get(head.name, {})))
        for head in calibrated_heads(tasks, held, np.ones(size, dtype=bool))
    ]
    model = fuse(
        tasks, fitted.models, vocabulary, fitted.weights, calibrated, refinements=refinements
    )
    progress.step("校准与第二级")
    if heads is None and (written := [s.text for s in judged if s.is_written]):
        metrics["fairness"] = _measure_fairness(model, written[:: len(written) // 400 + 1], policy)
    unknown = _unknown_words(judged_keys, vocabulary)
    manifest = _manifest(
        files=[*samples, *corpora.values(), *([annotations] if annotations else [])],
        corpora=corpora,
        messages={"judged": size, "corpora": len(everything) - size},
        seed=seed,
        policy_version=policy.version,
        metrics=metrics,
        profile=make_profile(judged, classified, unknown),
    )
    folder = output / str(manifest["version"])
    save_bundle(folder, model, manifest, signing_key=signing_key)
    write_json(folder / "metrics.json", metrics)
    (folder / "MODEL_CARD.md").write_text(render_card(manifest, metrics), encoding="utf-8")
    write_report(folder, metrics)
    return folder


def _check_names(tasks: Sequence[Task], taxonomy: Taxonomy) -> None:
    for task in tasks:
        unnamed = set(task.labels) - set(taxonomy.get(task.name, task.labels))
        if unnamed:
            told = f"样本中 {task.name} 的标签 {sorted(unnamed)} 不在标签文件中。"
            raise SampleError(told, "请补充标签文件，或改正样本。")


def write_report(folder: Path, metrics: Mapping[str, Any]) -> None:
    """The figures as a page with plots beside the bundle, where matplotlib is installed."""
    if find_spec("matplotlib") is None:
        return
    from training.html_report import render_html  # noqa: PLC0415 — slow to import

    page = render_html({"model_version": folder.name, **metrics})
    (folder / "report.html").write_text(page, encoding="utf-8")


def _measure_fairness(model: StackedModel, texts: Sequence[str], policy: Policy) -> dict[str, Any]:
    classifier = model.classifier()
    normalizer, segmenter = build_tools(policy)

    def classify(text: str) -> Classification:
        clean = normalizer.normalize(text).text
        return classifier.classify(Document(clean, segmenter.segment(clean)))

    return measure_fairness(texts, classify)


def fuse(
    tasks: Sequence[Task],
    estimators: Mapping[str, HeadModel],
    vocabulary: Sequence[str],
    weights: TermWeights,
    heads: Sequence[Head],
    *,
    refinements: Sequence[Refinement] = (),
) -> StackedModel:
    """All estimators as one coefficient matrix, the columns in the order of the heads."""
    columns, intercepts = [], []
    for task in (task for group in grouped(tasks) for task in group):
        model = estimators[task.name]
        order = [0] if task.is_flag else [model.labels.index(label) for label in task.labels]
        folded = weights.fold(model.coefficients[order], model.intercepts[order])
        columns.append(folded[0])
        intercepts.append(folded[1])
    arrays = {
        "idf": weights.idf,
        "coefficients": np.concatenate(columns).T,
        "intercepts": np.concatenate(intercepts),
    }
    return StackedModel(vocabulary, arrays, heads, refinements)


def _manifest(
    *,
    files: Sequence[Path],
    corpora: Mapping[str, Path],
    messages: Mapping[str, int],
    seed: int,
    policy_version: str,
    metrics: Mapping[str, Any],
    profile: Mapping[str, Any],
) -> dict[str, Any]:
    trained_at = datetime.now(SHANGHAI).replace(microsecond=0)
    data = {path.name: _fingerprint(path) for path in files}
    digest = hashlib.sha256(repr((sorted(data.items()), seed, metrics)).encode()).hexdigest()
    return {
        "version": f"{trained_at:%Y%m%d}-{digest[:8]}",
        "trained_at": trained_at.isoformat(),
        "seed": seed,
        "folds": FOLDS,
        "messages": messages,
        "corpora": sorted(corpora),
        "policy_version": policy_version,
        "data_sha256": data,
        **describe_code(),
        "metrics": summarize(metrics),
        "profile": profile,
    }


def _unknown_words(keys: KeyCounts, vocabulary: Sequence[str]) -> list[float]:
    """Of each text the share of its distinct words that are not in the vocabulary."""
    known = set(vocabulary)
    is_word = np.array([key[0] == WORD and " " not in key for key in keys.keys])
    is_unknown = is_word & np.array([key not in known for key in keys.keys])
    held = keys.counts > 0
    words, unknown = (held @ mask.astype(np.float32) for mask in (is_word, is_unknown))
    return (unknown / np.maximum(words, 1)).tolist()  # type: ignore[no-any-return]


def _fingerprint(path: Path) -> str:
    if path.is_file():
        return file_digest(path)
    digests = [file_digest(p) for p in sorted(path.iterdir()) if p.suffix in (".jsonl", ".csv")]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
