"""What goes wrong with text on its way to the desk, as patterns and their replacements.

Every pattern is linear in the text: bounded repeats, no nested quantifiers. HAN is the inside of
a character class: the unified ideographs and the zero 〇. What must stand before a match is asked
after its first character: re finds that many times faster than a place with something before it.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f〇"
HAS_HAN: Final = re.compile(f"[{HAN}]")

# --- width and compatibility forms
# NFKC only where it cannot change the meaning: full-width letters, digits and symbols, half-width
# CJK marks, compatibility ideographs, radicals, mathematical letters. Chinese punctuation stays
# full-width; circled numbers, superscripts and units stay as the writer set them.
_KEPT_FULL_WIDTH: Final = "！（），：；？"
_COMPATIBILITY_RANGES: Final = (
    (0xFF01, 0xFF9F),
    (0xFFE0, 0xFFE6),
    (0xF900, 0xFAFF),
    (0x2E80, 0x2FD5),
    (0x2F800, 0x2FA1D),
    (0x1D400, 0x1D7FF),
)
_LAST_OF_BASIC_PLANE: Final = "\uffff"
_COMPATIBLE: Final = {
    char: folded
    for first, last in _COMPATIBILITY_RANGES
    for char in map(chr, range(first, last + 1))
    if char not in _KEPT_FULL_WIDTH and (folded := unicodedata.normalize("NFKC", char)) != char
}
# Letters in circles and squares, which people write words with; NFKC knows some of them only.
_COMPATIBLE.update(
    (chr(first + number), chr(ord("a") + number))
    for first in (0x24B6, 0x24D0, 0x1F130, 0x1F150, 0x1F170)
    for number in range(26)
)
COMPATIBLE_SINGLES: Final = {
    ord(char): folded for char, folded in _COMPATIBLE.items() if len(folded) == 1
}
"""The forms that stand for one character, which then needs no other origin."""
# Two classes: re looks a character up at once only in a class within the basic plane.
COMPATIBILITY_FORM: Final = re.compile(
    f"[{re.escape(''.join(c for c in _COMPATIBLE if c <= _LAST_OF_BASIC_PLANE))}]"
    f"|(?=[\U0001d400-\U0001d7ff\U0001f130-\U0001f189\U0002f800-\U0002fa1d])"
    f"[{''.join(c for c in _COMPATIBLE if c > _LAST_OF_BASIC_PLANE)}]"
)


def fold_compatibility(match: re.Match[str]) -> str:
    """The ordinary character behind a compatibility form."""
    return _COMPATIBLE[match[0]]


# --- line ends, invisible characters, markup
# `_x000D_` is how a workbook writes a carriage return, and how careless exports leave it.
LINE_END: Final = re.compile("\r\n?|_x000[dD]_\n?|[\x0b\x0c\x85\u2028\u2029]")
# Controls, soft hyphen, zero-width and direction marks, variation selectors, private use (old
# microblog emoji), lone surrogates, tags.
INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
ENTITY: Final = re.compile(
    "&(?:amp;){0,20}(#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,30};|nbsp)"
)
_INLINE: Final = "a|abbr|b|big|code|em|font|i|img|ins|label|mark|s|small|span|strong|sub|sup|u"
_BLOCK: Final = (
    "article|blockquote|body|br|center|dd|div|dl|dt|footer|form|h[1-6]|head|header|hr|html|iframe|"
    "input|li|link|main|meta|nav|ol|option|p|pre|script|section|select|style|table|tbody|td|th|"
    "thead|title|tr|ul|video"
)
HIDDEN_ELEMENT: Final = re.compile(
    r"<(script|style)\b[^<>]{0,500}>[^<]{0,5000}</\1\s{0,9}>|<!--[^<>]{0,2000}>", re.IGNORECASE
)
TAG: Final = re.compile(
    rf"</?(?:(?P<inline>{_INLINE})|(?:{_BLOCK}))(?:[\s/][^<>]{{0,2000}})?>", re.IGNORECASE
)
MARKUP_OPENING: Final = re.compile("[<&]")


def unescape_entity(match: re.Match[str]) -> str:
    """The character behind an HTML entity, however often its ampersand was escaped."""
    return html.unescape(f"&{match[1]}" if match[1].endswith(";") else "\u00a0")


def drop_tag(match: re.Match[str]) -> str:
    """Nothing for an inline tag, a line end for one that starts a block."""
    return "" if match["inline"] else "\n"


# --- pinyin put behind a character
_TONED: Final = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜńňǹḿế"
PINYIN_NOTE: Final = re.compile(f"(?<=[{HAN}])[(（] ?([a-zü\u0261{_TONED}]{{1,7}}) ?[)）]")
_TONE: Final = re.compile(f"[{_TONED}]")
_SYLLABLE: Final = re.compile(
    "(?:[bpmfdtnlgkhjqxrzcsyw]|[zcs]h)?"
    "(?:a|o|e|ai|ei|ao|ou|an|en|ang|eng|ong|er|i|ia|ie|iao|iu|ian|in|iang|ing|iong|"
    "u|ua|uo|uai|ui|uan|un|uang|ue|v|ve)|ng?|m"
)


@lru_cache(maxsize=4_096)  # the syllables are few, and each is asked for twice
def is_pinyin(note: str) -> bool:
    """Whether the note is one pinyin syllable, with or without its tone.

    >>> [is_pinyin(s) for s in ("zé", "wǎng", "men", "app", "wechat")]
    [True, True, True, False, False]
    """
    plain = unicodedata.normalize("NFD", note.replace("\u0261", "g").replace("ü", "v"))
    return _SYLLABLE.fullmatch("".join(c for c in plain if c.isascii())) is not None


def has_tone(note: str) -> bool:
    """Whether the note carries a tone mark, which ordinary bracketed words do not."""
    return _TONE.search(note) is not None


# --- spaces
_BLANK: Final = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
SPACE_IN_HAN: Final = re.compile(f"[{_BLANK}](?<=[{HAN}].)[{_BLANK}]*(?=[{HAN}])")
SPACES: Final = re.compile(f"[{_BLANK}]*\n\\s*|[{_BLANK}]+")


def collapse_space(match: re.Match[str]) -> str:
    """One space for a run of blanks, one line end for a run that holds line ends."""
    return "\n" if "\n" in match[0] else " "


class Repair(NamedTuple):
    """A pattern, what takes its place, and literals of which a text it occurs in has one.

    Most texts have none, and to see that costs a hundredth of a search for the pattern.
    """

    needs: tuple[str, ...]
    pattern: re.Pattern[str]
    new: str | Callable[[re.Match[str]], str]

    def may_occur(self, text: str) -> bool:
        """False only where the pattern does not occur."""
        return any(literal in text for literal in self.needs)


# --- punctuation
_MARKS: Final = "，。、；：！？”’）》】"
PUNCTUATION: Final = tuple(
    Repair(needs, re.compile(pattern), new)
    for needs, pattern, new in (
        # A comma that a crawler put in front of the real mark: `,，` `,。` `,、`
        ((",",), f",+(?= ?[,{_MARKS};:!?)])", ""),
        (("，，",), "，{2,}", "，"),
        (("、、",), "、{2,}", "、"),
        (("；；",), "；{2,}", "；"),
        ((",",), f",(?:(?<=[{HAN}{_MARKS}],),* ?|(?=[{HAN}“‘《【（]))", "，"),
        (
            ("!", "?"),
            f"[!?](?<=[{HAN}{_MARKS}].)[!?]*",
            lambda m: m[0].translate({33: "！", 63: "？"}),
        ),
        ((".",), f"\\.(?<=[{HAN}].)(?=[{HAN}\\s]|\\Z)", "。"),
        (("..", "。。"), f"\\.(?<=[{HAN}{_MARKS}].)\\.+|。(?<=[{HAN}{_MARKS}].)。+", "…"),
        (("……",), "…{2,}", "…"),
        (("",), r"([^\w\s])\1{3,}", lambda m: m[1] * 3),
    )
)

# --- furniture of mail programs, share buttons and web pages
# Only lines that cannot carry a message: a breadcrumb must name a home page, headers of a mail
# must come in twos, the record card of a portal in threes.
_SITES: Final = "微信|微博|新浪微博|QQ空间|QQ好友|QQ|朋友圈|抖音"
_BUTTONS: Final = "打印本页|关闭窗口|打印|关闭|收藏|字体|纠错|大|中|小"
_FURNITURE_LINE: Final = re.compile(
    r"^(?:"
    r"(?:发自|發自|来自|來自)我的 ?[\w +-]{1,20}|Sent from my [\w +-]{1,20}|"
    r"-{2,} ?(?:原始邮件|原始郵件|转发邮件|Original Message|Forwarded message) ?-{2,}|"
    rf"(?:分享到|分享至|一键分享)[:： ]{{0,2}}(?:{_SITES}|[ 、|/]){{0,20}}|"
    r"[您你]?[现現]?在?(?:所在|當前|当前)?的?位置 ?[:：][^\n]{0,40}(?:首页|首頁)[^\n]{0,120}|"
    rf"[【\[]?(?:{_BUTTONS})(?:[】\] |/、:：]{{1,3}}(?:{_BUTTONS})){{1,6}}[】\]]?|"
    r"(?:上一篇|下一篇)[:：][^\n]{0,80}"
    r")[ 。]?$",
    re.MULTILINE,
)
_LINE_TAIL: Final = re.compile(
    r"[O0]?网页链接$|(?:\.{3}|…)?展开全文c?$|(?:查看更多|阅读全文|查看原图)$|"
    r"\(?(?:转自|转发自|来自|分享自) ?@?[\w-]{1,20}(?:客户端|APP)\)?$|"
    r"赞\[\d{1,9}\] ?转发\[\d{1,9}\] ?(?:收藏 ?)?评论\[\d{1,9}\][^\n]{0,30}$",
    re.MULTILINE,
)
_MAIL_HEADERS: Final = re.compile(
    r"(?:^(?:发件人|收件人|抄送|发送时间|寄件者|收件者|主题|From|To|Cc|Sent|Date|Subject)"
    r" ?[:：][^\n]{0,120}\n){2,10}",
    re.MULTILINE,
)
_RECORD_CARD: Final = re.compile(
    r"(?:^(?:索引号|索引號|组配分类|組配分類|发布机构|發布機構|主题分类|主題分類|文号|文號|名称|名稱|"
    r"发布日期|發布日期|生成日期|成文日期|有效性|信息来源|信息來源|主题词|主題詞)"
    r" ?[:：][^\n]{0,120}\n){3,40}",
    re.MULTILINE,
)
FURNITURE: Final = (
    Repair(("\n",), _RECORD_CARD, ""),
    Repair(("\n",), _MAIL_HEADERS, ""),
    Repair(("",), _FURNITURE_LINE, ""),
    Repair(
        ("网页链接", "展开全文", "查看更多", "阅读全文", "查看原图", "客户端", "APP", "赞["),
        _LINE_TAIL,
        "",
    ),
)

# --- strings of search terms put in front of a genuine text
# Parted as page titles are, by _ or |; a list that a person writes has commas alone.
SEARCH_TERM: Final = re.compile(r"([^\s_,|/]{1,40})([\s_,|/]{1,4}|\Z)")
TITLE_SEPARATORS: Final = "_|"
