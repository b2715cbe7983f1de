"""Rule table → recommendation (处置建议): type, value, steps and deadlines."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.core.assessment import Deadline, Recommendation, ResponseRuleReport
from service.core.classify import Prediction
from service.core.conditions import Facts
from service.core.labels import RESPONSE
from service.core.policy import RESPONSE_TYPES, Policy

NO_RESPONSE = "none"


def recommend_response(
    prediction: Prediction, facts: Facts, policy: Policy, clock_start: datetime
) -> Recommendation:
    """The suggested response to a message whose level is known.

    The trained head and the rule table both propose; the gravest proposal wins (escalate >
    clarify > answer) and the others become secondary. Rules raise what the model says and never
    lower it.

    Args:
        prediction: what the response head says.
        facts: labels, flags, figures and the final `level`.
        policy: the bundle in force.
        clock_start: from when the deadlines count: when the message was found, or received.
    """
    fired = [rule for rule in policy.response_rules if rule.when.holds(facts)]
    proposed = {rule.effect for rule in fired} | {prediction.label} - {NO_RESPONSE}
    ranked = [kind for kind in RESPONSE_TYPES if kind in proposed]
    chosen = ranked[0] if ranked else max(RESPONSE_TYPES, key=prediction.scores.__getitem__)
    value = _value(chosen, facts, policy) if ranked else NO_RESPONSE
    decided = {**facts, "response": chosen if ranked else NO_RESPONSE}
    return Recommendation(
        type=chosen,
        name=RESPONSE[chosen],
        value=value,
        confidence=prediction.scores[chosen if ranked else NO_RESPONSE],
        scores=prediction.scores,
        secondary=ranked[1:],
        rules=[
            _model_report(prediction),
            *(ResponseRuleReport(rule.id, rule.text, rule.source) for rule in fired),
        ],
        deadlines=_deadlines(decided, policy, clock_start) if ranked else [],
        steps=[step.text for step in policy.steps if step.when.holds(decided)],
        channel=next(c.text for c in policy.channels if c.when.holds(decided)),
        needs_verification=any(condition.holds(decided) for condition in policy.verification),
    )


def _value(chosen: str, facts: Facts, policy: Policy) -> str:
    """回应价值: an answer to somebody who asked for nothing is the desk's choice."""
    if chosen != "answer" or facts["intent"] in policy.required_intents:
        return "required"
    return "optional"


def _deadlines(facts: Facts, policy: Policy, clock_start: datetime) -> Sequence[Deadline]:
    due = [
        Deadline(clock.action, clock.name, clock_start + timedelta(hours=clock.hours), clock.source)
        for clock in policy.deadlines
        if clock.when.holds(facts)
    ]
    return sorted(due, key=lambda deadline: deadline.due_at)


def _model_report(prediction: Prediction) -> ResponseRuleReport:
    text = f"回应模型判断为{RESPONSE[prediction.label]}（置信度 {prediction.confidence:.2f}）"
    return ResponseRuleReport("MODEL-RESPONSE", text, "训练模型")
