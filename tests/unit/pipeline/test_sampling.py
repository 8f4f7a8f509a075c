"""Dice that fall alike for the same message."""

from onward.pipeline.explain import explain
from onward.pipeline.route import Route, RouteSpec, SubscriptionSpec
from onward.pipeline.sampling import MessageDice
from onward.workspace.snapshot import Filter


def test_they_fall_alike_for_a_message_and_evenly_over_many():
    dice, other = MessageDice(), MessageDice()
    thrown = [dice.of("d", f"m{n}").random() for n in range(2000)]
    assert thrown == [other.of("d", f"m{n}").random() for n in range(2000)]
    assert 0.45 < sum(thrown) / len(thrown) < 0.55 and max(thrown) < 1
    assert thrown != [dice.of("another", f"m{n}").random() for n in range(2000)]


def test_an_account_of_a_message_says_what_became_of_it():
    half = Filter(id="f", title="f", condition="all", actions=({"type": "SAMPLE", "percent": 0.5},))
    route = Route(
        RouteSpec(
            integration_names=("Test",),
            filters=[half],
            subscriptions=[SubscriptionSpec('type = "track"', {"a": 1})],
        )
    )
    dice = MessageDice()
    for n in range(50):
        event = {"type": "track", "event": "E", "messageId": f"m{n}"}
        passed = isinstance(route(event, dice.of("d", f"m{n}")), list)
        steps = explain(route, event, MessageDice().of("d", f"m{n}"))
        assert steps[-1].passed == passed
