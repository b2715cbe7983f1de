"""Registries to change in tests: the shipped model, and versions of it that answer otherwise."""

import json
import shutil
from pathlib import Path

import joblib
from commands import ROOT

from service.artifacts import FORMAT, MANIFEST, file_digest
from service.registry import ACTIVE

SHIPPED = ROOT / "models"


def shipped_version() -> str:
    return (SHIPPED / ACTIVE).read_text(encoding="utf-8").strip()


def make_registry(root: Path) -> Path:
    """A registry of its own with the shipped model, active."""
    version = shipped_version()
    shutil.copytree(SHIPPED / version, root / version)
    (root / ACTIVE).write_text(f"{version}\n", encoding="utf-8")
    return root


def add_version(root: Path, version: str, *, label: int = 0, strength: float = 60.0) -> Path:
    """A version that takes every message for the first topic, or the one that is told."""
    folder = root / version
    shutil.copytree(root / shipped_version(), folder)
    weights = folder / "weights.joblib"
    arrays = joblib.load(weights)
    arrays["intercepts"] = arrays["intercepts"].copy()
    arrays["intercepts"][label] += strength
    joblib.dump(arrays, weights)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["format"] == FORMAT
    manifest["files"]["weights.joblib"] = file_digest(weights)
    manifest["version"] = version
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder
