"""Another model becomes the active one while requests are being answered."""

import json
import threading
import time
from datetime import UTC, datetime

import httpx
from conftest import serving
from registries import shipped_version

from service.registry import Registry

MESSAGE = {"text": "小区停水三天了没人管"}
AT = datetime(2026, 1, 5, tzinfo=UTC)
SWITCHES = 20
PATIENCE = 30


def score(url: httpx.URL) -> dict[str, str]:
    """What a connection of its own is answered: any of the workers may take it."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as fresh:
        answer = fresh.post("/v1/score", json=MESSAGE)
    assert answer.status_code == 200, answer.text
    return {"version": answer.json()["model_version"], "topic": answer.json()["topic"]["label"]}


def await_version(url: httpx.URL, version: str) -> float:
    """Seconds until twenty connections in a row are answered by the version."""
    began = time.monotonic()
    in_a_row = 0
    while in_a_row < 20:
        in_a_row = in_a_row + 1 if score(url)["version"] == version else 0
        if in_a_row == 1:
            seconds = time.monotonic() - began
        assert time.monotonic() - began < PATIENCE
    return seconds


def test_switches_and_rollbacks_under_load_drop_nothing_and_mix_nothing(registry: Registry) -> None:
    environment = {"YANPAN_MODELS_DIR": str(registry.root)}
    versions = [shipped_version(), "b"]
    with serving("--workers", "2", environment=environment) as (client, _):
        url = client.base_url
        expected = {}
        for version in reversed(versions):
            registry.activate(version, by="测试", at=AT)
            await_version(url, version)
            expected[version] = score(url)["topic"]
        assert len(set(expected.values())) == 2
        stop, answers, faults = threading.Event(), [], []

        def load() -> None:
            with httpx.Client(base_url=url, timeout=PATIENCE) as kept:
                while not stop.is_set():
                    answer = kept.post("/v1/score", json=MESSAGE)
                    if answer.status_code != 200:
                        faults.append(answer.text)
                        continue
                    found = answer.json()
                    answers.append((found["model_version"], found["topic"]["label"]))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        seconds = []
        for number in range(SWITCHES):
            version = versions[(number + 1) % 2]
            if number % 2:
                assert registry.rollback(by="测试", at=AT) == version
            else:
                registry.activate(version, by="测试", at=AT)
            seconds.append(await_version(url, version))
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []
    assert set(answers) == set(expected.items())
    assert len(answers) > 1_000
    print(f"{len(answers)} answers; all workers switched within {max(seconds):.2f} s")


def test_a_batch_is_of_one_version(registry: Registry) -> None:
    environment = {"YANPAN_MODELS_DIR": str(registry.root)}
    with serving(environment=environment) as (client, _):
        answers = []

        def load() -> None:
            answers.append(client.post("/v1/score/batch", json={"messages": [MESSAGE] * 1_000}))

        thread = threading.Thread(target=load)
        thread.start()
        time.sleep(0.3)
        registry.activate("b", by="测试", at=AT)
        thread.join()
        (answer,) = (a.json() for a in answers)
    versions = {row["assessment"]["model_version"] for row in answer["results"]}
    assert versions == {answer["model_version"]}


def test_a_model_that_cannot_be_loaded_turns_readiness_red_and_the_old_one_serves(
    registry: Registry,
) -> None:
    with serving(environment={"YANPAN_MODELS_DIR": str(registry.root)}) as (client, _):
        before = client.post("/v1/score", json=MESSAGE).json()
        assert "yanpan_activation_failed 0.0" in client.get("/metrics").text
        registry.activate("b", by="测试", at=AT)
        await_version(client.base_url, "b")
        # Behind the registry's back: it would have refused this.
        (registry.root / "c").mkdir()
        (registry.root / "c" / "manifest.json").write_text("{}", encoding="utf-8")
        (registry.root / "ACTIVE").write_text("c", encoding="utf-8")
        deadline = time.monotonic() + PATIENCE
        while (answer := client.get("/health/ready")).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert answer.json()["code"] == "activation_failed"
        assert "yanpan_activation_failed 1.0" in client.get("/metrics").text
        assert client.post("/v1/score", json=MESSAGE).json()["model_version"] == "b"
        registry.activate(shipped_version(), by="测试", at=AT)
        await_version(client.base_url, before["model_version"])
        assert client.get("/health/ready").status_code == 200
        assert "yanpan_activation_failed 0.0" in client.get("/metrics").text


def test_over_http_only_a_model_that_passed_the_gate_is_activated(registry: Registry) -> None:
    with serving(environment={"YANPAN_MODELS_DIR": str(registry.root)}) as (client, _):
        order = {"by": "值班长", "reason": "月度更新"}
        refused = client.post("/v1/models/b/activate", json=order)
        assert (refused.status_code, refused.json()["code"]) == (409, "activation_refused")
        assert client.post("/v1/models/none/activate", json=order).status_code == 404
        assert client.post("/v1/models/b/activate", json={}).status_code == 422
        passed = {"champion": shipped_version(), "passed": True, "reasons": []}
        registry.write_gate("b", passed)
        done = client.post("/v1/models/b/activate", json=order)
        assert done.json() == {"active": "b", "previous": shipped_version()}
        await_version(client.base_url, "b")
        assert client.get("/v1/models").json()["active"] == "b"
    written = json.loads((registry.root / "history.jsonl").read_text(encoding="utf-8"))
    assert (written["by"], written["reason"]) == ("值班长", "月度更新")
