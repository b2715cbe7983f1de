"""joblib files of a model bundle, read so that nothing in them can be run: arrays, and no objects.

A bundle's files are verified by their SHA-256 before they are read. Where no signing key is set,
whoever can write a file can write its checksum too; what is in it must then be harmless by itself.
"""

import pickle
from pathlib import Path
from typing import Any, Final

import numpy as np
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler
from numpy.typing import NDArray

from service.core.errors import BundleError


class _PlainArray(NumpyArrayWrapper):  # type: ignore[misc]
    """An array of numbers; one of objects would be unpickled by a reader that runs anything."""

    def read(self, unpickler: Any, ensure_native_byte_order: bool) -> Any:  # noqa: FBT001 — joblib's
        if self.dtype.hasobject:
            raise pickle.UnpicklingError("an array of objects")
        return super().read(unpickler, ensure_native_byte_order)


_KNOWN: Final = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): _PlainArray,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(NumpyUnpickler):  # type: ignore[misc]
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return _KNOWN[module, name]


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an uncompressed joblib file by name, memory-mapped.

    Raises:
        BundleError: it holds anything else, or is damaged; nothing of it has been run.
    """
    try:
        with path.open("rb") as file:
            unpickler = _ArraysOnly(str(path), file, ensure_native_byte_order=False, mmap_mode="r")
            found = unpickler.load()
    except Exception as error:  # a damaged pickle fails in any way it likes
        raise _refusal(path, type(error).__name__) from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(array, np.ndarray) for name, array in found.items()
    ):
        raise _refusal(path, type(found).__name__)
    return found


def _refusal(path: Path, what: str) -> BundleError:
    hint = "不要使用来历不明的模型；请从备份恢复或重新训练。"
    return BundleError(f"{path} 不是数组文件：{what}。", hint)
