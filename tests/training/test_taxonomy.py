"""A deployment's own labels, beside the champion's heads."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import yanpan
from conftest import serving
from registries import make_registry, shipped_version

from service.bootstrap import build_chain, with_model
from service.core.assess import assess_message
from service.core.errors import SampleError
from service.core.message import Message
from service.settings import Settings
from training.holdout import SAMPLES, read_holdout
from training.samples import Sample, read_samples
from training.taxonomy import read_taxonomy

NOW = datetime(2026, 1, 5, tzinfo=UTC)
LABELS = {"visitors": "游客服务", "streets": "街面事务", "other": "其他"}
OURS = {"travel_agency": "visitors", "scenic_area": "游客服务", "lodging_dining": "visitors"} | {
    "transport": "streets", "urban_rural": "街面事务", "environment": "streets", "other": "other",
}  # fmt: skip


def write_own(folder: Path, samples: list[Sample]) -> list[str]:
    """A labels file, and samples that bear its labels by key or by name."""
    chosen = [sample for sample in samples if sample.labels.get("topic") in OURS]
    rows = [{"text": sample.text, "topic": OURS[sample.labels["topic"]]} for sample in chosen]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "labels.json").write_text(json.dumps({"topic": LABELS}), encoding="utf-8")
    return ["--samples", str(folder / "own.jsonl"), "--labels", str(folder / "labels.json")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A registry and the version in it that has a topic head of its own."""
    folder = tmp_path_factory.mktemp("own")
    root = make_registry(folder / "models")
    held_out = {sample.id for sample in read_holdout()}
    own = write_own(folder, [s for s in read_samples([SAMPLES]) if s.id not in held_out][::3])
    places = ["--output", str(root), "--cache", str(folder / "cache")]
    environment = {"YANPAN_MODELS_DIR": str(root)}
    ended = yanpan("train", "--base", "active", *own, *places, environment=environment)
    assert ended.returncode == 0, ended.stderr
    return root, Path(ended.stdout.strip()).name


def test_own_labels_are_reported_and_level_and_response_stay(trained: tuple[Path, str]) -> None:
    root, version = trained
    settings = Settings(models_dir=root)
    champion = build_chain(settings)
    other = with_model(champion, settings, version)
    right = 0
    asked = [sample for sample in read_holdout() if sample.labels["topic"] in OURS]
    for sample in asked:
        before, after = (
            assess_message(Message(sample.text), chain, request_id="r", now=NOW, explain=True)
            for chain in (champion, other)
        )
        wanted = OURS[sample.labels["topic"]]
        right += wanted in (after.topic.label, after.topic.name)
        assert after.topic.name == LABELS[after.topic.label]
        assert after.topic.scores.keys() == LABELS.keys()
        assert (after.risk, after.response) == (before.risk, before.response)
        assert (after.flags, after.sentiment, after.intent) == (
            before.flags, before.sentiment, before.intent,
        )  # fmt: skip
    assert right / len(asked) > 0.8  # chance has 0.5


def test_the_gate_compares_what_both_have_and_the_service_tells_the_own_labels(
    trained: tuple[Path, str],
) -> None:
    root, version = trained
    environment = {"YANPAN_MODELS_DIR": str(root)}
    ended = yanpan("models", "activate", version, "--by", "审", environment=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    with serving(environment={**environment, "YANPAN_DATABASE_URL": f"sqlite:///{root}/y.db"}) as (
        client,
        _,
    ):
        labels = client.get("/v1/labels").json()["topic"]
        assert labels == [{"label": key, "name": name} for key, name in LABELS.items()]
        given = {"message": {"text": "路灯坏了没人修"}, "annotator": "甲"}
        own = client.post("/v1/feedback", json={**given, "labels": {"topic": "streets"}})
        assert own.status_code == 201
        ours = client.post("/v1/feedback", json={**given, "labels": {"topic": "transport"}})
        assert ours.status_code == 422
        assert ours.json()["errors"][0]["pointer"] == "/labels/topic"


def test_the_figures_of_an_own_head_are_cross_validated(trained: tuple[Path, str]) -> None:
    root, version = trained
    metrics = json.loads((root / version / "metrics.json").read_text(encoding="utf-8"))
    own = metrics["own_heads"]["own.topic"]
    assert 0.7 < own["macro_f1"] < 0.99
    assert own["ece"] < 0.1
    card = (root / version / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "visitors 游客服务" in card
    manifest = json.loads((root / version / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["profile"]["topic"].keys() == LABELS.keys()
    assert manifest["base"] == shipped_version()


def test_own_labels_can_be_corrected_from_a_sheet_and_learned(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    root, version = trained
    environment = {
        "YANPAN_MODELS_DIR": str(root),
        "YANPAN_MODEL_VERSION": version,
        "YANPAN_DATABASE_URL": f"sqlite:///{tmp_path}/y.db",
    }
    sheet = tmp_path / "sheet.csv"
    rows = [f"窨井盖第{n}次被压坏了，走路很危险,街面事务" for n in "一二三四五六七八"]
    sheet.write_text("\n".join(["正文,话题", *rows, "水管,交通出行"]), encoding="utf-8")
    ended = yanpan("samples", "import", str(sheet), "--accept", environment=environment)
    assert ended.returncode == 1
    assert "导入 8 条" in ended.stderr
    assert "'交通出行' 未知" in ended.stderr
    places = ["--output", str(tmp_path / "runs"), "--cache", str(tmp_path / "cache")]
    ended = yanpan("train", "--base", version, "--feedback", *places, environment=environment)
    assert ended.returncode == 0, ended.stderr
    heads = json.loads((Path(ended.stdout.strip()) / "heads.json").read_text(encoding="utf-8"))
    assert [head["names"] for head in heads if head["name"] == "own.topic"] == [LABELS]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[]", "没有标签"),
        ("{", "不能读"),
        ('{"risk": {"a": "甲", "b": "乙"}}', "不能换 'risk'"),
        ('{"topic": {"a": "甲"}}', "少于两种"),
        ('{"topic": {"a": "甲", "b": "甲"}}', "不止一次"),
        ('{"topic": {"a": "甲", "b": 2}}', "不是短字符串"),
    ],
)
def test_a_labels_file_that_is_none_is_refused(tmp_path: Path, table: str, told: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(table, encoding="utf-8")
    with pytest.raises(SampleError, match=told):
        read_taxonomy(path)


def test_a_file_that_mixes_both_taxonomies_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    rows = [{"text": "甲", "topic": "streets"}, {"text": "乙", "topic": "health"}]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(SampleError, match="第 2 行：topic 的标签 'health' 不在标签文件中"):
        read_samples([path], {"topic": LABELS})


def test_too_few_samples_of_a_label_are_told(tmp_path: Path) -> None:
    held_out = {sample.id for sample in read_holdout()}
    own = write_own(tmp_path, [s for s in read_samples([SAMPLES]) if s.id not in held_out][::200])
    ended = yanpan("train", "--base", "active", *own, "--output", str(tmp_path / "runs"))
    assert ended.returncode == 2
    assert "不足 10 条样本" in ended.stderr
