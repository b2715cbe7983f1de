"""What identifies a person is named instead of told; what the public calls stays."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.privacy import find_personal, mask

# All invented. What is personal stands in angle brackets.
PERSONAL = [
    ("身份证号", "身份证<110101199001011237>"),
    ("身份证号", "身份证号：<４４０１０６１９８８１２３１００２Ｘ>，请核实"),
    ("身份证号", "老证号<440106881231002>"),
    ("身份证号", "<110101 19900101 123x>"),
    ("手机号", "回电<13800138000>"),
    ("手机号", "打<138-0013-8000>找我"),
    ("手机号", "加<1 3 8 0 0 1 3 8 0 0 0>"),
    ("手机号", "加我<一三八零零一三八零零零>"),
    ("手机号", "<+86 13800138000>"),
    ("固定电话", "座机<0571-88886666>"),
    ("固定电话", "座机<(010)66667777>转分机"),
    ("固定电话", "联系电话：<88886666>"),
    ("银行卡号", "卡号是<6222 0212 3456 7890 123>"),
    ("银行卡号", "打到<6228480402564890018>"),
    ("邮箱", "发到<zhang.san@example.com>"),
    ("车牌号", "那辆<浙A12345>"),
    ("车牌号", "新能源<京AD12345>违停"),
    ("车牌号", "货车<鲁B·1234挂>"),
    ("护照号", "护照<E12345678>"),
    ("编号", "订单号：<2023010112345678>"),
    ("编号", "快递单号<SF1234567890123>"),
    ("账号", "微信号<abc_12345>"),
    ("账号", "加QQ<123456789>"),
    ("门牌", "幸福路<128号>"),
    ("门牌", "住<3号楼2单元501室>"),
    ("门牌", "住<三栋二单元五零一>"),
    ("门牌", "阳光小区<12栋1203>"),
    ("姓名", "我叫<王小明>，今年"),
    ("姓名", "联系人：<欧阳震华> "),
    ("姓名", "本人<李雷>，系业主"),
    ("姓名", "<张伟>，身份证"),
]
PUBLIC = [
    "打过12345、12301、12315、96110、110、119、120都没用",
    "客服400-800-1234或95588",
    "文旅部2026年1号文件，第12号公告",
    "地铁3号线中山路站，早上7点30分",
    "赔了13800元，等了180天，2026-11-27还没消息",
    "本人对于处理结果不满，我叫什么不重要",
    "A级景区，G2501次高铁，K1路公交",
    "王局长说研究研究，李主任没回",
]


@pytest.mark.parametrize(("kind", "marked"), PERSONAL)
def test_what_identifies_a_person_is_found_as_its_kind(kind: str, marked: str) -> None:
    start, end = marked.index("<"), marked.index(">") - 1
    text = marked.replace("<", "").replace(">", "")
    assert [(p.kind, p.start, p.end) for p in find_personal(text)] == [(kind, start, end)]
    assert mask(text) == re.sub("<.*>", f"[{kind}]", marked)


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_or_a_figure_stays(text: str) -> None:
    assert mask(text) == text


PIECES = st.sampled_from([*(m for _, m in PERSONAL), *PUBLIC, "，", "1", "一", " ", "王", "号"])


@given(st.lists(PIECES, max_size=8).map("".join))
def test_nothing_personal_is_left_in_a_masked_text(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
    spans = find_personal(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert all(0 <= p.start < p.end <= len(text) for p in spans)
