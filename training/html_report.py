"""Evaluation figures as one self-contained HTML page with plots, in Chinese."""

import html
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from service.core.labels import FLAGS, OWN, name_of

_HEAD_NAMES: Final[Mapping[str, str]] = {
    "topic": "话题",
    "sentiment": "情感",
    "intent": "诉求类型",
    "response": "回应",
    "risk": "风险等级",
}
_REVIEW_ACCURACIES: Final = ("accuracy_reviewed", "accuracy_rest")
_STYLE: Final = """
body { font: 15px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1.5rem }
th, td { border-bottom: 1px solid #ddd; padding: .2rem .7rem; text-align: right }
th:first-child, td:first-child { text-align: left }
figure { display: inline-block; margin: 0 1rem 1rem 0 }
svg { max-width: 100%; height: auto }
"""


def render_html(report: Mapping[str, Any]) -> str:
    """The page; the same figures give the same bytes.

    Args:
        report: what `training.evaluate.measure` returns, with `model_version`.
    """
    parts = [
        f"<h1>模型评测：{html.escape(str(report.get('model_version', '')))}</h1>",
        (
            f"<p>{report['messages']} 条标注样本。宏平均 F1 的区间为 95% 自助法区间；"
            "校准误差为 15 档期望校准误差。</p>"
        ),
        _overview(report),
    ]
    parts += [_section(head, figures) for head, figures in report["heads"].items()]
    for head, figures in report["assessment"].items():
        if figures:
            parts += [f"<h2>按规则修正后的{_HEAD_NAMES[head]}</h2>", _labels(head, figures)]
    if report["flags"]:
        parts += ["<h2>要素</h2>", _flags(report["flags"])]
    if report["review"]:
        parts += ["<h2>人工复核</h2>", _review(report["review"])]
    body = "\n".join(parts)
    title = "模型评测"
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><body>{body}</body></html>\n"
    )


def _overview(report: Mapping[str, Any]) -> str:
    rows = [
        (
            _named(head),
            f"{f['macro_f1']:.3f}",
            f"{f['interval'][0]:.3f}–{f['interval'][1]:.3f}",
            f"{f['accuracy']:.3f}",
            f"{f['top2']:.3f}",
            f"{f['ece']:.3f}",
            str(f["messages"]),
        )
        for head, f in report["heads"].items()
    ]
    return _table(("", "宏平均 F1", "区间", "准确率", "前二准确率", "校准误差", "条数"), rows)


def _section(head: str, figures: Mapping[str, Any]) -> str:
    plots = [
        _svg(lambda axes: _draw_confusion(axes, figures["confusion"]), 5.5),
        _svg(lambda axes: _draw_reliability(axes, figures["reliability"]), 3.6),
        _svg(lambda axes: _draw_selective(axes, figures["selective"]), 3.6),
    ]
    pictures = "".join(f"<figure>{plot}</figure>" for plot in plots)
    slices = "".join(_slices(key, parts) for key, parts in figures["slices"].items())
    return f"<h2>{_named(head)}</h2>{_labels(head, figures)}{pictures}{slices}"


def _named(head: str) -> str:
    own = head.startswith(OWN)
    return f"{'自有' if own else ''}{_HEAD_NAMES[head.removeprefix(OWN)]}"


def _labels(head: str, figures: Mapping[str, Any]) -> str:
    rows = [(name_of(head, label), *_scores(scores)) for label, scores in figures["labels"].items()]
    return _table(("标签", "精确率", "召回率", "F1", "条数"), rows)


def _flags(figures: Mapping[str, Any]) -> str:
    rows = [(FLAGS[flag], *_scores(f)) for flag, f in figures["labels"].items() if f]
    return _table(("要素", "精确率", "召回率", "F1", "条数"), rows)


def _review(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            f"{f['share']:.3f}",
            *("–" if f[key] is None else f"{f[key]:.3f}" for key in _REVIEW_ACCURACIES),
            str(f["messages"]),
        )
        for name, f in figures.items()
    ]
    heading = ("样本集", "提示复核的比例", "其中回应正确", "其余回应正确", "条数")
    return _table(heading, rows)


def _scores(scores: Mapping[str, float]) -> tuple[str, ...]:
    ratios = (f"{scores[key]:.3f}" for key in ("precision", "recall", "f1"))
    return (*ratios, str(scores["messages"]))


def _slices(key: str, parts: Mapping[str, Any]) -> str:
    title = {"collection": "样本集", "source": "来源", "trait": "形式"}[key]
    if not parts:
        return ""
    rows = [
        (name, f"{f['macro_f1']:.3f}", f"{f['accuracy']:.3f}", str(f["messages"]))
        for name, f in parts.items()
    ]
    return _table((title, "宏平均 F1", "准确率", "条数"), rows)


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heading)
    lines = (
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _svg(draw: Callable[[Axes], None], size: float) -> str:
    # Letters stay letters, which the browser shows: a machine need not have a Chinese font.
    with (
        mpl.rc_context({"svg.hashsalt": "yanpan", "svg.fonttype": "none", "font.size": 8}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(size, size), layout="constrained")
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()[buffer.getvalue().index("<svg") :]


def _draw_confusion(axes: Axes, confusion: Mapping[str, Any]) -> None:
    labels, counts = confusion["labels"], confusion["counts"]
    shares = [[cell / max(sum(row), 1) for cell in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="labelled", title="confusion")
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            if count:
                colour = "white" if shares[y][x] > 0.5 else "black"  # noqa: PLR2004 — half way
                axes.text(x, y, str(count), ha="center", va="center", color=colour, size=6)


def _draw_reliability(axes: Axes, bins: list[dict[str, float]]) -> None:
    axes.plot([0, 1], [0, 1], color="#bbb", linestyle="--")
    axes.plot([b["confidence"] for b in bins], [b["accuracy"] for b in bins], marker="o")
    axes.set(xlabel="confidence", ylabel="accuracy", title="reliability", xlim=(0, 1), ylim=(0, 1))


def _draw_selective(axes: Axes, points: list[dict[str, float]]) -> None:
    axes.plot([p["coverage"] for p in points], [p["accuracy"] for p in points], marker="o")
    axes.set(xlabel="coverage", ylabel="accuracy", title="selective accuracy", xlim=(0, 1))
