"""A shop that the documentation's screenshots are taken of: sources, tools, people, functions, and traffic.

    with Shop(folder) as shop:
        shop.sources["web"], shop.destinations["Amplitude"], shop.functions["Loyalty points"]

A server of its own, and sinks in place of the tools: one takes everything, one is picky, one shaky, and where
the last should be is none. Nothing leaves the machine. What is sent comes from a generator with a fixed seed.
"""

import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from harness import Onward, Sink, Source, wait_until

WORKSPACE = Path(__file__).with_name("shop.yaml")
TRAFFIC = {"web": 14, "ios": 6, "android": 4, "checkout": 2, "billing": 1}
"""Events that a source sends in a tenth of a second."""


class Tool(NamedTuple):
    source: str
    name: str
    kind: str
    settings: Mapping[str, Any] = MappingProxyType({})
    """A setting that the catalogue wants and that isn't here is filled with a made-up key."""
    drop: str = ""
    """The condition of a filter."""


TOOLS = (
    Tool("web", "Amplitude", "actions-amplitude"),
    Tool(
        "web", "Google Analytics", "actions-google-analytics-4", {"measurementId": "G-8H2KQ0"}
    ),  # no presets
    Tool("web", "Customer.io", "actions-customerio"),
    Tool("web", "PostHog", "actions-posthog", {"project_id": "4711"}, 'type = "page"'),
    Tool("ios", "Amplitude for iOS", "actions-amplitude"),
    Tool("ios", "Mixpanel", "actions-mixpanel"),
    Tool("android", "Mixpanel for Android", "actions-mixpanel"),
    Tool("android", "Braze", "actions-braze-cloud", {"app_id": "5c4f"}),
    Tool("checkout", "Iterable", "actions-iterable"),
)
"""With the presets of the catalogue. Webhooks are made by `_webhooks`."""

ACTIONS = {"Google Analytics": {"customEvent": 'type = "track"', "pageView": 'type = "page"'}}
"""Mappings of what has no presets: by action the trigger."""

HOSTS = {
    "api2.amplitude.com": "fine",
    "api.mixpanel.com": "picky",
    "track.customer.io": "shaky",
    "finance.shop.example": "shaky",
    "loyalty.shop.example": "shaky",
    "crm.shop.example": "down",
    "*": "fine",
}
"""What stands in for which host: one of the sinks, or nobody."""

EVENTS = {
    "Product Viewed": 34,
    "Product Added": 14,
    "Cart Viewed": 9,
    "Checkout Started": 6,
    "Order Completed": 4,
    "Products Searched": 12,
    "Coupon Applied": 2,
    "Signed Up": 1,
}
"""Track events with how often they come."""
PRODUCTS = ("Linen shirt", "Rain jacket", "Wool socks", "Canvas bag", "Trail shoes", "Sun hat")
PLACES = ("Berlin", "Lyon", "Porto", "Gdańsk", "Graz", "Leeds")
VERSIONS = ("4.2.0", "4.2.0", "4.2.0", "4.1.3", "3.9.8")


class Shop:
    """Runs for as long as it is entered; `sending` can be stopped before."""

    def __init__(self, folder: Path) -> None:
        self.sinks = {name: Sink(folder / name) for name in ("fine", "picky", "shaky")}
        self._nobody = socket.socket()
        """Has a port at which nobody listens, for as long as it is held."""
        self._nobody.bind(("127.0.0.1", 0))
        ports = {name: sink.port for name, sink in self.sinks.items()}
        ports["down"] = self._nobody.getsockname()[1]
        override = [f"{host}=http://127.0.0.1:{ports[name]}" for host, name in HOSTS.items()]
        self.onward = Onward(folder / "onward", egress_override=",".join(override), max_functions=50)
        self.sources: dict[str, Source] = {}
        self.destinations: dict[str, str] = {}
        self.functions: dict[str, str] = {}
        self._stop = threading.Event()
        self._sending = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stop.set()
        if self._sending.is_alive():
            self._sending.join()
        self.onward.close()
        self._nobody.close()
        for sink in self.sinks.values():
            sink.close()

    # --- what there is ---

    def _open(self) -> None:
        for sink in self.sinks.values():
            sink.start()
        self.sinks["fine"].behave(latency=0.04)
        self.sinks["picky"].behave(fail_rate=0.03, status=400)
        self.sinks["shaky"].behave(fail_rate=0.06, status=503, latency=0.12)
        self._apply()
        self.onward.start()
        self._know()
        self._webhooks()
        for tool in TOOLS:
            self.destinations[tool.name] = self._connect(tool)
        self._sending.start()

    def _apply(self) -> None:
        """The workspace of `shop.yaml`; where its function writes to is a sink."""
        command = [sys.executable, "-m", "onward", "apply", str(WORKSPACE), "--yes"]
        environment = {**os.environ, **self.onward.environment, "LOYALTY_KEY": "k-2931"}
        subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603  (our own)

    def _know(self) -> None:
        for each in self.onward.api("GET", "/sources?pagination[count]=50")["sources"]:
            self.sources[each["slug"]] = Source(each["id"], each["slug"], each["writeKeys"][0])
        for kind in ("DESTINATION", "INSERT_DESTINATION"):
            listed = f"/functions?resourceType={kind}&pagination[count]=50"
            for each in self.onward.api("GET", listed)["functions"]:
                self.functions[each["displayName"].removesuffix(" (Linen & Rain)")] = each["id"]

    def _webhooks(self) -> None:
        made = self.destinations
        checkout, web, billing = (self.sources[slug] for slug in ("checkout", "web", "billing"))
        order, staff = 'event = "Order Completed"', 'match(context.traits.email, "*@shop.example")'
        made["Order desk"] = self._webhook(checkout, "Order desk", "orders", trigger=order)
        made["Data lake"] = self._webhook(web, "Data lake", "lake", drop=staff, enable_batching=True)
        made["Legacy CRM"] = self._webhook(checkout, "Legacy CRM", "crm")
        made["Finance"] = self._webhook(billing, "Finance", "finance")
        for each in self.onward.api("GET", "/destinations?pagination[count]=50")["destinations"]:
            made[each["name"]] = each["id"]

    def _webhook(self, source: Source, name: str, host: str, **mapping: Any) -> str:
        return self.onward.create_webhook(source, f"https://{host}.shop.example/events", name=name, **mapping)

    def _connect(self, tool: Tool) -> str:
        body = {
            "sourceId": self.sources[tool.source].id,
            "metadataId": tool.kind,
            "name": tool.name,
            "settings": dict(tool.settings),
            "applyPresets": True,
        }
        made = self.onward.api("POST", "/destinations", body)["destination"]
        missing = {
            each["name"]: f"{each['name']}-5e1f"
            for each in made["metadata"]["options"]
            if each["required"] and not made["settings"].get(each["name"]) and not each["defaultValue"]
        }
        if missing:
            self.onward.api("PATCH", f"/destinations/{made['id']}", {"settings": missing})
        path = f"/destinations/{made['id']}/subscriptions"
        for each in self.onward.api("GET", f"{path}?pagination[count]=100")["subscriptions"]:
            if "(beta)" not in each["name"]:
                self.onward.api("PATCH", f"{path}/{each['id']}", {"input": {"enabled": True}})
        for action, trigger in ACTIONS.get(tool.name, {}).items():
            body = {"name": f"As {action}", "actionId": action, "trigger": trigger, "enabled": True}
            self.onward.api("POST", path, body)
        if tool.drop:
            condition = {"title": "No pages", "if": tool.drop, "enabled": True, "actions": [{"type": "DROP"}]}
            body = {"sourceId": self.sources[tool.source].id, **condition}
            self.onward.api("POST", f"/destination/{made['id']}/filters", body)
        self.onward.api("PATCH", f"/destinations/{made['id']}", {"enabled": True})
        return str(made["id"])

    # --- what happens ---

    def _send(self) -> None:
        chance = random.Random(7)  # noqa: S311  (for a picture)
        while not self._stop.wait(0.1):
            for slug, number in TRAFFIC.items():
                self.onward.send(self.sources[slug], [event(chance, slug) for _ in range(number)])

    def wait_for_failures(self) -> None:
        """Until there is something to see: discards, retries, and a destination that is paused."""

        def troubled() -> bool:
            found = self.onward.api("GET", "/connections")["connections"]["destinations"]
            return any(each["discardedLately"] for each in found) and any(
                each["delivery"]["pausedSince"] for each in found
            )

        wait_until(troubled, what="some destination discards, and one is paused")


def event(chance: random.Random, source: str) -> dict[str, Any]:
    """What the source sends next; now and then what it had better not."""
    number = chance.randint(1, 900)
    person = f"u_{number:04}"
    context: dict[str, Any] = {"traits": {"email": f"{person}@{'shop' if number < 20 else 'mail'}.example"}}
    if source in ("ios", "android"):
        context |= {"app": {"name": "Shop", "version": chance.choice(VERSIONS)}, "device": {"type": source}}
    draw = chance.random()
    if draw < 0.004:
        return {"type": "track", "event": "Without a user"}
    if draw < 0.12:
        name = chance.choice(("Home", "Sale", "Returns", "Size guide"))
        path = f"/{name.lower().replace(' ', '-')}"
        properties = {"path": path, "title": name, "url": f"https://shop.example{path}"}
        kind = "screen" if source in ("ios", "android") else "page"
        return {"type": kind, "userId": person, "name": name, "properties": properties, "context": context}
    if draw < 0.16:
        traits = {"email": context["traits"]["email"], "city": chance.choice(PLACES), "orders": number % 9}
        return {"type": "identify", "userId": person, "traits": traits, "context": context}
    (name,) = chance.choices(tuple(EVENTS), tuple(EVENTS.values()))
    properties = {"product": chance.choice(PRODUCTS), "price": round(9 + chance.random() * 90, 2)}
    if name == "Order Completed":
        total = round(20 + chance.random() * 180, 2)
        properties |= {"order_id": f"o-{chance.randint(10_000, 99_999)}", "total": total, "revenue": total}
        item = {
            "product_id": "p1",
            "name": properties["product"],
            "price": properties["price"],
            "quantity": 1,
        }
        properties |= {"products": [item]}
    properties |= {"currency": "EUR"}
    return {"type": "track", "userId": person, "event": name, "properties": properties, "context": context}
