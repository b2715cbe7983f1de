"""Pre-labelling for Label Studio, as its server asks for it."""

import httpx
import pytest

from service.core.labels import TOPIC

CONFIG = f"""
<View>
  <Text name="letter" value="$正文"/>
  <Choices name="话题" toName="letter" choice="single">
    {"".join(f'<Choice value="{name}"/>' for name in TOPIC.values())}
  </Choices>
  <Choices name="sentiment" toName="letter">
    <Choice value="negative"/><Choice value="中性"/>
  </Choices>
  <Choices name="flags" toName="letter" choice="multiple"><Choice value="伤亡"/></Choices>
  <Choices name="别的" toName="letter"><Choice value="甲"/></Choices>
</View>
"""
ACCIDENT = "景区观光车刹车失灵撞上护栏，车上三名游客受伤，其中一个是孩子，现场没人管！"


def test_it_is_up_and_takes_a_project(server: httpx.Client) -> None:
    assert server.get("/health").json()["status"] == "UP"
    project = {
        "project": "1.1",
        "schema": CONFIG,
        "hostname": "http://localhost",
        "access_token": "",
    }
    answer = server.post("/setup", json=project)
    assert answer.json() == {"model_version": server.get("/v1/models").json()["active"]}


def test_tasks_are_labelled_in_the_words_of_the_interface(server: httpx.Client) -> None:
    tasks = [{"id": 7, "data": {"正文": ACCIDENT}}, {"id": 8, "data": {}}, {"data": {"正文": " "}}]
    answer = server.post("/predict", json={"tasks": tasks, "label_config": CONFIG, "params": {}})
    first, *others = answer.json()["results"]
    scored = server.post("/v1/score", json={"text": ACCIDENT}).json()
    found = {one["from_name"]: one for one in first["result"]}
    assert found["话题"]["value"]["choices"] == [scored["topic"]["name"]]
    assert found["话题"]["to_name"] == "letter"
    assert found["sentiment"]["value"]["choices"] == ["negative"]
    assert found["flags"]["value"]["choices"] == ["伤亡"]
    assert found.keys() == {"话题", "sentiment", "flags"}
    assert all(one["type"] == "choices" for one in first["result"])
    assert 0 < first["score"] <= 1
    assert [one["result"] for one in others] == [[], []]


def test_without_an_interface_every_head_answers_under_its_key(server: httpx.Client) -> None:
    answer = server.post("/predict", json={"tasks": [{"data": {"text": ACCIDENT}}]})
    names = [one["from_name"] for one in answer.json()["results"][0]["result"]]
    assert names[:5] == ["topic", "sentiment", "intent", "response", "risk"]


@pytest.mark.parametrize(
    "config",
    [
        "<View>",
        "<View/>",
        '<!DOCTYPE a [<!ENTITY b "c">]><View><Choices name="topic"/></View>',
    ],
)
def test_an_interface_that_cannot_be_read_is_refused(server: httpx.Client, config: str) -> None:
    answer = server.post("/predict", json={"tasks": [], "label_config": config})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/label_config"
