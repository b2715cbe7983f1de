"""From a spreadsheet of corrections to an activated model in three commands; poison is refused."""

import json
import random
from pathlib import Path

import openpyxl
import pytest
from commands import yanpan
from registries import make_registry, shipped_version

from service.core.labels import FLAGS, HEAD_NAMES, HEADS
from training.holdout import SAMPLES, read_holdout
from training.samples import Sample, read_samples

CORRECTIONS = 300


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YANPAN_DATABASE_URL", f"sqlite:///{tmp_path / 'yanpan.db'}")
    monkeypatch.setenv("YANPAN_MODELS_DIR", str(tmp_path / "models"))
    return make_registry(tmp_path / "models")


def write_data(folder: Path) -> list[Sample]:
    """Samples to learn beside, half of the hold-out to compare on; the other half is to correct.

    The shipped model has learned from none of the hold-out, so its labels are news to it, as those
    of a desk are.
    """
    held_out = read_holdout()
    ids = {sample.id for sample in held_out}
    known = [s for s in read_samples([SAMPLES]) if s.is_complete and s.id not in ids]
    write_samples(folder / "samples.jsonl", known[::3])
    write_samples(folder / "holdout.jsonl", held_out[::2])
    return held_out[1::2][:CORRECTIONS]


def write_rows(path: Path, samples: list[Sample], labels_of: list[Sample]) -> None:
    """A sheet as annotators fill it in: texts, with the labels of the other samples."""
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.append(["编号", "正文", *HEAD_NAMES.values(), "要素"])
    for sample, other in zip(samples, labels_of, strict=True):
        labels = [HEADS[head][other.labels[head]] for head in HEAD_NAMES]
        flags = "、".join(FLAGS[flag] for flag, is_raised in other.flags.items() if is_raised)
        page.append([sample.id, sample.text, *labels, flags or "无"])
        page.cell(page.max_row, 2).data_type = "s"
    book.save(path)


def write_samples(path: Path, samples: list[Sample]) -> None:
    lines = [
        json.dumps(
            {
                "id": sample.id,
                "text": sample.text,
                "source": sample.source,
                **sample.labels,
                "flags": [flag for flag, is_raised in sample.flags.items() if is_raised],
            }
        )
        for sample in samples
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def retrain(folder: Path, registry: Path) -> str:
    """The first two of the three commands; the version that comes of them."""
    ended = yanpan("samples", "import", str(folder / "corrections.xlsx"), "--accept", "--by", "审")
    assert ended.returncode == 0, ended.stderr
    assert f"导入 {CORRECTIONS} 条" in ended.stderr
    arguments = ["--base", "active", "--feedback", "--samples", str(folder / "samples.jsonl")]
    places = ["--cache", str(folder / "cache"), "--output", str(registry)]
    ended = yanpan("train", *arguments, *places, "--holdout", str(folder / "holdout.jsonl"))
    assert ended.returncode == 0, ended.stderr
    return Path(ended.stdout.strip()).name


def active(registry: Path) -> str:
    return (registry / "ACTIVE").read_text(encoding="utf-8").strip()


def test_corrections_become_the_active_model_in_three_commands_and_one_goes_back(
    registry: Path, tmp_path: Path
) -> None:
    corrections = write_data(tmp_path)
    write_rows(tmp_path / "corrections.xlsx", corrections, corrections)
    version = retrain(tmp_path, registry)
    options = ["--holdout", str(tmp_path / "holdout.jsonl"), "--by", "审", "--reason", "月度更新"]
    ended = yanpan("models", "activate", version, *options)
    print(ended.stdout)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert active(registry) == version
    manifest = json.loads((registry / version / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["base"] == shipped_version()
    assert manifest["messages"]["corrections"] >= CORRECTIONS * 0.9  # less those near the others
    gate = json.loads((registry / version / "gate.json").read_text(encoding="utf-8"))
    assert gate["passed"]
    assert gate["holdout"] == len(read_holdout()[::2])
    assert yanpan("models", "rollback", "--by", "审").returncode == 0
    assert active(registry) == shipped_version()


def test_shuffled_labels_are_refused_and_only_force_with_a_reason_goes_past(
    registry: Path, tmp_path: Path
) -> None:
    corrections = write_data(tmp_path)
    shuffled = random.Random(1).sample(corrections, CORRECTIONS)  # noqa: S311 — to poison
    write_rows(tmp_path / "corrections.xlsx", corrections, shuffled)
    version = retrain(tmp_path, registry)
    ended = yanpan("models", "activate", version, "--holdout", str(tmp_path / "holdout.jsonl"))
    assert ended.returncode == 3, ended.stdout
    print(ended.stdout)
    assert "不予通过" in ended.stdout
    assert "变差：" in ended.stdout  # the worst messages are told
    assert active(registry) == shipped_version()
    assert yanpan("models", "activate", version, "--force").returncode == 2
    forced = yanpan("models", "activate", version, "--force", "--by", "审", "--reason", "演练")
    assert forced.returncode == 0
    history = (registry / "history.jsonl").read_text(encoding="utf-8").splitlines()
    told = json.loads(history[-1])
    assert (told["by"], told["reason"]) == ("审", "未过闸，强制启用：演练")


def test_the_first_model_of_a_registry_has_nothing_to_be_compared_with(registry: Path) -> None:
    version = shipped_version()
    (registry / "ACTIVE").unlink()
    assert yanpan("models", "activate", version, "--by", "审").returncode == 0
    assert active(registry) == version
    assert yanpan("models", "rollback").returncode == 2  # nothing was before it
