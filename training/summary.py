"""The main figures of an evaluation: as one small table of numbers, and as text for a terminal."""

from collections.abc import Mapping
from typing import Any, Final

# Labels whose misses matter most, told with their precision and recall.
_WATCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "response": ("escalate", "clarify"),
    "response after rules": ("escalate",),
}


def summarize(report: Mapping[str, Any]) -> dict[str, Any]:
    """Macro-F1 of every head, the mean F1 of the flags, and both after the rules."""
    heads = {head: figures["macro_f1"] for head, figures in report["heads"].items()}
    ruled = {
        f"{head}_after_rules": figures["macro_f1"]
        for head, figures in report["assessment"].items()
        if figures
    }
    return {**heads, "flags": report["flags"].get("mean_f1"), **ruled}


def render_summary(report: Mapping[str, Any]) -> str:
    """The main figures as tables for a terminal: of all messages, then of each collection."""
    named = {**report["heads"]}
    named |= {f"{head} after rules": f for head, f in report["assessment"].items() if f}
    collections = list(dict.fromkeys(c for f in named.values() for c in f["slices"]["collection"]))
    parts = {"all": (named, report["flags"])}
    for name in collections if len(collections) > 1 else ():
        sliced = {head: f["slices"]["collection"].get(name) for head, f in named.items()}
        flags = report["flags"].get("slices", {}).get("collection", {}).get(name, {})
        parts[name] = ({head: f for head, f in sliced.items() if f}, flags)
    lines = [line for name, part in parts.items() for line in (*_table(name, *part), "")]
    for name, figures in report["review"].items():
        lines.append(
            f"review, {name}: {figures['share']:.1%} of {figures['messages']}; response right on "
            f"{figures['accuracy_reviewed'] or 0:.1%} of them, on "
            f"{figures['accuracy_rest'] or 0:.1%} of the rest"
        )
    return "\n".join(lines).rstrip()


def _table(name: str, heads: Mapping[str, Any], flags: Mapping[str, Any]) -> list[str]:
    lines = [
        (
            f"{name:<22}{'macro-F1':>9}  {'95% interval':<15}{'accuracy':>9}"
            f"{'top-2':>7}{'ECE':>7}{'n':>7}"
        )
    ]
    for head, figures in heads.items():
        low, high = figures["interval"]
        ece, top2 = (f"{figures[key]:.3f}" if key in figures else "" for key in ("ece", "top2"))
        lines.append(
            f"{head:<22}{figures['macro_f1']:>9.3f}  {low:.3f}–{high:.3f}    "
            f"{figures['accuracy']:>9.3f}{top2:>7}{ece:>7}{figures['messages']:>7}"
        )
        watched = {label: figures["labels"].get(label) for label in _WATCHED.get(head, ())}
        lines += [
            f"  {label:<20}{f['f1']:>9.3f}  precision {f['precision']:.3f}, "
            f"recall {f['recall']:.3f}"
            for label, f in watched.items()
            if f
        ]
    if flags:
        lines.append(f"{'flags, mean F1':<22}{flags['mean_f1']:>9.3f}  (flags with 20 examples)")
    return lines
