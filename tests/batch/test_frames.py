"""The function of frames, by itself and under Spark where there is one."""

import shutil
import sys
from datetime import datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from commands import yanpan

from service.batch.frames import SCHEMA, score_frame, score_frames

AT = "2026-01-05T08:30:00+08:00"
WHEN = datetime.fromisoformat(AT)
FRAME = pd.DataFrame(
    {
        "编号": ["a", "b", "c"],
        "正文": ["小区停水三天了没人管", None, "游客中心的工作人员很耐心，谢谢"],
        "转发量": [1_200, None, 3],
    }
)


def test_a_frame_gets_the_columns_that_a_file_gets(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    output = tmp_path / "out.parquet"
    options = ["--received-at", AT, "--only-assessment"]
    yanpan("score", "--input", str(tmp_path / "in.csv"), "--output", str(output), *options)
    by_file = pq.read_table(output).to_pylist()
    by_frame = score_frame(FRAME, received_at=WHEN)
    assert list(by_frame.columns) == [field.split()[0] for field in SCHEMA.split(", ")]
    good = by_frame[by_frame["error"].isna()].drop(columns="error").to_dict("records")
    assert [row["id"] for row in good] == ["a", "c"]
    assert good == by_file


def test_a_row_that_cannot_be_scored_says_why_and_keeps_its_place() -> None:
    (scored,) = score_frames(iter([FRAME]), received_at=WHEN)
    assert len(scored) == 3
    assert "/text" in scored["error"][1]
    assert scored["topic"][1] is None


@pytest.mark.filterwarnings("ignore")
def test_spark_calls_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pyspark = pytest.importorskip(
        "pyspark", reason="pyspark is not installed (too large for every test)"
    )
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    spark = pyspark.sql.SparkSession.builder.master("local[2]").getOrCreate()
    try:
        frame = spark.createDataFrame(FRAME.astype({"转发量": "object"}).fillna("").astype(str))
        scored = frame.mapInPandas(partial(score_frames, received_at=WHEN), schema=SCHEMA)
        assert {row["id"] for row in scored.collect() if row["topic"]} == {"a", "c"}
    finally:
        spark.stop()


@pytest.mark.filterwarnings("ignore")
def test_ray_calls_it_as_it_is() -> None:
    ray = pytest.importorskip("ray", reason="ray is not installed (too large for every test)")
    ray.init(num_cpus=1, include_dashboard=False)
    try:
        rows = ray.data.from_pandas(FRAME.drop(columns="转发量"))
        scored = rows.map_batches(partial(score_frame, received_at=WHEN), batch_format="pandas")
        assert {row["id"] for row in scored.take_all() if row["topic"]} == {"a", "c"}
    finally:
        ray.shutdown()
