"""Traces as they are shown: whoever may not see personal data finds none in what is said either."""

from litestar import Litestar

from onward.metering.tracing import (
    Traced,
    TracedAttempt,
    TracedDelivery,
    TracedDestination,
    TracedStep,
    Traces,
    Wanted,
)

from .conftest import Call, ClientOf

SAID = "The mail of ada@example.com is not good."


class Told:
    """A tracer of one event, everything about which quotes it."""

    def __init__(self, source_id: str) -> None:
        self._source_id = source_id

    def trace(self, wanted: Wanted) -> Traces:
        attempt = TracedAttempt(time="", attempt=1, outcome="retry", code="400", message=SAID)
        delivery = TracedDelivery(
            subscription_id="s",
            name="Mapping",
            status="discarded",
            summary=SAID,
            message=SAID,
            attempts=[attempt],
            payload={"to": "ada@example.com"},
        )
        step = TracedStep(
            stage="filter", passed=True, id="f", name="Filter", code="", message=SAID, output={"email": "x"}
        )
        destination = TracedDestination(
            destination_id="d",
            name="Hook",
            status="discarded",
            summary=SAID,
            steps=[step],
            deliveries=[delivery],
        )
        event = {"traits": {"email": "ada@example.com"}}
        traced = Traced(
            message_id="m",
            source_id=self._source_id,
            received_at="",
            event=event,
            destinations=[destination],
        )
        return Traces(traces=[traced], searched=None)


async def test_a_trace_says_nothing_personal_to_who_may_not_see_it(
    app: Litestar, call: Call, client_of: ClientOf, source: dict[str, str]
) -> None:
    app.state.tracer = Told(source["id"])
    assert str(await call("GET", "/trace?messageId=m")).count("ada@example.com") == 7
    async with client_of({"source-read-only": []}) as reader:
        shown = await reader.get("/trace?messageId=m")
    assert shown.status_code == 200 and "ada@example.com" not in shown.text
