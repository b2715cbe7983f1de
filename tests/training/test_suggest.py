"""The messages most worth labelling, as a sheet that can be filled in and imported."""

import json
from pathlib import Path

import openpyxl
from commands import yanpan

from service.batch.tables import open_table
from service.core.assess import Chain
from service.label_sheet import read_sheet
from training.holdout import SAMPLES
from training.samples import read_samples
from training.suggest import suggest

PLAIN = [sample.text for sample in read_samples([SAMPLES])[::60]]
STRANGE = ["ｶﾞｿﾘﾝ ｶﾌﾞｼｷ ワタシ ニホンゴ", "Lorem ipsum dolor sit amet consectetur", "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ"]


def choose(tmp_path: Path, texts: list[str], chain: Chain, count: int) -> list[dict[str, str]]:
    path = tmp_path / "in.jsonl"
    lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
    path.write_text("\n".join(lines), encoding="utf-8")
    with open_table(str(path)) as table:
        return suggest(table, {}, chain, count)


def test_what_the_model_does_not_know_is_chosen(tmp_path: Path, chain: Chain) -> None:
    rows = choose(tmp_path, PLAIN + STRANGE, chain, 10)
    assert len(rows) == 10
    # What the model says of all of them is much the same, so one stands for the others.
    reasons = {row["挑选理由"] for row in rows if row["正文"] in STRANGE}
    assert reasons == {"与所学的不像"}


def test_the_chosen_are_less_sure_than_the_rest_and_no_two_alike(
    tmp_path: Path, chain: Chain
) -> None:
    copies = [f"转发：{text}！" for text in PLAIN]
    rows = choose(tmp_path, PLAIN + copies, chain, 20)
    stripped = [row["正文"].removeprefix("转发：").rstrip("！") for row in rows]
    assert len({text.rstrip("！") for text in stripped}) == 20

    def sure(texts: list[str]) -> float:
        from service.core.features import Document  # noqa: PLC0415

        confidences = []
        for text in texts:
            clean = chain.normalizer.normalize(text).text
            said = chain.classifier.classify(Document(clean, chain.segmenter.segment(clean)))
            confidences.append(said.heads["response"].confidence)
        return sum(confidences) / len(confidences)

    assert sure([row["正文"] for row in rows]) < sure(PLAIN)


def test_nothing_to_choose_from_is_no_rows(tmp_path: Path, chain: Chain) -> None:
    assert choose(tmp_path, [], chain, 5) == []


def test_the_command_writes_a_sheet_that_import_reads(tmp_path: Path) -> None:
    path, output = tmp_path / "in.csv", tmp_path / "out.xlsx"
    path.write_text("正文\n路灯坏了，找13800138000\n停水三天了\n", encoding="utf-8")
    arguments = ["--input", str(path), "--output", str(output), "--n", "1"]
    assert "挑选 1 条" in yanpan("samples", "suggest", *arguments).stderr
    book = openpyxl.load_workbook(output)
    page = book["标注"]
    assert page.max_row == 2
    assert "13800138000" not in str(page["B2"].value)
    page["E2"] = "交通出行"  # after 编号, 正文, 现判, 挑选理由
    book.save(output)
    (row,) = read_sheet(output, annotator="甲", names={})
    assert row.correction is not None
    assert row.correction.labels == {"topic": "transport"}
