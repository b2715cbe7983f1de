"""The risk of a draft policy (重大政策出台前的舆情风险评估, 方案(六)) from past messages."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.core.assess import Chain, assess_message
from service.core.assessment import Assessment
from service.core.conditions import Fact, name_value
from service.core.errors import EmptyTextError, YanpanError
from service.core.labels import SENTIMENT, TOPIC
from service.core.message import Message

_SHORTEST_PASSAGE: Final = 12  # characters; a heading alone is like everything and nothing
_LEAST_SHARED: Final = 2  # words: one word in common is no likeness
_MOST_WORDS: Final = 8  # an officer reads a handful of words, not a list
_WORD: Final = re.compile(r"[\w]{2,}")


@dataclass(frozen=True, slots=True)
class Group:
    """A group of people (受影响群体) that the draft names, with its words and where they stand."""

    name: str
    words: Sequence[str]
    mentions: int
    passages: Sequence[int]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A past message that is like a passage of the draft (相似来信)."""

    id: str
    similarity: float
    passage: int
    shared_words: Sequence[str]
    topic: str
    sentiment: str
    response: str
    level: str
    is_collective: bool


@dataclass(frozen=True, slots=True)
class Concern:
    """What people may be concerned about (预期关切): one topic of the past messages."""

    topic: str
    name: str
    messages: int
    sentiments: Mapping[str, int]
    words: Sequence[str]
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that the level rests on, with the messages it was counted from."""

    fact: str
    text: str
    value: float
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class DraftReason:
    """A rule that spoke for the level."""

    id: str
    text: str
    source: str
    effect: str
    figures: Sequence[str]


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """A heading of the contingency plan; `known` is what is known already, the rest is blank."""

    heading: str
    known: Sequence[str]


@dataclass(frozen=True, slots=True)
class DraftAssessment:
    """The whole answer for a draft; `unread` are past messages that could not be judged."""

    model_version: str
    policy_version: str
    assessed_at: datetime
    level: str
    name: str
    rank: int
    reasons: Sequence[DraftReason]
    figures: Sequence[Figure]
    groups: Sequence[Group]
    neighbours: Sequence[Neighbour]
    concerns: Sequence[Concern]
    passages: Sequence[str]
    history: int
    unread: Sequence[str]
    outline: Sequence[OutlineItem]


def assess_draft(
    draft: str, history: Sequence[Message], chain: Chain, now: datetime
) -> DraftAssessment:
    """Judges a draft by the past messages that resemble its passages.

    Args:
        draft: the draft policy as text.
        history: past messages of the caller; one without an id is called by its place (`#12`).
        chain: the model and the policy in force.
        now: the time of the assessment.

    Raises:
        EmptyTextError: the draft holds no passage to compare.
    """
    clean = chain.normalizer.normalize(draft).text
    passages = _passages(clean)
    if not passages:
        raise EmptyTextError(
            "草案没有可比对的内容。", f"至少要有一段 {_SHORTEST_PASSAGE} 字以上的文字。"
        )
    neighbours, unread = _judge(_find_similar(passages, history, chain), history, chain, now)
    groups = _groups(passages, chain.policy.draft.groups)
    figures = _figures(neighbours, groups)
    facts: dict[str, Fact] = {figure.fact: figure.value for figure in figures}
    fired = chain.policy.draft.rules.fired(facts)
    levels = [chain.policy.levels["low"], *(chain.policy.levels[r.effect] for r in fired)]
    level = max(levels, key=lambda candidate: candidate.rank)
    concerns = _concerns(neighbours)
    return DraftAssessment(
        model_version=chain.model_version,
        policy_version=chain.policy.version,
        assessed_at=now,
        level=level.key,
        name=level.name,
        rank=level.rank,
        reasons=[
            DraftReason(
                rule.id,
                rule.text,
                rule.source,
                f"level >= {rule.effect}",
                [name_value(fact, facts[fact]) for fact in rule.when.facts],
            )
            for rule in fired
        ],
        figures=figures,
        groups=groups,
        neighbours=neighbours,
        concerns=concerns,
        passages=passages,
        history=len(history),
        unread=unread,
        outline=_outline(chain.policy.draft.outline, groups, concerns),
    )


def _passages(text: str) -> list[str]:
    """Paragraphs, short ones joined to what follows."""
    passages, held = [], ""
    for paragraph in re.split(r"\n+", text):
        held = f"{held}{paragraph.strip()}"
        if len(held) >= _SHORTEST_PASSAGE:
            passages.append(held)
            held = ""
    if held and passages:
        passages[-1] += held
    return passages


@dataclass(frozen=True, slots=True)
class _Likeness:
    place: int
    similarity: float
    passage: int
    shared_words: Sequence[str]


def _find_similar(
    passages: Sequence[str], history: Sequence[Message], chain: Chain
) -> list[_Likeness]:
    """Nearest past messages of every passage by the cosine of their TF-IDF vectors."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 — only here

    if not history:
        return []
    rule = chain.policy.draft
    past = [_words(f"{m.title or ''}\n{m.text}", chain) for m in history]
    drafted = [_words(passage, chain) for passage in passages]
    if not any(past) or not any(drafted):
        return []
    vectorizer = TfidfVectorizer(analyzer=list, sublinear_tf=True)
    vectors = vectorizer.fit_transform([*past, *drafted])
    likeness = (vectors[len(past) :] @ vectors[: len(past)].T).tocsr()
    best: dict[int, _Likeness] = {}
    for passage in range(len(passages)):
        row = likeness[passage]
        nearest = sorted(zip(row.data, row.indices, strict=True), reverse=True)
        taken = 0
        for similarity, place in nearest:
            if similarity < rule.least_similarity or taken == rule.most_neighbours:
                break
            shared = sorted(set(past[place]) & set(drafted[passage]), key=drafted[passage].index)
            if len(shared) < _LEAST_SHARED:
                continue
            taken += 1
            if place not in best or similarity > best[place].similarity:
                found = _Likeness(int(place), float(similarity), passage, shared[:_MOST_WORDS])
                best[int(place)] = found
    return sorted(best.values(), key=lambda found: -found.similarity)


def _words(text: str, chain: Chain) -> list[str]:
    clean = chain.normalizer.normalize(text).text
    return [word for word in chain.segmenter.segment(clean).texts if _WORD.fullmatch(word)]


def _judge(
    similar: Sequence[_Likeness], history: Sequence[Message], chain: Chain, now: datetime
) -> tuple[list[Neighbour], list[str]]:
    """What the model says of the similar messages, and those it could not judge."""
    neighbours, unread = [], []
    for found in similar:
        name = history[found.place].id or f"#{found.place + 1}"
        try:
            said = assess_message(history[found.place], chain, request_id="draft", now=now)
        except YanpanError:
            unread.append(name)
        else:
            neighbours.append(_neighbour(name, found, said))
    return neighbours, unread


def _neighbour(name: str, found: _Likeness, said: Assessment) -> Neighbour:
    return Neighbour(
        id=name,
        similarity=round(found.similarity, 3),
        passage=found.passage,
        shared_words=found.shared_words,
        topic=said.topic.label,
        sentiment=said.sentiment.label,
        response=said.response.conclusion,
        level=said.risk.level,
        is_collective="collective" in [flag.label for flag in said.flags],
    )


def _groups(passages: Sequence[str], known: Mapping[str, Sequence[str]]) -> list[Group]:
    """The groups that the draft names, most often named first."""
    groups = []
    for name, words in known.items():
        mentions = Counter({word: sum(p.count(word) for p in passages) for word in words})
        if not mentions.total():
            continue
        named = [word for word, times in mentions.most_common() if times]
        where = [n for n, passage in enumerate(passages) if any(w in passage for w in named)]
        groups.append(Group(name, named, mentions.total(), where))
    return sorted(groups, key=lambda group: -group.mentions)


def _figures(neighbours: Sequence[Neighbour], groups: Sequence[Group]) -> list[Figure]:
    """The figures that rules ask about, each with the messages behind it."""
    everyone = [n.id for n in neighbours]
    negative = [n.id for n in neighbours if n.sentiment == "negative"]
    escalate = [n.id for n in neighbours if n.response == "escalate"]
    collective = [n.id for n in neighbours if n.is_collective]
    total = max(len(everyone), 1)
    counted: list[tuple[str, float, Sequence[str]]] = [
        ("draft.similar", len(everyone), everyone),
        ("draft.negative_share", round(len(negative) / total, 3), negative),
        ("draft.escalate_share", round(len(escalate) / total, 3), escalate),
        ("draft.collective", len(collective), collective),
        ("draft.groups", len(groups), []),
    ]
    return [Figure(fact, name_value(fact, value), value, ids) for fact, value, ids in counted]


def _concerns(neighbours: Sequence[Neighbour]) -> list[Concern]:
    """The similar messages by topic, the most frequent first."""
    by_topic: dict[str, list[Neighbour]] = {}
    for neighbour in neighbours:
        by_topic.setdefault(neighbour.topic, []).append(neighbour)
    concerns = [
        Concern(
            topic=topic,
            name=TOPIC.get(topic, topic),
            messages=len(mine),
            sentiments=dict(Counter(n.sentiment for n in mine)),
            words=[
                w
                for w, _ in Counter(w for n in mine for w in n.shared_words).most_common(
                    _MOST_WORDS
                )
            ],
            ids=[n.id for n in mine],
        )
        for topic, mine in by_topic.items()
    ]
    return sorted(concerns, key=lambda concern: -concern.messages)


def _most_frequent(words: Iterable[str]) -> list[str]:
    return [word for word, _ in Counter(words).most_common(_MOST_WORDS)]


def _outline(
    headings: Sequence[str], groups: Sequence[Group], concerns: Sequence[Concern]
) -> list[OutlineItem]:
    """The headings of the plan; what is known of groups and concerns stands under the second."""
    known = [f"{group.name}（草案提及 {group.mentions} 次）" for group in groups]
    known += [
        f"{concern.name}：相似来信 {concern.messages} 条（"
        + "，".join(f"{SENTIMENT[k]} {n}" for k, n in concern.sentiments.items())
        + f"），常提到 {'、'.join(concern.words)}；编号 {'、'.join(concern.ids)}"
        for concern in concerns
    ]
    return [OutlineItem(h, known if place == 1 else []) for place, h in enumerate(headings)]
