"""The whole chain on the shipped model: what asks for a review, and what holds for any text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from builders import classification
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bootstrap import build_chain
from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.classify import Classification, Contribution, Coverage
from service.core.errors import EmptyTextError
from service.core.features import Document
from service.core.message import MediaAttention, Message
from service.settings import Settings

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
NOW = datetime(2026, 1, 5, tzinfo=UTC)
SHIPPED = build_chain(Settings())


class Oracle:
    """A classifier that says what it is told to."""

    def __init__(self, said: Classification) -> None:
        self._said = said

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        return {head: tuple(p.scores) for head, p in self._said.heads.items()}

    @property
    def names(self) -> dict[str, dict[str, str]]:
        return {}

    def classify(self, document: Document) -> Classification:
        assert document.text
        return self._said

    def rate_flags(
        self, document: Document, parts: Sequence[tuple[int, int]]
    ) -> list[Mapping[str, float]]:
        assert document.text
        return [self._said.flags for _ in parts]

    def log_likelihood(self, text: str) -> float:
        return SHIPPED.classifier.log_likelihood(text)

    def explain(self, document: Document, head: str, label: str) -> list[Contribution]:
        assert head
        assert label
        return [Contribution(0, len(document.text), 1.0)]


def assess(message: Message, said: Classification) -> Assessment:
    chain: Chain = replace(SHIPPED, classifier=Oracle(said))
    return assess_message(message, chain, request_id="r", now=NOW)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (classification(risk="3"), "contradiction:risk_response"),
        (classification(response="escalate"), "contradiction:risk_response"),
        (classification(response="answer", flags=("spam",)), "contradiction:spam_response"),
        (classification(flags=("threat",)), "rule_raised_response"),
        (classification(risk="4", response="escalate"), "critical_level"),
        (replace(classification(), coverage=Coverage(0.1, 1.0)), "unfamiliar_text"),
        (replace(classification(), coverage=Coverage(1.0, 0.1)), "unfamiliar_text"),
    ],
)
def test_doubt_and_contradiction_ask_for_a_review(said: Classification, reason: str) -> None:
    assessment = assess(Message("路灯坏了"), said)
    assert reason in assessment.review_reasons
    assert assessment.needs_review


def test_a_sure_and_consistent_judgement_does_not() -> None:
    said = classification(intent="consult", response="answer")
    assert not assess(Message("几点开门"), said).needs_review


def test_a_figure_that_raises_the_response_asks_for_a_review() -> None:
    message = Message("晚霞真好看", media=MediaAttention(tier="central"))
    assessment = assess(message, classification())
    assert assessment.response.type == "escalate"
    assert "rule_raised_response" in assessment.review_reasons


def test_a_flag_found_in_the_title_is_quoted_from_the_title() -> None:
    message = Message("见图", title="三人溺水")
    said = classification(response="escalate", risk="3", flags=("casualty",))
    chain = replace(SHIPPED, classifier=Oracle(said))
    flag = assess_message(message, chain, request_id="r", now=NOW).flags[0]
    assert flag.evidence == []
    assert flag.title_evidence[0].start == 0


@settings(deadline=None, max_examples=150)
@given(st.text(min_size=1, max_size=200), st.none() | st.text(max_size=40))
def test_any_text_gets_a_complete_assessment_or_is_empty(text: str, title: str | None) -> None:
    message = Message(text, title=title)
    try:
        found = assess_message(message, SHIPPED, request_id="r", now=NOW, explain=True)
    except EmptyTextError:
        return
    assert found.text.normalized
    assert found.explanation is not None
    for head, spans in found.explanation.items():
        source = title if head.startswith("title:") else text
        for span in spans:
            assert source is not None
            assert source[span.start : span.end] == span.text


def unfamiliar(texts: list[str]) -> float:
    """The share of the texts that ask for a review because they are unlike any message."""
    found = [assess_message(Message(t), SHIPPED, request_id="r", now=NOW) for t in texts]
    return sum("unfamiliar_text" in f.review_reasons for f in found) / len(found)


def test_text_unlike_any_message_asks_for_a_review_and_messages_do_not() -> None:
    lines = (SAMPLES / "education.jsonl").read_text(encoding="utf-8").splitlines()[::4]
    messages = [json.loads(line)["text"] for line in lines]
    shuffle = Random(3).sample  # noqa: S311
    disordered = ["".join(shuffle(text, len(text))) for text in messages if len(text) > 30]
    assert unfamiliar(messages) < 0.05
    assert unfamiliar(disordered) > 0.6
    assert unfamiliar(["Please find attached the quarterly report.", "臣本布衣，躬耕于南阳。"]) == 1
