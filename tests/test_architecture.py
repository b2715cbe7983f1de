"""The dependency rules of docs/architecture.md, read from the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE_MAY_IMPORT = {
    "bisect", "collections", "dataclasses", "datetime", "functools", "html", "itertools", "logging",
    "math", "re", "types", "typing", "unicodedata", "numpy", "scipy", "jieba", "opencc", "rjieba",
    "importlib.metadata", "service.core",
}  # fmt: skip
SOURCES = sorted([*ROOT.glob("service/**/*.py"), *ROOT.glob("training/**/*.py")])


def imports(path: Path, *, lazy: bool = True) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if lazy else tree.body
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module}
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_under(module: str, *packages: str) -> bool:
    return any(module == p or module.startswith(f"{p}.") for p in packages)


@pytest.mark.parametrize("path", sorted(ROOT.glob("service/core/*.py")), ids=lambda p: p.stem)
def test_the_core_imports_nothing_that_reaches_outside(path: Path) -> None:
    foreign = {m for m in imports(path) if not is_under(m, *CORE_MAY_IMPORT)}
    assert not foreign


def test_only_the_segmenter_knows_jieba_and_only_to_quiet_it_the_logging_module() -> None:
    users = {
        p.stem
        for p in ROOT.glob("service/core/*.py")
        if imports(p) & {"jieba", "logging", "rjieba"}
    }
    assert users == {"segment"}


def test_nothing_in_service_imports_training_but_the_command_line_and_that_lazily() -> None:
    users = {p for p in ROOT.glob("service/**/*.py") if any_under(p, "training")}
    assert {p.name for p in users} == {"cli.py", "model_commands.py", "sample_commands.py"}
    assert not any(is_under(m, "training") for p in users for m in imports(p, lazy=False))


def test_the_doors_do_not_know_each_other() -> None:
    for door, others in (("api", ["batch", "cli"]), ("batch", ["api", "cli"])):
        for path in ROOT.glob(f"service/{door}/*.py"):
            assert not any_under(path, *(f"service.{other}" for other in others)), path


def any_under(path: Path, *packages: str) -> bool:
    return any(is_under(m, *packages) for m in imports(path))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 330
