"""Where PostgreSQL's programs are, for tests and trials that start a server of their own."""

import shutil
from pathlib import Path


def find_programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`; Debian keeps them off the search path."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((path for path in candidates if (path / "pg_ctl").exists()), None)
