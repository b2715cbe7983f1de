"""A candidate judges beside the champion, unseen; and drift from the training messages."""

import time
from typing import Any

import httpx
from conftest import serving
from registries import shipped_version

from service.core.drift import FEWEST
from service.registry import Registry
from training.holdout import SAMPLES
from training.samples import read_samples

PATIENCE = 30


def await_shadow(client: httpx.Client, version: str, messages: int) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = client.get(f"/v1/models/{version}/shadow")
        if answer.status_code == 200 and answer.json()["messages"] >= messages:
            found: dict[str, Any] = answer.json()
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_shadow_is_compared_and_never_answers(registry: Registry) -> None:
    texts = [sample.text for sample in read_samples([SAMPLES])[::200]]
    with serving(environment={"YANPAN_MODELS_DIR": str(registry.root)}) as (client, _):
        assert client.get("/v1/models/b/shadow").json()["code"] == "shadow_unknown"
        registry.set_shadow("b")
        await_shadow(client, "b", 0)
        topics = []
        for text in texts:
            answer = client.post("/v1/score", json={"id": "m", "text": text}).json()
            assert answer["model_version"] == shipped_version()
            topics.append(answer["topic"]["label"])
        found = await_shadow(client, "b", len(texts))
        assert (found["champion"], found["version"]) == (shipped_version(), "b")
        # The candidate takes every message for the first topic.
        assert found["by_head"]["topic"] == sum(topic != "travel_agency" for topic in topics)
        assert (found["failed"], found["left_out"]) == (0, 0)
        assert all("text" not in row and row["id"] == "m" for row in found["downgrades"])
        registry.set_shadow("")
        deadline = time.monotonic() + PATIENCE
        while client.get("/v1/models/b/shadow").status_code != 404:
            assert time.monotonic() < deadline


def test_a_shadow_that_cannot_be_loaded_harms_nothing(registry: Registry) -> None:
    with serving(environment={"YANPAN_MODELS_DIR": str(registry.root)}) as (client, _):
        (registry.root / "SHADOW").write_text("none", encoding="utf-8")
        time.sleep(1)
        assert client.get("/health/ready").status_code == 200
        assert client.post("/v1/score", json={"text": "路灯坏了"}).status_code == 200


def test_drift_is_told_against_the_training_messages() -> None:
    with serving() as (client, _):
        assert client.get("/v1/drift").json()["verdict"] == "unknown"
        odd = {"messages": [{"text": "ok ok ok"}] * FEWEST}
        assert client.post("/v1/score/batch", json=odd).json()["summary"]["failed"] == 0
        found = client.get("/v1/drift").json()
        assert found["verdict"] == "drifted"
        assert found["messages"] == FEWEST
        assert found["indices"]["characters"] > 0.25
        assert 'yanpan_drift_index{of="characters"}' in client.get("/metrics").text
