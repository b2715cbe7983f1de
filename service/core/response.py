"""Rule table → recommendation (处置建议): type, value, office, steps and deadlines."""

from collections.abc import Sequence
from typing import NamedTuple

from service.core.assessment import (
    NO_RESPONSE,
    Call,
    Counterfactual,
    OfficialDisposition,
    Owner,
    Place,
    Recommendation,
    RuleReport,
)
from service.core.case import Case
from service.core.classify import Prediction
from service.core.conditions import name_value
from service.core.deadlines import find_deadlines
from service.core.labels import CHANNELS, RESPONSE
from service.core.message import Message
from service.core.policy import CALLS, PUBLISHING, RESPONSE_TYPES, DeadlineRule, Policy
from service.core.risk import level_without, pivots, report_rule
from service.core.rules import Rule, Standing


def recommend_response(case: Case, level: str, policy: Policy) -> Recommendation:
    """The suggested response to a message whose level is known.

    The trained head and the rule table both propose; the gravest proposal wins (escalate >
    clarify > answer) and the others become secondary. Rules raise what the model says and never
    lower it.
    """
    message, book = case.message, policy.book
    standing = book.change(case.standing, "level", level)
    prediction = case.classification.heads["response"]
    fired = book.fired(policy.response_rules, standing)
    ranked = _rank(prediction.label, fired)
    chosen = ranked[0] if ranked else max(RESPONSE_TYPES, key=prediction.scores.__getitem__)
    said = chosen if ranked else NO_RESPONSE
    decision = book.change(standing, "response", said)
    outcome = book.derive(policy.following, decision, said, lambda: _follow(decision, said, policy))
    speaking = [*fired, outcome.value, outcome.channel] if ranked else fired
    return Recommendation(
        type=chosen,
        name=RESPONSE[chosen],
        value=outcome.value.effect if ranked else NO_RESPONSE,
        confidence=prediction.scores[said],
        scores=prediction.scores,
        secondary=ranked[1:],
        rules=[
            _model_report(prediction),
            *[report_rule(rule, rule.effect, decision, case.grounds) for rule in speaking],
        ],
        counterfactuals=_without_each(chosen, prediction, fired, standing, policy)
        if ranked
        else (),
        official_disposition=outcome.disposition,
        deadlines=find_deadlines(
            outcome.clocks, policy.calendar, message.found_at or case.now, case.now
        ),
        steps=outcome.steps,
        channel=outcome.channel.effect,
        place=_place(outcome.channel.effect, message),
        owner=_owner(case.classification.heads["topic"], outcome.additions, policy),
        called_for=outcome.called_for,
        needs_verification=outcome.needs_verification,
    )


class _Outcome(NamedTuple):
    """What follows from a decision, whatever the words of the message."""

    value: Rule
    channel: Rule
    disposition: OfficialDisposition | None
    clocks: Sequence[DeadlineRule]
    steps: Sequence[str]
    called_for: Sequence[Call]
    additions: Sequence[Rule]
    needs_verification: bool


def _follow(decision: Standing, said: str, policy: Policy) -> _Outcome:
    book = policy.book
    dispositions = [r for r in book.fired(policy.dispositions, decision) if r.type == said]
    return _Outcome(
        value=book.fired(policy.values, decision)[0],
        channel=book.fired(policy.channels, decision)[0],
        disposition=next(
            (OfficialDisposition(r.id, r.text, r.action, r.source) for r in dispositions), None
        ),
        clocks=book.fired(policy.deadlines, decision) if said != NO_RESPONSE else (),
        steps=[step.text for step in book.fired(policy.steps, decision)],
        called_for=[
            Call(rule.effect, CALLS[rule.effect], rule.text, rule.source)
            for rule in book.fired(policy.calls, decision)
        ],
        additions=book.fired(policy.offices.additions, decision),
        needs_verification=bool(book.fired(policy.verification, decision)),
    )


def _rank(label: str, fired: Sequence[Rule]) -> list[str]:
    """The response types that the model and the rules propose, gravest first."""
    proposed = {label, *(rule.effect for rule in fired)}
    return [kind for kind in RESPONSE_TYPES if kind in proposed]


def _without_each(
    chosen: str, prediction: Prediction, fired: Sequence[Rule], standing: Standing, policy: Policy
) -> list[Counterfactual]:
    """The facts that alone raised the response, each with the response there would be."""
    if chosen == prediction.label:
        return []
    found, facts, book = [], standing.facts, policy.book
    for fact in pivots([rule for rule in fired if rule.effect == chosen]):
        if not facts.get(fact):
            continue
        level = level_without(fact, standing, policy).key
        changed = book.change(book.change(standing, fact, None), "level", level)
        ranked = _rank(prediction.label, book.fired(policy.response_rules, changed))
        without = ranked[0] if ranked else NO_RESPONSE
        if without != chosen:
            text = f"没有“{name_value(fact, facts[fact])}”，建议为{RESPONSE[without]}"
            found.append(Counterfactual(fact, without, text))
    return found


def _place(effect: str, message: Message) -> Place:
    """Where the response would be read: on the very site that carries the message, if so."""
    on_site = effect == "same_site"
    return Place(
        name=PUBLISHING[effect],
        site=CHANNELS[message.channel] if message.channel else None,
        url=message.url if on_site else None,
    )


def _owner(topic: Prediction, added: Sequence[Rule], policy: Policy) -> Owner:
    """The office of the topic, those of other likely topics, and those that rules call in."""
    offices = policy.offices
    lead, least = offices.by_topic.get(topic.label, ""), offices.least_support
    likely = [name for name, p in topic.scores.items() if p >= least and name != topic.label]
    likely.sort(key=lambda name: -topic.scores[name])
    others = [offices.by_topic.get(name, "") for name in likely] + [rule.effect for rule in added]
    return Owner(
        lead=lead,
        support=[name for name in dict.fromkeys(others) if name and name != lead],
        reasons=[rule.text for rule in added],
        source=offices.source,
    )


def _model_report(prediction: Prediction) -> RuleReport:
    text = f"回应模型判断为{RESPONSE[prediction.label]}（置信度 {prediction.confidence:.2f}）"
    return RuleReport("MODEL-RESPONSE", text, "训练模型", prediction.label)
