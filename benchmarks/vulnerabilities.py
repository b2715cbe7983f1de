"""Known vulnerabilities of the locked packages: `make audit`.

pip-audit asks a public database for each package. Where that cannot be reached, or knows none of
them, nothing was looked at, and this says so instead of passing in silence.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

_LOCK: Final = Path(__file__).resolve().parent.parent / "requirements.lock"
_OPTIONS: Final = ("--progress-spinner", "off", "--disable-pip", "--require-hashes")
_PATIENCE: Final = 300  # seconds


def main() -> int:
    """Prints what is known; the status is 1 if a locked package is vulnerable."""
    command = [sys.executable, "-m", "pip_audit", *_OPTIONS, "--format", "json", "-r", str(_LOCK)]
    try:
        ended = subprocess.run(  # noqa: S603 — a locked package
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        packages = json.loads(ended.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        packages = []
    looked_at = [package for package in packages if "skip_reason" not in package]
    if not looked_at:
        print("pip-audit: left out, its database of vulnerabilities cannot be reached")
        return 0
    found = [
        f"{package['name']} {package['version']}: {one['id']}, mended in {one['fix_versions']}"
        for package in looked_at
        for one in package["vulns"]
    ]
    print(f"pip-audit: {len(looked_at)} of {len(packages)} packages looked at, {len(found)} faults")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
