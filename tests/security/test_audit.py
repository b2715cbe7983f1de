"""What was done to the service can be told afterwards, and not changed unseen."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import yanpan

from service.audit import AuditError, AuditLog, TamperedError
from service.registry import ActivationError, Registry

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def write_some(path: Path, key: str | None = None) -> AuditLog:
    log = AuditLog(path, key)
    for number in range(5):
        log.write("model_activated", by="甲", at=NOW, version=f"v{number}")
    return log


def test_events_are_read_as_they_were_written(tmp_path: Path) -> None:
    log = write_some(tmp_path / "audit.jsonl")
    assert [line["version"] for line in log.read()] == ["v0", "v1", "v2", "v3", "v4"]
    last = log.last("model_activated")
    assert last is not None
    assert (last["number"], last["by"]) == (5, "甲")
    assert log.last("key_added") is None


@pytest.mark.parametrize("what", ["change", "remove", "swap", "insert", "garble", "empty"])
def test_a_change_shows_with_its_line(tmp_path: Path, what: str) -> None:
    log = write_some(tmp_path / "audit.jsonl")
    lines = log.path.read_text(encoding="utf-8").splitlines()
    match what:
        case "change":
            lines[2] = lines[2].replace("v2", "v9")
        case "remove":
            del lines[2]
        case "swap":
            lines[2], lines[3] = lines[3], lines[2]
        case "insert":
            lines.insert(2, lines[2])
        case "garble":
            lines[2] = "{"
        case _:
            lines[2] = "null"
    log.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(TamperedError, match=r"第 [34] 行"):
        list(log.read())


def test_a_chain_made_anew_shows_where_there_is_a_key(tmp_path: Path) -> None:
    write_some(tmp_path / "audit.jsonl")  # by somebody who does not know it
    with pytest.raises(TamperedError):
        list(AuditLog(tmp_path / "audit.jsonl", "secret").read())


def test_writers_at_the_same_time_make_one_chain(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    threads = [threading.Thread(target=write_some, args=(log.path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(log.read())) == 40


def test_nothing_is_activated_that_cannot_be_told(registry: Registry, tmp_path: Path) -> None:
    blocked = Registry(registry.root, audit=AuditLog(tmp_path / "ACTIVE" / "audit.jsonl"))
    before = registry.active_version()
    with pytest.raises(AuditError, match="未作改动"):
        blocked.activate("b", by="甲", at=NOW)
    assert registry.active_version() == before
    assert registry.history() == []


def test_nothing_is_told_that_cannot_be_activated(registry: Registry, tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    told = Registry(registry.root, audit=log)
    draft = registry.root / f"ACTIVE.{os.getpid()}"
    draft.mkdir()  # in the way of the new pointer, as a folder that cannot be written is
    with pytest.raises(ActivationError, match="未作改动"):
        told.activate("b", by="甲", at=NOW)
    assert not list(log.read())
    draft.rmdir()
    told.activate("b", by="甲", at=NOW)
    assert [line["event"] for line in log.read()] == ["model_activated"]


def test_the_command_verifies_and_tells_what_was_cut_off(tmp_path: Path) -> None:
    home = {
        "YANPAN_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
        "YANPAN_KEYS_FILE": str(tmp_path / "keys.json"),
        "YANPAN_DATABASE_URL": f"sqlite:///{tmp_path}/yanpan.db",
    }
    for name in ("甲", "乙"):
        assert yanpan("keys", "add", name, "--scope", "score", environment=home).returncode == 0
    ended = yanpan("feedback", "purge", "--days", "30", "--by", "审", environment=home)
    assert ended.returncode == 0
    lines = [json.loads(x) for x in yanpan("audit", "list", environment=home).stdout.splitlines()]
    assert [x["event"] for x in lines] == ["key_added", "key_added", "feedback_purged"]
    ended = yanpan("audit", "verify", "--expect", lines[-1]["digest"], environment=home)
    assert ended.returncode == 0
    assert "3 条" in ended.stdout
    path = Path(home["YANPAN_AUDIT_LOG"])
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert yanpan("audit", "verify", environment=home).returncode == 0
    ended = yanpan("audit", "verify", "--expect", lines[-1]["digest"], environment=home)
    assert ended.returncode == 3
    path.write_text(path.read_text().replace("甲", "丙"))
    ended = yanpan("audit", "verify", environment=home)
    assert ended.returncode == 3
    assert "第 1 行" in ended.stderr
