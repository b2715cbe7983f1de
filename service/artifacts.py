"""Model bundle on disk ↔ Classifier: arrays and text files, each verified before it is read."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from numpy.typing import NDArray

from service.array_files import load_arrays
from service.core.classify import Head, Refinement
from service.core.errors import BundleError
from service.core.features import SCHEMA
from service.core.stacked import StackedClassifier
from service.core.vocabulary import Vocabulary, build_vocabulary

FORMAT: Final = 3
MANIFEST: Final = "manifest.json"
_SIGNATURE: Final = f"{MANIFEST}.hmac"
_VOCABULARY: Final = "vocabulary.txt"  # for people; serving reads the index built from it
_INDEX: Final = "index.joblib"
_WEIGHTS: Final = "weights.joblib"
_HEADS: Final = "heads.json"
_MODEL_FILES: Final = (_VOCABULARY, _INDEX, _WEIGHTS, _HEADS)
_TABLE: Final = ("multipliers", "known", "rows", "kinds")
_ARRAYS: Final = ("idf", "coefficients", "intercepts")
_LAYERS: Final = ("hidden", "hidden_bias", "output", "output_bias")


@dataclass(frozen=True, slots=True)
class StackedModel:
    """A trained model as numbers and words only, with no reference to this project's code.

    Attributes:
        vocabulary: the features, words before characters.
        arrays: `idf` (features,), `coefficients` (features, outputs), `intercepts` (outputs,),
            all float32.
        heads: how the outputs are shared out and calibrated.
        refinements: the second stage of some heads.
    """

    vocabulary: Sequence[str]
    arrays: Mapping[str, Any]
    heads: Sequence[Head]
    refinements: Sequence[Refinement] = ()

    def classifier(self) -> StackedClassifier:
        """The classifier that serves it, as `load_classifier` gives it for a saved bundle."""
        return _fuse(build_vocabulary(self.vocabulary), self.arrays, self.heads, self.refinements)


def save_bundle(
    folder: Path,
    model: StackedModel,
    manifest: Mapping[str, Any],
    *,
    signing_key: str | None = None,
) -> None:
    """Writes the model files and a manifest with their SHA-256; `folder` must be new.

    With a key, `manifest.json.hmac` holds the manifest's signature (HMAC-SHA-256).

    Raises:
        FileExistsError: the folder is there already; bundles are never overwritten.
    """
    folder.mkdir(parents=True)
    text = "".join(f"{key}\n" for key in model.vocabulary)
    (folder / _VOCABULARY).write_text(text, encoding="utf-8", newline="\n")
    arrays = {name: _short(model.arrays[name]) for name in _ARRAYS}
    for refinement in model.refinements:
        arrays |= {f"{refinement.head}.{x}": _short(getattr(refinement, x)) for x in _LAYERS}
    joblib.dump(build_vocabulary(model.vocabulary), folder / _INDEX)
    joblib.dump(arrays, folder / _WEIGHTS)
    write_json(folder / _HEADS, [_head_table(head) for head in model.heads])
    files = {name: file_digest(folder / name) for name in _MODEL_FILES}
    contents = {"format": FORMAT, "features": SCHEMA, **manifest, "files": files}
    write_json(folder / MANIFEST, contents)
    if signing_key:
        (folder / _SIGNATURE).write_text(_sign(folder, signing_key), encoding="ascii")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle.

    Raises:
        BundleError: it is missing, not JSON, or of another format or feature schema.
    """
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(f"模型包缺少 {path}。", "请检查模型版本，或重新训练。") from error
    except ValueError as error:
        raise BundleError(f"{path} 不是有效的 JSON。", "请从备份恢复或重新训练。") from error
    for key, wanted in (("format", FORMAT), ("features", SCHEMA)):
        if manifest.get(key) != wanted:
            found = manifest.get(key)
            raise BundleError(
                f"{path}：{key} 为 {found!r}，本程序需要 {wanted!r}。", "请用本版本重新训练。"
            )
    return manifest


def verify_bundle(folder: Path, *, signing_key: str | None = None) -> dict[str, Any]:
    """The manifest, after every file it names was found to have its SHA-256.

    With a key, the manifest's own signature must be there and right.

    Raises:
        BundleError: a file is missing, changed or not named in the manifest, or the signature is
            not that of the key.
    """
    if signing_key:
        _check_signature(folder, signing_key)
    manifest = read_manifest(folder)
    files = manifest.get("files", {})
    for name in _MODEL_FILES:
        path = folder / name
        if name not in files or not path.is_file():
            raise BundleError(f"模型包缺少文件 {path}。", "请从备份恢复或重新训练。")
        if file_digest(path) != files[name]:
            raise BundleError(f"{path} 的校验和与清单不符。", "文件已损坏或被改动，请从备份恢复。")
    return manifest


def _sign(folder: Path, key: str) -> str:
    return hmac.new(key.encode(), (folder / MANIFEST).read_bytes(), hashlib.sha256).hexdigest()


def _check_signature(folder: Path, key: str) -> None:
    path = folder / _SIGNATURE
    found = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else ""
    if not (folder / MANIFEST).is_file() or not hmac.compare_digest(
        found.encode(), _sign(folder, key).encode()
    ):
        raise BundleError(
            f"{folder} 没有正确的签名。", "请用 YANPAN_SIGNING_KEY 的密钥训练，或核对密钥。"
        )


def load_classifier(folder: Path, *, signing_key: str | None = None) -> StackedClassifier:
    """Reads a verified bundle; its arrays are memory-mapped, so processes share their pages.

    Raises:
        BundleError: as for `verify_bundle`, or the shapes do not fit each other.
    """
    verify_bundle(folder, signing_key=signing_key)
    index = load_arrays(folder / _INDEX)
    return _fuse(index, *_read_weights(folder, len(index["kinds"])))


def load_model(folder: Path, *, signing_key: str | None = None) -> StackedModel:
    """Reads a verified bundle as what it was saved from, to train on from there.

    Raises:
        BundleError: as for `load_classifier`.
    """
    verify_bundle(folder, signing_key=signing_key)
    vocabulary = (folder / _VOCABULARY).read_text(encoding="utf-8").split("\n")[:-1]
    return StackedModel(vocabulary, *_read_weights(folder, len(vocabulary)))


def _read_weights(
    folder: Path, features: int
) -> tuple[dict[str, Any], list[Head], list[Refinement]]:
    arrays = load_arrays(folder / _WEIGHTS)
    heads = load_heads(folder)
    outputs = sum(len(head.labels) for head in heads)
    if arrays["coefficients"].shape != (features, outputs):
        raise BundleError(f"{folder}：系数矩阵与词表、标签的数目不符。", "请重新训练。")
    refinements = [
        Refinement(head.name, *(np.asarray(arrays[f"{head.name}.{x}"]) for x in _LAYERS))
        for head in heads
        if f"{head.name}.hidden" in arrays
    ]
    if any(r.hidden.shape[0] != outputs + 1 for r in refinements):
        raise BundleError(f"{folder}：第二级网络与标签的数目不符。", "请重新训练。")
    return arrays, heads, refinements


def load_heads(folder: Path) -> list[Head]:
    """How the outputs of a bundle's matrix are shared out."""
    return [_head(table) for table in json.loads((folder / _HEADS).read_text(encoding="utf-8"))]


def _fuse(
    index: Mapping[str, Any],
    arrays: Mapping[str, Any],
    heads: Sequence[Head],
    refinements: Sequence[Refinement],
) -> StackedClassifier:
    return StackedClassifier(
        Vocabulary(*(index[name] for name in _TABLE)),
        arrays["idf"],
        arrays["coefficients"],
        arrays["intercepts"],
        heads,
        refinements=refinements,
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(array: Any) -> NDArray[np.float32]:
    """The array in float32 with 11 bits of mantissa left, rounded.

    The missing bits change a probability by less than a thousandth and halve what a version
    control system has to store.
    """
    whole = np.ascontiguousarray(array, np.float32).view(np.uint32)
    half: NDArray[np.float32] = ((whole + 0x800) & 0xFFFFF000).astype(np.uint32).view(np.float32)
    return half


def _head_table(head: Head) -> dict[str, Any]:
    return {
        "name": head.name,
        "labels": list(head.labels),
        "first": head.first,
        "slopes": [round(float(slope), 6) for slope in head.slopes],
        "offsets": [round(float(offset), 6) for offset in head.offsets],
        "thresholds": {label: round(t, 4) for label, t in head.thresholds.items()},
        **({"names": dict(head.names)} if head.names else {}),
    }


def _head(table: Mapping[str, Any]) -> Head:
    return Head(
        name=table["name"],
        labels=tuple(table["labels"]),
        first=table["first"],
        slopes=np.array(table["slopes"], dtype=np.float32),
        offsets=np.array(table["offsets"], dtype=np.float32),
        thresholds=table["thresholds"],
        names=table.get("names", {}),
    )


def write_json(path: Path, contents: Any) -> None:
    """Writes readable JSON, the same bytes for the same contents."""
    text = json.dumps(contents, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", encoding="utf-8", newline="\n")
