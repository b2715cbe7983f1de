"""The contract's shapes of what comes in, and how its faults are told.

Shared by the HTTP door and the batch door, because a line of a file is the body of a request.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from service.core.message import MAX_CHARACTERS, MediaAttention, Message, Spread
from service.core.working_days import SHANGHAI

MOST_IN_BATCH: Final = 1_000
_FIRST_YEAR: Final = 1800  # spreadsheets write 1899-12-30 for no date
_LAST_YEAR: Final = 2200
_HALVES: Final = re.compile("[\ud800-\udfff]")

Count = Annotated[int, Field(ge=0, strict=True)]
Tally = Annotated[int, Field(ge=1, strict=True)]
Level = Literal["low", "medium", "high", "critical"]
ResponseType = Literal["clarify", "answer", "escalate"]
Channel = Literal[
    "weibo", "wechat", "douyin", "forum", "hotline_12345", "mailbox", "news", "app", "other"
]


def with_offset(time: datetime) -> datetime:
    """The time, with the offset of Shanghai where it has none.

    Raises:
        PydanticCustomError: no deadline could be reckoned from it.
    """
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise PydanticCustomError("time_out_of_range", "out of range")
    return time if time.tzinfo else time.replace(tzinfo=SHANGHAI)


def encodable(text: str) -> str:
    """The text with halves of characters, which no encoding can write, marked as lost.

    >>> encodable("路灯" + chr(0xD800) + "坏了")
    '路灯�坏了'
    """
    return _HALVES.sub("\ufffd", text)


Text = Annotated[str, AfterValidator(encodable)]
Time = Annotated[datetime, AfterValidator(with_offset)]


def now() -> datetime:
    """The time of receipt, to the second, with Shanghai's offset."""
    return datetime.now(SHANGHAI).replace(microsecond=0)


class SpreadIn(BaseModel):
    """传播数据；没有的项目不要填，缺失表示未知。Reach figures; leave out what is unknown."""

    views: Count | None = Field(None, description="阅读量 / views")
    reposts: Count | None = Field(None, description="转发量 / reposts")
    comments: Count | None = Field(None, description="评论量 / comments")
    likes: Count | None = Field(None, description="点赞量 / likes")
    regions: Tally | None = Field(None, description="涉及地区数 / regions concerned")
    duplicates: Count | None = Field(None, description="相同内容条数 / copies of the same text")


class MediaIn(BaseModel):
    """媒体关注；缺失表示未知。Media attention; absent means unknown."""

    tier: Literal["none", "local", "provincial", "central", "overseas"] | None = Field(
        None, description="最高媒体层级 / highest media tier"
    )
    reports: Count | None = Field(None, description="报道篇数 / number of reports")
    hot_search: StrictBool | None = Field(None, description="是否上热搜 / on a hot-search list")


class MessageIn(BaseModel):
    """一条舆情。One message about the government, as it was found."""

    model_config = ConfigDict(str_strip_whitespace=False)

    text: Text = Field(
        description=f"正文，去掉首尾空白后 1–{MAX_CHARACTERS} 个字符 / "
        f"the message, 1–{MAX_CHARACTERS} characters after trimming",
        examples=["景区观光车刹车失灵撞上护栏，车上三名游客受伤，其中一个是孩子，现场没人管！"],
    )
    id: str | None = Field(
        None, max_length=128, description="调用方编号，原样返回 / the caller's id, echoed unchanged"
    )
    title: str | None = Field(
        None, max_length=500, description="标题，与正文一并研判 / read together with the text"
    )
    channel: Channel | None = Field(None, description="来源渠道 / where it appeared")
    url: Text | None = Field(None, description="原文链接 / where a clarification would go")
    published_at: Time | None = Field(
        None, description="发布时间，默认北京时间 / RFC 3339, Asia/Shanghai if no offset"
    )
    found_at: Time | None = Field(
        None, description="发现时间，时限由此起算 / deadlines count from here"
    )
    spread: SpreadIn | None = Field(None, description="传播数据 / reach figures")
    media: MediaIn | None = Field(None, description="媒体关注 / media attention")
    involved_departments: Tally | None = Field(
        None, description="涉及部门数 / departments concerned"
    )
    superior_request: StrictBool | None = Field(
        None, description="上级是否要求回应 / a superior organ asked for a response"
    )
    store: StrictBool = Field(
        default=True,
        description="false：作答后不留存 / nothing of it is kept after the answer",
    )

    def to_message(self) -> Message:
        """The core's message."""
        spread = self.spread.model_dump() if self.spread else {}
        media = self.media.model_dump() if self.media else {}
        plain = self.model_dump(exclude={"spread", "media"})
        return Message(**plain, spread=Spread(**spread), media=MediaAttention(**media))


class FieldFault(BaseModel):
    """One fault of the input: where, as a JSON pointer, and what to mend."""

    pointer: str
    detail: str


_DETAILS: Final = {
    "missing": "缺少必填字段。",
    "string_type": "应为字符串。",
    "string_too_long": "过长，最多 {max_length} 个字符。",
    "string_too_short": "过短，至少 {min_length} 个字符。",
    "literal_error": "取值不在允许范围内，应为 {expected} 之一。",
    "int_type": "应为整数。",
    "int_from_float": "应为整数。",
    "int_parsing_size": "整数过大。",
    "bool_type": "应为 true 或 false。",
    "greater_than_equal": "应大于或等于 {ge}。",
    "list_type": "应为数组。",
    "too_long": "过多，最多 {max_length} 项。",
    "too_short": "过少，至少 {min_length} 项。",
    "model_type": "应为 JSON 对象。",
    "model_attributes_type": "应为 JSON 对象。",
    "dict_type": "应为 JSON 对象。",
    "time_out_of_range": f"应在 {_FIRST_YEAR} 年与 {_LAST_YEAR} 年之间。",
    "string_unicode": "含有无法编码的字符。",
}
_TIME_DETAIL: Final = "应为 RFC 3339 时间，例如 2026-01-05T08:30:00+08:00。"


def describe_faults(error: ValidationError) -> list[FieldFault]:
    """Every fault of an input, in Chinese, with a pointer; never a word of the input itself."""
    return [
        describe_fault(fault["type"], fault["loc"], fault.get("ctx", {}))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def describe_fault(
    kind: str, location: tuple[int | str, ...], context: dict[str, Any]
) -> FieldFault:
    """One fault as a pointer and a sentence that says what to mend."""
    if kind.startswith(("datetime", "timezone", "date_")):
        detail = _TIME_DETAIL
    else:
        detail = _DETAILS.get(kind, "格式不正确。").format(**context)
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return FieldFault(pointer="".join(f"/{step}" for step in steps), detail=detail)
