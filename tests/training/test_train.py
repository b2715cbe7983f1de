"""Training end to end on our own samples, and the bundle that comes of it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from service.artifacts import (
    StackedModel,
    load_classifier,
    read_manifest,
    save_bundle,
    verify_bundle,
)
from service.core.errors import BundleError, SampleError
from service.settings import Settings
from training.corpora import CORPORA, read_corpus
from training.evaluate import evaluate_bundle
from training.holdout import group_without, read_holdout
from training.html_report import render_html
from training.samples import read_samples
from training.summary import render_summary
from training.train import train

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "samples"
# Three of sixteen files: enough to learn from, and soon done.
SOME = [SAMPLES / f"{name}.jsonl" for name in ("scenic_area", "transport", "other")]
POLICY = Settings().policy_dir


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(
        samples=SOME,
        corpora={},
        heads=["sentiment", "flags"],
        policy_folder=POLICY,
        output=tmp_path_factory.mktemp("runs"),
        seed=3,
    )


@pytest.fixture(scope="module")
def report(trained: Path) -> dict[str, Any]:
    return evaluate_bundle(trained, [SAMPLES], POLICY)


def test_a_bundle_holds_numbers_words_manifest_metrics_and_card(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert names == {
        "manifest.json", "metrics.json", "MODEL_CARD.md", "heads.json", "vocabulary.txt",
        "index.joblib", "weights.joblib", "report.html",
    }  # fmt: skip
    manifest = verify_bundle(trained)
    assert manifest["seed"] == 3
    samples = read_samples(SOME)
    learned = group_without(samples, read_holdout())[0]
    assert manifest["messages"]["judged"] == learned.sum()
    held_out = {sample.id for sample in samples} & {sample.id for sample in read_holdout()}
    assert 0 < learned.sum() <= len(samples) - len(held_out) < len(samples)
    assert {"scikit-learn", "numpy", "jieba", "python"} <= manifest["versions"].keys()
    assert manifest["profile"]["sentiment"]
    assert len(manifest["code_sha256"]) == 64
    assert manifest["version"] in (trained / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_only_what_many_messages_say_is_in_the_vocabulary(trained: Path) -> None:
    vocabulary = (trained / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    texts = [sample.text for sample in read_samples(SOME)]
    plain = [key[1:] for key in vocabulary if key[0] == "c" and key[1:].isalpha()]
    for key in plain[:: len(plain) // 200]:
        if key.isascii():
            continue  # lower-cased there
        assert sum(key in text for text in texts) >= 3, key  # some stand there traditional


def test_its_figures_beat_guessing_by_far_and_are_held_out(
    trained: Path, report: dict[str, Any]
) -> None:
    metrics = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))
    sentiment = metrics["heads"]["sentiment"]
    assert sentiment["macro_f1"] > 0.6
    assert sentiment["interval"][0] < sentiment["macro_f1"] < sentiment["interval"][1]
    in_sample = report["heads"]["sentiment"]
    assert in_sample["macro_f1"] > sentiment["macro_f1"] + 0.05


def test_the_same_seed_gives_the_same_weights(trained: Path, tmp_path: Path) -> None:
    again = train(
        samples=SOME,
        corpora={},
        heads=["sentiment", "flags"],
        policy_folder=POLICY,
        output=tmp_path,
        seed=3,
    )
    first, second = read_manifest(trained), read_manifest(again)
    assert first["files"] == second["files"]


def test_a_bundle_is_never_overwritten(trained: Path) -> None:
    with pytest.raises(FileExistsError):
        save_bundle(trained, StackedModel([], {}, []), {})


@pytest.mark.parametrize("name", ["heads.json", "vocabulary.txt", "index.joblib", "weights.joblib"])
def test_a_damaged_file_is_refused_before_it_is_read(
    trained: Path, tmp_path: Path, name: str
) -> None:
    copy = Path(shutil.copytree(trained, tmp_path / "copy"))
    with (copy / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(BundleError, match=name):
        load_classifier(copy)


def test_a_summary_names_every_head(report: dict[str, Any]) -> None:
    assert "sentiment" in render_summary(report)
    assert "flags" in render_summary(report)


def test_another_taxonomy_is_trained_from_the_labels_that_the_data_hold(tmp_path: Path) -> None:
    names = {"education": "学校", "health": "医院", "transport": "道路"}
    rows = [
        {"text": sample.text, "topic": names[sample.labels["topic"]]}
        for sample in read_samples([SAMPLES])
        if sample.labels["topic"] in names
    ]
    path = tmp_path / "offices.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    folder = train(
        samples=[path],
        corpora={},
        heads=["topic"],
        policy_folder=POLICY,
        output=tmp_path / "runs",
        seed=1,
    )
    assert load_classifier(folder).labels == {"topic": ("医院", "学校", "道路")}
    report = evaluate_bundle(folder, [path], POLICY)
    assert report["heads"]["topic"]["labels"].keys() == set(names.values())
    assert json.loads((folder / "metrics.json").read_text())["heads"]["topic"]["macro_f1"] > 0.7


def test_a_taxonomy_half_known_is_a_typing_error(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "一", "topic": "health"}\n{"text": "二", "topic": "helth"}\n')
    with pytest.raises(SampleError, match="helth"):
        read_samples([path])


def test_the_evaluation_page_stands_alone_and_is_the_same_twice(report: dict[str, Any]) -> None:
    page = render_html(report)
    assert page == render_html(report)
    assert page.count("<svg") == 3 * len(report["heads"])
    assert "负面" in page
    for outside in ("<script", "<link", "src=", 'href="http', "url(http"):
        assert outside not in page


def test_calibration_and_coverage_are_reported(report: dict[str, Any]) -> None:
    sentiment = report["heads"]["sentiment"]
    assert sum(b["share"] for b in sentiment["reliability"]) == pytest.approx(1, abs=0.01)
    points = sentiment["selective"]
    assert [p["coverage"] for p in points] == [n / 10 for n in range(1, 11)]
    assert points[-1]["accuracy"] == pytest.approx(sentiment["accuracy"], abs=1e-3)
    assert sum(map(sum, sentiment["confusion"]["counts"])) == sentiment["messages"]


def test_an_unknown_head_or_corpus_is_named() -> None:
    options: dict[str, Any] = {
        "samples": [SAMPLES], "policy_folder": POLICY, "output": Path("unused"), "seed": 1,
    }  # fmt: skip
    with pytest.raises(SampleError, match="mood"):
        train(**options, corpora={}, heads=["mood"])
    with pytest.raises(SampleError, match="atlantis"):
        train(**options, corpora={"atlantis": Path("x.parquet")}, heads=None)


FILES = {
    "topic7": "topic7/train.parquet",
    "smp2020": "sentiment/smp2020_weibo.parquet",
    "weibo21": "claims/weibo21.parquet",
    "mail": "spam/mail.parquet",
}


@pytest.mark.parametrize("name", FILES)
def test_every_corpus_of_the_table_can_be_read(data: Path, name: str) -> None:
    samples = list(read_corpus(name, data / FILES[name], lambda rows: rows.sort(key=str)))
    corpus = CORPORA[name]
    assert len(samples) > 500
    assert all(sample.weight == corpus.weight < 1 for sample in samples)
    taught = {
        *(h for s in samples for h in s.labels),
        *(f"flags.{f}" for s in samples for f in s.flags),
    }
    assert taught == {corpus.head}
