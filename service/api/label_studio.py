"""What Label Studio asks of a machine-learning backend: `/setup`, `/predict`, `/health`.

An annotation team sets the address of this service as the backend of a project and gets every task
labelled beforehand. A `Choices` tag is one of our heads by its name (`topic` or 话题 …, `flags` or
要素), and its choices are our labels by key or by Chinese name; other tags are left alone.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree as ET

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from service.api.loading import ChainLoader
from service.api.problems import invalid_field
from service.api.scoring import PROBLEM_ANSWERS
from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.classify import FLAGS
from service.core.errors import YanpanError
from service.core.labels import HEAD_NAMES, HEADS, Names, keys_of, reported_names
from service.core.message import Message
from service.schemas import now

_MOST_TASKS: Final = 1_000
_MOST_CONFIG: Final = 200_000  # characters
_HEADS: Final = {
    **{name: head for head, name in HEAD_NAMES.items()},
    **{head: head for head in HEADS},
    "要素": FLAGS,
}


class TaskIn(BaseModel):
    """一个任务。A task of a project; its text is where the labelling interface looks for it."""

    id: int | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class PredictIn(BaseModel):
    """待预标注的任务。Tasks to be labelled beforehand."""

    model_config = ConfigDict(extra="ignore")

    tasks: list[TaskIn] = Field(max_length=_MOST_TASKS)
    label_config: str | None = Field(None, max_length=_MOST_CONFIG)


class SetupIn(BaseModel):
    """连接一个项目。A project that is being connected."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    # Not `schema`, which pydantic has a method for.
    label_config: str | None = Field(None, alias="schema", max_length=_MOST_CONFIG)


class _Control(NamedTuple):
    """A `Choices` tag: its head, names, where the text is, and what each label is called there."""

    head: str
    from_name: str
    to_name: str
    field: str
    choices: dict[str, str]


def router(loader: ChainLoader) -> APIRouter:
    """The three routes."""
    routes = APIRouter(tags=["Label Studio"])

    @routes.get("/health", summary="Label Studio：是否可用")
    async def health() -> dict[str, str]:
        return {
            "status": "UP",
            "model_class": "yanpan",
            "model_version": loader.chain.model_version,
        }

    @routes.post("/setup", summary="Label Studio：连接项目", responses=PROBLEM_ANSWERS)
    async def setup(project: SetupIn) -> dict[str, str]:
        _read_config(project.label_config, reported_names(loader.chain.classifier.names))
        return {"model_version": loader.chain.model_version}

    @routes.post("/predict", summary="Label Studio：预标注", responses=PROBLEM_ANSWERS)
    async def predict(given: PredictIn) -> dict[str, Any]:
        chain = loader.chain
        controls = _read_config(given.label_config, reported_names(chain.classifier.names))
        results = await run_in_threadpool(
            lambda: [_predict(task, controls, chain) for task in given.tasks]
        )
        return {"results": results, "model_version": chain.model_version}

    return routes


def _read_config(config: str | None, names: Mapping[str, Names]) -> list[_Control]:
    """The tags that are heads of ours; without an interface, every head under its own name.

    Args:
        config: the labelling interface.
        names: the labels of every head.

    Raises:
        ProblemError: it is not XML, or none of its tags is a head.
    """
    if not config or not config.strip():
        return [_Control(h, h, "text", "text", {k: k for k in keys}) for h, keys in names.items()]
    if "<!" in config:  # declarations, with which XML can be made to grow without end
        raise invalid_field("/label_config", "不接受含有声明的 XML。")
    try:
        root = ET.fromstring(config)  # noqa: S314 — nothing is declared, see above
    except ET.ParseError as error:
        raise invalid_field("/label_config", "不是有效的 XML。") from error
    fields = {
        tag.get("name", ""): tag.get("value", "").removeprefix("$") for tag in root.iter("Text")
    }
    controls = [
        _Control(
            head := _HEADS[tag.get("name", "")],
            tag.get("name", ""),
            tag.get("toName", ""),
            fields.get(tag.get("toName", ""), "text"),
            _read_choices(tag, names[head]),
        )
        for tag in root.iter("Choices")
        if tag.get("name", "") in _HEADS
    ]
    if not controls:
        raise invalid_field("/label_config", f"没有名为 {'、'.join(_HEADS)} 的 Choices。")
    return controls


def _read_choices(tag: ET.Element, names: Names) -> dict[str, str]:
    """Our label → what the interface calls it."""
    keys = keys_of(names)
    offered = [choice.get("alias") or choice.get("value") or "" for choice in tag.iter("Choice")]
    return {keys[value]: value for value in offered if value in keys}


def _predict(task: TaskIn, controls: list[_Control], chain: Chain) -> dict[str, Any]:
    """The labels of one task; none where it has no text that can be judged."""
    empty = {"model_version": chain.model_version, "score": 0.0, "result": []}
    text = task.data.get(controls[0].field)
    if not isinstance(text, str):
        return empty
    try:
        assessment = assess_message(Message(text), chain, request_id="label-studio", now=now())
    except YanpanError:
        return empty
    found = [_choose(control, assessment) for control in controls]
    kept = [one for one in found if one["value"]["choices"]]
    score = min((one["score"] for one in kept if "score" in one), default=0.0)
    return {**empty, "score": score, "result": kept}


def _choose(control: _Control, assessment: Assessment) -> dict[str, Any]:
    labels, score = _answer(control.head, assessment)
    answer = {
        "from_name": control.from_name,
        "to_name": control.to_name,
        "type": "choices",
        "value": {"choices": [control.choices[one] for one in labels if one in control.choices]},
    }
    return answer if score is None else {**answer, "score": score}


def _answer(head: str, assessment: Assessment) -> tuple[list[str], float | None]:
    """The labels of a head and how sure they are."""
    if head == FLAGS:
        sure = [flag.confidence for flag in assessment.flags]
        return [flag.label for flag in assessment.flags], min(sure, default=1.0)
    if head == "response":
        return [assessment.response.conclusion], assessment.response.confidence
    if head == "risk":
        return [str(assessment.risk.rank)], None  # a level is reckoned, not believed
    report = {
        "topic": assessment.topic,
        "sentiment": assessment.sentiment,
        "intent": assessment.intent,
    }[head]
    return [report.label], report.confidence
