"""Policy bundle on disk → Policy; the version is the hash of what was read."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from service.core.conditions import LEVELS, LEXICON, Clause, Condition
from service.core.disguise import read_aliases, read_words
from service.core.errors import PolicyError
from service.core.lookalikes import read_forms
from service.core.policy import (
    DeadlineRule,
    DispositionRule,
    DraftPolicy,
    Level,
    Offices,
    Policy,
    ReviewRule,
)
from service.core.quantities import Circumstances, any_of
from service.core.rules import Rule, RuleTable
from service.core.segment import DictionaryEntry
from service.core.working_days import WorkingCalendar
from service.policy_schema import DraftIn, HolidaysIn, OwnersIn, PolicyIn
from service.rule_schema import LevelRuleIn, RuleIn

_RULES: Final = "policy.toml"
_HOLIDAYS: Final = "holidays.toml"
_DICTIONARY: Final = "dictionary.txt"
_LEXICONS: Final = "lexicons"
_SEARCH_SPAM: Final = "search_spam"
_DISGUISES: Final = "disguises"
_LOOKALIKES: Final = "lookalikes"
_PAST: Final = "past"
_UNREAL: Final = "unreal"
_MOST_FAULTS: Final = 20  # a wrong header breaks everything below it; nobody reads more

T = TypeVar("T", bound=BaseModel)


def load_policy(folder: Path) -> Policy:
    """Reads a policy bundle.

    Raises:
        PolicyError: a file is missing or not UTF-8, a line or a key is wrong; the detail names
            every file, line and key to mend.
    """
    contents = _read_all(folder)
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\0{content}\0".encode())
    lexicons = {
        Path(name).stem: tuple(_words(content, name))
        for name, content in contents.items()
        if name.startswith(_LEXICONS)
    }
    rules = _check(PolicyIn, _RULES, contents[_RULES], {"lexicons": lexicons})
    holidays = _check(HolidaysIn, _HOLIDAYS, contents[_HOLIDAYS], {})
    return _assemble(
        rules,
        holidays,
        lexicons,
        version=digest.hexdigest()[:12],
        dictionary=[_entry(line, number) for number, line in _lines(contents[_DICTIONARY])],
    )


def describe_policy(policy: Policy) -> dict[str, Any]:
    """A policy as JSON-ready values: everything that decides, but for the words of its lists."""
    tables = {
        field.name: [_describe_rule(rule) for rule in table]
        for field in fields(policy)
        if isinstance(table := getattr(policy, field.name), RuleTable)
    }
    return {
        "version": policy.version,
        "name": policy.name,
        "levels": [asdict(level) for level in policy.levels.values()],
        "weights": dict(policy.weights),
        "thresholds": {head: dict(table) for head, table in policy.thresholds.items()},
        "least_hours": policy.least_hours,
        **tables,
        "owners": {
            "source": policy.offices.source,
            "offices": dict(policy.offices.by_topic),
            "additions": [_describe_rule(rule) for rule in policy.offices.additions],
        },
        "draft_rules": [_describe_rule(rule) for rule in policy.draft.rules],
        "holiday_years": dict(policy.calendar.years),
        "review": asdict(policy.review),
        "lexicons": list(policy.asked_lexicons),
        "dictionary_terms": len(policy.dictionary),
    }


def _describe_rule(rule: Any) -> dict[str, Any]:
    """A rule as it stands in the bundle; a field that says nothing is left out."""
    table = {field.name: getattr(rule, field.name) for field in fields(rule)}
    condition: Condition = table.pop("when")
    groups = [{"any": [_describe_clause(c) for c in group]} for group in condition.groups]
    when = [*(_describe_clause(c) for c in condition.clauses), *groups]
    return {key: value for key, value in table.items() if value != ""} | {"when": when}


def _describe_clause(clause: Clause) -> dict[str, Any]:
    return {"fact": clause.fact, clause.operator: clause.operand}


def _assemble(
    rules: PolicyIn,
    holidays: HolidaysIn,
    lexicons: Mapping[str, Sequence[str]],
    *,
    version: str,
    dictionary: Sequence[DictionaryEntry],
) -> Policy:
    disguises, lookalikes = (lexicons.get(name, ()) for name in (_DISGUISES, _LOOKALIKES))
    # Told here, by `yanpan policy check` too, and not only when a service starts with them.
    read_words(disguises)
    read_aliases(disguises)
    read_forms(lookalikes)
    return Policy(
        version=version,
        name=rules.meta.name,
        levels=_levels(rules),
        weights={key: band["weight"] for key, band in rules.dimensions.model_dump().items()},
        intent_scores=rules.nature.intents,
        thresholds=rules.thresholds,
        least_hours=rules.least_hours,
        level_rules=_table(rules.level_rules),
        response_rules=_table(rules.response_rules),
        values=_table(rules.values),
        dispositions=RuleTable([DispositionRule(**_fields(r)) for r in rules.dispositions]),
        channels=_table(rules.channels),
        calls=_table(rules.calls),
        verification=_table(rules.verification),
        steps=_table(rules.steps),
        deadlines=RuleTable([DeadlineRule(**_fields(r)) for r in rules.deadlines]),
        offices=_offices(rules.owners),
        calendar=_calendar(holidays),
        review=ReviewRule(**rules.review.model_dump()),
        draft=_draft(rules.draft),
        asked_lexicons={name: any_of(lexicons[name]) for name in _asked(rules)},
        circumstances=Circumstances.of_words(lexicons[_PAST], lexicons[_UNREAL]),
        dictionary=tuple(dictionary),
        search_terms=lexicons[_SEARCH_SPAM],
        disguises=disguises,
        lookalikes=lookalikes,
    )


def _asked(rules: PolicyIn) -> list[str]:
    """The word lists that rules ask about."""
    facts = {fact for rule in rules.rules() for fact in rule.when.facts}
    return sorted(fact.removeprefix(LEXICON) for fact in facts if fact.startswith(LEXICON))


def _fields(rule: BaseModel) -> dict[str, Any]:
    """The fields as they are: `model_dump` would take conditions apart."""
    return dict(rule)


def _table(rules: Sequence[RuleIn]) -> RuleTable[Rule]:
    return RuleTable([_rule(rule) for rule in rules])


def _rule(rule: RuleIn) -> Rule:
    dimension = rule.dimension if isinstance(rule, LevelRuleIn) else ""
    effect = getattr(rule, "effect", "")
    return Rule(rule.id, rule.text, rule.source, rule.when, effect, dimension)


def _levels(rules: PolicyIn) -> dict[str, Level]:
    return {
        key: Level(key=key, rank=rank, **getattr(rules.levels, key).model_dump())
        for rank, key in enumerate(LEVELS, 1)
    }


def _offices(owners: OwnersIn) -> Offices:
    by_topic = {topic: office.name for office in owners.offices for topic in office.topics}
    return Offices(by_topic, owners.source, owners.least_support, _table(owners.additions))


def _calendar(holidays: HolidaysIn) -> WorkingCalendar:
    off, worked = set[date](), set[date]()
    for year in holidays.years.values():
        for holiday in year.holidays:
            length = (holiday.last - holiday.first).days + 1
            off |= {holiday.first + timedelta(days=n) for n in range(length)}
            worked |= set(holiday.worked)
    announced = {number: year.announced for number, year in holidays.years.items()}
    return WorkingCalendar(frozenset(off), frozenset(worked), announced)


def _draft(draft: DraftIn) -> DraftPolicy:
    return DraftPolicy(
        least_similarity=draft.least_similarity,
        most_neighbours=draft.most_neighbours,
        groups=draft.groups,
        rules=_table(draft.rules),
        outline=tuple(draft.outline),
    )


def _read_all(folder: Path) -> dict[str, str]:
    """The files of a bundle by their names; every word list is optional but three."""
    lexicons = sorted((folder / _LEXICONS).glob("*.txt"))
    needed = [folder / name for name in (_RULES, _HOLIDAYS, _DICTIONARY)]
    needed += [folder / _LEXICONS / f"{name}.txt" for name in (_SEARCH_SPAM, _PAST, _UNREAL)]
    paths = dict.fromkeys([*needed, *lexicons])
    return {path.relative_to(folder).as_posix(): _read(path) for path in paths}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise PolicyError(f"规则包缺少文件 {path}。", "请补上该文件。") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path} 不是 UTF-8 编码。", "请另存为 UTF-8。") from error


def _check(model: type[T], name: str, content: str, context: dict[str, Any]) -> T:
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name} 不是有效的 TOML：{error}。", "请按所示行号修改。") from error
    try:
        return model.model_validate(table, context=context)
    except ValidationError as error:
        faults = [_describe(name, content, fault) for fault in error.errors(include_url=False)]
        raise PolicyError("\n".join(faults[:_MOST_FAULTS])) from error


_MESSAGES: Final = {
    "missing": "缺少这个键。",
    "extra_forbidden": "未知的键，请检查拼写。",
    "string_type": "应为字符串。",
    "string_too_short": "不能为空。",
    "int_type": "应为整数。",
    "float_type": "应为数。",
    "bool_type": "应为 true 或 false。",
    "list_type": "应为列表。",
    "dict_type": "应为表。",
    "model_type": "应为表。",
    "greater_than_equal": "应不小于 {ge}。",
    "greater_than": "应大于 {gt}。",
    "less_than_equal": "应不大于 {le}。",
    "literal_error": "应为 {expected} 之一。",
    "policy": "{message}",
}


def _describe(name: str, content: str, fault: Any) -> str:
    place = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in fault["loc"]).lstrip(".")
    line = line_of(content, fault["loc"])
    message = _MESSAGES.get(fault["type"], "格式不正确。").format(**fault.get("ctx", {}))
    where = f"{name} 第 {line} 行" if line else name
    return f"{where}{' ' if place else ''}{place}：{message}"


def line_of(content: str, location: Sequence[int | str]) -> int | None:
    r"""The line of a TOML text on which a key, or the table that should hold it, begins.

    >>> line_of("[[rules]]\nid = 1\n[[rules]]\nid = 2\n", ("rules", 1, "id"))
    4
    """
    lines = [line.split("#")[0].strip() for line in content.splitlines()]
    found, header = None, ""
    for step in location:
        if isinstance(step, int):
            places = [n for n, line in enumerate(lines) if line == f"[[{header}]]"]
            found = places[step] if step < len(places) else found
            continue
        header = f"{header}.{step}".lstrip(".")
        tables = [n for n, line in enumerate(lines) if line in (f"[{header}]", f"[[{header}]]")]
        if tables:
            found = tables[0]
        elif (key := _key_line(lines, step, found)) is not None:
            found = key
    return None if found is None else found + 1


def _key_line(lines: Sequence[str], key: str, table: int | None) -> int | None:
    """The line of a key inside the table whose header stands on line `table`."""
    first = 0 if table is None else table + 1
    for number in range(first, len(lines)):
        if lines[number].startswith("["):
            return None
        if re.match(rf"{re.escape(key)}\s*=", lines[number]):
            return number
    return None


def _lines(content: str) -> list[tuple[int, str]]:
    """Numbered lines without comments and blank lines."""
    stripped = ((n, line.strip()) for n, line in enumerate(content.splitlines(), 1))
    return [(n, line) for n, line in stripped if line and not line.startswith("#")]


def _words(content: str, name: str) -> list[str]:
    """The words of a word list, one a line."""
    words: dict[str, int] = {}
    for number, line in _lines(content):
        if line in words:
            place = f"{name} 第 {number} 行"
            raise PolicyError(f"{place}：{line} 与第 {words[line]} 行重复。", "请删去一处。")
        words[line] = number
    return list(words)


def _entry(line: str, number: int) -> DictionaryEntry:
    """`词`, `词 词频`, `词 词性` or `词 词频 词性`, as jieba's own user dictionaries have it."""
    term, *rest = line.split()
    frequency = int(rest.pop(0)) if rest and rest[0].isdigit() else None
    if len(rest) > 1 or (rest and not rest[0].isascii()):
        place = f"dictionary.txt 第 {number} 行"
        raise PolicyError(f"{place}：应为“词 [词频] [词性]”，现为 {line!r}。", "一行一个词。")
    return DictionaryEntry(term, frequency, rest[0] if rest else None)
