"""The labels of every head and their names; the meanings are in data/samples/README.md."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Names = Mapping[str, str]  # label → Chinese name

TOPIC: Final[Names] = MappingProxyType(
    {
        "travel_agency": "旅行社与导游",
        "scenic_area": "景区管理与服务",
        "lodging_dining": "住宿餐饮与预订",
        "culture_market": "演出娱乐与文化市场",
        "heritage": "文物与非遗",
        "public_culture": "公共文化与体育",
        "broadcasting": "广播电视与新闻出版",
        "urban_rural": "城乡建设、住房与三农",
        "environment": "生态环境",
        "transport": "交通出行",
        "education": "教育",
        "health": "医疗卫生",
        "labour_welfare": "劳动社保与民政",
        "consumer_market": "市场监管与消费",
        "governance": "政务作风与政法治安",
        "other": "其他",
    }
)
SENTIMENT: Final[Names] = MappingProxyType(
    {"negative": "负面", "neutral": "中性", "positive": "正面"}
)
INTENT: Final[Names] = MappingProxyType(
    {
        "consult": "咨询",
        "help": "求助",
        "complaint": "投诉",
        "tipoff": "举报",
        "suggestion": "建议",
        "praise": "表扬",
        "claim": "陈述传播",
        "other": "其他",
    }
)
RESPONSE: Final[Names] = MappingProxyType(
    {"escalate": "上报处置", "clarify": "澄清", "answer": "答复", "none": "无需回应"}
)
RISK: Final[Names] = MappingProxyType({"1": "一般", "2": "较大", "3": "重大", "4": "特别重大"})
FLAGS: Final[Names] = MappingProxyType(
    {
        "casualty": "伤亡",
        "accident": "事故灾害",
        "minor": "未成年人",
        "threat": "扬言威胁",
        "collective": "群体诉求",
        "mobilise": "号召聚集",
        "petition": "信访上访",
        "misconduct": "公职人员违纪违法",
        "hearsay": "传闻",
        "misread": "误解误读",
        "media": "媒体曝光",
        "abuse": "辱骂",
        "hardship": "生计困难",
        "spam": "垃圾信息",
    }
)
HEADS: Final[Mapping[str, Names]] = MappingProxyType(
    {
        "topic": TOPIC,
        "sentiment": SENTIMENT,
        "intent": INTENT,
        "response": RESPONSE,
        "risk": RISK,
        "flags": FLAGS,
    }
)
HEAD_NAMES: Final[Names] = MappingProxyType(
    {"topic": "话题", "sentiment": "情感", "intent": "诉求类型", "response": "回应", "risk": "风险"}
)
CHANNELS: Final[Names] = MappingProxyType(
    {
        "weibo": "微博",
        "wechat": "微信",
        "douyin": "抖音",
        "forum": "论坛",
        "hotline_12345": "12345热线",
        "mailbox": "网站信箱",
        "news": "新闻",
        "app": "手机应用",
        "other": "其他",
    }
)
CULTURE_AND_TOURISM: Final = (
    "travel_agency",
    "scenic_area",
    "lodging_dining",
    "culture_market",
    "heritage",
    "public_culture",
    "broadcasting",
)


# A head of a taxonomy of the deployment's own (自有标签体系). It takes the place of ours in what is
# reported; rules, offices and the second stage go on reading ours, which is judged beside it.
OWN: Final = "own."
REPLACEABLE: Final = ("topic", "sentiment", "intent")  # no rule is bound to be about them


def own_names(names: Mapping[str, Names]) -> dict[str, Names]:
    """The deployment's own labels with their names, by the head that they take the place of.

    Args:
        names: those of the heads that a model brings, as `Classifier.names` has them.
    """
    return {head.removeprefix(OWN): own for head, own in names.items() if head.startswith(OWN)}


def reported_names(names: Mapping[str, Names]) -> dict[str, Names]:
    """The labels with their names that assessments may hold, head by head.

    Args:
        names: as for `own_names`.
    """
    given = {head: own for head, own in names.items() if head in HEADS}
    return {**HEADS, **given, **own_names(names)}


def keys_of(names: Names) -> dict[str, str]:
    """Chinese name or key of a label → key.

    >>> keys_of(SENTIMENT)["负面"], keys_of(SENTIMENT)["negative"]
    ('negative', 'negative')
    """
    return {name: key for key, name in names.items()} | {key: key for key in names}


def name_of(head: str, label: str) -> str:
    """Chinese name of a label, or the label itself where another taxonomy brought it.

    >>> name_of("sentiment", "negative"), name_of("topic", "parks")
    ('负面', 'parks')
    """
    return HEADS[head].get(label, label) if head in HEADS else label
