"""A run that is killed goes on and gives the same bytes."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import ROOT, yanpan

from training.samples import read_samples

AT = "2026-01-05T08:30:00+08:00"
ROWS = 2_200


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [sample.text for sample in read_samples([ROOT / "data" / "samples"])][:ROWS]
    rows = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
    rows[1_234] = "{broken"
    path = tmp_path_factory.mktemp("source") / "in.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def arguments(source: Path, output: Path, *options: str) -> list[str]:
    return ["score", "--input", str(source), "--output", str(output), "--received-at", AT, *options]


@pytest.mark.parametrize("kind", ["jsonl", "xlsx"])
def test_killed_at_many_random_moments_it_ends_with_the_bytes_of_a_quiet_run(
    source: Path, tmp_path: Path, kind: str
) -> None:
    quiet, output = tmp_path / f"quiet.{kind}", tmp_path / f"killed.{kind}"
    began = time.monotonic()
    assert yanpan(*arguments(source, quiet)).returncode == 1  # one row is broken
    whole = time.monotonic() - began
    dice = random.Random(kind)  # noqa: S311 — to vary a test
    kills = 0
    while True:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "service.cli",
                *arguments(source, output, "--resume", "--quiet"),
            ],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(timeout=whole * (dice.uniform(0.25, 0.5) + kills / 10))
            break
        except subprocess.TimeoutExpired:
            assert not output.exists() or output.read_bytes() == quiet.read_bytes()
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            assert kills < 60
    assert process.returncode == 1
    assert kills >= 2
    assert output.read_bytes() == quiet.read_bytes()
    for name in ("errors.jsonl", "run.json"):
        ours, theirs = (p.with_name(f"{p.name}.{name}").read_bytes() for p in (output, quiet))
        assert ours == theirs
    assert not output.with_name(f"{output.name}.partial").exists()


@pytest.fixture
def unfinished(source: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the input and the output of a run that was killed."""
    copy, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    copy.write_bytes(source.read_bytes())
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", *arguments(copy, output)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    folder = output.with_name("out.jsonl.partial")
    while not (folder / "00000000.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    return copy, output


def test_an_unfinished_run_is_neither_overwritten_nor_mixed_with_another(
    unfinished: tuple[Path, Path],
) -> None:
    copy, output = unfinished
    again = yanpan(*arguments(copy, output))
    assert again.returncode == 2
    assert "--resume" in again.stderr
    explained = yanpan(*arguments(copy, output, "--resume", "--explain"))
    assert explained.returncode == 2
    assert "是否给出依据" in explained.stderr
    with copy.open("a", encoding="utf-8") as file:
        file.write('\n{"text": "又一条"}')
    changed = yanpan(*arguments(copy, output, "--resume"))
    assert changed.returncode == 2
    assert "输入文件" in changed.stderr
    assert not output.exists()


def test_a_run_that_was_killed_while_it_put_the_parts_together_goes_on(
    unfinished: tuple[Path, Path], source: Path
) -> None:
    copy, output = unfinished
    (output.with_name("out.jsonl.partial") / "output.jsonl").write_bytes(b"half an outp")
    ended = yanpan(*arguments(copy, output, "--resume"))
    assert ended.returncode == 1, ended.stderr
    rows = len(source.read_text(encoding="utf-8").splitlines())
    assert len(output.read_text(encoding="utf-8").splitlines()) == rows - 1


def test_a_run_of_another_policy_does_not_go_on(
    unfinished: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy, output = unfinished
    policy = tmp_path / "policy"
    for path in (ROOT / "service" / "policy").rglob("*"):
        if path.is_file():
            target = policy / path.relative_to(ROOT / "service" / "policy")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    with (policy / "dictionary.txt").open("a", encoding="utf-8") as file:
        file.write("试验词语 n\n")
    monkeypatch.setenv("YANPAN_POLICY_DIR", str(policy))
    refused = yanpan(*arguments(copy, output, "--resume"))
    assert refused.returncode == 2
    assert "规则" in refused.stderr


def test_the_number_of_processes_changes_nothing(source: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    assert yanpan(*arguments(source, one, "--workers", "1")).returncode == 1
    assert yanpan(*arguments(source, two, "--workers", "2")).returncode == 1
    assert one.read_bytes() == two.read_bytes()
