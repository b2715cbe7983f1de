"""Normalization: repairs one by one, then properties over hostile text, then the seed page."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import damage
from service.core.damage import HAS_HAN
from service.core.normalize import Normalizer
from service.policy_bundle import load_policy
from service.settings import Settings

POLICY = load_policy(Settings().policy_dir)
NORMALIZER = Normalizer(POLICY.search_terms, POLICY.disguises)


@pytest.mark.parametrize(
    ("raw", "clean", "repair"),
    [
        ("１２３４５热线ＡＰＰ打不开", "12345热线APP打不开", "width_folded"),
        ("⼈民⼴场", "人民广场", "width_folded"),
        ("门票，退款！（急）", "门票，退款！（急）", None),
        ("退\u200b款\ufeff", "退款", "invisible_removed"),
        ("退&nbsp;款&lt;急&gt;", "退款<急>", "html_removed"),
        ("退&amp;amp;nbsp;款", "退款", "html_removed"),
        (
            "<p>导游<b>骂人</b></p><script>var a=1;</script>求处理",
            "导游骂人\n求处理",
            "html_removed",
        ),
        ("水位<3米，a<b>c", "水位<3米，ac", "html_removed"),
        ("谁負責(zé)？网(wǎng)络", "谁负责？网络", "pinyin_removed"),
        ("负责(ze)人电话", "负责(ze)人电话", None),
        ("下载软件(app)后联系他(tā)们(men)", "下载软件(app)后联系他们", "pinyin_removed"),
        ("这 家 民 宿 太 坑 了", "这家民宿太坑了", "spaces_removed"),
        ("城 管打人", "城管打人", "spaces_removed"),
        ("open the door 开门", "open the door 开门", None),
        ("景区,,很好,。真的,、是", "景区，很好。真的、是", "punctuation_repaired"),
        ("价格3,500元,太贵", "价格3,500元，太贵", "punctuation_repaired"),
        ("太过分了!!!!!!", "太过分了！！！", "punctuation_repaired"),
        ("回家.因儿子生病", "回家。因儿子生病", "punctuation_repaired"),
        ("等了很久。。。。。", "等了很久…", "punctuation_repaired"),
        ("網絡輿情機構發佈", "网络舆情机构发布", "traditional_to_simplified"),
        ("他著急地看著顯著的變化", "他着急地看着显著的变化", "traditional_to_simplified"),
        ("这是著名的土著文化", "这是著名的土著文化", None),
        ("景区厕所太脏\n发自我的iPhone", "景区厕所太脏", "boilerplate_removed"),
        ("景区厕所太脏\n分享到：微信 微博 QQ空间", "景区厕所太脏", "boilerplate_removed"),
        ("发件人: 某人\n主题: 反映\n路灯坏了", "路灯坏了", "boilerplate_removed"),
        ("当前位置：首页 > 互动 > 信箱\n路灯坏了", "路灯坏了", "boilerplate_removed"),
        ("现在位置：人民路口，车着火了", "现在位置：人民路口，车着火了", None),
        ("收件人：我一直没收到快递", "收件人：我一直没收到快递", None),
    ],
)
def test_it_repairs(raw: str, clean: str, repair: str | None) -> None:
    normalized = NORMALIZER.normalize(raw)
    assert normalized.text == clean
    if repair is None:
        assert normalized.repairs == ()
    else:
        assert repair in normalized.repairs


SPAM = "在线观看高清视频_澳门博彩官网入口_老虎机下注_"


@pytest.mark.parametrize("separator", ["\n", " ", "\n\n"])
def test_it_cuts_search_spam_off_a_genuine_text(separator: str) -> None:
    normalized = NORMALIZER.normalize(f"{SPAM}棋牌开户送{separator}我要反映村里的路灯坏了三个月")
    assert normalized.text == "我要反映村里的路灯坏了三个月"
    assert "search_spam_removed" in normalized.repairs


@pytest.mark.parametrize(
    "text",
    [
        SPAM,
        "我想投诉一家彩票店",
        "国产、进口、欧美的都有，市场管理太乱，请查处",
        "棋牌室通宵扰民,彩票店占道经营,赌博成风,请管一管",
        "彩票店 棋牌室 赌博机 全开在学校门口",
    ],
)
def test_it_keeps_a_text_that_is_nothing_but_an_advert_or_merely_mentions_the_words(
    text: str,
) -> None:
    assert HAS_HAN.search(NORMALIZER.normalize(text).text)
    assert "search_spam_removed" not in NORMALIZER.normalize(text).repairs


def test_origins_lead_back_to_the_original() -> None:
    raw = "<p>導(dǎo)游&nbsp;骂人,,还 要 加 钱</p>"
    normalized = NORMALIZER.normalize(raw)
    start = normalized.text.index("加钱")
    first, last = normalized.origin(start, start + 2)
    assert raw[first:last] == "加 钱"
    start = normalized.text.index("导游")
    first, last = normalized.origin(start, start + 2)
    assert raw[first:last] == "導(dǎo)游"


# Hostile text: everything that the repairs look for, in any order.
PIECES = st.sampled_from(
    list("景区的人說責網<>/&;,，。、！!?.…(（)） \n\t\u3000\u200b\ud800\ue000ａ１⼈Ａ_|")
    + [
        "(zé)",
        "(men)",
        "&amp;",
        "&lt;",
        "&nbsp;",
        "&#60;",
        "<b>",
        "</p>",
        "<script>",
        "<!--",
        "-->",
    ]
    + ["发自我的iPhone", "分享到：", "在线观看_", "博彩,", "名称:", "\n文号:", "From: ", "薴", "著"]
    + ["首页", "当前位置:", "展开全文", "网页链接", "😀", "3,5", "amp;", "nbsp;", "scr", "ipt>"]
)
HOSTILE = st.lists(PIECES | st.characters(), max_size=40).map("".join)


@given(HOSTILE)
def test_normalizing_twice_is_normalizing_once(raw: str) -> None:
    once = NORMALIZER.normalize(raw).text
    assert NORMALIZER.normalize(once).text == once


@given(HOSTILE)
def test_chinese_never_becomes_nothing(raw: str) -> None:
    if HAS_HAN.search(raw):
        assert HAS_HAN.search(NORMALIZER.normalize(raw).text)


@given(HOSTILE)
def test_every_character_has_an_origin_inside_the_original(raw: str) -> None:
    normalized = NORMALIZER.normalize(raw)
    for i in range(len(normalized.text)):
        start, end = normalized.origin(i, i + 1)
        assert 0 <= start < end <= len(raw)


@given(HOSTILE)
def test_origins_never_run_backwards(raw: str) -> None:
    normalized = NORMALIZER.normalize(raw)
    starts = [normalized.origin(i, i + 1)[0] for i in range(len(normalized.text))]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "unit", ["<", "&amp;", "<b", "<!--", "<script>", "中(zé)", " 中", "_在线", ",。"]
)
def test_work_grows_no_faster_than_the_text(unit: str) -> None:
    """Replacements are bounded: what is 20,000 characters long is read in a few passes."""
    text = (unit * 20_000)[:20_000]
    assert len(NORMALIZER.normalize(text).text) <= len(text)


def character_errors(found: str, wanted: str) -> int:
    """Levenshtein distance."""
    previous = list(range(len(wanted) + 1))
    for i, a in enumerate(found, 1):
        current = [i]
        for j, b in enumerate(wanted, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (a != b)))
        previous = current
    return previous[-1]


def test_the_seed_page_comes_out_as_the_plan(seed: Path) -> None:
    page = next(seed.glob("000_*.txt")).read_text(encoding="utf-8")
    plan = "".join((seed / "plan.zh.txt").read_text(encoding="utf-8").split())
    clean = "".join(NORMALIZER.normalize(page).text.split())
    rate = character_errors(clean, plan) / len(plan)
    print(f"\nseed page: character error rate {rate:.4f} over {len(plan)} characters")
    assert rate <= 0.01


def test_a_complaint_that_lists_vices_is_not_taken_for_search_spam() -> None:
    text = "宾馆里赌博成风，色情卡片塞满门缝，彩票店通宵营业，请派人查一查"
    assert NORMALIZER.normalize(text).text == text


@given(st.text("路，,。、；!?.…“A \n网页链接展开全文赞[12]转发:：索引号", max_size=40))
def test_a_repair_occurs_only_where_one_of_its_literals_does(text: str) -> None:
    for repair in (*damage.PUNCTUATION, *damage.FURNITURE):
        assert repair.may_occur(text) or not repair.pattern.search(text)
