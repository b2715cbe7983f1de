"""What a model was made with: versions of packages, and the code itself."""

import hashlib
import platform
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_PACKAGES: Final = ("yanpan", "scikit-learn", "numpy", "scipy", "jieba", "rjieba")


def describe_code() -> dict[str, Any]:
    """The versions, and the SHA-256 of all modules, for the manifest of a bundle."""
    digest = hashlib.sha256()
    for package in ("service", "training"):
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    versions = {name: package_version(name) for name in _PACKAGES}
    return {
        "code_sha256": digest.hexdigest(),
        "versions": {"python": platform.python_version(), **versions},
    }
