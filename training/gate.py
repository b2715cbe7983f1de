"""The gate (把关): a challenger against the champion, on messages that neither learned from."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from service.artifacts import load_heads, read_manifest
from service.bootstrap import build_chain, build_registry, with_model
from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.classify import Classification
from service.core.features import Document
from service.core.labels import FLAGS, HEAD_NAMES, OWN, RISK
from service.core.privacy import mask
from service.schemas import MessageIn
from service.settings import Settings
from training.behaviour import find_unmet, pass_rates, read_cases
from training.evaluate import reliability
from training.holdout import read_holdout
from training.samples import EXCLUSIVE_HEADS, Sample
from training.taxonomy import codebook_only, own_taxonomy

GOLDEN: Final = Path(__file__).resolve().parent.parent / "data" / "golden"
_TOLERANCES: Final = Path(__file__).parent / "gate.toml"
_RESAMPLES: Final = 1_000
_WORST: Final = 10
_EXCERPT: Final = 40
_NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)
_SEVERITY: Final = {"escalate": 3, "clarify": 2, "answer": 1, "none": 0}

Strings = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a model says of the hold-out: raw, and as the service answers it."""

    classified: Sequence[Classification]
    assessed: Sequence[Assessment]

    def labels(self, head: str) -> Strings:
        return np.array([c.heads[head].label for c in self.classified])

    def responses(self) -> Strings:
        return np.array([a.response.conclusion for a in self.assessed])


def judge(settings: Settings, version: str, holdout: Sequence[Path]) -> dict[str, Any]:
    """Whether a version may become the active one, and why not.

    Every figure is of both models on the same messages; `interval` is the 95 % interval of the
    difference from a paired bootstrap over messages.

    Args:
        settings: where both versions and the policy are.
        version: the challenger.
        holdout: files of samples; our own hold-out if there are none.

    Raises:
        BundleError, PolicyError, SampleError: one of the inputs cannot be used.
    """
    tolerance = tomllib.loads(_TOLERANCES.read_text(encoding="utf-8"))["tolerance"]
    registry = build_registry(settings)
    champion = registry.active_version()
    folders = [registry.folder(one) for one in (champion, version)]
    own = [own_taxonomy(load_heads(folder)) for folder in folders]
    samples = read_holdout(holdout, {**own[0], **own[1]})
    shared = [f"{OWN}{head}" for head in own[0] if own[0][head] == own[1].get(head)]
    current = build_chain(settings.model_copy(update={"model_version": champion}))
    chains = [current, with_model(current, settings, version)]
    before, after = (_answer(samples, chain) for chain in chains)
    figures = _compare(samples, before, after, [*EXCLUSIVE_HEADS, *shared])
    chains = [replace(chain, classifier=codebook_only(chain.classifier)) for chain in chains]
    rates = [pass_rates(read_cases(), chain) for chain in chains]
    for kind in rates[0]:
        figures[f"behaviour.{kind}"] = {"champion": rates[0][kind], "challenger": rates[1][kind]}
    broken = _broken_golden(*chains)
    reasons = _refusals(figures, tolerance)
    agreement = read_manifest(registry.folder(version)).get("corrections_agree", {})
    if agreement and agreement["learned"] < tolerance["corrections_agree"]:
        gain = agreement["learned"] - agreement["base"]
        if gain < tolerance["corrections_gain"]:
            reasons.append(
                f"更正的标签互相矛盾：学了三分之二，其余只有 {agreement['learned']:.0%} 说对，"
                f"不学也有 {agreement['base']:.0%}"
            )
    if len(broken) > tolerance["golden_broken"]:
        reasons.append(f"范例 {'、'.join(broken)} 不再符合要求")
    return {
        "champion": champion,
        "challenger": version,
        "passed": not reasons,
        "reasons": reasons,
        "holdout": len(samples),
        "tolerance": tolerance,
        "figures": figures,
        "corrections_agree": agreement,
        "worst": _worst(samples, before, after),
    }


def render_verdict(verdict: Mapping[str, Any]) -> str:
    """The verdict as text."""
    head = f"现行 {verdict['champion']}，候选 {verdict['challenger']}"
    lines = [f"{head}；留存样本 {verdict['holdout']} 条"]
    for name, figure in verdict["figures"].items():
        change = figure["challenger"] - figure["champion"]
        told = f"{name:<24}{figure['champion']:.3f} → {figure['challenger']:.3f}  {change:+.3f}"
        if "interval" in figure:
            low, high = figure["interval"]
            told += f"（95% {low:+.3f}…{high:+.3f}）"
        lines.append(told)
    for one in verdict["worst"]:
        told = f"应为 {one['truth']}，{one['champion']} → {one['challenger']}"
        lines.append(f"变差：{one['id']} {told}：{one['text']}")
    lines += [f"不予通过：{reason}" for reason in verdict["reasons"]]
    return "\n".join([*lines, "通过" if verdict["passed"] else "未通过"])


def _answer(samples: Sequence[Sample], chain: Chain) -> _Answers:
    texts = [chain.normalizer.normalize(sample.text).text for sample in samples]
    classified = [
        chain.classifier.classify(Document(text, chain.segmenter.segment(text))) for text in texts
    ]
    assessed = [_assess({"text": sample.text}, chain) for sample in samples]
    return _Answers(classified, assessed)


def _assess(message: Mapping[str, Any], chain: Chain) -> Assessment:
    parsed = MessageIn.model_validate(message).to_message()
    return assess_message(parsed, chain, request_id="gate", now=_NOW)


def _compare(
    samples: Sequence[Sample], before: _Answers, after: _Answers, heads: Sequence[str]
) -> dict[str, Any]:
    draws = np.random.default_rng(0).integers(len(samples), size=(_RESAMPLES, len(samples)))
    truth = {head: np.array([sample.labels.get(head, "") for sample in samples]) for head in heads}
    responses = before.responses(), after.responses()
    figures = {}
    for label in ("escalate", "clarify"):
        wanted = truth["response"] == label
        hits = [found == label for found in responses]
        figures[f"{label}_recall"] = _paired(
            draws, lambda rows, hit, wanted=wanted: _share(hit[rows], wanted[rows]), *hits
        )
    for head in heads:
        known = truth[head] != ""
        if not known.any():
            continue
        labels = sorted(set(truth[head][known]) - ({"4"} if head == "risk" else set()))
        figures[f"{head}.macro_f1"] = _paired(
            draws,
            lambda rows, found, head=head, labels=labels, known=known: _macro_f1(
                truth[head][rows][known[rows]], found[rows][known[rows]], labels
            ),
            before.labels(head),
            after.labels(head),
        )
        figures[f"{head}.calibration"] = {
            name: _calibration_error(answers.classified, head, truth[head], known)
            for name, answers in (("champion", before), ("challenger", after))
        }
    figures["flags.mean_f1"] = {
        name: _flags_f1(samples, answers.classified)
        for name, answers in (("champion", before), ("challenger", after))
    }
    return figures


def _paired(draws: NDArray[np.intp], figure: Any, one: Any, other: Any) -> dict[str, Any]:
    """A figure of both models, and the interval of its difference over the same draws."""
    everyone = np.arange(draws.shape[1])
    changes = [figure(rows, other) - figure(rows, one) for rows in draws]
    return {
        "champion": float(figure(everyone, one)),
        "challenger": float(figure(everyone, other)),
        "interval": [float(v) for v in np.nanpercentile(changes, [2.5, 97.5])],
    }


def _share(hits: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    return float(hits[wanted].mean()) if wanted.any() else float("nan")


def _macro_f1(truth: Strings, found: Strings, labels: Sequence[str]) -> float:
    scores = []
    for label in labels:
        wanted, given = truth == label, found == label
        both, either = (wanted & given).sum(), wanted.sum() + given.sum()
        scores.append(2 * both / either if either else 0.0)
    return float(np.mean(scores))


def _calibration_error(
    classified: Sequence[Classification], head: str, truth: Strings, known: NDArray[np.bool_]
) -> float:
    confidence = np.array([c.heads[head].confidence for c in classified])
    right = np.array([c.heads[head].label for c in classified]) == truth
    bins = reliability(confidence[known], right[known])
    return float(sum(b["share"] * abs(b["accuracy"] - b["confidence"]) for b in bins))


def _flags_f1(samples: Sequence[Sample], classified: Sequence[Classification]) -> float:
    scores = []
    for flag in FLAGS:
        rows = [i for i, sample in enumerate(samples) if flag in sample.flags]
        truth = [samples[i].flags[flag] for i in rows]
        if any(truth):
            raised = [flag in classified[i].raised for i in rows]
            scores.append(f1_score(truth, raised, zero_division=0))
    return float(np.mean(scores)) if scores else 0.0


def _broken_golden(champion: Chain, challenger: Chain) -> list[str]:
    """The golden messages that the champion answers as it must, and the challenger does not."""
    broken = []
    for path in sorted(GOLDEN.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        before, after = (
            find_unmet(case["expect"], _assess(case["message"], chain).labels())
            for chain in (champion, challenger)
        )
        if after and not before:
            broken.append(path.stem)
    return broken


def _refusals(figures: Mapping[str, Any], tolerance: Mapping[str, float]) -> list[str]:
    reasons = []
    for name, figure in figures.items():
        kind = name if name in tolerance else name.split(".")[-1]
        kind = "behaviour" if name.startswith("behaviour") else kind
        allowed = tolerance["macro_f1" if kind == "mean_f1" else kind]
        fall = figure["champion"] - figure["challenger"]
        if kind == "calibration":
            fall = -fall
        if fall > allowed:
            reasons.append(f"{_named(name)}变差 {fall:.3f}，容许 {allowed}")
    return reasons


def _named(figure: str) -> str:
    owned, figure = figure.startswith(OWN), figure.removeprefix(OWN)
    head, _, kind = figure.partition(".")
    names = {
        "escalate_recall": "上报的召回率",
        "clarify_recall": "澄清的召回率",
        "macro_f1": "的 macro-F1 ",
        "calibration": "的置信度偏差",
        "mean_f1": "的平均 F1 ",
        "minimum": "行为用例通过率",
        "invariant": "不变性用例通过率",
    }
    if head == "behaviour":
        return names[kind]
    if not kind:
        return names[figure]
    return f"{'自有' if owned else ''}{HEAD_NAMES.get(head, '要素')}{names[kind]}"


def _worst(samples: Sequence[Sample], before: _Answers, after: _Answers) -> list[dict[str, Any]]:
    """Messages whose response the champion had right and the challenger has not; gravest first."""
    found = []
    for sample, old, new in zip(samples, before.assessed, after.assessed, strict=True):
        truth = sample.labels.get("response")
        if truth == old.response.conclusion != new.response.conclusion:
            fall = _SEVERITY[truth] - _SEVERITY[new.response.conclusion]
            row = {
                "id": sample.id,
                "truth": truth,
                "champion": old.response.conclusion,
                "challenger": new.response.conclusion,
                "text": mask(sample.text)[:_EXCERPT],
            }
            found.append((-fall, -int(sample.labels.get("risk", next(iter(RISK)))), row))
    found.sort(key=lambda entry: (*entry[:2], entry[2]["id"]))
    return [row for *_, row in found[:_WORST]]
