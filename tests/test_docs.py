"""What the READMEs say of the model is what the model says; `make golden` writes it anew."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from service.registry import Registry
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
NAMES = {"train.jsonl": "real", "samples": "own"}


def shortened_answer() -> str:
    """The golden answer to the README's message, with its longest parts left out."""
    path = ROOT / "data" / "golden" / "01_ride_accident.json"
    answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["assessment"]
    flags = [
        {key: flag[key] for key in ("label", "name", "confidence")}
        | {"evidence": [{k: e[k] for k in ("start", "end", "text")} for e in flag["evidence"][:2]]}
        for flag in answer["flags"]
    ]
    head = {key: answer["topic"][key] for key in ("label", "name", "confidence")}
    risk = {key: answer["risk"][key] for key in ("level", "name", "rank", "colour", "score")}
    response = {
        key: answer["response"][key]
        for key in ("type", "name", "value", "confidence", "deadlines", "needs_verification")
    }
    shown = {"topic": head, "flags": flags, "risk": risk, "response": response}
    return f"```json\n{json.dumps(shown, ensure_ascii=False, indent=2)}\n```"


def figures_table() -> str:
    """Cross-validated figures of the active model, real and own messages apart."""
    registry = Registry(Settings().models_dir)
    metrics = registry.describe(registry.active_version())["metrics"]
    lines = ["| | messages | macro-F1 | accuracy |", "|---|---|---|---|"]
    named = {head: figures["slices"] for head, figures in metrics["heads"].items()}
    named |= {
        f"{head}, after the rules": figures["slices"]
        for head, figures in metrics["assessment"].items()
    }
    for head, slices in named.items():
        for collection, name in NAMES.items():
            f = slices["collection"][collection]
            lines.append(
                f"| {head}, {name} | {f['messages']:,} "
                f"| {f['macro_f1']:.3f} | {f['accuracy']:.3f} |"
            )
    responses = metrics["assessment"]["response"]["slices"]["collection"]
    for label in ("escalate", "clarify"):
        for collection, name in NAMES.items():
            f = responses[collection]["labels"][label]
            lines.append(
                f"| {label} (F1), after the rules, {name} | {f['messages']:,} | {f['f1']:.3f} "
                f"| recall {f['recall']:.3f}, precision {f['precision']:.3f} |"
            )
    for collection, name in NAMES.items():
        mean = metrics["flags"]["slices"]["collection"][collection]["mean_f1"]
        lines.append(f"| flags with 20 examples, {name} | | {mean:.3f} | |")
    return "\n".join(lines)


def filled(text: str) -> str:
    for name, content in (("answer", shortened_answer()), ("figures", figures_table())):
        pattern = re.compile(f"(?<=<!-- {name} -->\n).*(?=<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(f"{content}\n".replace("\\", r"\\"), text)
    return text


@pytest.mark.parametrize("path", READMES, ids=lambda p: p.name)
def test_the_readme_shows_a_real_answer_and_the_models_figures(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert shortened_answer() in text
    assert filled(text) == text


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=str)
def test_no_link_leads_nowhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def write_readmes() -> None:
    for path in READMES:
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write_readmes()
