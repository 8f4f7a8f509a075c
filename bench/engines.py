"""What the engines take for an event by themselves, in one thread: a mapping, its fields, a trigger.

No process is started. Each figure is the best of many rounds over the same thousand events, which is what
the code takes when nothing else has the core; the collector of cycles is off, as it is in delivery.
"""

import argparse
import gc
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from bench.events import event
from onward.pipeline import mapping, payloads, triggers
from onward.pipeline.fields import FieldSchema, compile_fields

EVENTS = 1_000
TRIGGER = 'type = "track" and match(event, "Order*") and properties.total >= 40'
"""Three conditions, of which all must be looked at for a fifth of the events."""


def path(of: str) -> dict[str, str]:
    return {"@path": of}


MAPPING: dict[str, Any] = {
    "event_name": path("$.event"),
    "user_id": {"@if": {"exists": path("$.userId"), "then": path("$.userId"), "else": path("$.anonymousId")}},
    "time": path("$.timestamp"),
    "page_url": path("$.context.page.url"),
    "currency": {"@case": {"operator": "lower", "value": path("$.properties.currency")}},
    "value": path("$.properties.total"),
    "label": {"@template": "{{event}} of {{properties.order_id}}"},
    "products": {
        "@arrayPath": [
            "$.properties.products",
            {"id": path("$.product_id"), "quantity": path("$.quantity"), "price": path("$.price")},
        ]
    },
    "source": "shop",
    "enable_batching": True,
}
PRODUCT = {
    "id": FieldSchema(label="Id", required=True),
    "quantity": FieldSchema(label="Quantity", type="integer"),
    "price": FieldSchema(label="Price", type="number"),
}
FIELDS = {
    "event_name": FieldSchema(label="Event", required=True),
    "user_id": FieldSchema(label="User"),
    "time": FieldSchema(label="Time", type="datetime"),
    "page_url": FieldSchema(label="Page"),
    "currency": FieldSchema(label="Currency"),
    "value": FieldSchema(label="Value", type="number"),
    "label": FieldSchema(label="Label"),
    "products": FieldSchema(label="Products", type="object", multiple=True, properties=PRODUCT),
    "source": FieldSchema(label="Source"),
    "enable_batching": FieldSchema(label="Batch", type="boolean"),
}


def run_mapping(args: argparse.Namespace) -> list[dict[str, object]]:
    events = _events()
    build = mapping.compile(MAPPING)
    check = compile_fields(FIELDS)
    mapped = [build(each) for each in events]
    baseline = _baseline(events)
    return [
        {"figure": "mapping-10", "us_per_event": best_us(build, events), "target_us": 8, **baseline},
        {
            "figure": "mapping-10 fields",
            "us_per_event": best_us(lambda payload: check(payload, batch=True), mapped),
        },
        {
            "figure": "mapping-10 with fields",
            "us_per_event": best_us(payloads.compile(MAPPING, FIELDS, batches=True), events),
        },
    ]


def run_trigger(args: argparse.Namespace) -> list[dict[str, object]]:
    events = _events()
    matching = triggers.compile(TRIGGER)
    return [
        {
            "figure": "trigger-3",
            "us_per_event": best_us(matching, events),
            "target_us": 1,
            "matched": sum(map(matching, events)) / len(events),
            **_baseline(events),
        }
    ]


def _events() -> list[dict[str, Any]]:
    dice = random.Random(1)
    return [event(dice, str(at)) for at in range(EVENTS)]


def _baseline(events: Sequence[Any]) -> dict[str, object]:
    """What there is to compare with, from the same run: decoding such an event."""
    return {
        "baseline": "orjson.loads",
        "baseline_us_per_event": best_us(orjson.loads, [orjson.dumps(each) for each in events]),
    }


def best_us(run: Callable[[Any], Any], events: Sequence[Any], rounds: int = 30) -> float:
    """Microseconds an event, of the thread's own time."""
    gc.disable()
    best = float("inf")
    try:
        for _ in range(rounds):
            began = time.thread_time_ns()
            for each in events:
                run(each)
            best = min(best, time.thread_time_ns() - began)
    finally:
        gc.enable()
    return round(best / len(events) / 1_000, 3)
