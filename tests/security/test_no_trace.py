"""Personal data of 300 messages is nowhere in what the service says, counts or keeps."""

import random
import string
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import serving
from registries import add_version, make_registry

from service.registry import Registry

MESSAGES = 300
PROVINCES = "京沪浙苏粤川鄂湘鲁豫"
SURNAMES = ("王", "李", "张", "刘", "欧阳", "上官", "陈", "赵")
GIVEN = "建国秀英志强丽华晓东海燕文博雪梅"


def digits(of: random.Random, count: int) -> str:
    return "".join(of.choices(string.digits, k=count))


def invent(of: random.Random) -> dict[str, str]:
    """Identifiers of nobody, each as people write it."""
    birthday = f"19{of.randint(50, 99)}{of.randint(1, 12):02}{of.randint(1, 28):02}"
    mobile = f"1{of.choice('3578')}{digits(of, 9)}"
    check = of.choice(f"{string.digits}X")
    gap = of.choice(("", "-", " "))
    return {
        "identity": f"{of.randint(11, 65)}{digits(of, 4)}{birthday}{digits(of, 3)}{check}",
        "mobile": gap.join((mobile[:3], mobile[3:7], mobile[7:])),
        "landline": f"0{of.randint(310, 999)}-{of.randint(2, 8)}{digits(of, 6)}",
        "card": f"62{digits(of, of.choice((14, 17)))}",
        "mail": f"u{digits(of, 8)}@{of.choice(('163.com', 'qq.com', 'example.cn'))}",
        "plate": f"{of.choice(PROVINCES)}{of.choice('ABCDE')}{digits(of, 2)}K{digits(of, 2)}",
        "passport": f"E{of.choice('ABCDEFGH')}{digits(of, 7)}",
        "order": f"DD{digits(of, 14)}",
        "house": f"{of.randint(1, 99)}号楼{of.randint(1, 9)}单元{of.randint(101, 3299)}室",
        "name": of.choice(SURNAMES) + "".join(of.sample(GIVEN, 2)),
    }  # fmt: skip


def tell(of: random.Random, who: dict[str, str]) -> str:
    """A complaint of somebody who tells more than is needed."""
    said = [
        f"我叫{who['name']}，",
        f"身份证号{who['identity']}。",
        f"电话{who['mobile']}，家里座机{who['landline']}。",
        f"住在幸福小区{who['house']}，停水三天没人管。",
        f"退款打到卡号{who['card']}。",
        f"订单号：{who['order']}，商家不退钱。",
        f"车牌{who['plate']}被乱贴条。",
        f"护照{who['passport']}办了两个月。",
        f"回信请发{who['mail']}！",
    ]
    opening, rest = said[:2], said[2:]
    of.shuffle(rest)
    return "".join([*opening, *rest])


@pytest.fixture(scope="module")
def people() -> list[tuple[str, dict[str, str]]]:
    of = random.Random(20_261_127)  # noqa: S311 — invented, not secret
    invented = [invent(of) for _ in range(MESSAGES)]
    return [(tell(of, who), who) for who in invented]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_of_300_people_is_logged_counted_or_kept(
    people: list[tuple[str, dict[str, str]]], tmp_path: Path
) -> None:
    root = make_registry(tmp_path / "models")
    add_version(root, "b")
    Registry(root).set_shadow("b")
    kept = tmp_path / "kept"
    kept.mkdir()
    environment = {
        "YANPAN_MODELS_DIR": str(root),
        "YANPAN_DATABASE_URL": f"sqlite:///{kept}/yanpan.db",
        "YANPAN_AUDIT_LOG": str(kept / "audit.jsonl"),
        "TMPDIR": str(kept),  # the run's folder of the workers
    }
    told: dict[str, bytes] = {}
    options = ("--access-log", "--workers", "2")
    with serving(*options, environment=environment, log=kept / "log") as (client, _):
        await_shadow(client)
        for number, (text, _) in enumerate(people):
            body: dict[str, Any] = {"text": text, "title": text[:60], "id": f"m{number}"}
            assert client.post("/v1/score", json=body).status_code == 200
            wrong = client.post("/v1/score", json={**body, "channel": text})
            assert wrong.status_code == 422
            told[f"problem {number}"] = wrong.content
            correction = {"message": body, "labels": {"topic": "other"}, "annotator": "甲"}
            stored = client.post("/v1/feedback", json={**correction, "reason": text})
            assert stored.status_code == 201
            told[f"feedback {number}"] = stored.content
        for start in range(0, MESSAGES, 100):
            rows = [{"text": text} for text, _ in people[start : start + 100]] + [{"text": ""}]
            assert client.post("/v1/score/batch", json={"messages": rows}).status_code == 200
        client.post("/v1/score", content=people[0][0].encode())
        client.get("/" + people[0][1]["mobile"])
        time.sleep(1.5)  # the workers tell each other
        for path in ("/metrics", "/v1/drift", "/v1/models/b/shadow", "/v1/models", "/nowhere"):
            told[path] = client.get(path).content
        told |= everything(kept)
    told |= everything(kept)
    assert any(name.endswith("yanpan.db") and len(held) > 50_000 for name, held in told.items())
    assert len(told[str(kept / "log")].splitlines()) > 2 * MESSAGES
    whole = b"\n".join(told.values())
    found = {
        (kind, secret)
        for _, who in people
        for kind, secret in who.items()
        if secret.encode() in whole or secret.replace(" ", "").replace("-", "").encode() in whole
    }
    assert not found


def test_a_message_that_is_not_to_be_kept_leaves_no_trace(tmp_path: Path) -> None:
    root = make_registry(tmp_path / "models")
    add_version(root, "b")
    Registry(root).set_shadow("b")
    environment = {
        "YANPAN_MODELS_DIR": str(root),
        "YANPAN_DATABASE_URL": f"sqlite:///{tmp_path}/yanpan.db",
    }
    message = {"text": "小区停水三天了没人管", "store": False}
    with serving(environment=environment) as (client, _):
        await_shadow(client)
        assert client.post("/v1/score", json=message).status_code == 200
        batch = client.post("/v1/score/batch", json={"messages": [message] * 3}).json()
        assert batch["summary"]["succeeded"] == 3
        given = {"message": message, "labels": {"topic": "other"}, "annotator": "甲"}
        stored = client.post("/v1/feedback", json=given)
        assert stored.status_code == 201
        assert stored.json()["text"] is None
        assert client.get("/v1/drift").json()["messages"] == 0
        assert client.get("/v1/models/b/shadow").json()["messages"] == 0
        assert client.post("/v1/score", json={**message, "store": 0}).status_code == 422
    for held in everything(tmp_path).values():
        assert "停水三天".encode() not in held


def await_shadow(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while client.get("/v1/models/b/shadow").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
