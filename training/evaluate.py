"""How well a model judges: figures by head, label and source, with intervals and calibration."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from service.artifacts import load_classifier, read_manifest
from service.core.assess import decide
from service.core.case import Case
from service.core.classify import Classification, Classifier, Prediction
from service.core.facts import gather_facts
from service.core.features import Document
from service.core.labels import FLAGS, OWN, own_names
from service.core.message import Message
from service.core.normalize import Normalizer
from service.core.policy import Policy
from service.core.quantities import find_quantities
from service.core.reading import build_normalizer, build_tools
from service.core.review import review_reasons
from service.policy_bundle import load_policy
from service.schemas import now
from training.samples import EXCLUSIVE_HEADS, Sample, ordered_labels, read_samples

_RESAMPLES: Final = 500
_BINS: Final = 15
_LEAST_EXAMPLES: Final = 20  # a flag with fewer is reported but not averaged

Strings = NDArray[np.str_]
Floats = NDArray[np.float64]


def evaluate_bundle(folder: Path, paths: Sequence[Path], policy_folder: Path) -> dict[str, Any]:
    """Scores labelled samples with a bundle and compares; see `measure` for the figures.

    Raises:
        BundleError, PolicyError, SampleError: one of the inputs cannot be used.
    """
    policy = load_policy(policy_folder)
    classifier = load_classifier(folder)
    report = evaluate_classifier(
        classifier, read_samples(paths, own_names(classifier.names)), policy
    )
    return {"model_version": read_manifest(folder)["version"]} | report


def evaluate_classifier(
    classifier: Classifier, samples: Sequence[Sample], policy: Policy
) -> dict[str, Any]:
    """The figures of `measure` for what a classifier says of samples."""
    normalizer, segmenter = build_tools(policy)
    texts = [normalizer.normalize(sample.text).text for sample in samples]
    classified = [classifier.classify(Document(t, segmenter.segment(t))) for t in texts]
    return measure(samples, classified, policy)


def measure(
    samples: Sequence[Sample], classified: Sequence[Classification], policy: Policy
) -> dict[str, Any]:
    """All figures of a set of predictions.

    `heads` holds the trained heads alone; `assessment` holds response and risk as the service
    answers them, after the policy's rules. Samples without a label for a head are left out there.
    `slices` repeats the figures by collection (the path the samples were read from), source and
    trait. `review` tells how many messages a person is asked to look at, and how good the response
    is on them and on the rest.
    """
    complete = all(set(EXCLUSIVE_HEADS) <= set(c.heads) for c in classified)
    normalizer = build_normalizer(policy)
    judged = [
        _judge(s, c, policy, normalizer) if complete else _Judged("", "", ())
        for s, c in zip(samples, classified, strict=True)
    ]
    heads = {}
    own = [head for head in (classified[0].heads if classified else ()) if head.startswith(OWN)]
    for head in (*EXCLUSIVE_HEADS, *own):
        predictions = [c.heads.get(head) for c in classified]
        predicted = [p.label if p else "" for p in predictions]
        heads[head] = measure_head(head, samples, predicted, predictions)
    responses = [j.response for j in judged]
    return {
        "messages": len(samples),
        "heads": {head: figures for head, figures in heads.items() if figures},
        "flags": _measure_flags(samples, classified),
        "assessment": {
            "response": measure_head("response", samples, responses),
            "risk": measure_head("risk", samples, [j.level for j in judged]),
        },
        "review": _measure_review(samples, judged) if complete else {},
    }


def reliability(confidence: Floats, correct: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Confidence and accuracy in each of 15 equal bins that hold messages (Guo et al. 2017).

    The expected calibration error is the mean gap between the two, weighted by `share`.
    """
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        {
            "confidence": _round(confidence[bins == b].mean()),
            "accuracy": _round(correct[bins == b].mean()),
            "share": _round((bins == b).mean()),
        }
        for b in np.unique(bins)
    ]


def selective_accuracy(confidence: Floats, correct: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Accuracy on the most confident share of the messages, for shares of 10% to 100%."""
    sure_first = correct[np.argsort(-confidence, kind="stable")]
    sizes = [max(1, round(len(correct) * tenth / 10)) for tenth in range(1, 11)]
    return [
        {"coverage": tenth / 10, "accuracy": _round(sure_first[:size].mean())}
        for tenth, size in enumerate(sizes, 1)
    ]


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the service would answer a message without metadata."""

    response: str
    level: str
    review_reasons: Sequence[str]


def _judge(
    sample: Sample, classification: Classification, policy: Policy, normalizer: Normalizer
) -> _Judged:
    message, today = Message(sample.text), now()
    text = normalizer.normalize(sample.text).text
    found = find_quantities(text, today.date(), policy.circumstances)
    facts = gather_facts(message, classification, policy, text=text, quantities=found, now=today)
    risk, response = decide(Case(message, classification, policy.book.read(facts), today), policy)
    reasons = review_reasons(classification, risk, response, policy)
    return _Judged(response.conclusion, str(risk.rank), reasons)


def _measure_review(samples: Sequence[Sample], judged: Sequence[_Judged]) -> dict[str, Any]:
    """By collection: the share sent to review, its reasons, and how often the response is right."""
    figures = {}
    for name in sorted({sample.collection for sample in samples}):
        mine = [
            (bool(j.review_reasons), j.response == s.labels["response"], j.review_reasons)
            for s, j in zip(samples, judged, strict=True)
            if s.collection == name and "response" in s.labels
        ]
        if not mine:
            continue
        reviewed, right = (np.array(column) for column in list(zip(*mine, strict=True))[:2])
        reasons = Counter(reason for *_, found in mine for reason in found)
        figures[name] = {
            "messages": len(mine),
            "share": _round(reviewed.mean()),
            "accuracy_reviewed": _round(right[reviewed].mean()) if reviewed.any() else None,
            "accuracy_rest": _round(right[~reviewed].mean()) if not reviewed.all() else None,
            "reasons": {reason: _round(n / len(mine)) for reason, n in reasons.most_common()},
        }
    return figures


def measure_head(
    head: str,
    samples: Sequence[Sample],
    labels: Sequence[str],
    predictions: Sequence[Prediction | None] | None = None,
) -> dict[str, Any]:
    """Figures of the predicted labels; with the models' predictions also of their confidence.

    Args:
        head: whose labels the samples bear.
        samples: the truth; those without a label of the head are left out.
        labels: what was predicted for each.
        predictions: what a model said of each.
    """
    rows = [i for i, s in enumerate(samples) if head in s.labels and labels[i]]
    if not rows:
        return {}
    truth = np.array([samples[i].labels[head] for i in rows])
    predicted = np.array([labels[i] for i in rows])
    known = [p for p in (predictions[i] for i in rows) if p] if predictions else []
    collections = np.array([samples[i].collection for i in rows])
    sources = np.array([samples[i].source or "unknown" for i in rows])
    traits = sorted({trait for i in rows for trait in samples[i].traits})
    bearing = {t: np.array([t in samples[i].traits for i in rows]) for t in traits}
    slices = {
        "collection": {
            str(name): _detailed(
                head,
                truth[collections == name],
                predicted[collections == name],
                [p for p, c in zip(known, collections, strict=False) if c == name],
            )
            for name in np.unique(collections)
        },
        "source": {
            str(name): _figures(head, truth[sources == name], predicted[sources == name])
            for name in np.unique(sources)
        },
        "trait": {t: _figures(head, truth[b], predicted[b]) for t, b in bearing.items()},
    }
    return {**_detailed(head, truth, predicted, known), "slices": slices}


def _detailed(
    head: str, truth: Strings, predicted: Strings, predictions: Sequence[Prediction]
) -> dict[str, Any]:
    """Figures with interval and confusion, and with calibration if there are predictions."""
    figures = _figures(head, truth, predicted)
    figures["confusion"] = _confusion(head, truth, predicted)
    figures["interval"] = _interval(figures["confusion"], _averaged_labels(head, truth))
    if predictions:
        likeliest = [sorted(p.scores, key=p.scores.__getitem__)[-2:] for p in predictions]
        among = [t in two for t, two in zip(truth, likeliest, strict=True)]
        figures["top2"] = _round(np.mean(among))
        confidence = np.array([p.confidence for p in predictions])
        bins = reliability(confidence, truth == predicted)
        gaps = [b["share"] * abs(b["accuracy"] - b["confidence"]) for b in bins]
        figures["ece"] = _round(sum(gaps))
        figures["reliability"] = bins
        figures["selective"] = selective_accuracy(confidence, truth == predicted)
    return figures


def _figures(head: str, truth: Strings, predicted: Strings) -> dict[str, Any]:
    averaged = _averaged_labels(head, truth)
    macro = f1_score(truth, predicted, labels=averaged, average="macro", zero_division=0)
    return {
        "messages": len(truth),
        "macro_f1": _round(macro),
        "accuracy": _round((truth == predicted).mean()),
        "labels": _by_label(truth, predicted),
    }


def _confusion(head: str, truth: Strings, predicted: Strings) -> dict[str, Any]:
    """How often each label (row) was judged as each label (column)."""
    labels = ordered_labels(head, {*truth.tolist(), *predicted.tolist()})
    counts = confusion_matrix(truth, predicted, labels=labels)
    return {"labels": list(labels), "counts": counts.tolist()}


def _measure_flags(
    samples: Sequence[Sample], classified: Sequence[Classification]
) -> dict[str, Any]:
    figures = _flag_figures(samples, classified)
    if figures:
        names = sorted({sample.collection for sample in samples})
        figures["slices"] = {"collection": {}}
        for name in names:
            mine = [i for i, sample in enumerate(samples) if sample.collection == name]
            part = _flag_figures([samples[i] for i in mine], [classified[i] for i in mine])
            figures["slices"]["collection"][name] = part
    return figures


def _flag_figures(
    samples: Sequence[Sample], classified: Sequence[Classification]
) -> dict[str, Any]:
    by_flag = {}
    for flag in FLAGS:
        rows = [i for i, s in enumerate(samples) if flag in s.flags and classified[i].flags]
        if not rows:
            continue
        truth = np.array([samples[i].flags[flag] for i in rows])
        raised = np.array([flag in classified[i].raised for i in rows])
        by_flag[flag] = _by_label(truth, raised).get("True", {})
    averaged = [f["f1"] for f in by_flag.values() if f.get("messages", 0) >= _LEAST_EXAMPLES]
    return {"mean_f1": _round(np.mean(averaged)), "labels": by_flag} if averaged else {}


def _averaged_labels(head: str, truth: Strings) -> list[str]:
    """Labels that enter the macro average: those present; of risk the levels 1–3, as agreed."""
    present = ordered_labels(head, set(truth.tolist()))
    return [label for label in present if (head, label) != ("risk", "4")]


def _interval(confusion: Mapping[str, Any], averaged: Sequence[str]) -> list[float]:
    """95% bootstrap interval of the macro-F1 over messages, seeded.

    The figure hangs on the confusion counts alone, and drawing messages with replacement draws
    the cells of the confusion from a multinomial distribution.
    """
    counts = np.array(confusion["counts"])
    random = np.random.default_rng(0)
    draws = random.multinomial(counts.sum(), counts.ravel() / counts.sum(), size=_RESAMPLES)
    draws = draws.reshape(-1, *counts.shape)
    hits = np.diagonal(draws, axis1=1, axis2=2)
    f1 = 2 * hits / np.maximum(draws.sum(axis=1) + draws.sum(axis=2), 1)
    columns = [confusion["labels"].index(label) for label in averaged]
    return [_round(v) for v in np.percentile(f1[:, columns].mean(axis=1), [2.5, 97.5])]


def _by_label(truth: NDArray[Any], predicted: NDArray[Any]) -> dict[str, dict[str, float]]:
    labels = np.unique(truth)
    columns = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    return {
        str(label): {
            "precision": _round(precision),
            "recall": _round(recall),
            "f1": _round(f1),
            "messages": int(support),
        }
        for label, precision, recall, f1, support in zip(labels, *columns, strict=True)
    }


def _round(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
