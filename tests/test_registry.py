"""Versions and the pointer: verified before it moves, and able to move back."""

import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from registries import add_version, shipped_version

from service.artifacts import MANIFEST, StackedModel, load_classifier, save_bundle
from service.core.classify import Head
from service.core.errors import BundleError
from service.registry import ACTIVE, ActivationError, Registry, UnknownVersionError

AT = datetime(2026, 1, 5, tzinfo=UTC)


def test_activation_moves_the_pointer_and_is_told_in_the_history(registry: Registry) -> None:
    assert registry.activate("b", by="张", reason="更准", at=AT) == shipped_version()
    assert registry.active_version() == "b"
    assert registry.history() == [
        {
            "version": "b",
            "previous": shipped_version(),
            "by": "张",
            "reason": "更准",
            "at": AT.isoformat(),
        }
    ]


def test_rollback_goes_back_and_forth(registry: Registry) -> None:
    with pytest.raises(ActivationError, match="没有可退回"):
        registry.rollback(by="张", at=AT)
    registry.activate("b", by="张", at=AT)
    assert registry.rollback(by="李", at=AT) == shipped_version()
    assert registry.active_version() == shipped_version()
    assert registry.rollback(by="李", at=AT) == "b"


@pytest.mark.parametrize("name", ["weights.joblib", "vocabulary.txt", "heads.json"])
def test_a_changed_file_stops_the_activation_and_is_never_unpickled(
    registry: Registry, name: str
) -> None:
    # A pickle that would write a file if it were loaded.
    trap = registry.root / "sprung"
    bomb = f"cbuiltins\nopen\n(V{trap}\nVw\ntR.".encode()
    (registry.root / "b" / name).write_bytes(bomb)
    with pytest.raises(BundleError, match=name):
        registry.activate("b", by="张", at=AT)
    with pytest.raises(BundleError, match=name):
        load_classifier(registry.root / "b")
    assert not trap.exists()
    assert registry.active_version() == shipped_version()


@pytest.mark.parametrize("name", ["../b", "b/../b", "", ".", "/etc", "b\n", "a" * 65])
def test_a_name_that_is_no_version_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(UnknownVersionError):
        registry.activate(name, by="张", at=AT)


def test_a_bundle_of_another_schema_is_refused_with_the_mend(registry: Registry) -> None:
    path = registry.root / "b" / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "features": "words-1/0"}), encoding="utf-8")
    with pytest.raises(BundleError, match="请用本版本重新训练"):
        registry.activate("b", by="张", at=AT)


def small_model() -> StackedModel:
    two = np.zeros(2, np.float32)
    head = Head("sentiment", ("negative", "positive"), 0, two + 1, two, {})
    features = ["w路灯", "c灯"]
    arrays = {"idf": two, "coefficients": np.zeros((2, 2)), "intercepts": two}
    return StackedModel(features, arrays, [head])


def test_with_a_key_only_what_it_signed_serves(tmp_path: Path) -> None:
    save_bundle(tmp_path / "signed", small_model(), {"version": "signed"}, signing_key="密钥")
    save_bundle(tmp_path / "plain", small_model(), {"version": "plain"})
    registry = Registry(tmp_path, "密钥")
    registry.activate("signed", by="张", at=AT)
    with pytest.raises(BundleError, match="签名"):
        registry.activate("plain", by="张", at=AT)
    with pytest.raises(BundleError, match="签名"):
        load_classifier(tmp_path / "signed", signing_key="另一把")
    assert Registry(tmp_path).activate("plain", by="张", at=AT) == "signed"


def test_a_verdict_is_about_the_files_that_the_gate_saw(registry: Registry) -> None:
    with pytest.raises(ActivationError, match="还没有过闸"):
        registry.require_passed("b")
    passed = {"champion": shipped_version(), "passed": True, "reasons": []}
    registry.write_gate("b", passed)
    registry.require_passed("b")
    registry.write_gate("b", {**passed, "passed": False, "reasons": ["上报召回率下降"]})
    with pytest.raises(ActivationError, match="上报召回率下降"):
        registry.require_passed("b")
    registry.write_gate("b", {**passed, "champion": "another"})
    with pytest.raises(ActivationError, match="another"):
        registry.require_passed("b")
    registry.write_gate("b", passed)
    path = registry.root / "b" / MANIFEST
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ActivationError, match="还没有过闸"):
        registry.require_passed("b")


def test_pruning_keeps_the_active_version_and_the_way_back(registry: Registry) -> None:
    for name in ("c", "d", "e"):
        add_version(registry.root, name)
    registry.activate("b", by="张", at=AT)
    assert registry.prune(keep=1) == ["c", "d"]
    assert registry.versions() == [shipped_version(), "b", "e"]


def test_changes_by_many_processes_are_all_told_and_leave_one_version_active(
    registry: Registry,
) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.starmap(_activate, [(registry.root, n) for n in range(12)])
    history = registry.history()
    assert len(history) == 12
    assert registry.active_version() == history[-1]["version"]
    assert [e["previous"] for e in history[1:]] == [e["version"] for e in history[:-1]]
    assert sorted(p.name for p in registry.root.glob(f"{ACTIVE}*")) == [ACTIVE]


def _activate(root: Path, number: int) -> None:
    version = "b" if number % 2 else shipped_version()
    Registry(root).activate(version, by=str(number), at=AT)
