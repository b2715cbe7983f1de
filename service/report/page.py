"""A report as one page of HTML that needs no network."""

from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from service.core.drift import name_of_count
from service.report.figures import Figures, Urgent

_STYLE: Final = """
body{font:16px/1.6 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1f2933;
max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.note{color:#52606d}.totals{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0}
.totals div{border:1px solid #cbd2d9;border-radius:6px;padding:.5rem 1rem;min-width:7rem}
.totals b{display:block;font-size:1.5rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:0 2rem}
table{border-collapse:collapse;width:100%}
.bars td{padding:.1rem .4rem .1rem 0;white-space:nowrap}.bars td:last-child{width:55%}
.bars i{display:block;height:.8rem;background:#486581;min-width:2px}
.list th,.list td{border-bottom:1px solid #cbd2d9;padding:.4rem .5rem;text-align:left;
vertical-align:top}.list th,.list .time{white-space:nowrap}
.level{padding:0 .4rem;border-radius:4px;white-space:nowrap}
.low{background:#ddebf7}.medium{background:#fff2cc}.high{background:#fce4d6}
.critical{background:#f8cbad}
@media print{body{max-width:none;margin:0}h2{break-after:avoid}tr{break-inside:avoid}}
"""
_MOST_BARS: Final = 16
_MOST_DAYS: Final = 31
_FULL_BAR: Final = 0.5  # a stability index that fills the row


def render_page(figures: Figures) -> str:
    """The page; the same figures give the same characters."""
    charts = "".join(
        f"<section><h2>{escape(title)}</h2>{_bars(counted.most_common(_MOST_BARS))}</section>"
        for title, counted in figures.counts.items()
        if counted
    )
    if len(figures.days) > 1:
        days = sorted(figures.days.items())[-_MOST_DAYS:]
        charts += f"<section><h2>发布日期</h2>{_bars(days)}</section>"
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>舆情日报</title><style>{_STYLE}</style></head><body>"
        '<h1>舆情日报</h1><p class="note">'
        f"截至 {_time(figures.as_of)}。研判结果是建议，由人决定。</p>"
        f"{_totals(figures)}<h2>先办事项</h2>{_urgent(figures.urgent)}"
        f'<div class="charts">{charts}</div>{_drift(figures.drift)}{_failures(figures.failures)}'
        f'<p class="note">模型 · 规则：{escape("；".join(sorted(figures.versions)))}</p>'
        "</body></html>\n"
    )


def _time(text: str) -> str:
    return escape(text[:16].replace("T", " "))


def _totals(figures: Figures) -> str:
    counts = figures.counts
    shown = (
        ("研判", figures.total),
        ("特别重大", counts["风险等级"]["特别重大"]),
        ("重大", counts["风险等级"]["重大"]),
        ("上报处置", counts["处置建议"]["上报处置"]),
        ("请人复核", figures.for_review),
        ("未能研判", figures.failures.total()),
    )
    boxes = "".join(f"<div>{name}<b>{count:,}</b></div>" for name, count in shown)
    return f'<div class="totals">{boxes}</div>'


def _bars(counted: Iterable[tuple[str, int]]) -> str:
    counted = list(counted)
    most = max((count for _, count in counted), default=1)
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{count:,}</td>"
        f'<td><i style="width:{100 * count / most:.1f}%"></i></td></tr>'
        for name, count in counted
    )
    return f'<table class="bars">{rows}</table>'


def _urgent(urgent: Iterable[Urgent]) -> str:
    rows = "".join(
        f'<tr><td><span class="level {escape(one.level)}">{escape(one.level_name)}</span></td>'
        f'<td>{escape(one.response)}</td><td class="time">{escape(one.deadline)}</td>'
        f"<td>{escape(one.owner)}</td><td>{escape(one.told)}"
        f'<div class="note">{escape(one.id)} {escape(one.reasons)}</div></td></tr>'
        for one in urgent
    )
    if not rows:
        return "<p>没有须先办的事项。</p>"
    heads = "".join(f"<th>{name}</th>" for name in ("等级", "建议", "时限", "承办", "内容和理由"))
    return f'<table class="list"><tr>{heads}</tr>{rows}</table>'


def _drift(drift: Mapping[str, Any]) -> str:
    """How far the messages are from those of training: the verdict, and a bar for each index."""
    if not drift:
        return ""
    indices = sorted(drift["indices"].items(), key=lambda item: -item[1])[:_MOST_BARS]
    rows = "".join(
        f"<tr><td>{escape(name_of_count(what))}</td><td>{index:.2f}</td>"
        f'<td><i style="width:{min(100 * index / _FULL_BAR, 100):.1f}%"></i></td></tr>'
        for what, index in indices
    )
    return (
        f"<h2>与训练时的信息相比</h2><p>{escape(drift['text'])}</p>"
        f'<table class="bars">{rows}</table>'
        '<p class="note">群体稳定性指数：0.1 以下相近，0.25 以上明显不同。</p>'
    )


def _failures(failures: Counter[str]) -> str:
    if not failures:
        return ""
    rows = "".join(
        f"<tr><td>{escape(reason)}</td><td>{count:,}</td></tr>"
        for reason, count in failures.most_common(_MOST_BARS)
    )
    return f'<h2>未能研判</h2><table class="list"><tr><th>原因</th><th>条数</th></tr>{rows}</table>'
