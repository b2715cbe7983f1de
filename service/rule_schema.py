"""The shape of the rules of a policy bundle, each checked by itself."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from service.core.conditions import LEVELS, OPERATORS, Clause, Condition, choices_of, make_clause
from service.core.errors import PolicyError
from service.core.policy import CALLS, CLOCKS, DIMENSIONS, PUBLISHING, RESPONSE_TYPES, VALUES

Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[int, Field(ge=0, le=100, strict=True)]
Words = Annotated[str, Field(min_length=1)]
DEFAULT_SOURCE: Final = "系统默认"
_DRAFT: Final = "draft."

# What no bundle may advise, whoever wrote it: yanpan serves those who write as well.
_FORBIDDEN_ADVICE: Final = (
    "删帖", "删除", "封号", "禁言", "屏蔽", "追究发帖", "追究网民", "约谈发帖", "约谈网民",
    "处罚发帖", "处罚网民", "打击发帖", "控制发帖", "追查发帖", "查找发帖人", "训诫",
)  # fmt: skip


def fault(message: str, hint: str = "") -> PydanticCustomError:
    """What is wrong and how to mend it, for a validator to raise."""
    return PydanticCustomError("policy", "{message}", {"message": f"{message}{hint}"})


def known(choices: Iterable[str]) -> Any:
    """A check that a value is one of the choices."""
    allowed = tuple(choices)

    def check(value: str) -> str:
        if value not in allowed:
            raise fault(f"{value!r} 不可用。", f"可用：{'、'.join(allowed)}。")
        return value

    return check


def _no_forbidden_advice(text: str) -> str:
    for word in _FORBIDDEN_ADVICE:
        if word in text:
            hint = "研判只提建议，不建议删除信息，也不建议针对发布人。"
            raise fault(f"不得含有“{word}”。", hint)
    return text


Advice = Annotated[Words, AfterValidator(_no_forbidden_advice)]


LevelKey = Annotated[str, AfterValidator(known(LEVELS))]
ResponseType = Annotated[str, AfterValidator(known(RESPONSE_TYPES))]


class Strict(BaseModel):
    """A table without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleIn(Strict):
    """One rule: `when` lists clauses that must all hold; of `{any = […]}` one must.

    A clause is `{fact = "…"}` with at most one of `is` (true if left out), `in`, `at_least` and
    `below`.
    """

    id: Words
    text: Advice
    source: Words = DEFAULT_SOURCE
    when: Condition = Condition()

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @field_validator("when", mode="before")
    @classmethod
    def _read_condition(cls, raw: Any, info: ValidationInfo) -> Condition:
        if not isinstance(raw, list):
            raise fault("条件应为列表。", '写成 [{ fact = "…", is = "…" }]。')
        lexicons = (info.context or {}).get("lexicons", ())
        clauses, groups = [], []
        for place, item in enumerate(raw):
            if isinstance(item, dict) and item.keys() == {"any"} and isinstance(item["any"], list):
                places = (f"[{place}].any[{n}]" for n in range(len(item["any"])))
                inner = zip(item["any"], places, strict=True)
                groups.append(tuple(_read_clause(one, where, lexicons) for one, where in inner))
            else:
                clauses.append(_read_clause(item, f"[{place}]", lexicons))
        if () in groups:
            raise fault("any 至少要有一项。")
        if not _is_possible(clauses, groups):
            raise fault("条件互相矛盾，永远不会成立。", "请改其中一项。")
        return Condition(tuple(clauses), tuple(groups))


def _read_clause(raw: Any, where: str, lexicons: Iterable[str]) -> Clause:
    if not isinstance(raw, dict) or not isinstance(raw.get("fact"), str):
        raise fault(f"{where} 条件缺少 fact。", '写成 { fact = "…", is = "…" }。')
    operators = [key for key in raw if key != "fact"]
    if len(operators) > 1 or any(key not in OPERATORS for key in operators):
        raise fault(
            f"{where} 运算 {operators} 不可用。", f"只能用其中一个：{'、'.join(OPERATORS)}。"
        )
    operator = operators[0] if operators else "is"
    try:
        return make_clause(raw["fact"], operator, raw.get(operator, True), lexicons)
    except PolicyError as error:
        raise fault(f"{where} {error.detail}", error.hint) from error


def _is_possible(clauses: Sequence[Clause], groups: Sequence[Sequence[Clause]]) -> bool:
    """Whether some facts pass all clauses and one of each group."""
    if groups:
        return any(_is_possible([*clauses, clause], groups[1:]) for clause in groups[0])
    return all(
        _has_value(fact, [clause for clause in clauses if clause.fact == fact])
        for fact in {clause.fact for clause in clauses}
    )


def _has_value(fact: str, clauses: Sequence[Clause]) -> bool:
    choices = choices_of(fact)
    if choices is not None:
        return any(all(clause.holds({fact: value}) for clause in clauses) for value in choices)
    least = [clause.operand for clause in clauses if clause.operator == "at_least"]
    below = [clause.operand for clause in clauses if clause.operator == "below"]
    return not least or not below or max(least) < min(below)


class MessageRuleIn(RuleIn):
    """A rule about a message; what is asked of drafts would never hold."""

    @model_validator(mode="after")
    def _asks_about_messages(self) -> Self:
        for fact in self.when.facts:
            if fact.startswith(_DRAFT):
                raise fault(f"when：{fact} 只能用于 draft.rules。")
        return self


class _RaisingRule(MessageRuleIn):
    """A rule that may raise: higher figures must never make it fail."""

    @model_validator(mode="after")
    def _only_grows(self) -> Self:
        for clause in self.when.parts:
            if not clause.grows:
                hint = "数字越大等级只能越高，请改用 at_least。"
                raise fault(f"when：{clause.fact} 不能用 {clause.operator}。", hint)
        return self


class LevelRuleIn(_RaisingRule):
    """Speaks for at least a level."""

    dimension: Annotated[str, AfterValidator(known(DIMENSIONS))]
    effect: LevelKey

    @model_validator(mode="after")
    def _level_is_not_known_yet(self) -> Self:
        if "level" in self.when.facts:
            raise fault("when：等级规则不能以 level 为条件。", "请改用 text_level（文本等级）。")
        return self


class ResponseRuleIn(_RaisingRule):
    """Speaks for at least a response type."""

    effect: ResponseType


class ValueRuleIn(MessageRuleIn):
    """Whether a response is required or optional (回应价值); the first that holds decides."""

    effect: Annotated[str, AfterValidator(known(VALUES))]


class ChannelRuleIn(MessageRuleIn):
    """Where the response is published; the first that holds decides."""

    effect: Annotated[str, AfterValidator(known(PUBLISHING))]


class CallRuleIn(MessageRuleIn):
    """Calls for a press conference or an expert."""

    effect: Annotated[str, AfterValidator(known(CALLS))]


class OfficeRuleIn(MessageRuleIn):
    """Calls in one more office, named by `effect`."""

    effect: Words


class DispositionIn(MessageRuleIn):
    """One of the six official dispositions; the first of the chosen type that holds decides."""

    type: ResponseType
    action: Advice


class DeadlineIn(MessageRuleIn):
    """A clock from when the message was found."""

    action: Words
    name: Words
    clock: Annotated[str, AfterValidator(known(CLOCKS))]
    amount: Annotated[int, Field(ge=1, le=2_000, strict=True)]


class DraftRuleIn(RuleIn):
    """Speaks for at least a level of a draft policy."""

    effect: LevelKey

    @model_validator(mode="after")
    def _asks_about_drafts(self) -> Self:
        for clause in self.when.parts:
            if not clause.fact.startswith(_DRAFT) or not clause.grows:
                raise fault(
                    f"when：{clause.fact} 不可用。", "draft.rules 只看 draft.… 与 at_least。"
                )
        return self
