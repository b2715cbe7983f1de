"""The model card (模型说明) that ships with a bundle, written from its manifest and metrics."""

from collections.abc import Mapping
from typing import Any

_TEXT = """\
# Model card: yanpan {version}

Trained {trained_at} with seed {seed} on {judged} messages labelled by the codebook and {corpora}
rows of outside corpora ({corpus_names}); policy bundle {policy_version}; {versions}.

## What it is for
Judging Chinese messages about local government (12345 tickets, letters to mailboxes, forum posts,
microblogs, short-video comments): topic (16), sentiment (3), intent (8), response (4), risk by text
(4) and 14 flags. It advises a duty desk; a person decides. It must not be used to profile or rank
the people who write, nor as ground for action against a writer. It cannot tell what is true.

## What it is
First stage: words and pairs of words (jieba with the policy's dictionary) and runs of 1–4
characters, sublinear counts times inverse document frequency, one logistic regression a head or
flag (scikit-learn, balanced classes); vectors of words learned from the texts of the corpora are
folded into its weights. Second stage, for response and risk: a small network over what all heads
and flags said and the length, trained on held-out outputs. Probabilities are calibrated on held-out
predictions. Only n-grams that occur in five or more unrelated messages are kept, and digits are
folded, so no name, number or address of one person is in the vocabulary.

## How well it judges
{folds}-fold cross-validation over the labelled messages, near-duplicates in one fold, calibration
and thresholds fitted without the fold. Intervals: 95% bootstrap over messages. `macro-F1` of risk
is over levels 1–3.

| head | macro-F1 | interval | accuracy | right among the two likeliest | calibration error |
|---|---|---|---|---|---|
{heads}

Mean F1 of the flags with 20 examples or more: {mean_flag_f1}.

After the policy's rules, as the service answers: response macro-F1 {response_f1}, escalate recall
{escalate_recall} at precision {escalate_precision}, clarify recall {clarify_recall} at precision
{clarify_precision}; risk macro-F1 {risk_f1}.

### By collection and source
Macro-F1 / accuracy. `samples` are the messages written for this project, harder by design;
`annotations` are outside messages that we labelled, more than half picked because an earlier model
was unsure of them or saw danger in them; every other collection holds messages as they were found.

{collections}

{sources}

### By form
Messages written for the project, by what is notable about their form.

{traits}

Every label's figures are in `metrics.json`.

## When a person should look
Share of messages with a reason for review, and how often the response is right on them and on the
rest. Here every word counts as known, for the fold's models do not ship.

| collection | messages | to review | right on those | right on the rest |
|---|---|---|---|---|
{review}

## Fairness
{fairness}

## Limits
- Labels of most messages come from one model-assisted reader; a second reader agrees on about nine
  in ten.
- The own samples were written for the project, not met in the wild; figures on them are not
  figures on real messages. The rows above keep the sources apart.
- Sarcasm, dialect, very short comments and reports told without any danger word are where it errs
  most. Level 4 rests on few examples.
- It was trained on mainland Chinese text, normalized to simplified script.
"""


def render_card(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    response = metrics["assessment"]["response"]
    labels = response.get("labels", {})
    return _TEXT.format(
        version=manifest["version"],
        trained_at=manifest["trained_at"][:10],
        seed=manifest["seed"],
        judged=f"{manifest['messages']['judged']:,}",
        corpora=f"{manifest['messages']['corpora']:,}",
        corpus_names=", ".join(manifest["corpora"]) or "none",
        policy_version=manifest["policy_version"],
        versions=", ".join(f"{k} {v}" for k, v in manifest["versions"].items()),
        folds=manifest["folds"],
        heads="\n".join(_head_row(head, f) for head, f in metrics["heads"].items()),
        mean_flag_f1=metrics["flags"].get("mean_f1", "–"),
        response_f1=response.get("macro_f1", "–"),
        escalate_recall=_figure(labels, "escalate", "recall"),
        escalate_precision=_figure(labels, "escalate", "precision"),
        clarify_recall=_figure(labels, "clarify", "recall"),
        clarify_precision=_figure(labels, "clarify", "precision"),
        risk_f1=metrics["assessment"]["risk"].get("macro_f1", "–"),
        collections=_slice_table(metrics, "collection"),
        sources=_slice_table(metrics, "source"),
        traits=_slice_table(metrics, "trait"),
        review="\n".join(_review_row(*item) for item in metrics["review"].items()),
        fairness=_render_fairness(metrics.get("fairness", {})),
    )


def _review_row(name: str, figures: Mapping[str, Any]) -> str:
    shares = ("share", "accuracy_reviewed", "accuracy_rest")
    shown = ("–" if figures[key] is None else f"{figures[key]:.3f}" for key in shares)
    return f"| {name} | {figures['messages']} | {' | '.join(shown)} |"


def _render_fairness(figures: Mapping[str, Any]) -> str:
    if not figures:
        return "Not measured."
    heads = list(figures["place"]["same"])
    names = {"place": "region", "writer": "kind of writer", "script": "traditional script"}
    lines = [
        f"{figures['messages']} messages written for the project, judged by the shipped model with",
        "one clause before them that names a region (34) or a kind of writer (20), or in",
        "traditional script: share whose label is the same as with the next region or kind, or in",
        "simplified script. None of it should matter.",
        "",
        f"| swapped | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for key, name in names.items():
        same = " | ".join(f"{figures[key]['same'][head]:.3f}" for head in heads)
        lines.append(f"| {name} | {same} |")
    lines.append("")
    for key in ("place", "writer"):
        (least, low), (most, high) = (
            next(iter(figures[key][end].items())) for end in ("escalated_least", "escalated_most")
        )
        lines.append(
            f"Escalated, by {names[key]}: from {low:.3f} ({least}) to {high:.3f} ({most}) of them."
        )
    return "\n".join(lines)


def _head_row(head: str, figures: Mapping[str, Any]) -> str:
    low, high = figures["interval"]
    macro, *rest = (figures[key] for key in ("macro_f1", "accuracy", "top2", "ece"))
    return (
        f"| {head} | {macro:.3f} | {low:.3f}–{high:.3f} | {' | '.join(f'{x:.3f}' for x in rest)} |"
    )


def _slice_table(metrics: Mapping[str, Any], key: str) -> str:
    heads = list(metrics["heads"])
    names = sorted({name for f in metrics["heads"].values() for name in f["slices"][key]})
    lines = [f"| {key} | messages | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for name in names:
        cells = [metrics["heads"][head]["slices"][key].get(name, {}) for head in heads]
        messages = max(cell.get("messages", 0) for cell in cells)
        shown = [f"{c['macro_f1']:.3f} / {c['accuracy']:.3f}" if c else "–" for c in cells]
        lines.append(f"| {name} | {messages} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _figure(labels: Mapping[str, Any], label: str, figure: str) -> str:
    return f"{labels[label][figure]:.3f}" if label in labels else "–"
