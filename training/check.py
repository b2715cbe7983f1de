"""Are labelled samples fit to train on? Every fault with its file and line."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from html import escape
from pathlib import Path
from typing import Any, Final

from service.core.errors import SampleError
from service.core.labels import FLAGS, HEADS
from service.core.privacy import find_personal
from training.groups import group_duplicates
from training.samples import EXCLUSIVE_HEADS, Sample, list_files, parse_sample, read_rows

_LEAK: Final = "，跨文件，不可一份训练一份评测"
_SHOWN: Final = 50  # suspects on a terminal; the files hold all
_FEWEST: Final = 20  # below this a label's figures say nothing


@dataclass(slots=True)
class CheckReport:
    """What was found: errors make the samples unfit, warnings want a look.

    Attributes:
        messages: how many samples could be read.
        errors, warnings: sentences that name file and line.
        counts: for each head, how often each label occurs.
        suspects: labels that models trained on the rest dispute, the likeliest errors first.
    """

    messages: int = 0
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    suspects: list[dict[str, Any]] = field(default_factory=list)


def check_samples(paths: Sequence[Path], policy_folder: Path | None = None) -> CheckReport:
    """Checks schema, labels, duplicates, leakage, class counts, and personal data left in.

    Args:
        paths: files and folders of samples.
        policy_folder: if given, labels are also cross-validated under this policy, which takes
            about a minute for each 5,000 samples.

    Raises:
        SampleError: a path does not exist or is not readable as text.
    """
    report = CheckReport()
    samples: list[tuple[str, Sample]] = []
    for file in (file for path in paths for file in list_files(path)):
        for place, row in _rows(file, report):
            try:
                samples.append((place, parse_sample(row, place)))
            except SampleError as error:
                report.errors.append(f"{error.detail}{error.hint}{_suggest(row)}")
    report.messages = len(samples)
    _check_ids(samples, report)
    _check_duplicates(samples, report)
    _count_labels(samples, report)
    _find_personal(samples, report)
    if policy_folder and not report.errors:
        from training.suspects import find_suspects  # noqa: PLC0415 — brings scikit-learn

        report.suspects = find_suspects([sample for _, sample in samples], policy_folder)
        places = {sample.text: place for place, sample in samples}
        report.suspects = [{"place": places[s["text"]], **s} for s in report.suspects]
    return report


def check_table(report: CheckReport) -> dict[str, Any]:
    """The report as JSON."""
    counts = {head: dict(counted) for head, counted in report.counts.items()}
    return {**{f.name: getattr(report, f.name) for f in fields(report)}, "counts": counts}


def check_page(report: CheckReport) -> str:
    """The report as one page of HTML that needs no network."""
    parts = [f"<h1>样本检查</h1><p>{report.messages} 条。</p>"]
    for title, lines in (("错误", report.errors), ("提醒", report.warnings)):
        shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
        parts.append(f"<h2>{title} {len(lines)}</h2><ol>{shown}</ol>")
    for head, counts in report.counts.items():
        cells = "".join(f"<tr><td>{escape(k)}<td>{n}" for k, n in counts.most_common())
        parts.append(f"<h2>{escape(head)}</h2><table>{cells}</table>")
    rows = "".join(f"<tr>{_suspect_cells(one)}" for one in report.suspects)
    heads = "<tr><th>位置<th>判断<th>现标<th>宜改<th>把握<th>正文"
    parts.append(f"<h2>存疑的标签 {len(report.suspects)}</h2><table>{heads}{rows}</table>")
    head = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>样本检查</title>'
    return f"{head}<body>{''.join(parts)}</body></html>\n"


def _suspect_cells(one: Mapping[str, Any]) -> str:
    text, upto, shown = one["text"], 0, ""
    for start, end in one["spans"]:
        shown += f"{escape(text[upto:start])}<mark>{escape(text[start:end])}</mark>"
        upto = end
    shown += escape(text[upto:])
    told = (one["place"], one["head"], one["label"], one["suggested"], one["p_suggested"])
    return "".join(f"<td>{escape(str(cell))}" for cell in told) + f"<td>{shown}"


def render_check(report: CheckReport) -> str:
    """The report as text."""
    lines = [f"错误 {line}" for line in report.errors]
    lines += [f"提醒 {line}" for line in report.warnings]
    for one in report.suspects[:_SHOWN]:
        told = f"{one['head']} 标为 {one['label']}，宜为 {one['suggested']}（{one['p_suggested']}）"
        words = "、".join(one["text"][start:end] for start, end in one["spans"])
        lines.append(f"存疑 {one['place']}：{told}：{words}")
    for head, counts in report.counts.items():
        shown = "，".join(f"{label} {n}" for label, n in counts.most_common())
        lines.append(f"{head}：{shown}")
    summary = f"{report.messages} 条，错误 {len(report.errors)}，提醒 {len(report.warnings)}"
    if report.suspects:
        summary += f"，存疑的标签 {len(report.suspects)}"
    return "\n".join([*lines, summary])


def _rows(file: Path, report: CheckReport) -> Iterator[tuple[str, dict[str, object]]]:
    """The rows that can be read; the first line that cannot ends the file with an error."""
    try:
        for number, row in read_rows(file):
            yield f"{file} 第 {number} 行", row
    except SampleError as error:
        report.errors.append(f"{error.detail}{error.hint}")


def _suggest(row: dict[str, object]) -> str:
    """The nearest known label to the first one that is unknown."""
    flags = row.get("flags")
    given = [(head, str(row[head])) for head in EXCLUSIVE_HEADS if row.get(head) is not None]
    given += [("flags", str(flag)) for flag in flags] if isinstance(flags, list) else []
    for head, label in given:
        near = get_close_matches(label, HEADS[head], n=1)
        if label not in HEADS[head] and near:
            return f"是否想写 {near[0]}？"
    return ""


def _check_ids(samples: Sequence[tuple[str, Sample]], report: CheckReport) -> None:
    seen: dict[str, str] = {}
    for place, sample in samples:
        if sample.id and sample.id in seen:
            report.errors.append(f"{place}：编号 {sample.id} 与{seen[sample.id]}重复。")
        elif sample.id:
            seen[sample.id] = place


def _check_duplicates(samples: Sequence[tuple[str, Sample]], report: CheckReport) -> None:
    """Near-duplicates: equal texts with conflicting labels are an error, the rest a warning."""
    members: defaultdict[int, list[tuple[str, Sample]]] = defaultdict(list)
    groups = group_duplicates([sample.text for _, sample in samples])
    for group, entry in zip(groups, samples, strict=True):
        members[group].append(entry)
    for (place, sample), *others in members.values():
        for other_place, other in others:
            differing = [
                head
                for head in EXCLUSIVE_HEADS
                if {head} <= sample.labels.keys() & other.labels.keys()
                and sample.labels[head] != other.labels[head]
            ]
            same_text = sample.text.strip() == other.text.strip()
            if same_text and differing:
                conflict = f"{other_place}与{place}正文相同而标签不同：{'、'.join(differing)}。"
                report.errors.append(conflict)
            else:
                kind = "相同" if same_text else "相近"
                leaks = (
                    "，跨文件，不可一份训练一份评测" if _file(place) != _file(other_place) else ""
                )
                report.warnings.append(f"{other_place}与{place}正文{kind}{leaks}。")


def _file(place: str) -> str:
    return place.rpartition(" 第 ")[0]


def _find_personal(samples: Sequence[tuple[str, Sample]], report: CheckReport) -> None:
    for place, sample in samples:
        if kinds := sorted({personal.kind for personal in find_personal(sample.text)}):
            report.warnings.append(f"{place}：含有{'、'.join(kinds)}，请遮盖后再用。")


def _count_labels(samples: Sequence[tuple[str, Sample]], report: CheckReport) -> None:
    for head in EXCLUSIVE_HEADS:
        counts = Counter(s.labels[head] for _, s in samples if head in s.labels)
        if counts:
            report.counts[head] = counts
    flags = Counter(flag for _, s in samples for flag in FLAGS if s.flags.get(flag))
    if any(s.flags for _, s in samples):
        report.counts["flags"] = flags
    for head, counts in report.counts.items():
        rare = [label for label in HEADS[head] if counts[label] < _FEWEST]
        if rare:
            report.warnings.append(f"{head} 的 {'、'.join(rare)} 不足 {_FEWEST} 条。")
