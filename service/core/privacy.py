"""Personal data (个人信息) in a text: found by plain patterns, and masked before it is kept.

What identifies a person in a message to the government, by GB/T 35273—2020, appendix A: numbers of
identity cards, telephones, bank cards and passports, number plates, e-mail addresses, house
numbers, orders, accounts, and names where the writer says that they are names. Numbers that the
public is meant to call (12345, 12301, 110, 400-…) stay.
"""

import re
from typing import Final, NamedTuple

# Read as digits, one for one: full-width ones, and Chinese ones where a number is spelled out.
_DIGITS: Final = str.maketrans(
    "０１２３４５６７８９〇零一二三四五六七八九幺＠．－Ｘｘ", "0123456789001234567891@.-XX"
)
_GAP: Final = r"[\s\-‐‑–—_.·\u200b-\u200f\u2060\ufeff]{0,2}"
_IS: Final = r"\s?(?:是|为|[:：])?\s?"
_SURNAMES: Final = (
    "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|夏侯|[王李张刘陈杨黄赵"
    "吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟"
    "姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔"
    "向常汤康易乔温赖文樊兰殷施洪翟安颜倪牛俞章鲁葛毕聂焦岳齐梅庄辛管祝左涂谷祁时耿柯阮欧尤靳卜"
    "解缪柳娄车闵申童褚闻蒲苗裴艾佟詹]"
)


class Personal(NamedTuple):
    """A span of the text that identifies a person.

    Attributes:
        kind: what it is, in Chinese, as it stands in the mask.
        start, end: code points of the text, end-exclusive.
    """

    kind: str
    start: int
    end: int


def _number(*digits: str) -> str:
    """A number of such digits, which may be parted by single marks, and no longer one."""
    return rf"(?<![0-9]){_GAP.join(digits)}(?!{_GAP}[0-9])"


_D: Final = "[0-9]"
_BIRTHDAY: Final = ("[01]", _D, "[0-3]", _D)  # month and day
_CARDS: Final = "|".join(_number("[3-9]", *[_D] * (n - 1)) for n in (19, 18, 17, 16))
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_UNIT: Final = r"[,，\s]?[0-9A-Za-z]{1,3}单元"
_ROOM: Final = r"[,，\s]?[0-9]{1,5}(?:室|号房|房|户|号(?![0-9线]))?"
_BUILDING: Final = r"[0-9A-Za-z]{1,4}(?:号楼|号院|栋|幢|座)"
_NAME: Final = rf"(?:{_SURNAMES})[\u4e00-\u9fff]{{1,2}}"
_NAME_ENDS: Final = r"(?=[，,。；;：:（(、\s]|$|先生|女士|同志|身份证|电话|手机|住|是|家)"
_NAME_BEGINS: Final = (
    r"(?:我叫|名叫|我是(?:业主|村民|居民|家长|学生|职工|员工)"
    rf"|(?:姓名|联系人|举报人|投诉人|反映人|来信人|当事人|署名){_IS}|本人(?={_NAME}[，,。：:（(、\s]))\s?"
)
_NAMED_BY: Final = r"[，,（(\s]{0,2}[男女]?[，,\s]{0,2}(?:身份证|联系电话|手机号|电话号码)"
_RECORDS: Final = (
    "订单|运单|快递|物流|工单|受理|案件|合同|保单|病历|住院|社保|医保|学籍|准考证|房产证"
    "|会员|交易|流水|票|单"
)

# The first that matches at a place wins; a group named `told` narrows the span to what is personal.
_OF_NUMBERS: Final = (
    ("邮箱", r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,63}){1,4}"),
    (
        "身份证号",
        _number("[1-9]", *[_D] * 5, "[12]", "[09]", _D, _D, *_BIRTHDAY, *[_D] * 3, "[0-9Xx]"),
    ),
    ("手机号", rf"(?:\+|00)86{_GAP}1[3-9](?:{_GAP}[0-9]){{9}}(?![0-9])"),
    ("手机号", _number("1", "[3-9]", *[_D] * 9)),
    ("固定电话", rf"(?<![0-9])[(（]?0[1-9][0-9]{{1,2}}[)）]?{_GAP}[2-8][0-9]{{6,7}}(?![0-9])"),
    (
        "固定电话",
        (
            rf"(?:电话|座机|号码|致电|来电|回电)(?:号码)?{_IS}"
            r"(?P<told>[2-8][0-9]{3}\s?[0-9]{3,4})(?![0-9])"
        ),
    ),
    ("银行卡号", _CARDS),
    ("身份证号", _number("[1-9]", *[_D] * 7, *_BIRTHDAY, _D, _D, _D)),
    (
        "车牌号",
        rf"[{_PROVINCES}][A-Za-z][·•.\s-]?[A-Za-z0-9]{{4,5}}[A-Za-z0-9挂学警港澳](?![A-Za-z0-9])",
    ),
    ("护照号", rf"(?:护照|通行证)(?:号码|号)?{_IS}(?P<told>[A-Za-z]{{1,2}}[0-9]{{7,9}})(?![0-9])"),
    ("护照号", r"(?<![A-Za-z0-9])[EGDPSHM][A-Za-z]?[0-9]{7,8}(?![A-Za-z0-9])"),
    (
        "编号",
        rf"(?:{_RECORDS})(?:编号|号码|号|单号){_IS}(?P<told>[A-Za-z0-9][A-Za-z0-9_/-]{{5,31}})",
    ),
    (
        "账号",
        (
            rf"(?:微信|[Qq]{{2}}|扣扣|[Vv][Xx信]|支付宝|[账帐]号|账户|卡号)(?:号码|号)?{_IS}"
            r"(?P<told>[A-Za-z0-9][A-Za-z0-9_-]{4,23})"
        ),
    ),
    ("门牌", rf"{_BUILDING}{_UNIT}(?:{_ROOM})?"),
    ("门牌", rf"{_BUILDING}{_ROOM}"),
    ("门牌", rf"[0-9A-Za-z]{{1,3}}单元{_ROOM}"),
    ("门牌", r"(?<![0-9])[0-9]{1,3}-[0-9]{1,3}-[0-9]{2,4}(?=室|号|户|房)"),
    ("门牌", r"(?<![0-9])[0-9]{3,4}室"),
    (
        "门牌",
        (
            r"(?<=[路街巷弄道里胡同村组坊苑园区城寨屯])"
            r"[0-9]{1,5}(?:之[0-9]{1,2}|-[0-9]{1,4})?号(?!线|文|令|公告|通知)"
        ),
    ),
)
_OF_WORDS: Final = (
    (
        "姓名",
        (
            rf"{_NAME_BEGINS}"
            rf"(?P<told>(?:{_SURNAMES})[\u4e00-\u9fff]{{1,2}}?{_NAME_ENDS}|{_NAME})"
        ),
    ),
    ("姓名", rf"(?P<told>{_NAME}){_NAMED_BY}"),
)
_PATTERNS: Final = [(kind, re.compile(p), True) for kind, p in _OF_NUMBERS] + [
    (kind, re.compile(p), False) for kind, p in _OF_WORDS
]


def find_personal(text: str) -> list[Personal]:
    """The personal data of a text, in order; spans do not overlap.

    >>> [(p.kind, p.start, p.end) for p in find_personal("打12345没用，请回13800138000")]
    [('手机号', 11, 22)]
    """
    read = text.translate(_DIGITS)
    found: list[Personal] = []
    taken = bytearray(len(text))
    for kind, pattern, is_number in _PATTERNS:
        for match in pattern.finditer(read if is_number else text):
            start, end = match.span("told" if "told" in pattern.groupindex else 0)
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(Personal(kind, start, end))
    return sorted(found, key=lambda personal: personal.start)


def mask(text: str) -> str:
    """The text with its personal data named instead of told.

    >>> mask("我叫王小明，住幸福路12号3栋2单元501室，电话0571-88886666，车牌浙A12345，打过12345")
    '我叫[姓名]，住幸福路[门牌][门牌]，电话[固定电话]，车牌[车牌号]，打过12345'
    """
    parts, upto = [], 0
    for kind, start, end in find_personal(text):
        parts += [text[upto:start], f"[{kind}]"]
        upto = end
    return "".join([*parts, text[upto:]])
