"""What is counted is counted over all worker processes."""

import re
import time
from typing import Any

import httpx
import pytest
from conftest import serving
from registries import shipped_version

from service.core.drift import FEWEST
from service.registry import Registry

PATIENCE = 30


def once(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    """An answer by any of the workers."""
    with httpx.Client(base_url=client.base_url, timeout=30) as fresh:
        return fresh.post(path, json=body) if body else fresh.get(path)


def value(text: str, metric: str) -> float:
    found = re.search(rf"^{re.escape(metric)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


@pytest.mark.parametrize("workers", ["1", "3"])
def test_metrics_are_those_of_all_processes(workers: str) -> None:
    with serving("--workers", workers) as (client, _):
        for _ in range(30):
            assert once(client, "/v1/score", text="小区停水三天了").status_code == 200
        assert once(client, "/v1/score", text=" ").status_code == 422
        batch = {"messages": [{"text": "路灯坏了"}, {"text": ""}]}
        assert once(client, "/v1/score/batch", **batch).status_code == 200
        for _ in range(5):  # whichever process answers
            text = once(client, "/metrics").text
            assert value(text, 'yanpan_requests_total{route="/v1/score",status="200"}') == 30
            assert value(text, 'yanpan_problems_total{code="text_empty"}') == 2
            assessed = re.findall(r"^yanpan_assessments_total.* (\S+)$", text, re.MULTILINE)
            assert sum(map(float, assessed)) == 31
            timed = f'{{model_version="{shipped_version()}",route="/v1/score"}}'
            assert value(text, f"yanpan_request_seconds_count{timed}") == 31
            assert value(text, "yanpan_activation_failed") == 0
            assert f'model_version="{shipped_version()}"' in text


def test_drift_and_shadow_are_those_of_all_processes(registry: Registry) -> None:
    registry.set_shadow("b")
    with serving("--workers", "3", environment={"YANPAN_MODELS_DIR": str(registry.root)}) as (
        client,
        _,
    ):
        deadline = time.monotonic() + PATIENCE
        while any(once(client, "/v1/models/b/shadow").status_code != 200 for _ in range(9)):
            assert time.monotonic() < deadline
        part = FEWEST // 10
        for _ in range(10):
            batch = {"messages": [{"text": "ok ok ok"}] * part}
            assert once(client, "/v1/score/batch", **batch).json()["summary"]["failed"] == 0
        while True:
            drift = [once(client, "/v1/drift").json() for _ in range(6)]
            shadows = [once(client, "/v1/models/b/shadow").json() for _ in range(6)]
            if {d["messages"] for d in drift} == {10 * part} and all(
                s["messages"] + s["left_out"] == 10 * part for s in shadows
            ):
                break
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert {d["verdict"] for d in drift} == {"drifted"}
        assert len({s["by_head"]["topic"] for s in shadows}) == 1
