"""Patterns of figures in Chinese text: numerals with their units, and what happened to people."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from service.core.numerals import MARKS, NUMERAL

# Words that tell what happened to the people counted, gravest first: 重伤 must win over 伤.
EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "seriously_injured": "重伤|伤势严重|危重|生命垂危|命危|病危",
        "poisoned": "食物中毒|中毒|上吐下泻|腹泻|呕吐",
        "deaths": "死亡|身亡|遇难|丧生|罹难|溺亡|去世|丧命|毙命|死掉|死难|死者"
        "|亡(?!羊)|死(?![角板活机路心守缠命不性结鱼猪树鸡水贵盯扛撑]|胡同|循环)",
        "injured": "受伤|轻伤|擦伤|烧伤|烫伤|砸伤|撞伤|摔伤|打伤|咬伤|骨折|伤亡|死伤|伤者"
        "|伤(?!心|害|感|不起|人心|天害理)|送医|住院",
        "missing": "失踪|失联|下落不明|失去联系",
        "trapped": "被困|受困|困在|被埋|掩埋",
        "stranded": "滞留",
        "gathered": "聚集|集结|集会|围堵|堵(?:路|门|在|住|了)|游行|静坐|请愿|拉(?:起)?横幅|集访"
        "|上访|罢工|罢市|罢运|罢课|抗议|示威|围攻|冲击",
        "loss": "损失",
    }
)
_PERSON: Final = (
    r"\s?(?:名|个|位|条(?=人命))?\s?(?:口(?!井|锅|棺|塘|钢)人?|人(?!民|次|气|份|家|均|生|行)|[游旅乘顾]客|学生"
    "|孩子|儿童|小孩|娃|老人|工人|村民|居民|群众|业主|市民|人员|员工|民工|农民工|司机|师傅|女子|男子|同学|教师|老师"
    "|家长|职工|幼儿|婴儿|患者|病人|消防员|民警|驴友|商户|车主|租户|购房者|受害者|投资人|受害人|男童|女童|少年"
    "|女生|男生|妇女|乘员|船员|矿工|死者|伤者|家属|网友|会员|选手|观众)"
)
_NOT_PEOPLE: Final = (
    r"\s?(?:头|只|条|匹|棵|株|尾|亩|分钟|分|次|岁|年|月|日|号|点|天|楼|层|米|公里|斤|度|%)"
)
_TIME: Final = r"\s?(?:个?多?小时|个?钟头|天|昼夜)"
_MONEY: Final = r"\s?(?:万|亿)?(?:多|余)?(?:元|块钱|块(?!地|田|石|砖|板|肉|玻璃)|人民币)"
_HOUSEHOLD: Final = r"\s?(?:余|多)?(?:户|家(?=业主|住户|农户|商户|商铺|店铺))"

NUMBER: Final = re.compile(
    f"(?P<number>{NUMERAL})(?:(?P<household>{_HOUSEHOLD})|(?P<money>{_MONEY})|(?P<time>{_TIME})"
    f"|(?P<other>{_NOT_PEOPLE})|(?P<person>{_PERSON})|(?P<bare>\\s?(?=[死伤亡])))"
)
# A comma parts a figure from what follows, unless that takes the figure up again.
_BREAK: Final = r"[。！？；!?;\n]|[，,、](?!\s?(?:其中|全部|均|都|无一))"
# The first characters of all of them, and a few more: a look at one spares a try of seventy words.
_FIRST: Final = "".join({piece[0] for words in EVENTS.values() for piece in words.split("|")})
TOKEN: Final = re.compile(
    rf"(?=[{_FIRST}。！？；!?;\n，,、])(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in EVENTS.items())
    + f"|(?P<pause>{_BREAK}))"
)
PAUSE: Final = "pause"
# Any numeral beside the first character of any unit.
CANDIDATE: Final = re.compile(
    rf"[{MARKS}][{MARKS},.多余来\-—~～至到 ]{{0,30}}"
    "[名个位条口人游旅乘顾学孩儿小娃老工村居群业市民农司师女男同教家职幼婴患病消驴商车租购受投少妇船矿死伤亡会"
    "选观网户头只匹棵株尾亩分次岁年月日号点天楼层米公斤度%时钟昼元块]"
)
# An ordinal, or the rest of a numeral that was refused (万一).
CONTINUED: Final = frozenset("第该万千百十零一二三四五六七八九")
OTHER: Final = "other"
NUMBERS: Final = ("person", "bare")
DENIED: Final = re.compile(
    r"(?:(?<!有)无|没(?!想到|料到)有?|未|并未|尚未|不存在|零|(?<!\d)0)"
    r"(?:有|造成|发生|出现|导致|接到|发现|任何|一|人员?|群众|游客|旅客|乘客|学生|过|听说)*\s?$"
)
SUPPOSED: Final = re.compile(
    "万一|如果|假如|要是|假设|倘若|难道|非要|非得|差点|差一点|险些|可能会|会不会|迟早|早晚|以免|免得|防止|避免"
    "|即使|哪怕|是不是要|等到|再不"
)
THIS_TIME: Final = re.compile(
    "今天|今日|今年|今早|今晚|昨天|昨日|昨晚|刚刚|刚才|目前|现在|凌晨|本月|本周|这次|此次"
)
DATE: Final = re.compile(r"((?:19|20)\d\d)\s?年(?:\s?(\d{1,2})\s?月)?")
