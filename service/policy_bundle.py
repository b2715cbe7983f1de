"""Policy bundle on disk → Policy; the version is the hash of what was read."""

import hashlib
import tomllib
from pathlib import Path

from service.core.errors import PolicyError
from service.core.policy import Policy, parse_policy
from service.core.segment import DictionaryEntry

_FILES = ("policy.toml", "dictionary.txt", "lexicons/search_spam.txt")


def load_policy(folder: Path) -> Policy:
    """Reads a policy bundle.

    Raises:
        PolicyError: a file is missing or not UTF-8, a line or a key is wrong; the detail names it.
    """
    contents = {name: _read(folder / name) for name in _FILES}
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{content}\0".encode())
    try:
        table = tomllib.loads(contents["policy.toml"])
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(
            f"policy.toml 不是有效的 TOML：{error}。", "请按所示行号修改。"
        ) from error
    return parse_policy(
        table,
        version=digest.hexdigest()[:12],
        dictionary=[_entry(line, number) for number, line in _lines(contents["dictionary.txt"])],
        search_terms=[line for _, line in _lines(contents["lexicons/search_spam.txt"])],
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PolicyError(f"规则包缺少文件 {path}。", "请补上该文件。") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path} 不是 UTF-8 编码。", "请另存为 UTF-8。") from error


def _lines(content: str) -> list[tuple[int, str]]:
    """Numbered lines without comments and blank lines."""
    stripped = ((n, line.strip()) for n, line in enumerate(content.splitlines(), 1))
    return [(n, line) for n, line in stripped if line and not line.startswith("#")]


def _entry(line: str, number: int) -> DictionaryEntry:
    """`词`, `词 词频`, `词 词性` or `词 词频 词性`, as jieba's own user dictionaries have it."""
    term, *rest = line.split()
    frequency = int(rest.pop(0)) if rest and rest[0].isdigit() else None
    if len(rest) > 1 or (rest and not rest[0].isascii()):
        place = f"dictionary.txt 第 {number} 行"
        raise PolicyError(f"{place}：应为“词 [词频] [词性]”，现为 {line!r}。", "一行一个词。")
    return DictionaryEntry(term, frequency, rest[0] if rest else None)
