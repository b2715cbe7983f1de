"""Names of where people come from, which must not sway a judgement."""

import re
from typing import Final

# The regions of the first level, as people write them.
REGIONS: Final = (
    "北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏", "浙江",
    "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "重庆", "四川",
    "贵州", "云南", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆", "香港", "澳门", "台湾",
)  # fmt: skip
# The larger of the recognized peoples; names that are also part of common words (水族馆) are not.
PEOPLES: Final = (
    "汉族", "蒙古族", "回族", "藏族", "维吾尔族", "苗族", "彝族", "壮族", "布依族", "朝鲜族",
    "满族", "侗族", "瑶族", "白族", "土家族", "哈尼族", "哈萨克族", "傣族", "黎族", "畲族",
)  # fmt: skip

# Going to the capital is how a petition is told, so that name stays; the codebook says so.
_KEPT: Final = "北京"
_LONG: Final = 3  # a name of three characters or more is also told by two of them: 龙江, 蒙古
_NAMES: Final = re.compile(
    "|".join(
        {name for name in REGIONS + PEOPLES if name != _KEPT}
        | {name[i : i + 2] for name in REGIONS if len(name) >= _LONG for i in range(len(name) - 1)}
    )
)


def names_an_origin(term: str) -> bool:
    """Whether a feature's text holds the name of a region or a people.

    >>> [names_an_origin(term) for term in ("河南人", "龙江", "去北京", "河边")]
    [True, True, False, False]
    """
    return bool(_NAMES.search(term))
